"""`ops.numpy`: the ops that numpy has too."""

from .about import *
from .arithmetic import *
from .arranging import *
from .bits import *
from .circular import *
from .closeness import *
from .contraction import *
from .creation import *
from .diagonals import *
from .elementary import *
from .indexing import *
from .joining import *
from .logic import *
from .nan_family import *
from .positions import *
from .powers import *
from .products import *
from .ranges import *
from .reduce import *
from .running import *
from .series import *
from .shaping import *
from .vector_products import *
from .window_functions import *
