"""What runs on the device: one train, test or predict step, each a program that is traced once and replayed."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml import ops
from pyml.core import Program, Tensor, changes, trace
from pyml.core.tree import flatten, map_structure
from pyml.device.lock import LOCK
from pyml.layers.signature import Tracing
from pyml.tracebacks import is_ours
from pyml.trainers.functions import KINDS, run
from pyml.trainers.last_logs import LastLogs, flat_logs, joined
from pyml.trainers.metric_group import spread_out
from pyml.trainers.one_batch import packed
from pyml.trainers.resident import Resident
from pyml.trainers.step_methods import StepMethods, result_of

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer

Step = Callable[..., Any]  # a Program, or the plain function with run_eagerly

RESULTS = ("compute_metrics", "get_metrics_result")  # methods that say what a step returns


class Steps:
    """The programs of one compiled model.

    Args:
        model: The model; kept by weak reference, the model owns its Steps.
    """

    def __init__(self, model: Trainer):
        self._model = weakref.ref(model)
        self.programs: dict[tuple, Step] = {}
        self.logs: dict[str, LastLogs] = {}  # by kind of step, of those that log something else than their metrics
        self.layouts: dict[str, tuple[list[tuple[str, tuple, int, int]], int]] = {}  # of `results` by kind, see lay_out
        self._structure = changes.version
        self.names: list[str] | None = None  # of the logs that lists begin with, once they have been laid out

    @property
    def model(self) -> Trainer:
        """The model."""
        model = self._model()
        assert model is not None, "programs are called by their model only"
        return model

    # ---- traced functions
    def train(self, x: Any, y: Any, sample_weight: Any) -> None:
        """One training step; also counts it and notes whether the loss is finite."""
        model = self.model
        model._loss_watch.seen = False
        before = self._marks("train")
        logs = run(model, "train", packed(x, y, sample_weight))
        self.note("train", logs, before)
        if not model._loss_watch.seen:  # a step of one's own: the loss is what it calls so
            loss = logs.get("loss") if isinstance(logs, dict) else None
            model._loss_watch.see(ops.max(ops.cast(ops.convert_to_tensor(0.0 if loss is None else loss), "float32")))
        model._clear_losses()  # they belong to the trace

    def test(self, x: Any, y: Any, sample_weight: Any) -> None:
        """One evaluation step."""
        before = self._marks("test")
        self.note("test", run(self.model, "test", packed(x, y, sample_weight)), before)
        self.model._clear_losses()

    def predict(self, x: Any) -> Any:
        """Predictions."""
        found = run(self.model, "predict", packed(x, None, None))
        self.model._clear_losses()
        return found

    def predict_whole(self, data: tuple[Any, ...]) -> Any:
        """Predictions by a step of one's own, which gets a batch with its targets and weights, as they came."""
        found = run(self.model, "predict", data)
        self.model._clear_losses()
        return found

    def begin(self) -> None:
        """Steps are counted anew."""
        self.model._loss_watch.begin()

    def reset(self) -> None:
        """Metrics back to their start."""
        self.model.reset_metrics()

    def results(self, kind: str) -> Tensor:
        """Loss, metrics and the first bad step, as one vector, so that one read brings all."""
        own = self.logs.get(kind)
        if own is not None:
            return own.vector(self.model._loss_watch.first_bad)
        values = [leaf for _, metric in self.model._named_metrics() for leaf in flatten(result_of(metric))]
        values.append(self.model._loss_watch.first_bad)
        return joined(values)

    # ---- what a step of one's own logs
    def owns(self, kind: str) -> bool:
        """Whether a subclass wrote the step or what it returns."""
        return self.model._own_function(kind) is not None or any(map(self._is_own, (f"{kind}_step", *RESULTS)))

    def _is_own(self, name: str) -> bool:
        return getattr(type(self.model), name) is not getattr(StepMethods, name)

    def writes(self, kind: str) -> bool:
        """Whether a subclass wrote the step itself."""
        return getattr(type(self.model), f"{kind}_step") is not getattr(StepMethods, f"{kind}_step")

    def note(self, kind: str, logs: Any, before: dict[int, Any]) -> None:
        """Keeps the logs of this step, where they are others than the results of the metrics; `before` are the `_marks` of its start."""
        if not self.owns(kind):
            return
        if not isinstance(logs, dict):
            if kind == "train" and self.model._own_function(kind) is None:
                step = next(name for name in ("train_step", *RESULTS) if self._is_own(name))
                raise TypeError(f"{step}() of {type(self.model).__name__} must return a dict of logs, such as {{'loss': loss}}"
                                f"{'; end it with `return`' if logs is None else ''}. It returned {logs!r}.")  # fmt: skip
            return
        flat = flat_logs(logs)
        changed = type(self.model).get_metrics_result is not StepMethods.get_metrics_result
        if not changed and set(flat) == {name for name, _ in self.metric_places()} and self._all_updated(before):
            self.logs.pop(kind, None)
            return
        own = self.logs.get(kind)
        if own is None or not own.fits(flat):
            own = self.logs[kind] = LastLogs(flat)
            self.layouts.pop(kind, None)
        own.assign(flat)

    def _marks(self, kind: str) -> dict[int, Any]:
        """What shows whether a step of one's own has written a variable of a metric."""
        return {id(v): _mark(v) for _, metric in self.model._named_metrics() for v in metric.variables} if self.owns(kind) else {}

    def _all_updated(self, before: dict[int, Any]) -> bool:
        """Whether the step has updated every metric: `return {"loss": loss}` alone gives the metric of that name nothing."""
        return all(any(_mark(v) is not before.get(id(v)) for v in metric.variables) for _, metric in self.model._named_metrics())

    # ---- programs
    def program(self, key: tuple, make: Callable[[Steps], Callable] | None = None) -> Step:
        """The program under `key`, the plain function with `run_eagerly`.

        Args:
            key: The first part names it.
            make: `make(steps)` gives its function the first time; by default it is the method of that name.
        """
        if self._structure != changes.version:  # a layer has other weights now: what was traced has the old ones
            self.programs.clear()
            self._structure = changes.version
        kind, _, rest = key[0].partition("_")
        on_host = kind in KINDS and rest != "function" and self.model._own_function(kind) is not None
        if on_host:
            key = (*key, "on the host")
        found = self.programs.get(key)
        if found is None:
            function = make(weakref.proxy(self)) if make is not None else self._method(key[0])
            with LOCK:  # another thread may have been first
                plain = on_host or self.model.run_eagerly or (kind == "reset" and self._resets_otherwise())
                found = self.programs.setdefault(key, eager(function) if plain else Program(function, name=str(key[0])))
        return found

    def _resets_otherwise(self) -> bool:
        """Whether a user's code resets the metrics: what else it does in Python happens each time, as in Keras."""
        methods = [type(self.model).reset_metrics, *(type(metric).reset_state for metric in spread_out(self.model.metrics))]
        return any(not is_ours(method) for method in methods)

    def _method(self, name: str) -> Callable:
        own = weakref.proxy(self)  # a program that holds its Steps would never be freed
        return lambda *arguments: getattr(own, name)(*arguments)

    def resident_step(self, kind: str, data: Resident, size: int, tail: bool) -> Step:
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
                return own.results(kind)

            return step

        return self.program((f"{kind}_on_batch",), make)

    def results_program(self, kind: str) -> Step:
        """A program without arguments that returns `results`."""
        own = self.logs.get(kind)
        if own is None:
            return self.program(("results",), lambda steps: lambda: steps.results(""))
        return self.program(("results", kind, id(own)), lambda steps: lambda: steps.results(kind))

    def rewind(self, data: Resident) -> Step:
        """A program that goes back to the first row of a Resident dataset."""
        return self.program(("rewind", id(data)), lambda own: data.rewind)

    def forget(self, data: Resident) -> None:
        """Drops the programs of a Resident dataset."""
        for key in [key for key in self.programs if id(data) in key[1:]]:
            del self.programs[key]

    # ---- results on the host
    def unpack(self, vector: np.ndarray, kind: str) -> tuple[dict[str, Any], int]:
        """The host copy of `results`: a dict of floats by name, and the first bad step or -1."""
        layout = self.layouts.get(kind)
        if layout is None or layout[1] != len(vector):
            layout = self.layouts[kind] = self.lay_out(kind)
        logs = {}
        for name, shape, start, stop in layout[0]:
            logs[name] = float(vector[start]) if shape == () else np.array(vector[start:stop]).reshape(shape)
        return logs, int(vector[-1])

    def log_names(self, kind: str) -> list[str]:
        """The names of the logs, in the order of their dict."""
        layout = self.layouts.get(kind) or self.layouts.setdefault(kind, self.lay_out(kind))
        return sorted({name for name, *_ in layout[0]})

    def lay_out(self, kind: str) -> tuple[list[tuple[str, tuple, int, int]], int]:
        """Where each log is in `results`, by name, and the length of it all; walking the layers takes a while."""
        found, self.names = self.metric_places(), self.names_in_lists()
        if kind in self.logs:
            found = list(self.logs[kind].shapes.items())
        places, at = [], 0
        for name, shape in found:
            places.append((name, shape, at, at + math.prod(shape)))
            at = places[-1][3]
        return sorted(places), at + 1

    def names_in_lists(self) -> list[str]:
        """The names that lists of logs begin with: those of the metrics themselves. Logs that are named after an output as well, and
        the keys of results that are dicts, come after them, as in Keras, which sorts them."""
        return list(dict.fromkeys(metric.name for metric in spread_out(self.model.metrics)))

    def metric_places(self) -> list[tuple[str, tuple[int, ...]]]:
        """Name and shape of each result of the metrics."""
        found: list[tuple[str, tuple[int, ...]]] = []
        for name, metric in self.model._named_metrics():
            shapes = metric_shapes(metric)
            found += shapes.items() if isinstance(shapes, dict) else [(name, shapes)]
        return found


def _mark(variable: Any) -> Any:
    now = trace.current()
    if now is not None:
        return now.writes.get(id(variable))
    variable.settle()                          # an unwritten Variable keeps its node then, whatever else is computed
    return variable._node_now()


def eager(function: Callable[..., Any]) -> Step:
    """A step without a program: its arrays become tensors, as they do in one."""

    def step(*arguments: Any) -> Any:
        return function(*map_structure(lambda a: ops.convert_to_tensor(a) if isinstance(a, np.ndarray) else a, arguments))

    return step


def metric_shapes(metric: Any) -> Any:
    """The shape of a metric's result, or of each result by name, found by tracing it once."""
    shape = metric._result_shape
    if shape is None:
        with Tracing():
            result = result_of(metric)
            if isinstance(result, dict):
                shape = {key: tuple(ops.convert_to_tensor(result[key]).shape) for key in sorted(result)}
            else:
                shape = tuple(ops.convert_to_tensor(result).shape)
        metric._result_shape = shape
    return shape
