"""`ops.numpy`: the ops that numpy has too."""

from .arithmetic import *
from .contraction import *
from .elementary import *
from .indexing import *
from .logic import *
from .products import *
from .reduce import *
from .shaping import *
