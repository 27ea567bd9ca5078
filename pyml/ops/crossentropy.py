"""Classes: softmax, one-hot vectors, and the cross-entropies of probabilities and logits."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core.tensor import Logits, Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.sizes import count_of
from ..settings import epsilon
from ..tracebacks import warn
from .activation import softplus
from .apply import Primitive, as_float
from .arithmetic import clip
from .axes import one_axis, ordered_axes
from .creation import arange
from .declare import draw, op, sample
from .elementary import log
from .logic import equal, where
from .reduce import max as _max
from .reduce import sum as _sum
from .shaping import expand_dims, reshape, squeeze

__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "log_softmax", "multi_hot", "one_hot", "softmax",
    "sparse_categorical_crossentropy",
]  # fmt: skip

_ONE_HOT = [[0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]


def _softmax(x: np.ndarray, axis: Axis = -1) -> np.ndarray:
    """The same in numpy, for small numbers."""
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


def _shares(output: np.ndarray, from_logits: bool) -> np.ndarray:
    return _softmax(output) if from_logits else output / output.sum(-1, keepdims=True)


def _binary_in_numpy(target: np.ndarray, output: np.ndarray, from_logits: bool = False) -> np.ndarray:
    p = 1 / (1 + np.exp(-output)) if from_logits else output
    return -(target * np.log(p) + (1 - target) * np.log(1 - p))


def _along_rows(prim: Primitive, x: TensorLike, axis: Axis) -> Tensor:
    """Applies a primitive over the last axis of a matrix to any axis, or axes, of `x`."""
    node = as_node(as_float(x))
    if node.ndim == 0:
        raise ShapeError("softmax: expected at least one axis, received a scalar.")
    last = ordered_axes(axis, node.ndim, "softmax")
    if node.size == 0:
        return Tensor(node)
    order = [a for a in range(node.ndim) if a not in last] + last
    moved = prims.permute(node, tuple(order)) if order != list(range(node.ndim)) else node
    columns = prod(node.shape[a] for a in last)
    flat = prims.reshape(moved, (prod(moved.shape) // max(columns, 1), columns))
    y = prims.reshape(prim(flat), moved.shape)
    return Tensor(prims.permute(y, tuple(order.index(a) for a in range(node.ndim))) if moved is not node else y)


@op(dtypes="first", like=_softmax, samples=[sample(draw(2, 5)), sample(draw(3, 4), axis=0), sample(draw(2, 3, 4), axis=(0, 2))])
def softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """`exp(x) / sum(exp(x))` along `axis`.

    Args:
        x: Tensor.
        axis: An axis, or several that are one together; None means all.

    Returns:
        float32, in the shape of `x`.

    Raises:
        ShapeError: An axis is out of range, or `x` is a scalar.

    Source: Bridle 1990, "Probabilistic Interpretation of Feedforward Classification Network Outputs".

    Example:
        >>> pyml.ops.softmax([[0., 0.], [200., 0.]]).numpy()
        array([[0.5, 0.5],
               [1. , 0. ]], dtype=float32)
    """
    x = as_float(x)
    y = _along_rows(prims.softmax, x, axis)
    if isinstance(axis, int):
        y._keras_logits = Logits(x._node, axis % x.ndim)
    return y


@op(dtypes="first", like=lambda x, axis=-1: np.log(_softmax(x, axis)), samples=[sample(draw(2, 5)), sample(draw(3, 4), axis=0)])
def log_softmax(x: TensorLike, axis: Axis = -1) -> Tensor:
    """The logarithm of `softmax`, without its loss of precision. Arguments and errors as there.

    Args:
        x: Tensor of any shape.
        axis: The axis, or several together.

    Returns:
        float32, in the shape of `x`.

    Raises:
        ShapeError: An axis is out of range or named twice, or `x` is a scalar.

    Source: Blanchard et al. 2021, "Accurately computing the log-sum-exp and softmax functions".

    Example:
        >>> pyml.ops.log_softmax([0., 0.]).numpy().round(4)
        array([-0.6931, -0.6931], dtype=float32)
    """
    return _along_rows(prims.log_softmax, x, axis)


def _predictions(output: TensorLike) -> Tensor:
    """`output` as a float tensor: the very same one where it is one, which may know its logits."""
    return output if isinstance(output, Tensor) and output.dtype == "float32" else as_float(output)


def _same_shape(target: Tensor, output: Tensor, what: str) -> None:
    if target.shape != output.shape:
        numbers = output.ndim > 1 and output.shape[-1] > 1 and target.shape in (output.shape[:-1], (*output.shape[:-1], 1))
        hint = " For labels that are class numbers, use sparse_categorical_crossentropy." if numbers else ""
        raise ShapeError(
            f"{what}: target and output must have the same shape. Received: target {target.shape}, output {output.shape}.{hint}"
        )


def _probabilities(output: Tensor, axis: int) -> Tensor:
    """Scaled to sum 1 and kept away from 0 and 1."""
    return clip(output / _sum(output, axis=axis, keepdims=True), epsilon(), 1.0 - epsilon())


def _logits(output: Tensor, from_logits: bool, axis: int | None, what: str) -> Tensor | None:
    """The logits of `output`, or None where it holds probabilities and nothing else is known.

    What a softmax or sigmoid returned knows its logits, as in Keras on TensorFlow: nothing is lost where a probability
    rounds to 0 or 1. They belong to that tensor, whether it was read or not; an array of the same numbers has none.
    """
    known = output._keras_logits
    if known is None or known.axis != axis:
        return output if from_logits else None
    if from_logits:
        warn(
            f"{what}: from_logits=True, but output is the result of a {'sigmoid' if axis is None else 'softmax'}; what it was "
            "made of is taken as the logits. Leave out from_logits, or the activation.",
        )
    return Tensor(known.node)


def _logs(output: Tensor, from_logits: bool, axis: int, what: str) -> Tensor:
    """The logarithms of the class probabilities."""
    logits = _logits(output, from_logits, axis % output.ndim, what)
    return log(_probabilities(output, axis)) if logits is None else log_softmax(logits, axis)


@op(
    like=lambda t, p, from_logits=False: -(t * np.log(_shares(p, from_logits))).sum(-1),
    samples=[sample(_ONE_HOT, draw(3, 4, low=0.1, high=1)), sample(_ONE_HOT, draw(3, 4), from_logits=True)],
)
def categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1) -> Tensor:
    """`-sum(target * log(output))` along `axis`.

    Args:
        target: One-hot classes, the shape of `output`.
        output: Probabilities, or logits with `from_logits`. What a softmax returned is taken with the precision of its logits.
        from_logits: Whether a softmax is still to be taken of `output`.
        axis: Axis of the classes.

    Returns:
        float32, the shape of `output` without `axis`.

    Raises:
        ShapeError: The shapes differ.

    Source: `keras.ops.categorical_crossentropy`.

    Example:
        >>> pyml.ops.categorical_crossentropy([[0., 1.]], [[0.5, 0.5]]).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    target, output = as_float(target), _predictions(output)
    _same_shape(target, output, "categorical_crossentropy")
    if not output.ndim:
        raise ShapeError("categorical_crossentropy: output must have at least one axis, received a scalar.")
    axis = one_axis(axis, output.ndim, "categorical_crossentropy")
    return -_sum(target * _logs(output, from_logits, axis, "categorical_crossentropy"), axis=axis)


@op(
    like=lambda t, p, from_logits=False: -np.log(_shares(p, from_logits)[np.arange(len(t)), t]),
    samples=[sample([1, 0, 3], draw(3, 4, low=0.1, high=1)), sample([1, 0, 3], draw(3, 4), from_logits=True)],
)
def sparse_categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1) -> Tensor:
    """`-log(output[target])` along `axis`.

    Args:
        target: Classes as integers: the shape of `output` without `axis`, or with size 1 there.
        output: Probabilities, or logits with `from_logits`. What a softmax returned is taken with the precision of its logits.
        from_logits: Whether a softmax is still to be taken of `output`.
        axis: Axis of the classes.

    Returns:
        float32, the shape of `output` without `axis`.

    Raises:
        ShapeError: The shapes do not fit.

    Source: `keras.ops.sparse_categorical_crossentropy`.

    Example:
        >>> pyml.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    target, output = Tensor(prims.cast(as_node(target), dtype="int32")), _predictions(output)
    if not output.ndim:
        raise ShapeError("sparse_categorical_crossentropy: output must have at least one axis, received a scalar.")
    axis = one_axis(axis, output.ndim, "sparse_categorical_crossentropy")
    if target.ndim == output.ndim and target.shape[axis] == 1:
        target = squeeze(target, axis)
    expected = output.shape[:axis] + output.shape[axis + 1 :]
    if target.shape != expected:
        raise ShapeError(
            "sparse_categorical_crossentropy: target must have the shape of output without the class axis. "
            f"Received: target {target.shape}, output {output.shape}."
            + (" For one-hot labels, use categorical_crossentropy." if target.shape == output.shape else "")
            + (" Put layers.Flatten or a global pooling before the last layer." if target.ndim == 1 and output.ndim > 2 else "")
        )
    shape = [1] * output.ndim
    shape[axis] = output.shape[axis]
    classes = Tensor(prims.reshape(prims.iota(output.shape[axis], "int32"), shape))
    hit = classes == expand_dims(target, axis)
    return -_sum(where(hit, _logs(output, from_logits, axis, "sparse_categorical_crossentropy"), 0.0), axis=axis)


@op(
    like=_binary_in_numpy,
    samples=[
        sample(draw(2, 3, low=0, high=1), draw(2, 3, low=0.1, high=0.9)),
        sample(draw(2, 3, low=0, high=1), draw(2, 3), from_logits=True),
    ],
)
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Tensor:
    """`-(target * log(output) + (1 - target) * log(1 - output))`, element by element.

    Args:
        target: 0 or 1 (or between), the shape of `output`.
        output: Probabilities, or logits with `from_logits`. What a sigmoid returned is taken with the precision of its logits.
        from_logits: Whether a sigmoid is still to be taken of `output`.

    Returns:
        float32, the shape of `output`.

    Raises:
        ShapeError: The shapes differ.

    Source: `keras.ops.binary_crossentropy`.

    Example:
        >>> pyml.ops.binary_crossentropy([1., 0.], [0.5, 0.5]).numpy().round(4)
        array([0.6931, 0.6931], dtype=float32)
    """
    target, output = as_float(target), _predictions(output)
    _same_shape(target, output, "binary_crossentropy")
    logits = _logits(output, from_logits, None, "binary_crossentropy")
    if logits is not None:
        return softplus(logits) - logits * target
    output = clip(output, epsilon(), 1.0 - epsilon())
    return -(target * log(output) + (1.0 - target) * log(1.0 - output))


@op(
    like=lambda x, n, axis=-1: np.moveaxis(np.eye(n)[np.asarray(x)], -1, axis), gradient=False, dtypes="floatx",
    samples=[sample([0, 2, 1], 3), sample([[0], [1]], 2, axis=0)],
)
def one_hot(x: TensorLike, num_classes: int, axis: int = -1, dtype: str | None = None, sparse: bool = False) -> Tensor:
    """1 at position `x` along a new axis of `num_classes`, else 0; `x` out of range gives zeros.

    Args:
        x: Integers.
        num_classes: Size of the new axis.
        axis: Where it goes.
        dtype: `pyml.config.floatx()` by default.
        sparse: Only False.

    Returns:
        A tensor of `dtype` (`pyml.config.floatx()` by default), in the shape of `x` with an axis of `num_classes` more.

    Raises:
        ValueError: A sparse tensor is asked for.

    Source: `keras.ops.one_hot`.

    Example:
        >>> pyml.ops.one_hot([2, 0], 3).numpy()
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """
    if sparse:
        raise ValueError("one_hot: sparse tensors are not supported; use sparse=False.")
    idx = prims.cast(as_node(x), dtype="int32")
    a = one_axis(axis, idx.ndim + 1, "one_hot")
    num_classes = count_of(num_classes, "one_hot", "num_classes")
    classes = reshape(arange(num_classes), [num_classes if i == a else 1 for i in range(idx.ndim + 1)])
    return equal(expand_dims(Tensor(idx), a), classes).astype(dtype or "float32")


def _any_hot(x: np.ndarray, n: int) -> np.ndarray:
    """The same in numpy, for the last axis."""
    return np.eye(n)[x].max(axis=1 if x.ndim > 1 else 0)


_CLASSES = [sample(draw(2, 3, low=0, high=5, dtype="int32"), 5), sample(draw(3, low=0, high=4, dtype="int32"), 4)]


@op(like=_any_hot, gradient=False, dtypes="floatx", samples=_CLASSES)
def multi_hot(
    inputs: TensorLike, num_classes: int | None = None, axis: int = -1, dtype: str | None = None, sparse: bool = False, **kwargs: Any
) -> Tensor:
    """1 for every class that a row of `inputs` names, else 0: `(batch, num_classes)`, without the first where there is one row.

    Args:
        inputs: Integers `(batch, names)` or `(names,)`; those out of range name nothing.
        num_classes: How many classes.
        axis: Where their axis goes.
        dtype: `pyml.config.floatx()` by default.
        sparse: Only False.

    Returns:
        A tensor of `dtype` (`pyml.config.floatx()` by default): `(batch, num_classes)`.

    Raises:
        ValueError: `num_classes` is missing, or a sparse tensor is asked for.

    Source: `keras.ops.multi_hot`.

    Example:
        >>> pyml.ops.multi_hot([[0, 2], [1, 1]], 3).numpy()
        array([[1., 0., 1.],
               [0., 1., 0.]], dtype=float32)
    """
    num_classes = kwargs.pop("num_tokens", None) if num_classes is None else num_classes
    if kwargs:
        raise ValueError(f"multi_hot: there is no argument {', '.join(map(repr, kwargs))}; use num_classes, axis, dtype and sparse.")
    if num_classes is None:
        raise ValueError("multi_hot: num_classes is missing; say how many classes there are.")
    if sparse:
        raise ValueError("multi_hot: sparse tensors are not supported; use sparse=False.")
    hot = one_hot(inputs, num_classes, axis, dtype)
    return _max(hot, axis=1 if hot.ndim > 2 else 0)
