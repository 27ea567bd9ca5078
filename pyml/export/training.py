"""The training step of a model as exported programs: what `fit` and `evaluate` do in JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.core.tree import flatten, map_structure
from pyml.errors import SyncReadError, TraceError
from pyml.export.models import Shapes, example, in_order, traced
from pyml.export.programs import ExportError, Programs
from pyml.trainers.compile_loss import get_loss
from pyml.trainers.data import Arrays
from pyml.trainers.outputs import names_of

if TYPE_CHECKING:
    from pyml.models.model import Model


def refuse(model: Model) -> None:
    """Raises ExportError for a model whose steps need Python."""
    if not model.compiled or model.optimizer is None:
        raise ExportError(f"export: model '{model.name}' is not compiled with an optimizer and a loss; training=True needs both.")
    if model.run_eagerly:
        raise ExportError(f"export: model '{model.name}' was compiled with run_eagerly=True, which runs Python in every step.")
    if getattr(model.optimizer, "use_ema", False):
        raise ExportError("export: the optimizer keeps an average of the weights (use_ema), which Python puts in their place at the end.")


def targets_of(model: Model, shapes: Shapes, given: Any, rows: int) -> Any:
    """Targets of `rows` rows: like the example that was given, or as the loss of the model has them."""
    if given is not None:
        return in_order(map_structure(lambda a: np.zeros((rows, *np.asarray(a).shape[1:]), np.asarray(a).dtype), given))
    wanted = model._compilation.given["loss"] if model._compilation is not None else None

    def zeros(output: Any) -> np.ndarray:
        loss, shape = get_loss(wanted, output, output), list(output.shape)
        if loss is None or loss._class_axis is None:
            return np.zeros((rows, *shape[1:]), "float32")
        del shape[loss._class_axis]
        return np.zeros((rows, *shape[1:]), "int32")

    found: list[Any] = []

    def called(x: Any) -> Any:
        outputs = model(x, training=False)
        if isinstance(outputs, dict) or isinstance(wanted, (dict, list, tuple)):
            raise ExportError("export: pass targets=, an example of y, for a model of several outputs.")
        found.append(map_structure(zeros, outputs))
        return outputs

    traced(called, example(model, shapes, rows))  # states of layers stay as they are
    return found[0]


def _targets(model: Model, y: Any) -> list[dict[str, Any]]:
    """What JavaScript must know of each target: its name, and how many classes its numbers are of."""
    names, count = sorted(y) if isinstance(y, dict) else names_of(model), len(flatten(y))
    if names is None or len(names) != count:
        names = ["y"] if count == 1 else [f"y{i}" for i in range(count)]
    found: list[dict[str, Any]] = [{"name": name} for name in names]
    for i, loss, classes, _ in model._class_targets(y):
        found[i] |= {"classes": classes, "ignored": getattr(loss, "ignore_class", None)}
    return found


def add_training(
    model: Model, programs: Programs, shapes: Shapes, batches: list[int], targets: Any, weighted: bool
) -> dict[str, Any]:
    """Adds the steps of `fit` and `evaluate`, and what goes with them; where they are `weighted`, each row has a weight.

    Returns:
        What JavaScript must know: the programs of each batch size, the names of the logs and where they are.

    Raises:
        ExportError: A step needs Python.
    """
    refuse(model)
    steps = model._step_programs
    found: dict[str, dict[str, Any]] = {"train": {}, "test": {}}
    calls = []
    for rows in batches:
        x, y = example(model, shapes, rows), targets_of(model, shapes, targets, rows)
        batch = Arrays(x, y, np.ones(rows, np.float32) if weighted else None, "export")
        for kind in ("train", "test"):
            model._prepare_steps(batch, rows, kind)
            steps = model._step_programs
            try:
                call = traced(getattr(steps, kind), *batch.struct)
            except (TraceError, SyncReadError) as e:
                raise ExportError(f"export: the {kind} step of model '{model.name}' runs Python on values of tensors: {e}") from e
            calls.append((kind, rows, call))
    for kind, rows, call in calls:
        name = f"{kind}/{rows}"
        found[kind][str(rows)] = {"program": name, **programs.add(name, call)}
    plan: dict[str, Any] = {"batches": found["train"], "tests": found["test"], "results": {}}
    plan["weighted"] = weighted
    plan["targets"] = _targets(model, targets_of(model, shapes, targets, batches[0]))
    plan["count"] = len(flatten(x))
    for kind in ("train", "test"):
        places, length = steps.lay_out(kind)
        name = f"results/{kind}"
        plan["results"][kind] = {"program": name, "length": length, "logs": [[n, list(shape), start] for n, shape, start, _ in places],
                                 **programs.add(name, traced(lambda kind=kind: steps.results(kind)))}  # fmt: skip
    for name in ("begin", "reset"):
        programs.add(name, traced(getattr(steps, name)))
    numbered = []
    for i, variable in enumerate(model.weights):
        state = programs.state(variable)
        numbered.append([list(programs.states.values()).index(state), f"{i}:{variable.path}"])
    plan["weights"] = numbered
    return plan


__all__ = ["add_training"]
