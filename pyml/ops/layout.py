"""Layouts of images: batches or single ones, channels last or first."""

from __future__ import annotations

from ..core.tensor import as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from ..settings import standardize_data_format


def data_format_of(data_format: str | None, what: str) -> str:
    """`"channels_last"` or `"channels_first"`; None stands for `pyml.config.image_data_format()`.

    Raises:
        ValueError: It is something else.
    """
    return standardize_data_format(data_format, what)


def check_rank(shape: tuple[int, ...], what: str, name: str = "images") -> None:
    """Raises a ShapeError unless `shape` is that of an image or of a batch of them."""
    if len(shape) not in (3, 4):
        raise ShapeError(f"{what}: {name} must have 3 axes (one image) or 4 (a batch). Received: {name} of shape {tuple(shape)}")


def image_batch(images: TensorLike, what: str, name: str = "images") -> tuple[Node, bool]:
    """The node of a batch of images, and whether `images` was a single one."""
    node = as_node(images)
    check_rank(node.shape, what, name)
    single = node.ndim == 3
    return (prims.reshape(node, (1, *node.shape)) if single else node), single


def unbatched(node: Node, single: bool) -> Node:
    """The only image of the batch where there was a single one."""
    return prims.reshape(node, node.shape[1:]) if single else node


def channels_last(node: Node, layout: str) -> Node:
    """A batch of images as `(batch, height, width, channels)`."""
    return prims.permute(node, (0, 2, 3, 1)) if layout == "channels_first" else node


def as_before(node: Node, layout: str) -> Node:
    """`channels_last` undone."""
    return prims.permute(node, (0, 3, 1, 2)) if layout == "channels_first" else node
