"""What runs on the device: one train, test or predict step, each a program that is traced once and replayed."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml import ops
from pyml.core import Program, Tensor
from pyml.core.tree import flatten
from pyml.device.lock import LOCK
from pyml.layers.signature import Tracing
from pyml.trainers.resident import Resident
from pyml.utils.data_utils import pack_x_y_sample_weight

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer

Step = Callable[..., Any]  # a Program, or the plain function with run_eagerly


class Steps:
    """The programs of one compiled model.

    Args:
        model: The model; kept by weak reference, the model owns its Steps.
    """

    def __init__(self, model: Trainer):
        self._model = weakref.ref(model)
        self.programs: dict[tuple, Step] = {}
        self.layout: tuple[list[tuple[str, tuple, int, int]], int] | None = None  # of `results`, see lay_out
        self.names: list[str] | None = None  # of the logs in order, once they have been laid out

    @property
    def model(self) -> Trainer:
        """The model."""
        model = self._model()
        assert model is not None, "programs are called by their model only"
        return model

    # ---- traced functions
    def train(self, x: Any, y: Any, sample_weight: Any) -> None:
        """One training step; also counts it and notes whether the loss is finite."""
        self.model.train_step(pack_x_y_sample_weight(x, y, sample_weight))
        self.model._clear_losses()  # they belong to the trace

    def test(self, x: Any, y: Any, sample_weight: Any) -> None:
        """One evaluation step."""
        self.model.test_step(pack_x_y_sample_weight(x, y, sample_weight))
        self.model._clear_losses()

    def predict(self, x: Any) -> Any:
        """Predictions."""
        return self.model.predict_step(x)

    def begin(self) -> None:
        """Steps are counted anew."""
        self.model._watch.begin()

    def reset(self) -> None:
        """Metrics back to their start."""
        for _, metric in self.model._named_metrics():
            metric.reset_state()

    def results(self) -> Tensor:
        """Loss, metrics and the first bad step, as one vector, so that one read brings all."""
        values = [leaf for _, metric in self.model._named_metrics() for leaf in flatten(metric.result())]
        values.append(self.model._watch.first_bad)
        return ops.concatenate([ops.reshape(ops.cast(ops.convert_to_tensor(v), "float32"), (-1,)) for v in values], axis=0)

    # ---- programs
    def program(self, key: tuple, make: Callable[[Steps], Callable] | None = None) -> Step:
        """The program under `key`, the plain function with `run_eagerly`.

        Args:
            key: The first part names it.
            make: `make(steps)` gives its function the first time; by default it is the method of that name.
        """
        found = self.programs.get(key)
        if found is None:
            function = make(weakref.proxy(self)) if make is not None else self._method(key[0])
            with LOCK:  # another thread may have been first
                found = self.programs.setdefault(key, function if self.model.run_eagerly else Program(function, name=str(key[0])))
        return found

    def _method(self, name: str) -> Callable:
        own = weakref.proxy(self)  # a program that holds its Steps would never be freed
        return lambda *arguments: getattr(own, name)(*arguments)

    def resident_step(self, kind: str, data: Resident, size: int, tail: bool = False) -> Step:
        """A program without arguments: the next `size` rows of a Resident dataset (or its short tail), one step."""
        return self.program((kind, id(data), size, tail), lambda own: lambda: getattr(own, kind)(*data.batch(size, tail)))

    def batch_step(self, kind: str) -> Step:
        """A program of `(x, y, sample_weight)`: one step."""
        return self.program((kind,))

    def batch_step_with_results(self, kind: str) -> Step:
        """The same for one batch by itself: metrics start anew, and it returns their `results`."""

        def make(own: Steps) -> Callable:
            def step(x: Any, y: Any, sample_weight: Any) -> Tensor:
                own.reset()
                getattr(own, kind)(x, y, sample_weight)
                return own.results()

            return step

        return self.program((f"{kind}_on_batch",), make)

    def rewind(self, data: Resident) -> Step:
        """A program that goes back to the first row of a Resident dataset."""
        return self.program(("rewind", id(data)), lambda own: data.rewind)

    def forget(self, data: Resident) -> None:
        """Drops the programs of a Resident dataset."""
        for key in [key for key in self.programs if id(data) in key[1:]]:
            del self.programs[key]

    # ---- results on the host
    def unpack(self, vector: np.ndarray) -> tuple[dict[str, Any], int]:
        """The host copy of `results`: a dict of floats by name, and the first bad step or -1."""
        if self.layout is None or self.layout[1] != len(vector):
            self.layout = self.lay_out()
        logs = {}
        for name, shape, start, stop in self.layout[0]:
            logs[name] = float(vector[start]) if shape == () else np.array(vector[start:stop]).reshape(shape)
        return logs, int(vector[-1])

    def lay_out(self) -> tuple[list[tuple[str, tuple, int, int]], int]:
        """Where each log is in `results`, by name, and the length of it all; walking the layers takes a while."""
        places, at = [], 0
        for name, metric in self.model._named_metrics():
            shape = metric_shape(metric)
            places.append((name, shape, at, at + int(np.prod(shape))))
            at = places[-1][3]
        self.names = [name for name, *_ in places]
        return sorted(places), at + 1


def metric_shape(metric: Any) -> tuple[int, ...]:
    """The shape of a metric's result, found by tracing it once."""
    shape = getattr(metric, "_result_shape", None)
    if shape is None:
        with Tracing():
            shape = tuple(ops.convert_to_tensor(metric.result()).shape)
        metric._result_shape = shape
    return shape
