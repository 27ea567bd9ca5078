"""Which op stands for a function of numpy, for errors that name it."""

from __future__ import annotations

import importlib

from ..core.installed import INSTALLED

_OTHER_NAMES = {"concat": "concatenate", "permute_dims": "transpose", "pow": "power", "acos": "arccos", "asin": "arcsin", "atan": "arctan",
                "atan2": "arctan2", "remainder": "mod", "invert": "bitwise_not", "rint": "round", "around": "round", "float_power": "power",
                "vecdot": "vdot", "fft": "fft", "astype": "cast"}  # fmt: skip


def op_named(name: str) -> str | None:
    """The name of the op that computes what numpy's function of that name does, if there is one."""
    found = _OTHER_NAMES.get(name, name)
    return found if hasattr(importlib.import_module("pyml.ops"), found) else None


INSTALLED["op_named"] = op_named
