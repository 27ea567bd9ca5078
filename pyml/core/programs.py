"""`@program`: traces a function once per kind of arguments, then replays it in one submit."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

import numpy as np

from .. import config, settings
from ..compile.program import lower, weight
from ..device.lock import LOCK
from ..dtypes import host_array, narrow
from ..graph.prims import CONST
from ..recent import Recent
from ..tracebacks import warn
from . import trace
from .capture import Capture, logits_among
from .nest import Parts, flatten, structure
from .tensor import Tensor, convert_to_tensor, upload
from .variable import Variable

R = TypeVar("R")
_MANY = 8  # traces of one function before a warning
MOST = 512  # kernels of all captures of a function, each capture weighing as two more: 170 shapes of the smallest function
LEAST = 16  # captures kept however many kernels they have: a training step for that many shapes of batches


class Program(Generic[R]):
    """A function that is traced once per kind of arguments and then replayed; see `program`.

    Example:
        >>> double = pyml.core.Program(lambda x: x * 2)
        >>> double(np.ones(2)).numpy()
        array([2., 2.], dtype=float32)
    """

    many = _MANY  # traces after which somebody is told

    def __init__(self, fn: Callable[..., R], name: str | None = None) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.name = name or getattr(fn, "__name__", "program")
        self.captures: Recent[Capture] = Recent(MOST, lambda capture: weight(capture.plan), least=LEAST)
        self.per_instance: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
        self.last_plan: Any = None

    def __get__(self, instance: Any, owner: type | None = None) -> Program[R]:
        if instance is None:
            return self
        if instance not in self.per_instance:
            ref = weakref.ref(instance)
            fn = self.fn
            self.per_instance[instance] = Program(lambda *a, **k: fn(ref(), *a, **k), self.name)
        return self.per_instance[instance]

    def __call__(self, *args: Any, **kwargs: Any) -> R:
        if trace.current() is not None or not config.replaying() or trace.gradient_depth() or trace.stateless() is not None:
            return self.fn(*args, **kwargs)  # inner programs inline, and so do those that are differentiated
        with LOCK:
            capture, arrays = self._look_up(args, kwargs)
            self.last_plan = capture.plan
            return capture.run(arrays)

    def _look_up(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Capture, list]:
        """The capture for these arguments, traced if there is none yet, and the arrays among them."""
        if not args and not kwargs:  # a step of fit, where every microsecond counts
            alone = (0, (), id(config.device()), settings.default_float())
            return self.captures.get(alone) or self.captures.put(alone, self._capture(args, kwargs, [])), []
        nested = bool(kwargs) or any(isinstance(a, (list, tuple, dict, Parts)) for a in args)
        leaves = flatten((args, kwargs)) if nested else list(args)
        key_parts: list = []
        arrays: list = []
        for i, leaf in enumerate(leaves):
            if isinstance(leaf, (np.ndarray, np.generic)):
                if narrow(leaf.dtype) is not None:
                    leaves[i] = leaf = convert_to_tensor(leaf)
                    key_parts.append(("tensor", leaf.shape, leaf.dtype))
                    arrays.append(leaf)
                    continue
                leaves[i] = leaf = host_array(leaf)
                key_parts.append((leaf.shape, leaf.dtype.char))
                arrays.append(leaf)
            elif isinstance(leaf, (Tensor, Variable)):
                if isinstance(leaf, Tensor) and leaf._node.op is CONST:
                    key_parts.append(("tensor", leaf.dtype, leaf._node.attrs["value"], leaf.shape))
                    continue
                key_parts.append(("tensor", leaf.shape, leaf.dtype))
                arrays.append(leaf)
            else:
                key_parts.append((type(leaf), leaf))
        for i, logits in logits_among(leaves):
            key_parts.append(("logits", i, logits.axis))
            arrays.append(Tensor(logits.node))
        key = (structure((args, kwargs)) if nested else len(args), tuple(key_parts), id(config.device()), settings.default_float())
        try:
            capture = self.captures.get(key)
        except TypeError:
            bad = next(x for x in leaves if getattr(x, "__hash__", None) is None)
            raise TypeError(f"program {self.name!r}: an argument of type {type(bad).__name__} is neither a tensor nor hashable.") from None
        if capture is None:
            capture = self.captures.put(key, self._capture(args, kwargs, leaves))
        return capture, arrays

    def _capture(self, args: tuple[Any, ...], kwargs: dict[str, Any], leaves: list[Any]) -> Capture:
        if len(self.captures) == self.many:
            warn(
                f"program {self.name!r} was traced {self.many} times: Python numbers and shapes are part of what it is traced "
                "for. Pass a number that changes as a Variable or an array.",
            )
        return Capture(self.fn, args, kwargs, leaves)

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Traces for these arguments and compiles all kernels side by side, without running anything."""
        device = config.device()
        with LOCK:
            capture, _ = self._look_up(args, kwargs)
            kernels = [k for k in lower(capture.plan, device) if k.source]  # the host's have no text
        await device.prepare(kernels)

    def explain(self) -> str:
        """One line per dispatch of the last call's plan."""
        return self.last_plan.explain() if self.last_plan is not None else f"{self.name}: not called yet"


@overload
def program(fn: Callable[..., R], *, name: str | None = None) -> Program[R]: ...


@overload
def program(fn: None = None, *, name: str | None = None) -> Callable[[Callable[..., R]], Program[R]]: ...


def program(fn: Callable[..., R] | None = None, *, name: str | None = None) -> Program[R] | Callable[[Callable[..., R]], Program[R]]:
    """Makes a function of tensors into a program: traced at the first call, replayed at the next ones.

    A new trace is made for every new combination of argument structure, shapes, dtypes and Python values.
    Variables that the function assigns are written on the device; tensors it returns are the caller's to keep.
    Python side effects happen at tracing only.

    Args:
        fn: A function (or method) of tensors, arrays, nested structures of them, and hashable Python values.

    Returns:
        A `Program` with the same signature, and `explain()`.

    Source: `jax.jit`, `tf.function`.

    Example:
        >>> @pyml.program
        ... def step(x):
        ...     return (x * 2).sum()
        >>> float(step(np.ones(3)))
        6.0
    """
    if fn is None:
        return lambda f: Program(f, name)
    return Program(fn, name)


__all__ = ["Program", "program", "upload"]
