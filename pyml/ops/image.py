"""`ops.image`: ops on images, as Keras names them."""

from typing import TYPE_CHECKING

from .later import later as _later

if TYPE_CHECKING:
    from .resizing import *
else:
    __getattr__, __dir__ = _later(__name__, "resizing")
