"""`ops.nn`: the ops of neural networks."""

from .activation import *
from .crossentropy import *
from .norm import *
from .windows import *
