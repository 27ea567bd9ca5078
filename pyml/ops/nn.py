"""`ops.nn`: the ops of neural networks."""

from .activation import *
from .crossentropy import *
from .normalization import *
from .windows import *
