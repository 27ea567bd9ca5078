"""Samples: what tests make of a class and call it with. A class declares them beside itself; they are made only when asked for.

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3), draw(4, 5), like=lambda x, kernel, bias: x @ kernel + bias)

`tests/test_samples.py` finds every class in the registry and makes its tests of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyml.ops.declare import draw

__all__ = ["Sample", "draw", "sample"]


@dataclass(frozen=True)
class Sample:
    """One object of a class, and what it is called with."""

    made: Any
    args: tuple[Any, ...]
    like: Callable[..., Any] | None
    gradient: bool
    kwargs: dict[str, Any]


def sample(made: Any, *args: Any, like: Callable[..., Any] | None = None, gradient: bool = True, **kwargs: Any) -> Sample:
    """A sample for the generated tests.

    Args:
        made: The layer, loss, metric, ...
        args: What it is called with; `draw(2, 3)` among them, also inside lists, stands for an array.
        like: The same in numpy, of the arrays in float64 and, by name, of a layer's weights. Without it goldens judge.
        gradient: False where there is none that finite differences show.
        kwargs: Further arguments of the call.
    """
    return Sample(made, args, like, gradient, kwargs)
