"""`ops.image`: ops on images, as Keras names them."""

from .resizing import resize

__all__ = ["resize"]
