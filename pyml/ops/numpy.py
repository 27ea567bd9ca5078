"""`ops.numpy`: the ops that numpy has too."""

from .arithmetic import *
from .contraction import *
from .creation import *
from .elementary import *
from .indexing import *
from .joining import *
from .logic import *
from .products import *
from .reduce import *
from .shaping import *
