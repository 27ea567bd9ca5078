"""`ops.linalg`: linear algebra."""

from typing import TYPE_CHECKING

from .later import later as _later

if TYPE_CHECKING:
    from .determinants import *
    from .directional import *
    from .eigenvalues import *
    from .factorization import *
    from .linear_algebra import *
    from .spectra import *
    from .systems import *
else:
    _files = ("linear_algebra", "systems", "factorization", "determinants", "spectra", "eigenvalues", "directional")
    __getattr__, __dir__ = _later(__name__, *_files)
