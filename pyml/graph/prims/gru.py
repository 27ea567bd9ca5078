"""All steps of a GRU as one operation, as `lstm` does it; the reset gate acts after the product with the state."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import Grads, Profile, Shape, routine
from .contract import matmul
from .move import broadcast_to, concat, permute, reshape, slice_
from .reduce import reduce_sum
from .sequence import backward_in_parts, forward_in_parts, sequence_dtype, sequence_spec, sigmoid


def _shape(x: Shape, r: Shape, bias: Shape, start: Shape, keep: Shape) -> Shape:
    units = r[0]
    if len(x) != 3 or r != (units, 3 * units) or x[2] != 3 * units or bias != (3 * units,) or start != (x[1], units) or keep != x[:2]:
        raise ShapeError(
            f"gru: projected inputs are {x}, the recurrent kernel {r}, its bias {bias}, the first state {start} and the mask "
            f"{keep}; expected (steps, batch, 3 units), (units, 3 units), (3 units,), (batch, units) and (steps, batch)."
        )
    return (x[0], x[1], units)


def _gates(x: np.ndarray, inner: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = x.shape[-1] // 3
    z, s = sigmoid(x[..., :n] + inner[..., :n]), sigmoid(x[..., n : 2 * n] + inner[..., n : 2 * n])
    return z, s, np.tanh(x[..., 2 * n :] + s * inner[..., 2 * n :])


def _numpy(x: np.ndarray, r: np.ndarray, bias: np.ndarray, start: np.ndarray, keep: np.ndarray) -> np.ndarray:
    h, out = start, []
    for step, mask in zip(x, keep[:, :, None] != 0, strict=True):
        z, _, n = _gates(step, h @ r + bias)
        h = np.where(mask, z * h + (1 - z) * n, h)
        out.append(h)
    return np.stack(out)


def _grad_numpy(dy: np.ndarray, x: np.ndarray, inner: np.ndarray, y: np.ndarray, start: np.ndarray, rt: np.ndarray,
                keep: np.ndarray) -> np.ndarray:
    """The steps back from the last to the first; one row more holds the gradient of the first state."""
    steps, _, units = dy.shape
    dh = np.zeros(start.shape, dy.dtype)
    out = np.zeros((steps + 1, dy.shape[1], 4 * units), dy.dtype)
    for t in reversed(range(steps)):
        mask = keep[t][:, None] != 0
        before = y[t - 1] if t else start
        z, s, n = _gates(x[t], inner[t])
        gh = dh + dy[t]
        dn = np.where(mask, gh * (1 - z) * (1 - n * n), 0)
        dz = np.where(mask, gh * (before - n) * z * (1 - z), 0)
        out[t] = np.concatenate([dz, dn * inner[t, :, 2 * units :] * s * (1 - s), dn, dn * s], 1)
        back = np.concatenate([out[t, :, : 2 * units], out[t, :, 3 * units :]], 1)
        dh = np.where(mask, gh * z, gh) + back @ rt
    out[steps, :, :units] = dh
    return out


def _gradient(g: Node, y: Node, x: Node, r: Node, bias: Node, start: Node, keep: Node) -> Grads:
    steps, batch, units = y.shape
    before = concat([reshape(start, (1, batch, units)), slice_(y, (0, 0, 0), (steps - 1, batch, units))], 0)
    before = reshape(before, (steps * batch, units))
    wide = (steps * batch, 3 * units)
    inner = matmul(before, r) + broadcast_to(bias, wide)  # what the state gave to all gates again, in one product
    back = BACK(g, x, reshape(inner, x.shape), y, start, permute(r, (1, 0)), keep)
    part = lambda first, last: slice_(back, (0, 0, first * units), (steps, batch, last * units))
    of_state = reshape(concat([part(0, 2), part(3, 4)], 2), wide)
    first = reshape(slice_(back, (steps, 0, 0), (steps + 1, batch, units)), start.shape)
    return part(0, 3), matmul(permute(before, (1, 0)), of_state), reduce_sum(of_state, axis=(0,)), first, None


def _state(y: Node) -> Node:
    """h, `(batch, units)`, out of one step's results."""
    return reshape(y, y.shape[1:])


def _lower(node: Node, profile: Profile) -> Node | None:
    units = node.shape[2]
    return forward_in_parts(GRU, node, units * (units // 8 + 12), profile, _state)


def _back_lower(node: Node, profile: Profile) -> Node | None:
    units = node.src[0].shape[2]
    return backward_in_parts(BACK, node, units * (3 * units // 16 + 20), profile, _state)


def _sample(seed: int, steps: int, batch: int, units: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    draw = lambda *shape: np.asarray(rng.uniform(-1, 1, shape), np.float32)
    keep = (rng.uniform(size=(steps, batch)) < 0.8).astype(np.int32)
    return draw(steps, batch, 3 * units), draw(units, 3 * units), draw(3 * units), draw(batch, units), keep


def _back_sample(seed: int, steps: int, batch: int, units: int) -> tuple[np.ndarray, ...]:
    x, r, bias, start, keep = _sample(seed, steps, batch, units)
    y = _numpy(x, r, bias, start, keep)
    return np.roll(y, 1), x, np.roll(x, 1), y, start, np.ascontiguousarray(r.T), keep


def _work(x: Node) -> int:
    return 2 * x.size * (x.shape[2] // 3)  # the products with the recurrent kernel, which is most of it


GRU = routine(
    "gru",
    shape=_shape,
    dtype=sequence_dtype("gru"),
    numpy=_numpy,
    grad=_gradient,
    kernel=lambda node, profile: sequence_spec("gru", node, node.shape[2], profile),
    lower=_lower,
    flops=lambda node: _work(node.src[0]),
    samples=[(_sample(0, 4, 3, 8), {}), (_sample(1, 2, 5, 3), {}), (_sample(2, 1, 1, 20), {})],
)
BACK = routine(
    "gru_grad",
    shape=lambda dy, x, *rest: (dy[0] + 1, dy[1], 4 * dy[2]),
    dtype=sequence_dtype("gru_grad"),
    numpy=_grad_numpy,
    grad=None,
    kernel=lambda node, profile: sequence_spec("gru_grad", node, node.src[0].shape[2], profile),
    lower=_back_lower,
    flops=lambda node: _work(node.src[1]),
    samples=[(_back_sample(3, 4, 3, 8), {}), (_back_sample(4, 2, 5, 3), {}), (_back_sample(5, 1, 1, 20), {})],
)


def gru(x: Node, r: Node, bias: Node, start: Node, keep: Node) -> Node:
    """h after every step, `(steps, batch, units)`.

    Args:
        x: `(steps, batch, 3 units)`: inputs times kernel plus bias; gates in the order update, reset, candidate.
        r, bias: Recurrent kernel `(units, 3 units)` and its bias `(3 units,)`.
        start: h before the first step, `(batch, units)`.
        keep: int32 `(steps, batch)`; where it is 0 the step leaves h as it is.

    Raises:
        ShapeError: The shapes do not fit.
        DtypeError: Something is not float32, or the mask not int32.
    """
    return GRU(x, r, bias, start, keep)
