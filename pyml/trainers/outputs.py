"""Outputs of a model in their structure, and what belongs to them: losses, metrics, targets and sample weights, flat in their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pyml.core.tree import flatten, is_nested

Path = tuple[Any, ...]


class Outputs(NamedTuple):
    """The predictions of a model as they are nested, and the names that its graph gives them, None without one."""

    struct: Any
    names: Sequence[str] | None

    @property
    def number(self) -> int:
        """Number of outputs."""
        return len(flatten(self.struct))

    @property
    def keys(self) -> Sequence[str] | None:
        """The names of outputs: the keys of a flat dict, else those of the graph."""
        struct = self.struct
        if isinstance(struct, dict) and not any(is_nested(value) for value in struct.values()):
            return sorted(struct)
        return self.names

    def called(self, place: int) -> str:
        """An output's name for messages."""
        keys = self.keys
        return f"output_{place + 1}" if keys is None else keys[place]

    def said(self) -> str:
        """All names for messages."""
        return ", ".join(self.called(i) for i in range(self.number))

    def path_name(self, place: int, path: Path, otherwise: str) -> str:
        """The name of an output's loss in logs: its path, in which the graph's name stands for a number at the end."""
        name = otherwise if self.names is None else self.names[place]
        if not path:
            return name
        return "/".join(str(part) for part in (path if not isinstance(path[-1], int) else (*path[:-1], name)))


def names_of(model: Any) -> Sequence[str] | None:
    """The names that a model's graph gives its outputs, None without one."""
    graph = model._symbolic_graph
    return None if graph is None else graph.output_names


def paths(struct: Any, before: Path = ()) -> list[Path]:
    """Where the leaves of a structure are, in the order of `flatten`."""
    if isinstance(struct, dict):
        return [path for key in sorted(struct) for path in paths(struct[key], (*before, key))]
    if isinstance(struct, (list, tuple)):
        return [path for i, item in enumerate(struct) for path in paths(item, (*before, i))]
    return [before]


def spread(given: Any, outputs: Outputs, what: str) -> list[Any]:
    """What was given to `compile` for each output: one for all, or in the structure, the order or by the names of the outputs.

    Raises:
        ValueError: It has another structure, or names what is not an output.
    """
    struct = outputs.struct
    if given is None or not is_nested(given):
        return [given] * outputs.number
    if outputs.number == 1 and what.endswith("metrics"):
        _known(given, outputs, what)
        return [flatten(given)]
    if not is_nested(struct):
        if what.endswith("metrics"):
            return [given]
        if isinstance(given, dict):
            _known(given, outputs, what)
            return [given.get(outputs.keys[0])] if outputs.keys else list(given.values())[:1]
        _counted(given, outputs, what)
        return [flatten(given)[0]]
    if isinstance(given, dict):
        if isinstance(struct, dict) and set(given) <= set(struct):
            return _each(given, outputs, what, sorted(struct))
        _known(given, outputs, what)
        return [given.get(name) for name in outputs.names or ()]
    if isinstance(struct, (list, tuple)) and len(given) == len(struct):
        return _each(given, outputs, what, range(len(struct)))
    _counted(given, outputs, what)
    return list(given)


def _each(given: Any, outputs: Outputs, what: str, keys: Sequence[Any]) -> list[Any]:
    """`spread` for the parts of a structure."""
    found: list[Any] = []
    names = outputs.names
    for key in keys:
        part = outputs.struct[key]
        count = len(flatten(part))
        own = None if names is None else names[len(found):len(found) + count]
        value = given.get(key) if isinstance(given, dict) else given[key]
        found += spread(value, Outputs(part, own), what) if is_nested(part) else [value]
    return found


def _known(given: Any, outputs: Outputs, what: str) -> None:
    if isinstance(given, dict) and not set(given) <= set(outputs.names or ()) | set(outputs.keys or ()):
        unknown = sorted(set(given) - set(outputs.names or ()) - set(outputs.keys or ()))
        raise ValueError(f"compile: {what} name outputs {unknown}; the model has {[outputs.called(i) for i in range(outputs.number)]}.")


def _counted(given: Any, outputs: Outputs, what: str) -> None:
    if len(given) != outputs.number:
        raise ValueError(
            f"compile: {what} has {len(given)} entries, the model {outputs.number} outputs ({outputs.said()}); give one entry per output."
        )


def aligned(values: Any, outputs: Outputs, wanted: Sequence[bool] | None = None, what: str = "target") -> list[Any]:
    """Targets (or sample weights) of all outputs, flat, in the order of the predictions.

    Args:
        wanted: Which outputs have a loss; targets of the others may be left out, and are None then.

    Raises:
        ValueError: Their number differs from the number of outputs, or keys name what is no output.
    """
    struct, number, names = outputs.struct, outputs.number, outputs.names
    if isinstance(values, dict):
        if isinstance(struct, dict):
            _no_others(struct, values, what)
            found: list[Any] = []
            for key in sorted(struct):
                size = len(flatten(struct[key]))
                part = None if wanted is None else wanted[len(found):len(found) + size]
                if key in values:
                    own = None if names is None else names[len(found):len(found) + size]
                    found += aligned(values[key], Outputs(struct[key], own), part, what)
                elif part is not None and not any(part):
                    found += [None] * size
                else:
                    _missing([key], values, what)
            return found
        keys = names or ()
        missing = [key for i, key in enumerate(keys) if key not in values and (wanted is None or wanted[i])]
        if missing:
            _missing(missing, values, what)
        if keys:
            _no_others(keys, values, what)
            return [values.get(key) for key in keys]
    flat = flatten(values)
    if len(flat) == number:
        return flat
    if wanted is not None and len(flat) == sum(wanted):
        given = iter(flat)
        return [next(given) if own else None for own in wanted]
    raise ValueError(f"The model has {number} output(s) ({outputs.said()}), but {len(flat)} {what}(s) were given.")


def _missing(keys: Sequence[str], values: Any, what: str) -> None:
    raise ValueError(f"No {what}s for output(s) {', '.join(keys)}. Received keys: {', '.join(values)}.")


def _no_others(keys: Iterable[str], values: Any, what: str) -> None:
    others = sorted(map(str, set(values) - set(keys)))
    if others:
        raise ValueError(f"{what}s were given for {', '.join(others)}, which the model has not: its outputs are {', '.join(keys)}. "
                         "Leave them out.")  # fmt: skip
