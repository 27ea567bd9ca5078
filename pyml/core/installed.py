"""What the operators and methods of tensors call: ops put themselves here (`@op(operator="add")`, `@op(method="sum")`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class _Installed(dict[str, Callable[..., Any]]):
    def __missing__(self, name: str) -> Callable[..., Any]:
        raise RuntimeError(f"the operator {name!r} is not there yet: operators come with the ops; import pyml.ops first.")


INSTALLED: dict[str, Callable[..., Any]] = _Installed()
