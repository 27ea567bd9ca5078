"""Keras ops: plain functions of tensors, composed of the primitives, so they all differentiate.

Each takes Tensors, Variables, numpy arrays, numbers, and symbolic KerasTensors (which records the call in a model).
`ops.numpy`, `ops.nn`, `ops.linalg` and `ops.image` hold the same functions under the names that Keras gives them;
an op is written once, with `@op` (see `declare.py`), in the file of its subject.
"""

from typing import TYPE_CHECKING

from . import image, interop, linalg, nn, numpy
from .core import *
from .in_einops import register as _register
from .later import later as _later
from .math import *
from .nn import *
from .numpy import *

_register()
if TYPE_CHECKING:
    from .branches import *
    from .complex_numbers import *
    from .distances import *
    from .further import *
    from .largest import *
    from .linalg import *
    from .loops import *
    from .partial_results import *
    from .positive_determinants import *
    from .rearranging import *
    from .scattering import *
    from .signal import *
    from .special_functions import *
    from .while_loops import *
else:
    _files = (
        "scattering", "loops", "special_functions", "signal", "branches", "while_loops", "largest", "partial_results", "further",
        "positive_determinants", "rearranging", "distances", "complex_numbers",
    )  # fmt: skip
    __getattr__, __dir__ = _later(__name__, *_files, homes=(numpy, nn, linalg))
