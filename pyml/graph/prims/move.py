"""Movement ops: they say which source element an element comes from and have no kernel of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

import numpy as np

from ...errors import ShapeError
from ..index import Index, Place, constant, coordinates, linear
from ..node import Node
from ..op import Elementwise, Grads, Movement, Padding, Shape, movement
from .elementwise import copy
from .leaf import is_const, resized


def _array(lo: float, hi: float, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(lo, hi, shape).astype(np.float32)


# ---- permute
def _permute_shape(s: Shape, *, axes: tuple[int, ...]) -> Shape:
    if sorted(axes) != list(range(len(s))):
        raise ShapeError(f"transpose: axes {axes} is not a permutation of the {len(s)} axes of shape {s}.")
    return tuple(s[a] for a in axes)


def _invert(axes: Shape) -> Shape:
    return tuple(int(i) for i in np.argsort(axes))


_DEPTH = 12  # so many operations between two permutations are looked through


def _settled(node: Node) -> Node | None:
    """One permutation for two; none where the second undoes the first, also across what is computed element by element
    between them: that is computed in the first order instead.
    """
    x, axes = node.src[0], node.attrs["axes"]
    if x.op is PERMUTE:
        return permute(x.src[0], tuple(x.attrs["axes"][a] for a in axes))
    return _turned(x, axes, _DEPTH, {}) if _undone(x, axes, _DEPTH, set()) else None


def _undone(x: Node, axes: tuple[int, ...], depth: int, seen: set[int]) -> bool:
    if x.op is PERMUTE:
        return tuple(x.attrs["axes"][a] for a in axes) == tuple(range(len(axes)))
    if not isinstance(x.op, Elementwise) or x.op.looks_up or x.ndim != len(axes) or not depth or id(x) in seen:
        return False
    seen.add(id(x))
    return any(_undone(s, axes, depth - 1, seen) for s in x.src)


def _turned(x: Node, axes: tuple[int, ...], depth: int, made: dict[int, Node]) -> Node:
    if id(x) not in made:
        if isinstance(x.op, Elementwise) and not x.op.looks_up and x.ndim == len(axes) and depth:
            made[id(x)] = x.op(*(_turned(s, axes, depth - 1, made) for s in x.src), **x.attrs)
        else:
            made[id(x)] = permute(x, axes)
    return made[id(x)]


PERMUTE: Movement = movement(
    "permute",
    absorb=_settled,
    shape=_permute_shape,
    index=lambda c, s, axes: [([c[i] for i in _invert(axes)], [], None)],
    numpy=lambda x, axes: np.transpose(x, axes),
    grad=lambda g, y, x, axes: (permute(g, _invert(axes)),),
    samples=[((_array(-1, 1, 2, 3, 4),), {"axes": (2, 0, 1)}), ((_array(-1, 1, 5, 2),), {"axes": (1, 0)})],
)


def permute(x: Node, axes: Sequence[int]) -> Node:
    axes = tuple(axes)
    return x if axes == tuple(range(len(x.shape))) else PERMUTE(x, axes=axes)


# ---- reshape
def _reshape_shape(s: Shape, *, shape: Shape) -> Shape:
    if prod(s) != prod(shape):
        raise ShapeError(f"reshape: shape {s} has {prod(s)} elements, {shape} has {prod(shape)}.")
    return tuple(shape)


RESHAPE = movement(
    "reshape",
    shape=_reshape_shape,
    index=lambda c, s, shape: [(coordinates(linear(c, shape), s), [], None)],
    numpy=lambda x, shape: np.reshape(x, shape),
    grad=lambda g, y, x, shape: (reshape(g, x.shape),),
    keeps_order=True,
    samples=[((_array(-1, 1, 2, 6),), {"shape": (3, 4)}), ((_array(-1, 1, 6),), {"shape": (1, 2, 3)})],
)


def reshape(x: Node, shape: Iterable[int]) -> Node:
    if type(shape) is tuple and shape == x.shape:
        return x
    shape = tuple([int(n) for n in shape])
    if shape == x.shape:
        return x
    if is_const(x):
        _reshape_shape(x.shape, shape=shape)
        return resized(x, shape)
    return RESHAPE(x.src[0] if x.op is RESHAPE and x.buffer is None else x, shape=shape)


# ---- broadcast
def _broadcast_shape(s: Shape, *, shape: Shape) -> Shape:
    lead = len(shape) - len(s)
    fits = lead >= 0
    for i, b in enumerate(shape):
        if b < 0 or (fits and i >= lead and s[i - lead] not in (1, b)):
            fits = False
    if not fits:
        raise ShapeError(f"broadcast_to: shape {s} does not broadcast to {shape}.")
    return tuple(shape)


def _broadcast_index(c: Sequence[Index], s: Shape, shape: Shape) -> list[Place]:
    return [([constant(0) if n == 1 else k for k, n in zip(c[len(shape) - len(s) :], s, strict=True)], [], None)]


def _unbroadcast(g: Node, shape: Shape) -> Node:
    from .reduce import reduce_sum

    lead = len(g.shape) - len(shape)
    axis = tuple(i for i, n in enumerate(g.shape) if i < lead or (shape[i - lead] == 1 and n != 1))
    return reshape(reduce_sum(g, axis=axis), shape) if axis else reshape(g, shape)


BROADCAST = movement(
    "broadcast_to",
    shape=_broadcast_shape,
    index=_broadcast_index,
    numpy=lambda x, shape: np.broadcast_to(x, shape),
    grad=lambda g, y, x, shape: (_unbroadcast(g, x.shape),),
    samples=[((_array(-1, 1, 3, 1),), {"shape": (2, 3, 4)}), ((_array(-1, 1, 4),), {"shape": (3, 4)})],
)


def broadcast_to(x: Node, shape: Iterable[int]) -> Node:
    if type(shape) is tuple and shape == x.shape:
        return x
    shape = tuple([int(n) for n in shape])
    if shape == x.shape:
        return x
    if is_const(x):
        _broadcast_shape(x.shape, shape=shape)
        return resized(x, shape)
    return BROADCAST(x, shape=shape)


# ---- slice
def _slice_shape(s: Shape, *, start: Shape, stop: Shape, step: Shape) -> Shape:
    for a, b, k, n in zip(start, stop, step, s, strict=True):
        if k < 1 or not 0 <= a <= b <= n:
            raise ShapeError(f"slice: {a}:{b}:{k} does not fit a size of {n} (shape {s}).")
    return tuple(-(-(b - a) // k) for a, b, k in zip(start, stop, step, strict=True))


def _slice_grad(g: Node, y: Node, x: Node, start: Shape, stop: Shape, step: Shape) -> Grads:
    g = spread(g, step)
    widths = tuple((a, n - a - m) for a, n, m in zip(start, x.shape, g.shape, strict=True))
    return (pad(g, widths),)


def spread(g: Node, step: Shape) -> Node:
    """Puts step - 1 zeros between elements (and none after the last)."""
    for axis, k in enumerate(step):
        if k > 1 and g.shape[axis] > 0:
            n = g.shape[axis]
            shape = g.shape
            g = reshape(g, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
            g = pad(g, ((0, 0),) * (axis + 1) + ((0, k - 1),) + ((0, 0),) * (len(shape) - axis - 1))
            g = reshape(g, (*shape[:axis], n * k, *shape[axis + 1 :]))
            stop = [m if i != axis else n * k - k + 1 for i, m in enumerate(g.shape)]
            g = slice_(g, (0,) * len(stop), stop, (1,) * len(stop))
    return g


SLICE = movement(
    "slice",
    shape=_slice_shape,
    index=lambda c, s, start, stop, step: [([k * d + a for k, a, d in zip(c, start, step, strict=True)], [], None)],
    numpy=lambda x, start, stop, step: x[tuple(map(slice, start, stop, step))],
    grad=_slice_grad,
    samples=[
        ((_array(-1, 1, 6, 5),), {"start": (1, 0), "stop": (6, 5), "step": (2, 3)}),
        ((_array(-1, 1, 4),), {"start": (1,), "stop": (3,), "step": (1,)}),
    ],
)


def slice_(x: Node, start: Iterable[int], stop: Iterable[int], step: Iterable[int] | None = None) -> Node:
    start, stop = tuple(map(int, start)), tuple(map(int, stop))
    step = tuple(map(int, step)) if step is not None else (1,) * len(start)
    if start == (0,) * len(start) and stop == x.shape and step == (1,) * len(start):
        return x
    return SLICE(x, start=start, stop=stop, step=step)


# ---- flip
FLIP = movement(
    "flip",
    shape=lambda s, *, axes: s,
    index=lambda c, s, axes: [([(k * -1) + (s[i] - 1) if i in axes else k for i, k in enumerate(c)], [], None)],
    numpy=lambda x, axes: np.flip(x, axes),
    grad=lambda g, y, x, axes: (flip(g, axes),),
    samples=[((_array(-1, 1, 3, 4),), {"axes": (1,)}), ((_array(-1, 1, 3, 2, 2),), {"axes": (0, 2)})],
)


def flip(x: Node, axes: Iterable[int]) -> Node:
    return FLIP(x, axes=tuple(axes))


# ---- pad
def _pad_shape(s: Shape, *, widths: Padding, value: float) -> Shape:
    if len(widths) != len(s) or any(lo < 0 or hi < 0 for lo, hi in widths):
        raise ShapeError(f"pad: widths {widths} do not fit shape {s}; give one non-negative pair per axis.")
    return tuple(lo + n + hi for n, (lo, hi) in zip(s, widths, strict=True))


def _pad_index(c: Sequence[Index], s: Shape, widths: Padding, value: float) -> list[Place]:
    inner = [k - lo for k, (lo, _) in zip(c, widths, strict=True)]
    tests = [(k, n) for k, n, w in zip(inner, s, widths, strict=True) if w != (0, 0)]
    return [(inner, tests, value)]


def _pad_grad(g: Node, y: Node, x: Node, widths: Padding, value: float) -> Grads:
    start = tuple(lo for lo, _ in widths)
    return (slice_(g, start, tuple(a + n for a, n in zip(start, x.shape, strict=True))),)


PAD = movement(
    "pad",
    shape=_pad_shape,
    index=_pad_index,
    otherwise="value",
    numpy=lambda x, widths, value: np.pad(x, widths, constant_values=value),
    grad=_pad_grad,
    samples=[
        ((_array(-1, 1, 2, 3),), {"widths": ((1, 0), (0, 2)), "value": 0.0}),
        ((_array(-1, 1, 3),), {"widths": ((2, 1),), "value": 7.0}),
    ],
)


def pad(x: Node, widths: Padding, value: float = 0.0) -> Node:
    widths = tuple((int(lo), int(hi)) for lo, hi in widths)
    if all(w == (0, 0) for w in widths):
        return x
    value = {"float32": float, "bool": bool}.get(x.dtype, int)(value)
    return PAD(x, widths=widths, value=value)


# ---- concat
def _concat_shape(*shapes: Shape, axis: int) -> Shape:
    first = shapes[0]
    for s in shapes[1:]:
        if len(s) != len(first) or any(a != b for i, (a, b) in enumerate(zip(s, first, strict=True)) if i != axis):
            raise ShapeError(f"concatenate: shapes {first} and {s} differ outside axis {axis}.")
    return (*first[:axis], sum(s[axis] for s in shapes), *first[axis + 1 :])


def _concat_index(c: Sequence[Index], *shapes: Shape, axis: int) -> list[Place]:
    out: list[Place] = []
    offset = 0
    for s in shapes:
        k = c[axis] - offset
        out.append(([*c[:axis], k, *c[axis + 1 :]], [(k, s[axis])], None))
        offset += s[axis]
    return out


def _concat_grad(g: Node, y: Node, *src: Node, axis: int) -> Grads:
    out, offset = [], 0
    for x in src:
        start = tuple(offset if i == axis else 0 for i in range(len(g.shape)))
        stop = tuple(a + n for a, n in zip(start, x.shape, strict=True))
        out.append(slice_(g, start, stop))
        offset += x.shape[axis]
    return tuple(out)


CONCAT = movement(
    "concat",
    shape=_concat_shape,
    index=_concat_index,
    numpy=lambda *xs, axis: np.concatenate(xs, axis),
    grad=_concat_grad,
    samples=[((_array(-1, 1, 2, 3), _array(-1, 1, 2, 1), _array(-1, 1, 2, 2)), {"axis": 1})],
)
_MOST_SOURCES = 6  # so that a fused kernel stays within the browser's 8 storage buffers


def concat(xs: Sequence[Node], axis: int) -> Node:
    xs = [x for x in xs if x.shape[axis]] or list(xs[:1])
    read = [_beneath(x) for x in xs]
    if len(set().union(*read)) > _MOST_SOURCES:  # views of several values, such as other concatenations, become values
        xs = [copy(x) if len(r) > 1 else x for x, r in zip(xs, read, strict=True)]
    while len(xs) > _MOST_SOURCES:  # each part is a value, not a view, so that it may get memory of its own
        xs = [copy(concat(xs[i : i + _MOST_SOURCES], axis)) for i in range(0, len(xs), _MOST_SOURCES)]
    return CONCAT(*xs, axis=axis) if len(xs) > 1 else xs[0]


def _beneath(x: Node) -> set[int]:
    """Ids of the values that a node, or what it is a view of, has in memory."""
    found: set[int] = set()
    stack = [x]
    while stack:
        node = stack.pop()
        if node.op.is_view and node.buffer is None:
            stack.extend(node.src)
        elif node.op.in_memory:
            found.add(id(node))
    return found
