"""`Input`: where symbolic graphs begin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pyml.core.naming import auto_name
from pyml.core.symbolic import CallNode, KerasTensor
from pyml.dtype_policies import DTypePolicy
from pyml.dtypes import narrow, standardize
from pyml.layers.layer import Layer
from pyml.tracebacks import warn

__all__ = ["Input", "InputLayer"]


class InputLayer(Layer):
    """The layer behind `Input`; a functional model has one for each input.

    Args:
        shape: Sizes without the batch, None where unknown.
        batch_size: Size of the batch, where it is known.
        dtype: Name of the dtype.
        sparse, ragged: Only None and False are supported.
        batch_shape: Sizes with the batch, in place of `shape` and `batch_size`.
        input_tensor: A symbolic tensor to take instead of a new one.
        optional: Whether None may be given for it.

    Raises:
        ValueError: Neither a shape nor a tensor is given, or both shapes are, or they do not fit the tensor.

    Example:
        >>> pyml.Sequential([pyml.layers.InputLayer((4,)), pyml.layers.Dense(2)]).output_shape
        (None, 2)
    """

    def __init__(self, shape: Sequence[int | None] | None = None, batch_size: int | None = None, dtype: Any = None,
                 sparse: bool | None = None, ragged: bool | None = None, batch_shape: Sequence[int | None] | None = None,
                 input_tensor: KerasTensor | None = None, optional: bool = False, name: str | None = None, **kwargs: Any) -> None:
        if sparse or ragged:
            raise ValueError("Input: sparse and ragged inputs are not supported.")
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
            warn("Argument `input_shape` is deprecated. Use `shape` instead.")
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if shape is not None and batch_shape is not None:
            raise ValueError(f"Input: give shape or batch_shape, not both. Received: {shape} and {batch_shape}")
        if input_tensor is not None:
            _check_tensor(input_tensor, shape, batch_size, batch_shape, dtype)
        elif batch_size is not None and batch_shape is not None:
            raise ValueError(f"Input: give batch_size or batch_shape, not both. Received: {batch_size} and {batch_shape}")
        if shape is None and batch_shape is None and input_tensor is None:
            raise ValueError("Input: give shape, the sizes of one sample, for example Input(shape=(28, 28, 1)).")
        self._text = "string" in (dtype, getattr(input_tensor, "dtype", None))    # layers that run on the host take it
        policy = DTypePolicy(dtype) if isinstance(dtype, str) and not self._text else dtype  # "int8" are numbers, no mode of weights
        super().__init__(name=name or auto_name("input_layer"), dtype=None if self._text else policy, **kwargs)
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        elif batch_shape is None:
            batch_shape = (batch_size, *checked_shape(shape))
        self._batch_shape = checked_shape(batch_shape)
        self.optional = optional
        self.sparse = self.ragged = False
        tensor = input_tensor if input_tensor is not None else KerasTensor(
            self._batch_shape, dtype="string" if self._text else self.dtype, name=name)
        CallNode(self, (), {}, tensor)
        self.built = True

    @property
    def batch_shape(self) -> Any:
        """The shape with the batch size, or None for it."""
        return self._batch_shape

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The values given for the input, unchanged."""
        return args[0] if args else None

    def compute_output_shape(self, input_shape: Any = None) -> Any:
        return self._batch_shape

    def get_config(self) -> dict[str, Any]:
        return {"batch_shape": self._batch_shape, "dtype": "string" if self._text else self.dtype, "sparse": False, "ragged": False,
                "name": self.name, "optional": self.optional}


def checked_shape(shape: Any) -> tuple[int | None, ...]:
    """`shape` as a tuple of positive ints and None.

    Raises:
        ValueError: It holds something else.
    """
    if not isinstance(shape, Iterable) or isinstance(shape, str):
        raise ValueError(f"Input: shape must be a tuple of sizes or None{f', ({shape},) for one' if hasattr(shape, '__index__') else ''}. "
                         f"Received: shape={shape!r}")  # fmt: skip
    sizes = tuple(shape)
    for size in sizes:
        if size is not None and (isinstance(size, bool) or not hasattr(size, "__index__") or size < 0):
            raise ValueError(f"Input: shape must hold sizes or None. Received: shape={shape!r}")
    return tuple(None if size is None else int(size) for size in sizes)


def _check_tensor(tensor: Any, shape: Any, batch_size: Any, batch_shape: Any, dtype: Any) -> None:
    """What is given besides a symbolic tensor says the same as it.

    Raises:
        ValueError: It does not, or the tensor is none.
    """
    if not isinstance(tensor, KerasTensor):
        raise ValueError(f"Input: the tensor must be a symbolic one, a KerasTensor. Received: {type(tensor).__name__}")
    known = tuple(tensor.shape)
    for name, given, own in (("shape", None if shape is None else checked_shape(shape), known[1:]),
                             ("batch_shape", None if batch_shape is None else checked_shape(batch_shape), known),
                             ("batch_size", batch_size, known[0] if known else None),
                             ("dtype", dtype if dtype in (None, "string") else narrow(dtype) or standardize(dtype), tensor.dtype),
                            ):  # fmt: skip
        if given is not None and given != own:
            raise ValueError(f"Input: {name} does not fit the tensor. Received: {name}={given}, a tensor with {own}")


def Input(shape: Sequence[int | None] | None = None, batch_size: int | None = None, dtype: Any = None, sparse: bool | None = None,
          ragged: bool | None = None, batch_shape: Sequence[int | None] | None = None, name: str | None = None,
          tensor: KerasTensor | None = None, optional: bool = False) -> KerasTensor:
    """A symbolic tensor that stands for the data a model will receive.

    Args:
        shape: Sizes of one sample, for example `(28, 28, 1)`; None where a size may vary.
        batch_size: Fixed number of samples per batch, usually left out.
        dtype: Dtype of the data, by default `pyml.config.floatx()`; `"string"` for text, which layers such as `TextVectorization` take.
        sparse, ragged: Only False is supported.
        batch_shape: `(batch_size, *shape)`, instead of both.
        name: Name of the input, the key of dict data.
        tensor: A symbolic tensor whose shape and dtype to take.
        optional: The input may be None.

    Returns:
        A KerasTensor of shape `(batch_size, *shape)`.

    Example:
        >>> x = pyml.Input((4,))
        >>> model = pyml.Model(x, pyml.layers.Dense(1)(x))
    """
    layer = InputLayer(shape=shape, batch_size=batch_size, dtype=dtype, sparse=sparse, ragged=ragged,
                       batch_shape=batch_shape, input_tensor=tensor, optional=optional, name=name)
    return layer.output
