"""Where a public name comes from, for its place in the reference where its docstring names no source: Keras, numpy or TensorFlow.js."""

from __future__ import annotations

import functools
import re

from ..parity import DATA, sections
from . import names, tfjs


@functools.cache
def origins() -> dict[str, str]:
    """The dotted path of a definition -> the name that Keras, or else TensorFlow.js, has for it."""
    known = {f"{module.name}.{name}" for module in sections(DATA / "keras.txt") for name in module.names}
    theirs = {name: their for rows in tfjs.sections().values() for their, ours in rows for name in tfjs.named(ours)}
    found = {}
    for _, those in names.entries().values():
        for entry in those:
            ours = (entry.name, *entry.also)
            keras = [name.replace("pyml", "keras", 1) for name in ours if name.replace("pyml", "keras", 1) in known]
            origin = keras or [f"TensorFlow.js {theirs[name]}" for name in ours if name in theirs]
            if origin:
                found[entry.defined] = origin[0]
    return found


def completed(text: str, defined: str) -> str:
    """A docstring, without indentation, with `Source: keras.layers.Dense` where it names no source and there is one."""
    origin = origins().get(defined)
    if origin is None or "Source:" in text:
        return text
    place = re.search(r"^Examples?:", text, re.M)
    at = place.start() if place else len(text)
    return f"{text[:at].rstrip()}\n\nSource: `{origin}`.\n\n{text[at:]}".rstrip("\n")
