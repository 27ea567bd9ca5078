"""What a layer expects of its inputs, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyml.core import Tensor
from pyml.core.tree import flatten
from pyml.dtypes import FEWER_BITS, keras_name
from pyml.errors import DtypeError, ShapeError

__all__ = ["InputSpec"]


class InputSpec:
    """Rank, sizes and dtype a layer expects of one input; None means anything.

    Args:
        dtype: Name of the dtype.
        shape: Whole shape, None for free sizes.
        ndim: Number of axes.
        max_ndim, min_ndim: Bounds of the number of axes.
        axes: Dict of axis to size.
        allow_last_axis_squeeze: Also accept a missing or extra last axis of size 1.
        name: Name of the input.
        optional: The input may be None.

    Raises:
        ValueError: There is no such dtype, `shape` is none, or `axes` names an axis that there is not.
        TypeError: `axes` is no dict of integers.

    Source: `keras.InputSpec`.

    Example:
        >>> pyml.InputSpec(ndim=4, axes={-1: 3}).ndim
        4
    """

    def __init__(self, dtype: str | None = None, shape: Sequence[int | None] | None = None, ndim: int | None = None,
                 max_ndim: int | None = None, min_ndim: int | None = None, axes: Mapping[int, int | None] | None = None,
                 allow_last_axis_squeeze: bool = False, name: str | None = None, optional: bool = False) -> None:
        self.dtype = None if dtype is None else keras_name(dtype)
        if shape is not None and (isinstance(shape, str) or not hasattr(shape, "__iter__")):
            raise ValueError(f"InputSpec: shape must be a tuple of sizes, None where one is free. Received: shape={shape!r}")
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        if not isinstance(axes or {}, Mapping) or not all(hasattr(axis, "__index__") for axis in axes or ()):
            raise TypeError(f"InputSpec: axes must be a dict of axis to size. Received: axes={axes!r}")
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        most = self.ndim or max_ndim
        if self.axes and most is not None and max(self.axes) >= most:
            raise ValueError(f"InputSpec: axis {max(self.axes)} is out of range for {most} axes. Received: axes={axes!r}")
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor; those that Keras keeps."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> InputSpec:
        """One from `config`, what `get_config` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        parts = {"dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "max_ndim": self.max_ndim,
                 "min_ndim": self.min_ndim, "axes": self.axes}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in parts.items() if v)})"


def assert_input_compatibility(input_spec: Any, inputs: Any, layer_name: Any) -> None:
    """Checks inputs against specs.

    Raises:
        ShapeError: A rank, size or the number of inputs differs; the message names the layer and both shapes.
        DtypeError: A dtype differs.
    """
    if not input_spec:
        return
    if type(input_spec) is InputSpec and type(inputs) is Tensor:
        _check(input_spec, inputs.shape, inputs.dtype, 0, layer_name)
        return
    specs, inputs = flatten(input_spec), flatten(inputs)
    if len(specs) != len(inputs):
        raise ShapeError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(inputs)} input tensors.'
        )
    for index, (spec, x) in enumerate(zip(specs, inputs, strict=True)):
        if spec is not None and hasattr(x, "shape"):
            _check(spec, tuple(x.shape), getattr(x, "dtype", None), index, layer_name)


def refuse_structure(layer: Any, inputs: Any, error: Exception) -> None:
    """Says that a layer takes one tensor, where its own code failed because it got a list, tuple or dict of them.

    Asked after the failure: which layers take structures is known to their `call` alone. What functions of the user raise is left.

    Raises:
        ShapeError: `error` comes from such a structure.
    """
    kind = type(inputs).__name__
    leaves = flatten(inputs) if isinstance(inputs, (list, tuple, dict)) else []
    if not leaves or not all(hasattr(leaf, "shape") for leaf in leaves) or str(error).startswith("Layer "):
        return
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not str(trace.tb_frame.f_globals.get("__name__")).startswith("pyml."):
        return
    shapes = ", ".join(str(tuple(leaf.shape)) for leaf in leaves[:4]) + (", ..." if len(leaves) > 4 else "")
    raise ShapeError(
        f'Layer "{layer.name}" ({type(layer).__name__}) expects one tensor, but it received a {kind} of {len(leaves)}, with the '
        f"shapes {shapes}. Call it on each of them, or join them first with layers.Concatenate or ops.stack."
    ) from error


def _missing_axis(ndim: int) -> str:
    """What adds the axis that a layer of `ndim` axes misses."""
    steps = ", return_sequences=True of a recurrent layer before keeps that of the steps" if ndim == 3 else ""
    return f". An axis is missing: x[None] adds that of the batch to a single sample, x[..., None] a last one of size 1{steps}"


def _check(spec: Any, shape: Any, dtype: Any, index: int, layer_name: Any) -> None:
    """Raises ShapeError where a shape does not meet a spec, and DtypeError where a dtype does not."""
    rank, wrong = len(shape), ""
    if spec.ndim is not None and rank != spec.ndim and not spec.allow_last_axis_squeeze:
        wrong = f"expected ndim={spec.ndim}, found ndim={rank}. Full shape received: {shape}"
        wrong += _missing_axis(spec.ndim) if rank == spec.ndim - 1 else ""
    elif spec.max_ndim is not None and rank > spec.max_ndim:
        wrong = f"expected max_ndim={spec.max_ndim}, found ndim={rank}. Full shape received: {shape}"
    elif spec.min_ndim is not None and rank < spec.min_ndim:
        wrong = f"expected min_ndim={spec.min_ndim}, found ndim={rank}. Full shape received: {shape}"
    elif spec.axes:
        for axis, size in spec.axes.items():
            if size is not None and shape[axis] not in (size, None):
                wrong = f"expected axis {axis} of input shape to have value {size}, but received input with shape {shape}"
                break
    if spec.shape is not None and not wrong:
        expected = spec.shape
        if spec.allow_last_axis_squeeze:
            expected = expected[:-1] if expected and expected[-1] == 1 else expected
            shape = shape[:-1] if shape and shape[-1] == 1 else shape
        fits = len(expected) == len(shape) and all(
            e is None or s is None or e == s for e, s in zip(expected, shape, strict=True))
        if not fits:
            wrong = f"expected shape={spec.shape}, found shape={shape}"
    if not wrong and spec.dtype is not None and keras_name(dtype) not in (spec.dtype, FEWER_BITS.get(spec.dtype)):
        raise DtypeError(f'Input {index} of layer "{layer_name}" is incompatible with the layer: '
                         f"expected dtype={spec.dtype}, found dtype={keras_name(dtype)}")  # fmt: skip
    if wrong:
        raise ShapeError(f'Input {index} of layer "{layer_name}" is incompatible with the layer: {wrong}')
