"""`ops.linalg`: linear algebra."""

from .linear_algebra import *
