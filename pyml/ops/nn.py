"""`ops.nn`: the ops of neural networks."""

from typing import TYPE_CHECKING

from .activation import *
from .convolution import *
from .crossentropy import *
from .later import later as _later
from .normalization import *
from .pooling import *

if TYPE_CHECKING:
    from .adaptive import *
    from .attending import *
    from .blocks import *
    from .ctc import *
    from .polar_form import *
    from .shrinking import *
    from .sparse_activation import *
    from .transposed import *
else:
    _files = ("attending", "ctc", "transposed", "sparse_activation", "adaptive", "blocks", "polar_form", "shrinking")
    __getattr__, __dir__ = _later(__name__, *_files)
