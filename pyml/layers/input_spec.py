"""What a layer expects of its inputs, checked before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyml.core import Tensor
from pyml.core.tree import flatten
from pyml.errors import ShapeError

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

    Example:
        >>> pyml.InputSpec(ndim=4, axes={-1: 3}).ndim
        4
    """

    def __init__(self, dtype: str | None = None, shape: Sequence[int | None] | None = None, ndim: int | None = None,
                 max_ndim: int | None = None, min_ndim: int | None = None, axes: Mapping[int, int | None] | None = None,
                 allow_last_axis_squeeze: bool = False, name: str | None = None, optional: bool = False) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def __repr__(self) -> str:
        parts = {"dtype": self.dtype, "shape": self.shape, "ndim": self.ndim, "max_ndim": self.max_ndim,
                 "min_ndim": self.min_ndim, "axes": self.axes}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in parts.items() if v)})"


def assert_input_compatibility(input_spec: Any, inputs: Any, layer_name: Any) -> None:
    """Checks inputs against specs.

    Raises:
        ShapeError: A rank, size or the number of inputs differs; the message names the layer and both shapes.
    """
    if not input_spec:
        return
    if type(input_spec) is InputSpec and type(inputs) is Tensor:
        _check(input_spec, inputs.shape, 0, layer_name)
        return
    specs, inputs = flatten(input_spec), flatten(inputs)
    if len(specs) != len(inputs):
        raise ShapeError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(inputs)} input tensors.'
        )
    for index, (spec, x) in enumerate(zip(specs, inputs, strict=True)):
        if spec is not None and hasattr(x, "shape"):
            _check(spec, tuple(x.shape), index, layer_name)


def _check(spec: Any, shape: Any, index: int, layer_name: Any) -> None:
    """Raises ShapeError where a shape does not meet a spec."""
    rank, wrong = len(shape), ""
    if spec.ndim is not None and rank != spec.ndim and not spec.allow_last_axis_squeeze:
        wrong = f"expected ndim={spec.ndim}, found ndim={rank}. Full shape received: {shape}"
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
    if wrong:
        raise ShapeError(f'Input {index} of layer "{layer_name}" is incompatible with the layer: {wrong}')
