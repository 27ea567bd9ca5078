"""Notes on errors in functions of the user: which element it was, and which line."""

from __future__ import annotations

import os
from typing import Any

import numpy as np


def noted(error: BaseException, what: str, fn: Any, number: int, element: Any) -> None:
    """Adds a note to an error that `fn` raised for an element."""
    error.add_note(f"{what}: {described(fn, error)} failed for element {number} of the dataset, {form(element)}.")


def described(fn: Any, error: BaseException | None = None) -> str:
    """A function by name, file and line: the line that failed where that is inside of it."""
    while hasattr(fn, "func"):                         # a partial
        fn = fn.func
    code = getattr(getattr(fn, "__func__", fn), "__code__", None)
    name = getattr(fn, "__qualname__", type(fn).__name__).rpartition("<locals>.")[2]
    name = "the lambda" if name == "<lambda>" else f"`{name}`"
    if code is None:
        return name
    line, trace = code.co_firstlineno, getattr(error, "__traceback__", None)
    while trace is not None:
        if trace.tb_frame.f_code is code:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{name} ({os.path.basename(code.co_filename)}, line {line})"


def form(element: Any, depth: int = 0) -> str:
    """An element in few words: values of numbers and short strings, shapes of arrays."""
    if isinstance(element, dict):
        return "{" + ", ".join(f"{key!r}: {form(value, depth + 1)}" for key, value in list(element.items())[:8]) + "}"
    if isinstance(element, tuple):
        return "(" + ", ".join(form(value, depth + 1) for value in element[:8]) + ")"
    if getattr(element, "shape", None):
        return f"{getattr(element.dtype, 'name', element.dtype)} {tuple(element.shape)}"
    if isinstance(element, np.generic):
        element = element.item()
    text = repr(element)
    return text if len(text) <= 80 else f"{text[:77]}..."
