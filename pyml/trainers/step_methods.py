"""One step of training as methods that a Model subclass may replace, and the metrics they feed."""

from pyml import ops
from pyml.core import gradients
from pyml.core.trace import differentiating
from pyml.core.tree import flatten
from pyml.trainers.steps import batch_size, flat_targets, flatten_outputs
from pyml.utils.data_utils import unpack_x_y_sample_weight


class StepMethods:
    """Mixin of Trainer."""

    # ---- one step; a subclass may write its own
    def train_step(self, data):
        """Forward, loss, gradients, update, metrics for `(x, y, sample_weight)`; traced into one program."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with differentiating():
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training=True)
            variables = self._steps.trained()
            if not variables:
                raise ValueError(f"Model '{self.name}' has no trainable weights, so there is nothing to fit.")
            grads = gradients(self.optimizer.scale_loss(loss), variables)
        self.optimizer.apply(grads, variables)
        self._steps.watch(loss)
        self._loss_tracker.update_state(loss, sample_weight=float(batch_size(x)))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data):
        """Forward, loss, metrics for `(x, y, sample_weight)`."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        self._loss_tracker.update_state(loss, sample_weight=float(batch_size(x)))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data):
        """Predictions for `x`."""
        return self(data, training=False)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of a batch as a scalar tensor: that of `compile`, and what layers add.

        Raises:
            ValueError: There is neither a loss nor anything added by layers.
        """
        total = None
        if self._compile_loss is not None:
            names = self._flat_output_names(y_pred)
            if y is None:
                raise ValueError("fit and evaluate need targets y for the loss given to compile.")
            predictions = flatten_outputs(y_pred)
            targets = flat_targets(y, y_pred, names)
            if not self._compile_loss.built:
                self._compile_loss.build(targets, predictions, names)
            weights = self._flat_weights(sample_weight, y_pred, names)
            total = self._compile_loss(targets, predictions, weights, float(batch_size(x)))
        for extra in self.losses:
            extra = ops.sum(ops.cast(extra, "float32"))
            total = extra if total is None else total + extra
        if total is None:
            raise ValueError("No loss to compute: pass loss= to compile, or call add_loss() in a layer.")
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Adds a batch to the metrics and returns `get_metrics_result()`."""
        del x
        if y is not None:
            names = self._flat_output_names(y_pred)
            predictions, targets = flatten_outputs(y_pred), flat_targets(y, y_pred, names)
            weights = self._flat_weights(sample_weight, y_pred, names)
            for part in (self._compile_metrics, self._compile_weighted_metrics):
                if part is not None:
                    if not part.built:
                        part.build(targets, predictions, names)
                    part.update(targets, predictions, weights)
        return self.get_metrics_result()

    def get_metrics_result(self):
        """Loss and metrics so far, a dict of tensors by name."""
        return {name: metric.result() for name, metric in self._named_metrics()}

    def _flat_weights(self, sample_weight, y_pred, names):
        count = len(flatten(y_pred))
        if sample_weight is None:
            return [None] * count
        if not isinstance(sample_weight, dict) and len(flatten(sample_weight)) == 1:
            return flatten(sample_weight) * count
        return flat_targets(sample_weight, y_pred, names)

    def _flat_output_names(self, y_pred):
        count = len(flatten(y_pred))
        names = self.output_names
        if names is not None and len(names) == count:
            return names
        return sorted(y_pred) if isinstance(y_pred, dict) else [f"output_{i + 1}" for i in range(count)]

    # ---- metrics
    def _named_metrics(self):
        """Pairs of log name and metric, loss first."""
        pairs = [] if self._loss_tracker is None else [("loss", self._loss_tracker)]
        if self._compile_loss is not None:
            pairs += [(metric.name, metric) for metric in self._compile_loss.metrics]
        for part in (self._compile_metrics, self._compile_weighted_metrics):
            if part is not None:
                pairs += part.named(taken=[name for name, _ in pairs])
        pairs += [(metric.name, metric) for metric in super().metrics]
        return pairs

    @property
    def metrics(self):
        """The loss tracker, the metrics of `compile` and those of layers."""
        return [metric for _, metric in self._named_metrics()]

    @property
    def metrics_names(self):
        """Names of `metrics`."""
        return [name for name, _ in self._named_metrics()]

    def reset_metrics(self):
        """Sets all metrics back to their start."""
        for metric in self.metrics:
            metric.reset_state()
