"""Pipeline: layers one after another, as one layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyml.core.symbolic import infer_output_spec
from pyml.layers.layer import Layer
from pyml.layers.regularization import Dropout
from pyml.layers.signature import mask_of
from pyml.objects.samples import Sample, draw, sample

__all__ = ["Pipeline"]


class Pipeline(Layer):
    """Layers one after another, as one layer: for preprocessing in `Dataset.map`, or as the first part of a model.

    Args:
        layers: List of layers.

    Input shape: that of the first layer. Output shape: that of the last one.

    Raises:
        ValueError: `layers` is not a list of layers.

    Example:
        >>> layers = [pyml.layers.RandomFlip(seed=1), pyml.layers.Rescaling(1 / 255)]
        >>> pyml.layers.Pipeline(layers)(np.full((2, 4, 4, 3), 255.)).numpy().max()
        np.float32(1.0)
    """

    def __init__(self, layers: Sequence[Any], name: str | None = None) -> None:
        super().__init__(name=name)
        if not isinstance(layers, (list, tuple)) or not all(callable(layer) for layer in layers):
            raise ValueError(f"Pipeline: layers must be a list of layers. Received: layers={layers!r}")
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Any]:
        """The layers, in their order."""
        return self._pipeline_layers

    def build(self, *input_shape: Any, **shapes: Any) -> None:
        self.built = True                 # each layer is built by its first call

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        for layer in self._pipeline_layers:
            taken = layer._signature if isinstance(layer, Layer) else None
            more: dict[str, Any] = {}
            if taken is not None and taken.takes_mask:
                more["mask"] = mask
            if taken is not None and taken.takes_training and training is not None:
                more["training"] = training
            inputs = layer(inputs, **more)
            mask = mask_of(inputs)
        return inputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        return infer_output_spec(self._call_on_probes, args, kwargs)

    def _base_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        if not isinstance(config.get("layers"), (list, tuple)):
            raise ValueError(f"Pipeline.from_config: config must have layers, a list of configs. Received: layers={config.get('layers')!r}")
        return super().from_config(config, custom_objects)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls([Dropout(0.0), Dropout(0.0)]), draw(2, 3), like=lambda x: x)
