"""The loss of `compile`: one loss per output, weighted and added up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyml import losses as losses_module
from pyml import metrics as metrics_module
from pyml.core import Tensor, Variable
from pyml.core.naming import get_object_name
from pyml.core.tree import flatten, is_nested, pack_sequence_as
from pyml.errors import ShapeError
from pyml.trainers.compile_metrics import is_binary_or_sparse
from pyml.trainers.outputs import Outputs, aligned, paths, spread
from pyml.trainers.whole_losses import Whole, taken_out


def get_loss(identifier: Any, y_true: Any, y_pred: Any) -> losses_module.Loss | None:
    """A Loss for a name, function or object; `"crossentropy"` is picked by the shapes."""
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        binary, sparse = is_binary_or_sparse(y_true, y_pred)
        kind = "binary" if binary else "sparse_categorical" if sparse else "categorical"
        loss = losses_module.get(f"{kind}_crossentropy")
    else:
        loss = losses_module.get(identifier)
    if isinstance(loss, losses_module.Loss):
        return loss
    cls = losses_module.LossFunctionWrapper
    if loss is losses_module.sparse_categorical_crossentropy:
        return losses_module.SparseCategoricalCrossentropy()
    return cls(loss, name=identifier if isinstance(identifier, str) else get_object_name(loss))


def in_order(places: Any, given: Any) -> list[int]:
    """Places of outputs as the user wrote them down: dicts in the order of the losses, else of the outputs, as Keras lists them."""
    if not is_nested(places):
        return [places]
    if isinstance(places, dict):
        own = given if isinstance(given, dict) and set(given) <= set(places) else dict.fromkeys(places)
        return [place for key, part in own.items() for place in in_order(places[key], part)]
    parts = given if isinstance(given, (list, tuple)) and len(given) == len(places) else [None] * len(places)
    return [place for inner, part in zip(places, parts, strict=True) for place in in_order(inner, part)]


def _only(given: Any) -> Any:
    """The one thing in a list: `{"digit": ["mse"]}` says the same as `{"digit": "mse"}`."""
    return given[0] if isinstance(given, (list, tuple)) and len(given) == 1 else given


def _weights_of(several: Sequence[Any], given: Any) -> list[Any]:
    """The weight of each loss of one output, of one for all or one for each.

    Raises:
        ValueError: There are more or fewer of them.
    """
    weights = list(given) if isinstance(given, (list, tuple)) else [given] * len(several)
    if len(weights) != len(several):
        raise ValueError(f"compile: {len(several)} losses of one output need as many loss_weights, or one. Received: {given}")
    return weights


class CompileLoss:
    """The loss of a model with any number of outputs.

    Args:
        loss: A loss, or a list or dict of losses, one per output or a list of them, which are added; None for outputs without one.
        loss_weights: Factors in the same form; Variables are read in every step.
    """

    def __init__(self, loss: Any, loss_weights: Any):
        if loss_weights is not None and not isinstance(loss_weights, (list, tuple, dict, float, int)):
            raise ValueError(
                f"compile: loss_weights must be a number, list or dict. Received: loss_weights={loss_weights!r}")
        if any(isinstance(weight, str) or callable(weight) for weight in flatten(loss_weights)):
            raise ValueError("compile: loss_weights, its third argument, must be numbers; metrics go by name: "
                             f"compile(optimizer, loss, metrics=[...]). Received: loss_weights={loss_weights!r}")
        self.given = loss
        self.given_weights = loss_weights
        self.built = False
        self.losses: list[losses_module.Loss | None] = []
        self.wanted: list[bool] = []                   # which outputs a loss is of
        self.weights: list[Any] = []
        self.trackers: list[metrics_module.Mean | None] = []  # mean loss of each output, where there are several
        self.further: list[tuple[int, losses_module.Loss | None, Any]] = []  # of outputs with several losses, all but the last
        self.wholes: list[Whole] = []                  # losses of several outputs together, and their mean losses
        self.whole_trackers: list[metrics_module.Mean] = []
        self._said: list[int] = []

    def build(self, y_true: Any, outputs: Outputs) -> None:
        """Makes the losses for targets and predictions in their structure."""
        parts, factors, wholes = taken_out(self.given, self.given_weights, outputs.struct)
        given = [_only(loss) for loss in spread(parts, outputs, "loss")]
        self.wanted = [loss is not None or any(i in whole.places for whole in wholes) for i, loss in enumerate(given)]
        if not any(self.wanted):
            raise ValueError("compile: no loss was given; pass loss=, for example loss='mse'.")
        targets = aligned(y_true, outputs, self.wanted)
        self.weights = [_only(weight) for weight in spread(factors, outputs, "loss_weights")]
        self.further = []
        for i, (several, pred) in enumerate(zip(given, flatten(outputs.struct), strict=True)):
            if isinstance(several, (list, tuple)) and several:
                weights = _weights_of(several, self.weights[i])
                own = [get_loss(one, targets[i], pred) for one in several[:-1]]
                self.further += [(i, loss, weight) for loss, weight in zip(own, weights[:-1], strict=True)]
                given[i], self.weights[i] = several[-1], weights[-1]
        self.losses = [get_loss(own, true, pred) for own, true, pred in zip(given, targets, flatten(outputs.struct), strict=True)]
        self.trackers = [None] * len(given)
        self.wholes = [whole._replace(loss=get_loss(whole.loss, [targets[i] for i in whole.places], flatten(whole.struct)))
                       for whole in wholes]  # fmt: skip
        self.whole_trackers = []
        if sum(loss is not None for loss in self.losses) + len(wholes) > 1:
            for i, (loss, path) in enumerate(zip(self.losses, paths(outputs.struct), strict=True)):
                if loss is not None:
                    name = outputs.path_name(i, path, getattr(loss, "name", "output"))
                    self.trackers[i] = metrics_module.Mean(name=f"{name}_loss")
            self.whole_trackers = [metrics_module.Mean(name=f"{_called(whole, outputs)}_loss") for whole in wholes]
        self._said = in_order(pack_sequence_as(outputs.struct, range(outputs.number)), self.given)
        self.built = True

    @property
    def metrics(self) -> list[metrics_module.Mean]:
        """The mean loss of each output, where there are several, in the order in which `evaluate` lists them."""
        found: list[metrics_module.Mean] = []
        for place in self._said:
            found += [own for own, whole in zip(self.whole_trackers, self.wholes, strict=False) if whole.start == place]
            tracker = self.trackers[place]
            found += [] if tracker is None else [tracker]
        return found

    def __call__(self, y_true: Sequence[Any], y_pred: Sequence[Any], weights: Sequence[Any], batch: float) -> Tensor | None:
        """The weighted sum of the losses of flat targets, predictions and sample weights."""
        total = None
        rows = zip(self.losses, self.weights, self.trackers, y_true, y_pred, weights, strict=True)
        for loss, factor, tracker, true, pred, weight in rows:
            if loss is not None:
                total = _added(total, loss(true, pred, sample_weight=weight), factor, tracker, batch)
        for i, further, factor in self.further:       # the log of such an output is of its last loss, as in Keras
            if further is not None:
                total = _added(total, further(y_true[i], y_pred[i], sample_weight=weights[i]), factor, None, batch)
        for i, whole in enumerate(self.wholes):
            true, pred, weight = ([flat[place] for place in whole.places] for flat in (y_true, y_pred, weights))
            value = _of_whole(whole, pack_sequence_as(whole.struct, true), pack_sequence_as(whole.struct, pred), weight)
            total = _added(total, value, whole.factor, self.whole_trackers[i] if self.whole_trackers else None, batch)
        return total


def _of_whole(whole: Whole, true: Any, pred: Any, weights: list[Any]) -> Any:
    """The loss of a nested part; one weight for all its outputs counts for what the loss makes of each, if it has not added them up."""
    if any(weight is not weights[0] for weight in weights):
        return whole.loss(true, pred, sample_weight=tuple(weights))
    try:
        return whole.loss(true, pred, sample_weight=weights[0])
    except ShapeError:
        if weights[0] is None:
            raise
        return whole.loss(true, pred, sample_weight=tuple(weights))


def _called(whole: Whole, outputs: Outputs) -> str:
    """The name of a whole part in logs: its path, and of all outputs their keys or names."""
    if whole.path:
        return "/".join(str(part) for part in whole.path)
    return "_".join(str(key) for key in (whole.struct if isinstance(whole.struct, dict) else (outputs.called(i) for i in whole.places)))


def _added(total: Any, value: Any, factor: Any, tracker: Any, batch: float) -> Any:
    """The sum so far and one more loss; its tracker hears of it before it gets its factor."""
    if tracker is not None:
        tracker.update_state(value, sample_weight=batch)
    if factor is not None:
        value = value * (factor if isinstance(factor, (Tensor, Variable)) else float(factor))
    return value if total is None else total + value
