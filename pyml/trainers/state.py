"""The state of training: steps on a model's own Variables or as functions of their values, and all of it as nested dicts."""

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


def by_path(model: StepMethods) -> dict[str, dict[str, Variable]]:
    """The Variables of each group by their paths, which get a number where there are two of one."""
    optimizer = [] if model.optimizer is None else model.optimizer.variables
    named = {
        "trainable_variables": [(v.path, v) for v in model.trainable_variables],
        "non_trainable_variables": [(v.path, v) for v in model.non_trainable_variables],
        "optimizer_variables": [(v.path, v) for v in optimizer],
        "metrics_variables": [(f"{name}/{v.name}", v) for name, metric in model._named_metrics() for v in metric.variables],
    }
    groups: dict[str, dict[str, Variable]] = {}
    for group, pairs in named.items():
        found = groups.setdefault(group, {})
        for path, variable in pairs:
            number, free = 0, path
            while free in found:
                number += 1
                free = f"{path}_{number}"
            found[free] = variable
    return groups


def tree_of(model: StepMethods, value_format: str) -> dict[str, Any]:
    """See `Model.get_state_tree`."""
    if value_format not in ("backend_tensor", "numpy_array"):
        raise ValueError(f"get_state_tree: value_format must be 'backend_tensor' or 'numpy_array'. Received: {value_format!r}")
    tree: dict[str, Any] = {}
    for group, variables in by_path(model).items():
        top = tree.setdefault(group, {})
        for path, variable in variables.items():
            inner, *parts = top, *path.split("/")
            for part in parts[:-1]:
                inner = inner.setdefault(part, {})
            inner[parts[-1]] = variable.numpy() if value_format == "numpy_array" else variable.value
    return tree


def assign_tree(model: StepMethods, tree: dict[str, Any]) -> None:
    """See `Model.set_state_tree`."""
    groups = by_path(model)
    unknown = [group for group in tree if group not in groups]
    if unknown:
        raise ValueError(f"set_state_tree: unknown variable name(s) {', '.join(unknown)}; there are {', '.join(groups)}.")
    found: list[tuple[Variable, Any]] = []
    for group, nested in tree.items():
        waiting = list(nested.items())
        while waiting:
            path, value = waiting.pop()
            if isinstance(value, dict):
                waiting += [(f"{path}/{key}", item) for key, item in value.items()]
            elif path in groups[group]:
                found.append((groups[group][path], value))
            else:
                raise ValueError(f"set_state_tree: the model has no Variable {path!r} among its {group}.")
    for variable, value in found:
        variable.assign(value)
