"""What the layers of text share: they compute on the host, in numpy, for data that stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from pyml import ops
from pyml.core import Tensor, Variable
from pyml.core.symbolic import KerasTensor
from pyml.errors import DtypeError
from pyml.layers.layer import Layer


class HostLayer(Layer, abstract=True):
    """Base: `call` gets lists, numbers and text as numpy arrays, in their own dtype; tensors as they are."""

    @property
    def runs_on_host(self) -> bool:
        """Whether no device can compute it."""
        return True

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return self._looked_up(on_host(inputs), *args, **kwargs)

    def _looked_up(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The layer called on what is on the host, or what was made of it before."""
        lookups = _LOOKUPS.get() if self.runs_on_host else None
        if lookups is not None and lookups.made is not None:
            return lookups.next_of(self)
        outputs = super().__call__(inputs, *args, **kwargs)
        if lookups is not None and lookups.note is not None and isinstance(outputs, KerasTensor):
            lookups.note((self, outputs))
        return outputs

    def _convert_argument(self, leaf: Any) -> Any:
        return leaf.value if isinstance(leaf, Variable) else leaf


class Lookups:
    """What layers that run on the host do inside a `call` that is not looked into.

    Args:
        note: Told of each symbolic call, as the layer and its outputs.
        made: Layers and what each call of them gives, instead of what it would compute.
    """

    def __init__(self, note: Callable[[Any], None] | None = None, made: list[tuple[Any, Any]] | None = None) -> None:
        self.note, self.made = note, made

    def next_of(self, layer: HostLayer) -> Any:
        """What the next call of a layer gives.

        Raises:
            RuntimeError: It is called more often than it was with symbolic inputs.
        """
        made = self.made or []
        for i, (known, value) in enumerate(made):
            if known is layer:
                del made[i]
                return value
        raise RuntimeError(
            f"Layer \"{layer.name}\" ({type(layer).__name__}) is called more often than in the first, symbolic call of the model; "
            "call layers of text whatever `training` or values are."
        )


_LOOKUPS: ContextVar[Lookups | None] = ContextVar("what layers on the host do", default=None)


@contextmanager
def looking_up(lookups: Lookups) -> Iterator[None]:
    """Inside, calls of layers that run on the host are noted, or give what was made before."""
    token = _LOOKUPS.set(lookups)
    try:
        yield
    finally:
        _LOOKUPS.reset(token)


_ARRAYS: ContextVar[bool] = ContextVar("layers on the host answer with arrays", default=False)


@contextmanager
def answering_with_arrays() -> Iterator[None]:
    """Inside, layers that run on the host give numpy arrays: what they make is sent on later, or not at all."""
    token = _ARRAYS.set(True)
    try:
        yield
    finally:
        _ARRAYS.reset(token)


def answer(array: np.ndarray, dtype: str) -> Any:
    """What a layer gives that runs on the host."""
    return array.astype(dtype) if _ARRAYS.get() else ops.convert_to_tensor(array, dtype=dtype)


def on_host(value: Any) -> Any:
    """A list, a number or text as a numpy array, text as an array of objects; tensors as they are."""
    if isinstance(value, (Tensor, KerasTensor, Variable, np.ndarray)):
        return value
    if isinstance(value, (str, bytes)):
        return np.array(value, object)
    if not isinstance(value, (list, tuple)):
        return np.asarray(value)
    first: Any = value
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    return np.array(value, object) if isinstance(first, (str, bytes)) else np.asarray(value)


def values_of(inputs: Any, owner: str) -> np.ndarray:
    """The values of an array or of a tensor, which is read.

    Raises:
        TypeError: The tensor has no values yet, as inside a compiled step.
    """
    if not isinstance(inputs, Tensor):
        return np.asarray(inputs)
    return inputs.numpy()


def texts_of(array: np.ndarray, owner: str, encoding: str = "utf-8") -> list[Any]:
    """All elements of an array of text, flat, as `str`.

    Raises:
        DtypeError: It holds something else.
    """
    if array.dtype.kind == "U":
        return array.reshape(-1).tolist()
    if array.dtype.kind not in "SO":
        raise DtypeError(f"{owner} takes text: lists or numpy arrays of strings. Received: {array.dtype} values; write str(value) first.")
    return [text if type(text) is str else _text(text, owner, encoding) for text in array.reshape(-1).tolist()]


def _text(value: Any, owner: str, encoding: str) -> str:
    if isinstance(value, bytes):
        return value.decode(encoding)
    if isinstance(value, str):
        return str(value)
    raise DtypeError(f"{owner} takes text: lists or arrays of strings, all of the same shape. Received: a {type(value).__name__}.")
