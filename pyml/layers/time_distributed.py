"""`TimeDistributed`: one layer for every step of a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any
from weakref import WeakKeyDictionary

from pyml import ops
from pyml.core.tree import map_structure
from pyml.errors import ShapeError
from pyml.layers.batch_normalization import BatchNormalization
from pyml.layers.dense import Dense
from pyml.layers.wrapper import Wrapper, build_inside
from pyml.objects.samples import Sample, draw, sample

__all__ = ["TimeDistributed"]

_TOLD = {"add_loss", "assign", "assign_add", "assign_sub"}


class TimeDistributed(Wrapper):
    """Applies a layer to every step of sequences, with the same weights.

    All steps of all samples go through the layer as one batch. Step by step it goes where a step is more than its samples: with
    a BatchNormalization inside while it trains, since the statistics are those of each step, and with a layer of one's own that
    calls `add_loss` or assigns Variables, which then does so once a step.

    Args:
        layer: The layer for one step.

    Input shape: `(batch, steps, ...)`. Output shape: `(batch, steps, ...)` with the layer's output behind.

    Raises:
        ShapeError: Inputs have fewer than three axes.

    Example:
        >>> images = np.ones((2, 5, 8, 8, 3))
        >>> pyml.layers.TimeDistributed(pyml.layers.Conv2D(4, 3))(images).shape
        (2, 5, 6, 6, 4)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _of_a_step(self, input_shape: Any) -> Any:
        if len(input_shape) < 3:
            raise ShapeError(f'Layer "{self.name}" needs inputs (batch, steps, ...). Received: {tuple(input_shape)}')
        return (input_shape[0], *input_shape[2:])

    def build(self, input_shape: Any = None) -> None:
        build_inside(self, self.layer, self._of_a_step(input_shape))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        batch, steps = inputs.shape[:2]
        masked = mask is not None and self.layer._signature.takes_mask
        if self._differs_by_step(training):
            each = [self.layer(inputs[:, step], training=training, **({"mask": mask[:, step]} if masked else {})) for step in range(steps)]
            return map_structure(lambda *outputs: ops.stack(outputs, axis=1), *each)
        x = ops.reshape(inputs, (batch * steps, *inputs.shape[2:]))
        known = {"mask": ops.reshape(mask, (batch * steps, *mask.shape[2:]))} if masked else {}
        outputs = self.layer(x, training=training, **known)
        return map_structure(lambda y: ops.reshape(y, (batch, steps, *y.shape[1:])), outputs)

    def _differs_by_step(self, training: bool | None) -> bool:
        """Whether one batch of all steps gives something else than each step on its own."""
        layers: list[Any] = self.layer._flatten_layers()
        if training and any(isinstance(layer, BatchNormalization) and layer.trainable for layer in layers):
            return True
        return any(_tells(layer.__class__) for layer in layers)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = self.layer.compute_output_shape(self._of_a_step(input_shape))
        return (shape[0], input_shape[1], *shape[1:])

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(Dense(3)), draw(2, 4, 5), like=lambda x, kernel, bias: x @ kernel + bias)


_telling: WeakKeyDictionary[type, bool] = WeakKeyDictionary()  # classes of a notebook are made again and again


def _tells(cls: type) -> bool:
    """Whether the code of a user's class adds losses or assigns Variables."""
    if cls not in _telling:
        _telling[cls] = _has_code_that_tells(cls)
    return _telling[cls]


def _has_code_that_tells(cls: type) -> bool:
    written = [part for base in cls.__mro__ if not base.__module__.startswith("pyml.") for part in vars(base).values()]
    return any(_names(part.__code__) & _TOLD for part in written if isinstance(part, FunctionType))


def _names(code: CodeType) -> set[str]:
    inner = [_names(part) for part in code.co_consts if isinstance(part, CodeType)]
    return {*code.co_names}.union(*inner)
