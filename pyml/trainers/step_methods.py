"""One step of training as methods that a Model subclass may replace, and the metrics they feed."""

from __future__ import annotations

import inspect
from typing import Any

from pyml import ops
from pyml.core import StatelessScope, Tensor
from pyml.core.autograd import connected_gradients
from pyml.core.narrow import unlabelled
from pyml.core.trace import differentiating
from pyml.core.tree import flatten, map_structure
from pyml.errors import ShapeError, returned
from pyml.layers.layer import Layer
from pyml.metrics import Metric
from pyml.optimizers import Optimizer
from pyml.tracebacks import warn
from pyml.trainers import state
from pyml.trainers.compilation import Compilation
from pyml.trainers.metric_group import CompiledMetrics, spread_out
from pyml.trainers.outputs import Outputs, names_of
from pyml.trainers.watch import Trained, Watch
from pyml.utils.data_utils import unpack_x_y_sample_weight


def result_of(metric: Metric) -> Any:
    """What a metric says so far.

    Raises:
        DtypeError: That is nothing, as where its `result` forgot to return.
    """
    return returned(metric.result(), f"result() of the metric '{metric.name}'", "a tensor or a dict of tensors")


class StepMethods(Layer):
    """A layer that can be trained a step at a time: base of Trainer.

    `optimizer` and `_compilation` are what `compile` chose, None before; a training step of one's own runs after it, so that
    the type of `optimizer` does not ask it to look.
    """

    optimizer: Optimizer
    _compilation: Compilation | None

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.optimizer = None  # type: ignore[assignment]
        self._compilation = None
        self._loss_watch, self._trained_weights = Watch(), Trained()

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs, or None where only a call tells."""
        return None

    # ---- one step; a subclass may write its own
    def train_step(self, data: Any) -> dict[str, Any]:
        """Forward, loss, gradients, update, metrics for `data`, `(x, y)` or `(x, y, sample_weight)`; traced into one program.

        One's own may differentiate with `pyml.GradientTape`.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        if self.optimizer is None:
            raise ValueError(f"Model '{self.name}' was compiled without an optimizer; pass optimizer= to compile to train it.")
        with differentiating():
            y_pred = self(x, **self._training_argument(True))
            loss = self._compute_loss(x, y, y_pred, sample_weight, training=True)
            variables = self._trained_weights.of(self)
            grads = connected_gradients(self.optimizer.scale_loss(loss), variables) if variables else []
        if variables:
            self.optimizer.apply(grads, variables)
        else:
            warn(f"The model '{self.name}' does not have any trainable weights.")
        self._loss_watch.see(loss)
        return self._step_logs(loss, x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Forward, loss, metrics for `data`, which is `(x, y)` or `(x, y, sample_weight)`."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, **self._training_argument(False))
        loss = self._compute_loss(x, y, y_pred, sample_weight, training=False)
        return self._step_logs(loss, x, y, y_pred, sample_weight)

    def _step_logs(self, loss: Tensor, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, Any]:
        if self._compilation is not None:
            self._compilation.tracker.update_state(loss, sample_weight=float(batch_size(x)))
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Predictions for `data`, which is `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`."""
        return self(unpack_x_y_sample_weight(data)[0], **self._training_argument(False))

    def _needs_targets(self) -> bool:
        """Whether validation takes y, as far as one can tell: the loss of `compile`, in steps that nobody wrote anew."""
        own = type(self).test_step is not StepMethods.test_step or type(self).compute_loss is not StepMethods.compute_loss
        return not own and self._compilation is not None and self._compilation.loss is not None

    def _training_argument(self, training: bool) -> dict[str, bool]:
        """How steps call the model: as in Keras they say `training` only to a `call` that names it, and layers inside hear nothing else."""
        if self._signature.names_training:
            return {"training": training}
        if training and (quiet := [layer.name for layer in self._flatten_layers() if _differs(layer)]):
            warn(f"fit: call() of '{self.name}' has no `training` argument, so layers inside it run as in inference, as in Keras: "
                 f"{', '.join(quiet[:5])}{', ...' if len(quiet) > 5 else ''}. Write `def call(self, inputs, training=None)`.")  # fmt: skip
        return {}

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> Tensor:
        """The loss of a batch as a scalar tensor: that of `compile`, and what layers add.

        Args:
            x, y, sample_weight: The batch: inputs, targets and weights of its samples.
            y_pred: What the model gives for `x`.
            training: Whether it was called for training.

        Raises:
            ValueError: There is neither a loss nor anything added by layers.
        """
        total = None
        if self._compilation is not None:
            total = self._compilation.loss_of(y, self._named_outputs(y_pred), sample_weight, batch_size(y_pred if x is None else x))
        for extra in self.losses:
            extra = ops.sum(ops.cast(extra, "float32"))
            total = extra if total is None else total + extra
        if total is None:
            raise ValueError("No loss to compute: pass loss= to compile, or call add_loss() in a layer.")
        return total

    def compiled_loss(self, y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None) -> Tensor:
        """`compute_loss` by its name of Keras 2, which steps of one's own in books call; the logged mean takes it into account.

        Args:
            y, y_pred, sample_weight: As for `compute_loss`.
            regularization_losses: For the signature; what layers add is in the loss.
        """
        del regularization_losses
        warn("`model.compiled_loss()` is deprecated; use `model.compute_loss(x, y, y_pred, sample_weight, training)`.")
        loss = self._compute_loss(None, y, y_pred, sample_weight, training=True)
        if self._compilation is not None:
            self._compilation.tracker.update_state(loss, sample_weight=float(batch_size(y_pred)))
        return loss

    @property
    def compiled_metrics(self) -> CompiledMetrics:
        """The metrics of `compile` as one, by its name of Keras 2; `compute_metrics` does the same.

        Raises:
            ValueError: The model has not been compiled.
        """
        if self._compilation is None:
            raise ValueError("compiled_metrics: call compile() first, which makes them.")
        warn("`model.compiled_metrics` is deprecated; use `model.compute_metrics(x, y, y_pred, sample_weight)`.")
        return CompiledMetrics(self)

    def _compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """`compute_loss` with as many of these as a subclass takes."""
        if type(self).compute_loss is StepMethods.compute_loss:
            return self.compute_loss(x, y, y_pred, sample_weight, training=training)
        takes = inspect.signature(self.compute_loss).parameters
        placed = [p for p in takes.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name != "training"]
        anything = any(p.kind is p.VAR_POSITIONAL for p in takes.values())
        arguments = (x, y, y_pred, sample_weight)[:4 if anything else len(placed)]
        named = any(p.kind is p.VAR_KEYWORD for p in takes.values()) or "training" in takes
        who = f"compute_loss() of {type(self).__name__}"
        found = self.compute_loss(*arguments, **({"training": training} if named else {}))
        loss = ops.convert_to_tensor(returned(found, who, "a scalar tensor"))
        if training and loss.shape != ():
            raise ShapeError(f"{who} must return a scalar tensor. It returned one of shape {tuple(loss.shape)}; reduce it with ops.mean.")
        return loss

    def stateless_compute_loss(self, trainable_variables: Any, non_trainable_variables: Any, metrics_variables: Any, x: Any = None,
                               y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> Any:  # fmt: skip
        """`compute_loss` as a function of the state, of which values are given; nothing is changed.

        Args:
            trainable_variables, non_trainable_variables, metrics_variables: Values of the model's Variables under these names.
            x, y, y_pred, sample_weight, training: see `compute_loss`.

        Returns:
            The loss, and a tuple of the trainable, the other and the metrics' values after it.
        """
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        values = (trainable_variables, non_trainable_variables, metrics_variables)
        pairs = [pair for group, given in zip(groups, values, strict=True) for pair in zip(group, given, strict=True)]
        with StatelessScope(pairs) as scope:
            loss = self._compute_loss(x, y, y_pred, sample_weight, training=training)
        return loss, (trainable_variables, *([scope.get_current_value(v) for v in group] for group in groups[1:]))

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """All that training changes, as dicts nested by the parts of paths.

        Args:
            value_format: `"backend_tensor"` for tensors, `"numpy_array"` for arrays.

        Returns:
            A dict of `trainable_variables`, `non_trainable_variables`, `optimizer_variables` and `metrics_variables`.
        """
        return state.tree_of(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Assigns `state_tree`, which `get_state_tree` gave, or a part of it.

        Raises:
            ValueError: It names a Variable that is not there.
        """
        state.assign_tree(self, state_tree)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Adds a batch to the metrics and returns `get_metrics_result()`; arguments as for `compute_loss`."""
        del x
        if y is not None and self._compilation is not None:
            self._compilation.update(y, self._named_outputs(map_structure(unlabelled, y_pred)), sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Loss and metrics so far, a dict of tensors by name."""
        found: dict[str, Any] = {}
        for name, metric in self._named_metrics():
            result = result_of(metric)
            found.update(result if isinstance(result, dict) else {name: result})
        return found

    def _named_outputs(self, y_pred: Any) -> Outputs:
        """Predictions with the names of the outputs."""
        names = names_of(self)
        return Outputs(y_pred, names if names is not None and len(names) == len(flatten(y_pred)) else None)

    # ---- metrics
    def _metrics_of_steps(self) -> list[tuple[str, Metric]]:
        """Pairs of log name and metric: the loss, the metrics of `compile`, those of layers; a model inside keeps its own."""
        own = [] if self._compilation is None else self._compilation.named_metrics()
        return own + [(metric.name, metric) for metric in self._layer_metrics()]

    def _layer_metrics(self) -> list[Metric]:
        layers = [layer for layer in self._flatten_layers() if layer is self or not isinstance(layer, StepMethods)]
        return [metric for layer in layers for metric in layer._metrics_of()]

    def _named_metrics(self) -> list[tuple[str, Metric]]:
        """Pairs of log name and metric of what `metrics` says, which a subclass may have written; those of `compile` each for itself."""
        own = self._metrics_of_steps()
        if type(self).metrics is StepMethods.metrics:
            return own
        names = {id(metric): name for name, metric in own}
        return [(names.get(id(metric), metric.name), metric) for metric in spread_out(self.metrics)]

    @property
    def metrics(self) -> list[Metric]:
        """The mean of the loss; `compile_metrics`, which is all metrics of `compile`; the losses of outputs; metrics of layers."""
        chosen = self._compilation
        if chosen is None:
            return self._layer_metrics()
        tracker, *losses = chosen.losses()
        return [tracker, *([chosen.group] if chosen.parts else []), *losses, *self._layer_metrics()]

    @property
    def metrics_names(self) -> list[str]:
        """Names of `metrics`."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Sets all metrics back to their start."""
        for metric in self.metrics:
            metric.reset_state()


def batch_size(x: Any) -> int:
    """Number of samples in nested inputs."""
    return next(leaf.shape[0] for leaf in flatten(x) if leaf is not None)


def _differs(layer: Layer) -> bool:
    """Whether a layer would do something else in training: drops, or takes the statistics of the batch."""
    shares = (getattr(layer, name, None) for name in ("rate", "stddev", "dropout", "recurrent_dropout"))
    return any(isinstance(share, (int, float)) and share > 0 for share in shares) or (hasattr(layer, "moving_mean") and layer.trainable)
