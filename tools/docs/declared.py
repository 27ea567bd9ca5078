"""What the declaration of an op says, for its place in the reference: whether it takes complex tensors, and numpy's name."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re

import pyml.ops
from pyml.ops.declare import DECLARED, Declared

AFTER_RAISES = re.compile(r"^(?:Source|Examples?):", re.M)
TENSOR = re.compile(r"\bTensorLike\b")
COMPLEX = "    DtypeError: An argument holds complex numbers.\n"


@functools.cache
def ops() -> dict[str, Declared]:
    """Every op by the dotted path of its definition, those too that load when first touched."""
    for _, file, _ in pkgutil.iter_modules(pyml.ops.__path__):
        importlib.import_module(f"pyml.ops.{file}")
    return {f"{declared.module}.{name}": declared for name, declared in DECLARED.items()}


def completed(text: str, declared: Declared) -> str:
    """The docstring of an op with what its declaration knows.

    Args:
        text: The docstring, without indentation.
        declared: The op.

    Returns:
        The docstring: the error for complex arguments where those are refused, `Source: numpy.X` where the numbers are numpy's and no
        source is named.
    """
    if not declared.takes_complex and TENSOR.search(str(inspect.signature(declared.function))):
        place = AFTER_RAISES.search(text)
        head, tail = (text[: place.start()], text[place.start() :]) if place else (text + "\n\n", "")
        head = head.rstrip("\n") + "\n" if "\nRaises:\n" in head else head.rstrip("\n") + "\n\nRaises:\n"
        text = head + COMPLEX + ("\n" + tail if tail else "")
    if isinstance(declared.like, str) and "Source:" not in text:
        place = re.search(r"^Examples?:", text, re.M)
        at = place.start() if place else len(text)
        text = f"{text[:at].rstrip()}\n\nSource: `{declared.like}`, with which tests compare it.\n\n{text[at:]}"
    return text.rstrip("\n")
