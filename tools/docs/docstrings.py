"""What griffe is told of pyml's docstrings: `Example:` is code, and `kernel, bias: text` speaks of two arguments."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

import griffe

declared: Any = import_module("tools.docs.declared")  # griffe reads this file by its path: there is no package around it
origins: Any = import_module("tools.docs.origins")

HEAD = re.compile(r"^Example:\s*$", re.M)
ARGS = re.compile(r"^(Args|Arguments):\s*$")
SEVERAL = re.compile(r"^(    )([*\w]+(?:, [*\w]+)+): (.*)$")


def standard(text: str) -> str:
    """A docstring as griffe's Google style has it."""
    lines, inside = [], False
    for line in HEAD.sub("Examples:", text).split("\n"):
        if not line.startswith(" ") and line:
            inside = ARGS.match(line) is not None
        several = SEVERAL.match(line) if inside else None
        if several:
            lines += [f"{several[1]}{name}: {several[3]}" for name in several[2].split(", ")]
        else:
            lines.append(line)
    return "\n".join(lines)


class Docstrings(griffe.Extension):
    """Rewrites each docstring when its object is read."""

    def on_instance(self, *, node: Any, obj: griffe.Object, **more: Any) -> None:
        """Called by griffe for every object."""
        if obj.docstring is not None:
            op = declared.ops().get(obj.path)
            text = inspect.cleandoc(obj.docstring.value)
            text = text if op is None else declared.completed(text, op)
            obj.docstring.value = standard(origins.completed(text, obj.path))
