"""The table that `model.summary()` prints, in Keras' form."""

import math
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pyml import settings
from pyml.core.tree import flatten, is_nested, map_structure


def print_summary(
    model: Any,
    line_length: int | None,
    positions: Sequence[float] | None,
    print_fn: Callable[[str], Any] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Sequence[str] | None,
) -> None:
    """Prints the summary of `model`; see `Model.summary`."""
    text = summary_text(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is None:
        settings.print_msg(text)
    else:
        print_fn(f"{text}\n")  # as in Keras, the last line ends too


def summary_text(
    model: Any,
    line_length: int | None,
    positions: Sequence[float] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Sequence[str] | None,
) -> str:
    """The summary as text."""
    graph = model._symbolic_graph
    chain = graph is None or _is_chain(model)
    header = ["Layer (type)", "Output Shape", "Param #"]
    align = ["left", "left", "right"]
    width, ends = (88, [0.45, 0.80, 1.0]) if chain else (108, [0.3, 0.56, 0.74, 1.0])
    if not chain:
        header.append("Connected to")
        align.append("left")
    ends = list(positions or ends)
    if show_trainable:
        width += 12
        ends = [end * 0.9 for end in ends] + [1.0]
        header.append("Trainable")
        align.append("center")
    width = line_length or min(width, shutil.get_terminal_size().columns - 4)
    widths: list[int] = []
    used = 0
    for end in ends:
        widths.append(int(end * width) - used)
        used += widths[-1]
    if min(widths) < 4:
        raise ValueError("summary: the line is too short for the table; pass a larger line_length.")
    if len(widths) < len(header):
        raise ValueError(
            f"summary: positions must hold the end of each of the {len(header) - show_trainable} columns, without that of show_trainable. "
            f"Received: positions={list(positions or [])}"
        )
    layers = model._layers_in_summary
    first, last = _range(layers, layer_range)
    rows = []
    for layer in layers[first:last]:
        rows.extend(_rows(model, layer, chain, show_trainable, expand_nested))
    lines = [f'Model: "{model.name}"', *_table(header, rows, widths[:len(header)], align, width), *_totals(model)]
    return "\n".join(lines)


def _is_chain(model: Any) -> bool:
    """True where every call has at most one input and no layer is called twice."""
    graph = model._symbolic_graph
    by_depth: dict[int, list[Any]] = {}
    for node in graph.nodes:
        by_depth.setdefault(graph.depths[id(node)], []).append(node)
    if any(len(nodes) > 1 or len(nodes[0].input_tensors) > 1 for nodes in by_depth.values()):
        return False
    return len(graph.operations) == len(graph.nodes)


def _rows(model: Any, layer: Any, chain: bool, show_trainable: bool, expand_nested: bool, level: int = 0) -> list[list[str]]:
    prefix = "   " * level + "└ " if level else ""
    fields = [f"{prefix}{layer.name} ({layer._type_in_summary})", _output_shape(layer), _params(layer)]
    if not chain:
        fields.append(_connections(model, layer) if level == 0 else "-")
    if show_trainable:
        weights = getattr(layer, "weights", [])
        fields.append("-" if not weights else "Y" if layer.trainable else "N")
    rows = [fields]
    if expand_nested:
        for inner in getattr(layer, "layers", []):
            rows.extend(_rows(model, inner, chain, show_trainable, expand_nested, level + 1))
    return rows


def _output_shape(layer: Any) -> str:
    shapes: Any
    if layer._inbound_nodes:
        shapes = [f"({', '.join(str(n) for n in t.shape)})" for t in layer._inbound_nodes[-1].output_tensors]
    elif layer._symbolic_graph is not None:   # a model that nobody has called
        shapes = map_structure(lambda t: f"({', '.join(str(n) for n in t.shape)})", layer._symbolic_graph.outputs)
    elif getattr(layer, "_build_shapes", None) is not None:
        try:
            given = layer._build_shapes
            named = isinstance(given, dict) and set(given) <= set(layer._signature.build_names)  # not an input that is a dict
            shape = layer.compute_output_shape(**given) if named else layer.compute_output_shape(given)
        except Exception:                              # a custom layer whose shape cannot be inferred
            return "?"
        shapes = _said(shape)
    else:
        return "?"
    return str(shapes).replace("'", "") if is_nested(shapes) and len(flatten(shapes)) > 1 else flatten(shapes)[0]


def _said(shape: Any) -> Any:
    """A shape, or shapes nested as the outputs are, as text."""
    if isinstance(shape, dict):
        return {key: _said(part) for key, part in shape.items()}
    if any(isinstance(part, (list, tuple, dict)) for part in shape):
        return type(shape)(_said(part) for part in shape)
    return f"({', '.join(str(n) for n in shape)})"


def _params(layer: Any) -> str:
    if not hasattr(layer, "built"):
        return "0"
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _connections(model: Any, layer: Any) -> str:
    found = []
    for node in layer._inbound_nodes:
        if any(node is own for own in model._symbolic_graph.nodes):
            for tensor in node.input_tensors:
                history = tensor._keras_history
                found.append(f"{history.operation.name}[{history.node_index}][{history.tensor_index}]")
    return ", ".join(found) or "-"


def _wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width`, broken at spaces; longer words end in an ellipsis."""
    lines, line = [], ""
    for word in re.findall(r"\s*\S+", text) or [""]:
        if line and len(line) + len(word) > width:
            lines.append(line)
            line, word = "", word.lstrip()
        line += word if len(line) + len(word) <= width else word[:width - 1] + "…"
    return [*lines, line]


def _table(header: list[str], rows: list[list[str]], widths: list[int], align: list[str], total: int) -> list[str]:
    """The lines of a table with borders; cells that are too long take several lines."""
    inner = _fit(widths, total)

    def cells(row: list[str], bar: str, sinks: bool = False) -> list[str]:
        columns = [_wrap(cell, n) for cell, n in zip(row, inner, strict=True)]
        height = max(len(column) for column in columns)
        lines = []
        for i in range(height):
            below = [i - (height - len(column) if sinks else 0) for column in columns]
            parts = [_align(column[at] if 0 <= at < len(column) else "", n, how)
                     for column, at, n, how in zip(columns, below, inner, align, strict=True)]
            lines.append(f"{bar} " + f" {bar} ".join(parts) + f" {bar}")
        return lines

    def rule(left: str, fill: str, cross: str, right: str) -> str:
        return left + cross.join(fill * (n + 2) for n in inner) + right

    lines = [rule("┏", "━", "┳", "┓"), *cells(header, "┃", sinks=True), rule("┡", "━", "╇", "┩")]
    for i, row in enumerate(rows):
        if i:
            lines.append(rule("├", "─", "┼", "┤"))
        lines.extend(cells(row, "│"))
    return [*lines, rule("└", "─", "┴", "┘")]


def _fit(widths: list[int], total: int) -> list[int]:
    """Widths of the cells' text so that the table with its bars is `total` wide, narrowed or widened as rich does."""
    excess = sum(widths) + 3 * len(widths) + 1 - total
    inner = []
    for i, width in enumerate(widths):
        left = sum(n + 2 for n in widths[i:])
        share = min(width, round(excess / (len(widths) - i))) if excess > 0 else excess * (width + 2) // left
        inner.append(width - share)
        excess -= share
    return inner


def _align(text: str, width: int, how: str) -> str:
    return text.rjust(width) if how == "right" else text.center(width) if how == "center" else text.ljust(width)


def _totals(model: Any) -> list[str]:
    trainable, frozen = model.trainable_weights, model.non_trainable_weights
    optimizer = model.optimizer.variables if model.optimizer is not None and model.optimizer.built else []
    parts = [("Total", [*trainable, *frozen, *optimizer]), ("Trainable", trainable), ("Non-trainable", frozen)]
    if optimizer:
        parts.append(("Optimizer", optimizer))
    return [f" {name} params: {count_params(variables):,} ({readable_size(variables)})" for name, variables in parts]


def count_params(variables: Iterable[Any]) -> int:
    """Number of elements in all `variables`."""
    return sum(math.prod(variable.shape) for variable in variables)


def readable_size(variables: Iterable[Any]) -> str:
    """Memory of `variables`, for example `8.25 KB`."""
    size = float(sum(math.prod(v.shape) * _bytes(v.dtype) for v in {id(v): v for v in variables}.values()))
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"


def _bytes(dtype: str) -> int:
    bits = re.search(r"\d+", dtype)                    # bool has none
    return int(bits[0]) // 8 if bits else 1


def _range(layers: Sequence[Any], layer_range: Sequence[str] | None) -> tuple[int, int]:
    if layer_range is None:
        return 0, len(layers)
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"summary: layer_range must be two layer names. Received: {layer_range!r}")
    first = [i for i, layer in enumerate(layers) if re.match(layer_range[0], layer.name)]
    last = [i for i, layer in enumerate(layers) if re.match(layer_range[1], layer.name)]
    if not first or not last:
        raise ValueError(f"summary: no layers match layer_range={layer_range!r}.")
    return min(first), max(last) + 1
