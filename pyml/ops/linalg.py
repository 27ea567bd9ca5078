"""`ops.linalg`: linear algebra."""

from typing import TYPE_CHECKING

from .later import later as _later

if TYPE_CHECKING:
    from .directional import *
    from .linear_algebra import *
else:
    __getattr__, __dir__ = _later(__name__, "linear_algebra", "directional")
