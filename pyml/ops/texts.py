"""Ops that only move elements, of text: on the host, as numpy has them. In a model they run there too, before layers of text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.symbolic import KerasTensor, any_symbolic, call_function
from ..core.tree import flatten, map_structure


def holds_text(args: Any, kwargs: Any) -> bool:
    """Whether an array or a symbolic tensor of text is among the arguments."""
    return any(is_text(leaf) for leaf in flatten([args, kwargs]))


def is_text(leaf: Any) -> bool:
    """Whether something is an array, or a symbolic tensor, of text."""
    if isinstance(leaf, KerasTensor):
        return leaf.dtype == "string"
    if not isinstance(leaf, np.ndarray):
        return False
    return leaf.dtype.kind in "SU" or (leaf.dtype.kind == "O" and leaf.size > 0 and isinstance(leaf.reshape(-1)[0], (str, bytes)))


def moved(
    call: Callable[..., Any], fn: Callable[..., Any], like: str | Callable[..., Any], spec: Callable[..., Any], args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """What an op makes of text.

    Args:
        call: The op.
        fn: Its function, for the order of arguments.
        like: The function that does the same in numpy, or its name, as `"numpy.reshape"`.
        spec: What the op returns for symbolic numbers.
        args, kwargs: What it is called with.

    Returns:
        An array of text, or a symbolic tensor.
    """
    if any_symbolic(args, kwargs):

        def of_text(*a: Any, **k: Any) -> KerasTensor:
            a, k = map_structure(lambda x: KerasTensor(x.shape) if isinstance(x, KerasTensor) else x, (tuple(a), dict(k)))
            return KerasTensor(spec(*a, **k).shape, "string")

        output = call_function(call, args, kwargs, fn.__name__, of_text)
        output._keras_history.operation.runs_on_host = True
        return output
    bound = inspect.signature(fn).bind(*args, **kwargs)
    bound.apply_defaults()
    return (getattr(np, like.removeprefix("numpy.")) if isinstance(like, str) else like)(*bound.args)
