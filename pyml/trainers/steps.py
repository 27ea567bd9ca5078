"""What runs on the device: one train, test or predict step, each a program that is traced once and replayed."""

import weakref

import numpy as np

from pyml import ops
from pyml.core import Program, Variable
from pyml.core.symbolic import PROBES
from pyml.core.tree import flatten, map_structure
from pyml.layers.signature import Tracing
from pyml.trainers.compile_loss import CompileLoss
from pyml.trainers.compile_metrics import CompileMetrics


class Steps:
    """The programs of one compiled model.

    Args:
        model: The model; kept by weak reference, the model owns its Steps.
    """

    def __init__(self, model):
        self._model = weakref.ref(model)
        self.programs = {}
        self.built = False
        self.output_shapes = []
        self.output_names = []
        self._classed = None
        self._trained = None                           # weights that the first step after `compile` found trainable
        self._known = set()                            # and all that there were then
        self.layout = None                             # of `results`, see lay_out
        self.names = None                              # of the logs in order, once they have been laid out
        with_state = {"dtype": "int32", "trainable": False}
        self.step = Variable(np.int32(0), name="step", **with_state)
        self.first_bad = Variable(np.int32(-1), name="first_bad_step", **with_state)

    @property
    def model(self):
        """The model."""
        return self._model()

    # ---- building
    def build(self, x, y, sample_weight):
        """Makes weights, losses and metrics for a batch like this one, and checks its shapes; runs nothing."""
        if self.built:
            return
        model = self.model
        model._build_on(x)
        # weights come first and by themselves, so that a wrong label shape leaves a model that is built
        with Tracing():
            sample = map_structure(lambda a: None if a is None else ops.zeros((PROBES[0], *a.shape[1:]), str(a.dtype)),
                                   (x, y, sample_weight))
            y_pred = model(sample[0], training=False)
            self.setup(sample[1], y_pred)
            model.compute_loss(sample[0], sample[1], y_pred, sample[2], training=False)
            model._clear_losses()
        self.built = True

    def setup(self, y, y_pred):
        """Makes losses and metrics for targets and predictions of these shapes."""
        model = self.model
        names = model._flat_output_names(y_pred)
        targets, predictions = flat_targets(y, y_pred, names), flatten_outputs(y_pred)
        self.output_shapes, self.output_names = [tuple(p.shape) for p in predictions], names
        for part in (model._compile_loss, model._compile_metrics, model._compile_weighted_metrics):
            if part is not None and not part.built and (targets or part is model._compile_loss):
                part.build(targets, predictions, names)

    def classed_outputs(self):
        """The outputs whose targets are class numbers, once built: tuples of place, loss, number of classes, name."""
        if self._classed is None:
            losses = self.model._compile_loss.losses
            same = len(self.output_shapes) == len(losses)
            self._classed = [
                (i, loss, shape[-1], name)
                for i, (loss, shape, name) in enumerate(zip(losses, self.output_shapes, self.output_names, strict=False))
                if same and shape and getattr(loss, "name", "") == "sparse_categorical_crossentropy"
            ]
        return self._classed

    def trained(self):
        """The weights that steps change: those trainable at the first step after `compile`, and what was made since."""
        weights = self.model.weights
        now = self.model.trainable_variables
        if self._trained is None:
            self._trained, self._known = list(now), {id(v) for v in weights}
        still = {id(v) for v in weights}
        return [v for v in self._trained if id(v) in still] + [v for v in now if id(v) not in self._known]

    # ---- traced functions
    def train(self, x, y, sample_weight):
        """One training step; also counts it and notes whether the loss is finite."""
        self.model.train_step((x, y, sample_weight))
        self.model._clear_losses()                     # they belong to the trace

    def test(self, x, y, sample_weight):
        """One evaluation step."""
        self.model.test_step((x, y, sample_weight))
        self.model._clear_losses()

    def predict(self, x):
        """Predictions."""
        return self.model.predict_step(x)

    def watch(self, loss):
        """Notes the first step whose loss is not finite, without telling the host."""
        bad = ops.logical_and(ops.less(self.first_bad, 0), ops.logical_not(ops.isfinite(loss)))
        self.first_bad.assign(ops.where(bad, self.step, self.first_bad))
        self.step.assign_add(1)

    def reset(self):
        """Metrics back to their start."""
        for _, metric in self.model._named_metrics():
            metric.reset_state()

    def results(self):
        """Loss, metrics and the first bad step, as one vector, so that one read brings all."""
        values = [metric.result() for _, metric in self.model._named_metrics()]
        values = [leaf for value in values for leaf in flatten(value)]
        parts = [ops.reshape(ops.cast(ops.convert_to_tensor(v), "float32"), (-1,)) for v in values]
        bad = ops.reshape(ops.cast(self.first_bad, "float32"), (1,))
        return ops.concatenate([*parts, bad], axis=0)

    # ---- programs
    def program(self, key, make):
        """The program under `key`, made by `make()` the first time; the plain function with `run_eagerly`."""
        found = self.programs.get(key)
        if found is None:
            function = make()
            found = function if self.model.run_eagerly else Program(function, name=str(key[0]))
            self.programs[key] = found
        return found

    def resident_step(self, kind, data, size, tail=False):
        """A program without arguments: the next `size` rows of a Resident dataset (or its short tail), one step."""
        ref = weakref.ref(self)

        def make():
            def step():
                getattr(ref(), kind)(*data.batch(size, tail))

            return step

        return self.program((kind, id(data), size, tail), make)

    def batch_step(self, kind):
        """A program of `(x, y, sample_weight)`: one step."""
        ref = weakref.ref(self)
        return self.program((kind,), lambda: lambda x, y, w: getattr(ref(), kind)(x, y, w))

    def batch_step_with_results(self, kind):
        """The same for one batch by itself: metrics start anew, and it returns their `results`."""
        ref = weakref.ref(self)

        def make():
            def step(x, y, w):
                ref().reset()
                getattr(ref(), kind)(x, y, w)
                return ref().results()

            return step

        return self.program((f"{kind}_on_batch",), make)

    def read_program(self):
        """A program that returns `results`."""
        ref = weakref.ref(self)
        return self.program(("results",), lambda: lambda: ref().results())

    def reset_program(self):
        """A program that resets the metrics."""
        ref = weakref.ref(self)
        return self.program(("reset",), lambda: lambda: ref().reset())

    def rewind_program(self, data):
        """A program that goes back to the first row of a Resident dataset."""
        return self.program(("rewind", id(data)), lambda: data.rewind)

    def begin_program(self):
        """A program that starts counting steps again."""
        ref = weakref.ref(self)

        def begin():
            ref().step.assign(0)
            ref().first_bad.assign(-1)

        return self.program(("begin",), lambda: begin)

    def forget(self, data):
        """Drops the programs of a Resident dataset."""
        for key in [key for key in self.programs if id(data) in key[1:]]:
            del self.programs[key]

    def unpack(self, vector):
        """The host copy of `results`: a dict of floats by name, and the first bad step or -1."""
        if self.layout is None or self.layout[1] != len(vector):
            self.layout = self.lay_out()
        logs = {}
        for name, shape, start, stop in self.layout[0]:
            logs[name] = float(vector[start]) if shape == () else np.array(vector[start:stop]).reshape(shape)
        return logs, int(vector[-1])

    def lay_out(self):
        """Where each log is in `results`, by name, and the length of it all; walking the layers takes a while."""
        places, at = [], 0
        for name, metric in self.model._named_metrics():
            shape = metric_shape(metric)
            places.append((name, shape, at, at + int(np.prod(shape))))
            at = places[-1][3]
        self.names = [name for name, *_ in places]
        return sorted(places), at + 1


def metric_shape(metric):
    """The shape of a metric's result, found by tracing it once."""
    shape = getattr(metric, "_result_shape", None)
    if shape is None:
        with Tracing():
            shape = tuple(ops.convert_to_tensor(metric.result()).shape)
        metric._result_shape = shape
    return shape


def batch_size(x):
    """Number of samples in nested inputs."""
    return next(leaf.shape[0] for leaf in flatten(x) if leaf is not None)


def flatten_outputs(y_pred):
    """Predictions of all outputs, flat."""
    return flatten(y_pred)


def flat_targets(y, y_pred, names):
    """Targets (or sample weights) of all outputs, flat, in the order of the predictions.

    Raises:
        ValueError: The number of targets differs from the number of outputs.
    """
    count = len(flatten(y_pred))
    if y is None:
        return []
    if isinstance(y, dict):
        keys = sorted(y_pred) if isinstance(y_pred, dict) else names
        missing = [key for key in keys if key not in y]
        if missing:
            raise ValueError(f"No targets for output(s) {', '.join(missing)}. Received keys: {', '.join(y)}.")
        return [y[key] for key in keys]
    flat = flatten(y)
    if len(flat) != count:
        raise ValueError(
            f"The model has {count} output(s) ({', '.join(names)}), but {len(flat)} target(s) were given.")
    return flat


__all__ = ["CompileLoss", "CompileMetrics", "Steps", "batch_size", "flat_targets", "flatten_outputs"]
