"""Which calls of a model are exported, for which shapes, and how JavaScript finds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.core import Tensor
from pyml.core.capture import Traced
from pyml.core.nest import flatten
from pyml.core.tree import map_structure
from pyml.dtypes import standardize
from pyml.errors import DtypeError, TraceError
from pyml.export.programs import ExportError, Programs
from pyml.trainers.outputs import paths

if TYPE_CHECKING:
    from pyml.models.model import Model

Shapes = Sequence[tuple[int, ...]]  # of the inputs, without the batch


def input_names(model: Model) -> list[str]:
    """The names of the inputs, in order."""
    return list(model._symbolic_graph.input_names) if model._symbolic_graph is not None else ["x"]


def shapes_of(model: Model, given: Any) -> list[Shapes]:
    """The sizes of inputs to export a model for, each a shape for every input.

    Args:
        given: None where the model itself says it; a shape without the batch, a list of them (each is one size), or for a model of
            several inputs a list of lists.

    Raises:
        ExportError: The model does not say, and nobody else does; or what is given does not fit it.
    """
    graph = model._symbolic_graph
    count = len(graph.inputs) if graph is not None else 1
    if given is None:
        if graph is None:
            raise ExportError(
                f"export: model '{model.name}' has no Input that says its size; pass input_shapes=[(height, width, channels)], "
                "without the batch."
            )
        own = [tuple(t.shape[1:]) for t in graph.inputs]
        open_ = [f"{name} {shape}" for name, shape in zip(graph.input_names, own, strict=True) if None in shape]
        if open_:
            some = [tuple(224 if size is None else size for size in shape) for shape in own]
            raise ExportError(
                f"export: model '{model.name}' takes inputs of any size ({', '.join(open_)}); name those to export: "
                f"input_shapes={[some] if count > 1 else some}, without the batch."
            )
        return [[tuple(size for size in shape if size is not None) for shape in own]]
    sizes = [given] if all(isinstance(n, (int, np.integer)) for n in given) else list(given)
    found: list[Shapes] = []
    for size in sizes:
        alone = all(isinstance(n, (int, np.integer)) for n in size)
        shapes = [tuple(int(n) for n in shape) for shape in ([size] if alone else size)]
        if len(shapes) != count:
            raise ExportError(f"export: input_shapes has {len(shapes)} shape(s) {shapes}, and model '{model.name}' takes {count} input(s).")
        if graph is not None:
            for name, tensor, shape in zip(graph.input_names, graph.inputs, shapes, strict=True):
                taken = tuple(tensor.shape[1:])
                if len(taken) != len(shape) or any(a is not None and a != b for a, b in zip(taken, shape, strict=True)):
                    raise ExportError(f"export: input_shapes has {shape}, and input '{name}' of model '{model.name}' takes {taken}.")
        found.append(shapes)
    return found


def batches_of(given: Any) -> list[int]:
    """The batch sizes, in order; ExportError where one is none."""
    sizes = [given] if isinstance(given, (int, np.integer)) else list(given)
    if not sizes or any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1 for n in sizes):
        raise ExportError(f"export: batch_sizes must be positive integers. Received: batch_sizes={given!r}")
    return sorted({int(n) for n in sizes})


def example(model: Model, shapes: Shapes, rows: int) -> Any:
    """Zeros in the structure, shapes and dtypes of a model's inputs."""
    graph = model._symbolic_graph
    if graph is None:
        return np.zeros((rows, *shapes[0]), "float32")
    arrays = []
    for name, tensor, shape in zip(graph.input_names, graph.inputs, shapes, strict=True):
        if tensor.dtype == "string":
            raise ExportError(f"export: input '{name}' of model '{model.name}' takes text, which Python works on; export what follows it.")
        arrays.append(np.zeros((rows, *shape), standardize(tensor.dtype)))
    place = iter(arrays)
    return map_structure(lambda _: next(place), in_order(graph.inputs_struct))


def in_order(structure: Any) -> Any:
    """The structure with the keys of dicts in the order in which a model counts its inputs and a page names its outputs."""
    if isinstance(structure, dict):
        return {key: in_order(structure[key]) for key in sorted(structure)}
    return type(structure)(map(in_order, structure)) if type(structure) in (list, tuple) else structure


def traced(fn: Any, *args: Any) -> Traced:
    """A call of a function of arrays as a graph."""

    def call(*args: Any) -> Any:
        result = fn(*args)
        for value in flatten(result):
            if isinstance(value, Tensor):
                value._keras_logits = None  # what a loss would ask for is not a result of its own here
        return result

    return Traced(call, args, {}, flatten((args, {})))


def add_predict(model: Model, programs: Programs, sizes: list[Shapes], batches: list[int]) -> dict[str, Any]:
    """Adds the predictions for every size and batch.

    Returns:
        The form of the `outputs`; and as `predict` for each size its `shapes`, and the program of each batch with what it takes and gives.
    """
    if model._symbolic_graph is not None and model._host_stage() is not None:
        raise ExportError(f"export: model '{model.name}' begins with {_of_text(model)}, on which Python works; export what follows.")
    forms = []
    for i, shapes in enumerate(sizes):
        own: dict[str, Any] = {}
        form: dict[str, Any] = {"shapes": [list(shape) for shape in shapes], "batches": own}
        if any(bounds := _bounds(model, example(model, shapes, 1))):
            form["bounds"] = bounds
        for rows in batches:
            call = traced(lambda x: in_order(model._step_programs.predict(x)), example(model, shapes, rows))
            name = f"predict/{i}/{rows}"
            own[str(rows)] = {"program": name, **programs.add(name, call)}
        forms.append(form)
    return {"outputs": output_form(call), "predict": forms}


@contextmanager
def telling_of_text(model: Model) -> Iterator[None]:
    """Where a `call` that is traced ends at layers of text in it, an ExportError names them."""
    try:
        yield
    except (TraceError, DtypeError) as error:
        if not (inside := _of_text(model)):
            raise
        raise ExportError(f"export: model '{model.name}' uses {inside}, on which Python works; export what follows.") from error


def _of_text(model: Model) -> str:
    """The layers of a model that run on the host, as a sentence names them."""
    found = (layer for layer in model._flatten_layers() if getattr(layer, "runs_on_host", False))
    return ", ".join(f"'{layer.name}' ({type(layer).__name__})" for layer in found)


def _bounds(model: Model, x: Any) -> list[list[dict[str, Any]]]:
    """For each input what its numbers are used as indices of: so many rows, and the words of the error about the number `#`."""
    known = model._indices_of(x)
    return [[{"size": bound.size, "told": bound.told("#", "#", "")} for bound in own if not bound.way] for own in known.bounds]


def output_form(call: Traced) -> list[str] | None:
    """How JavaScript gives results back: null for one output or a list of them, else names, which tell all that leads to an output."""
    result = call.form.result
    if not isinstance(result, dict):
        return None
    names = ["/".join(map(str, path)) for path in paths(result)]
    return [names[i] for i in call.form.tensors]


__all__ = ["add_predict", "batches_of", "example", "in_order", "input_names", "output_form", "shapes_of", "telling_of_text", "traced"]
