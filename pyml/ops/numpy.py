"""`ops.numpy`: the ops that numpy has too."""

from typing import TYPE_CHECKING

from .about import *
from .arithmetic import *
from .creation import *
from .elementary import *
from .indexing import *
from .joining import *
from .later import later as _later
from .logic import *
from .positions import *
from .products import *
from .reduce import *
from .shaping import *

if TYPE_CHECKING:
    from .arranging import *
    from .bits import *
    from .circular import *
    from .closeness import *
    from .contraction import *
    from .counting import *
    from .diagonals import *
    from .log_determinants import *
    from .nan_family import *
    from .phases import *
    from .powers import *
    from .quantiles import *
    from .ranges import *
    from .reinterpreting import *
    from .running import *
    from .series import *
    from .sorting import *
    from .vector_products import *
    from .vectorizing import *
    from .window_functions import *
else:
    # Most wanted first: a touch loads the files before its own too.
    __getattr__, __dir__ = _later(
        __name__,
        "powers",
        "contraction",
        "arranging",
        "diagonals",
        "running",
        "sorting",
        "ranges",
        "closeness",
        "bits",
        "circular",
        "series",
        "vector_products",
        "nan_family",
        "quantiles",
        "counting",
        "window_functions",
        "vectorizing",
        "log_determinants",
        "phases",
        "reinterpreting",
    )
