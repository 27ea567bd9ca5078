"""The Python array API standard, version 2024.12, on pyml's tensors.

`from pyml import array_api as xp`, or `xp = x.__array_namespace__()`: scikit-learn, scipy and code of your own that is written
for any array library compute on the device in use. Arrays are `pyml.Tensor`s, functions are `pyml.ops` under the standard's names,
and dtypes are strings. What the standard asks and 32 bits cannot give is said in one place: `data_types.py`.

Example:
    >>> from pyml import array_api as xp
    >>> x = xp.asarray([[1., 2.], [3., 5.]])
    >>> xp.std(x, axis=0, correction=1).numpy().round(3)
    array([1.414, 2.121], dtype=float32)

Source: https://data-apis.org/array-api/2024.12/
"""

from typing import TYPE_CHECKING

from ..lazily import parts as _parts
from .creation import *
from .data_types import *
from .elementwise import *
from .inspection import __array_namespace_info__
from .linear_algebra import *
from .manipulation import *
from .searching import *
from .statistical import *

__array_api_version__ = "2024.12"

if TYPE_CHECKING:
    from . import fft as fft
    from . import linalg as linalg
else:
    __getattr__, __dir__ = _parts(__name__, {}, ("fft", "linalg"))
