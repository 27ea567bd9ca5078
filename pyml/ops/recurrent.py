"""Recurrent layers as one operation over all steps."""

from __future__ import annotations

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..graph import prims
from ..graph.prims.lstm import MOST_UNITS
from .joining import stack


def fits(units: int) -> bool:
    """Whether `lstm` and `gru` take this many units."""
    return units <= MOST_UNITS


def lstm(
    projected: TensorLike, recurrent_kernel: TensorLike, h: TensorLike, c: TensorLike, keep: TensorLike
) -> tuple[Tensor, Tensor]:
    """All steps of an LSTM with tanh and sigmoid.

    Args:
        projected: `(steps, batch, 4 units)`: inputs times kernel plus bias; gates in the order i, f, candidate, o.
        recurrent_kernel: `(units, 4 units)`.
        h, c: States before the first step, `(batch, units)`.
        keep: int32 `(steps, batch)`; a step where it is 0 changes nothing.

    Returns:
        h after every step, `(steps, batch, units)`, and the last c, `(batch, units)`.
    """
    n = as_node(recurrent_kernel).shape[0]
    start = stack([h, c])
    y = Tensor(prims.lstm(as_node(projected), as_node(recurrent_kernel), start._node, as_node(keep)))
    return y[:, :, :n], y[-1, :, n:]


def gru(
    projected: TensorLike, recurrent_kernel: TensorLike, bias: TensorLike, h: TensorLike, keep: TensorLike
) -> Tensor:
    """All steps of a GRU with tanh and sigmoid, its reset gate after the product.

    Args:
        projected: `(steps, batch, 3 units)`: inputs times kernel plus bias; gates in the order z, r, candidate.
        recurrent_kernel, bias: `(units, 3 units)` and `(3 units,)`, of the state.
        h: State before the first step, `(batch, units)`.
        keep: int32 `(steps, batch)`; a step where it is 0 changes nothing.

    Returns:
        h after every step, `(steps, batch, units)`.
    """
    return Tensor(prims.gru(*(as_node(v) for v in (projected, recurrent_kernel, bias, h, keep))))
