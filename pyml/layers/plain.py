"""Layers without weights that change values in a plain way: Identity, Lambda, Rescaling."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pyml import activations, ops, settings
from pyml.core.symbolic import infer_output_spec
from pyml.core.tree import flatten
from pyml.layers.activation import _SameShape
from pyml.layers.data_layer import DataLayer
from pyml.layers.layer import Layer
from pyml.objects import sharing
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Identity", "Lambda", "Rescaling"]


class Identity(_SameShape, aliases=("TFDIdentity",)):
    """The inputs unchanged.

    Example:
        >>> pyml.layers.Identity()(np.array([1.0, 2.0])).numpy().tolist()
        [1.0, 2.0]
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        return inputs

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(), draw(2, 3), like=lambda x: x)


class Lambda(Layer):
    """A function as a layer. It must not own weights; write a layer of your own for that.

    Args:
        function: `inputs -> outputs`, of pyml's ops; may also take `mask` and `training`.
        output_shape: Sizes of the output without the batch, or a function of the input shape; found by tracing if left out.
        mask: The mask of the output, or a function `inputs, mask -> mask`.
        arguments: Dict of further arguments of the function.

    Raises:
        TypeError: `function` cannot be called.

    Example:
        >>> pyml.layers.Lambda(lambda x: x ** 2)(np.array([1.0, 3.0])).numpy().tolist()
        [1.0, 9.0]
    """

    def __init__(self, function: Callable[..., Any], output_shape: Any = None, mask: Any = None,
                 arguments: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda: function must be callable. Received: function={function!r}")
        self.function = function
        self._output_shape = output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        self.arguments = dict(arguments or {})
        taken = inspect.signature(function).parameters
        self._takes = [name for name in ("mask", "training") if name in taken]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        given = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{name: given[name] for name in self._takes})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What `mask` says."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_output_spec(self._call_on_probes, args, kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        return (flatten(input_shape)[0], *self._output_shape)

    def get_config(self) -> dict[str, Any]:
        """As of every layer; a lambda's bytecode stands where Keras' Lambda looks for it, one dict higher than in other configs."""
        config = super().get_config()
        for name in ("function", "output_shape", "mask"):
            if isinstance(config[name], dict) and config[name].get("class_name") == "__lambda__":
                config[name] = {"class_name": "__lambda__", "config": config[name]["config"]["value"]}
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None, safe_mode: bool | None = None) -> Lambda:
        """A layer from what `get_config` returned.

        Args:
            config: Arguments of the constructor; the function as it was described.
            custom_objects: Dict of names that come before built-in ones.
            safe_mode: False makes the function from its bytecode, which can do anything that your program can. None is as safe as what
                this call is part of, which is safe by itself.

        Raises:
            ValueError: The config holds bytecode, and safe mode is on.
        """
        with sharing.reading(safe_mode is not False):
            return super().from_config(config, custom_objects)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(activations.tanh), draw(2, 3), like=np.tanh)


class Rescaling(DataLayer, _SameShape):
    """`inputs * scale + offset`, as float32.

    Args:
        scale: A number, or one per channel.
        offset: The same.

    Input shape: any. Output shape: the same.

    Example:
        >>> pyml.layers.Rescaling(1 / 127.5, offset=-1)(np.array([0, 255], "uint8")).numpy().tolist()
        [-1.0, 1.0]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _plain(scale, "scale")
        self.offset = _plain(offset, "offset")
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs: Any) -> Any:
        factor, shift = (v if isinstance(v, (int, float)) else _of_channels(np.asarray(v, "float32")) for v in (self.scale, self.offset))
        return ops.cast(inputs, "float32") * factor + shift

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls([1.0, 2.0], offset=-1), draw(3, 2), like=lambda x: x * [1.0, 2.0] - 1)


def _of_channels(values: np.ndarray) -> np.ndarray:
    """One number per channel where channels come first: they stand before height and width."""
    first = settings.image_data_format() == "channels_first"
    return values.reshape(*values.shape, *[1] * (3 - values.ndim)) if first and values.ndim else values


def _plain(value: Any, name: str) -> Any:
    """A number, or nested lists of numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "bifu":
        raise ValueError(f"Rescaling: {name} must be a number or a list of numbers. Received: {name}={value!r}")
    return array.tolist()
