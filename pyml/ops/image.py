"""`ops.image`: ops on images, as Keras names them."""

from typing import TYPE_CHECKING

from .later import later as _later

if TYPE_CHECKING:
    from .blurring import *
    from .colors import *
    from .cropping import *
    from .patches import *
    from .resizing import *
    from .sampling import *
    from .scaling import *
    from .warping import *
else:
    __getattr__, __dir__ = _later(__name__, "resizing", "cropping", "colors", "blurring", "sampling", "warping", "patches", "scaling")
