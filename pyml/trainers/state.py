"""Steps of training that a model does itself: on its own Variables, or as a function of its state."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyml.core import Variable

if TYPE_CHECKING:
    from pyml.trainers.step_methods import StepMethods


def taken(model: StepMethods, kind: str, data: Any) -> Any:
    """The logs of `train_step(data)` or `test_step(data)`, or of `train_step(state, data)`, which returns logs and the new state."""
    method = getattr(model, f"{kind}_step")
    if not takes_state(method):
        return method(data)
    groups: list[Sequence[Variable]] = [model.trainable_variables, model.non_trainable_variables, model.metrics_variables]
    if kind == "train":
        if model.optimizer is None:
            raise ValueError(f"Model '{model.name}' was compiled without an optimizer; pass optimizer= to compile to train it.")
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        groups.insert(2, model.optimizer.variables)
    logs, state = method(tuple([v.value for v in group] for group in groups), data)
    for group, values in zip(groups, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)
    return logs


def takes_state(method: Any) -> bool:
    """Whether a step is one of `(state, data)`, as with Keras on JAX."""
    needed = [p for p in inspect.signature(method).parameters.values()
              if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]  # fmt: skip
    return len(needed) == 2
