"""Lambdas in configs, in Keras' form: Python's bytecode, which only the Python that wrote it reads."""

from __future__ import annotations

import base64
import marshal
import sys
import types
from collections.abc import Callable
from typing import Any

from pyml.tracebacks import warn

REFUSED = (
    "The config holds a lambda as Python bytecode. It could do anything that your program can, and so is not made unless you pass "
    "safe_mode=False, for a file that you trust. A named function, registered with register_keras_serializable, needs no bytecode."
)


def dump(function: Callable[..., Any]) -> dict[str, Any]:
    """A lambda as plain values.

    Raises:
        ValueError: It uses variables of the function around it that have no form in a config.
    """
    warn(
        "A lambda is kept as Python bytecode, which is read only with safe_mode=False and by this version of Python; "
        "a named function, registered with register_keras_serializable, can be read everywhere.")
    held = None if function.__closure__ is None else tuple(cell.cell_contents for cell in function.__closure__)
    for value in held or ():
        if not isinstance(value, (int, float, str, bool, type(None))):
            raise ValueError(f"a lambda that uses {value!r} of the function around it cannot be kept; write a named, registered function.")
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode()
    return {"code": code, "defaults": function.__defaults__, "closure": held}


def load(value: Any, safe_mode: bool) -> Callable[..., Any]:
    """The lambda that `dump`, or Keras, described.

    Raises:
        ValueError: `safe_mode` is on; or the bytecode is of another version of Python.
    """
    if safe_mode:
        raise ValueError(REFUSED)
    if isinstance(value, dict):
        code, defaults, held = value["code"], value.get("defaults"), value.get("closure")
    else:
        code, defaults, held = value
    try:
        made = marshal.loads(base64.decodebytes(code.encode()))
        names = {**vars(sys.modules["__main__"]), "pyml": sys.modules["pyml"], "keras": sys.modules["pyml"]}
        cells = None if held is None else tuple(types.CellType(item) for item in held)
        return types.FunctionType(made, names, made.co_name, None if defaults is None else tuple(defaults), cells)
    except (ValueError, TypeError, EOFError, AttributeError, KeyError) as e:
        raise ValueError(f"a lambda of the config cannot be made; another version of Python wrote it ({type(e).__name__}: {e}).") from None
