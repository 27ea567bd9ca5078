"""All steps of an LSTM as one operation: one dispatch forward, one back, in place of several for every step."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import Grads, KernelSpec, Profile, Shape, routine
from .contract import matmul
from .move import concat, permute, reshape, slice_
from .sequence import backward_in_parts, forward_in_parts, sequence_dtype, sequence_spec, sigmoid

MOST_UNITS = 400  # so that the way back fits into 16 KiB of shared memory
_RAGGED = """let at = j * U + 4u * q; let last = 4u * U * U - 1u;
return vec4f(rt[at], rt[min(at + 1u, last)], rt[min(at + 2u, last)], rt[min(at + 3u, last)]);"""


def _shape(z: Shape, r: Shape, start: Shape, keep: Shape) -> Shape:
    units = r[0]
    if len(z) != 3 or r != (units, 4 * units) or z[2] != 4 * units or start != (2, z[1], units) or keep != z[:2]:
        raise ShapeError(
            f"lstm: projected inputs are {z}, the recurrent kernel {r}, the first states {start} and the mask {keep}; "
            "expected (steps, batch, 4 units), (units, 4 units), (2, batch, units) and (steps, batch)."
        )
    return (z[0], z[1], 2 * units)


def _numpy(z: np.ndarray, r: np.ndarray, start: np.ndarray, keep: np.ndarray) -> np.ndarray:
    h, c = start
    units = h.shape[1]
    y = np.empty((*z.shape[:2], 2 * units), z.dtype)
    for t, (step, mask) in enumerate(zip(z, keep[:, :, None] != 0, strict=True)):
        pre = step + h @ r
        i, f, o = (sigmoid(pre[:, k * units : (k + 1) * units]) for k in (0, 1, 3))
        now = f * c + i * np.tanh(pre[:, 2 * units : 3 * units])
        h, c = np.where(mask, o * np.tanh(now), h), np.where(mask, now, c)
        y[t, :, :units], y[t, :, units:] = h, c
    return y


def _grad_numpy(dy: np.ndarray, pre: np.ndarray, y: np.ndarray, start: np.ndarray, rt: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The steps back from the last to the first; one row more holds the gradients of the first states."""
    steps, _, units = dy.shape[0], dy.shape[1], dy.shape[2] // 2
    dh = dc = np.zeros(start.shape[1:], dy.dtype)
    out = np.zeros((steps + 1, *pre.shape[1:]), dy.dtype)
    for t in reversed(range(steps)):
        mask = keep[t][:, None] != 0
        before = y[t - 1, :, units:] if t else start[1]
        i, f, o = (sigmoid(pre[t, :, k * units : (k + 1) * units]) for k in (0, 1, 3))
        n = np.tanh(pre[t, :, 2 * units : 3 * units])
        c = np.tanh(f * before + i * n)
        gh, gc = dh + dy[t, :, :units], dc + dy[t, :, units:]
        total = gc + gh * o * (1 - c * c)
        parts = (total * n * i * (1 - i), total * before * f * (1 - f), total * i * (1 - n * n), gh * c * o * (1 - o))
        out[t] = np.where(mask, np.concatenate(parts, 1), 0)
        dh, dc = np.where(mask, 0, gh) + out[t] @ rt, np.where(mask, total * f, gc)
    out[steps, :, : 2 * units] = np.concatenate([dh, dc], 1)
    return out


def _gradient(g: Node, y: Node, z: Node, r: Node, start: Node, keep: Node) -> Grads:
    steps, batch, units = z.shape[0], z.shape[1], r.shape[0]
    first = reshape(slice_(start, (0, 0, 0), (1, batch, units)), (1, batch, units))
    before = concat([first, slice_(y, (0, 0, 0), (steps - 1, batch, units))], 0)  # h at the beginning of every step
    before = reshape(before, (steps * batch, units))
    pre = z + reshape(matmul(before, r), z.shape)  # the gates of all steps again, in one product
    back = BACK(g, pre, y, start, permute(r, (1, 0)), keep)
    dz = slice_(back, (0, 0, 0), z.shape)
    dr = matmul(permute(before, (1, 0)), reshape(dz, (steps * batch, 4 * units)))
    ends = reshape(slice_(back, (steps, 0, 0), (steps + 1, batch, 2 * units)), (batch, 2, units))
    return dz, dr, permute(ends, (1, 0, 2)), None


def _states(y: Node) -> Node:
    """h and c, `(2, batch, units)`, out of one step's results."""
    _, batch, both = y.shape
    return permute(reshape(y, (batch, 2, both // 2)), (1, 0, 2))


def _lower(node: Node, profile: Profile) -> Node | None:
    units = node.src[1].shape[0]
    return forward_in_parts(LSTM, node, units * (units // 4 + 8), profile, _states)


def _back_lower(node: Node, profile: Profile) -> Node | None:
    units = node.shape[2] // 4
    return backward_in_parts(BACK, node, units * (units // 4 + 12), profile, _states)


def _back_kernel(node: Node, profile: Profile) -> KernelSpec:
    units = node.src[4].shape[1]
    whole = units % 4 == 0
    return sequence_spec("lstm_grad", node, units, profile, {"R": "vec4f" if whole else "f32"}, {} if whole else {"weights": _RAGGED})


def _sample(seed: int, steps: int, batch: int, units: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    draw = lambda *shape: np.asarray(rng.uniform(-1, 1, shape), np.float32)
    keep = (rng.uniform(size=(steps, batch)) < 0.8).astype(np.int32)
    return draw(steps, batch, 4 * units), draw(units, 4 * units), draw(2, batch, units), keep


def _back_sample(seed: int, steps: int, batch: int, units: int) -> tuple[np.ndarray, ...]:
    z, r, start, keep = _sample(seed, steps, batch, units)
    y = _numpy(z, r, start, keep)
    return np.roll(y, 1), z, y, start, np.ascontiguousarray(r.T), keep


def _work(z: Node) -> int:
    """Arithmetic of all steps: the recurrent product, and sum, activation and use of each gate."""
    return 2 * z.size * (z.shape[2] // 4) + 3 * z.size


LSTM = routine(
    "lstm",
    shape=_shape,
    dtype=sequence_dtype("lstm"),
    numpy=_numpy,
    grad=_gradient,
    kernel=lambda node, profile: sequence_spec("lstm", node, node.src[1].shape[0], profile),
    lower=_lower,
    flops=lambda node: _work(node.src[0]),
    samples=[(_sample(0, 4, 3, 8), {}), (_sample(1, 2, 5, 3), {}), (_sample(2, 1, 1, 20), {})],
)
BACK = routine(
    "lstm_grad",
    shape=lambda dy, pre, *rest: (pre[0] + 1, *pre[1:]),
    dtype=sequence_dtype("lstm_grad"),
    numpy=_grad_numpy,
    grad=None,
    kernel=_back_kernel,
    lower=_back_lower,
    flops=lambda node: _work(node.src[1]) + 5 * node.src[1].size,  # each gate's derivative besides
    samples=[(_back_sample(3, 4, 3, 8), {}), (_back_sample(4, 2, 5, 3), {}), (_back_sample(5, 1, 1, 20), {})],
)


def lstm(z: Node, r: Node, start: Node, keep: Node) -> Node:
    """h and c after every step, `(steps, batch, 2 units)`.

    Args:
        z: `(steps, batch, 4 units)`: inputs times kernel plus bias; gates in the order input, forget, candidate, output.
        r: Recurrent kernel `(units, 4 units)`.
        start: h and c before the first step, `(2, batch, units)`.
        keep: int32 `(steps, batch)`; where it is 0 the step leaves h and c as they are.

    Raises:
        ShapeError: The shapes do not fit.
        DtypeError: Something is not float32, or the mask not int32.
    """
    return LSTM(z, r, start, keep)
