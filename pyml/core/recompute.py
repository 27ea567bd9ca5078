"""Computing once more instead of keeping: `checkpoint`, which Keras calls `remat`, and `RematScope` for layers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from ..graph.node import tick
from ..graph.region import recomputed, templates
from . import trace
from .nest import flatten, pack
from .tensor import Logits, Tensor

P = ParamSpec("P")
R = TypeVar("R")
_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


def checkpoint(f: Callable[P, R]) -> Callable[P, R]:
    """`f`, computed once more when its gradient is needed: what it makes on the way is not kept until then.

    Args:
        f: A function of tensors, in any nesting, and of anything else; a layer or a model too.

    Returns:
        A function of the same arguments with the same results and gradients, also those of Variables that `f` reads.
        The step needs less memory and more time: `f` runs twice. Random numbers are the same both times.

    Raises:
        TypeError: `f` is not a function.

    Source: `jax.checkpoint`, `keras.remat`; Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost".

    Example:
        >>> block = pyml.checkpoint(lambda x: pyml.ops.tanh(pyml.ops.tanh(x)))
        >>> pyml.grad(lambda x: block(x).sum())(np.zeros(2)).numpy()
        array([1., 1.], dtype=float32)
    """
    return _recomputing(f, "checkpoint")


def remat(f: Callable[P, R]) -> Callable[P, R]:
    """`checkpoint` by Keras' name; see `checkpoint`.

    Source: `keras.remat`.

    Example:
        >>> block = pyml.remat(lambda x: pyml.ops.tanh(pyml.ops.tanh(x)))
        >>> pyml.grad(lambda x: block(x).sum())(np.zeros(2)).tolist()
        [1.0, 1.0]
    """
    return _recomputing(f, "remat")


def _recomputing(f: Callable[..., Any], what: str) -> Callable[..., Any]:
    if not callable(f):
        raise TypeError(f"{what}: f must be a function or a layer. Received: f={f!r}")

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return _once_more(f, args, kwargs, 0)

    functools.update_wrapper(wrapped, f, updated=())
    return wrapped


def _once_more(f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], least: int) -> Any:
    """`f(*args, **kwargs)`; computed once more on the way back if its results have `least` elements or more."""
    if trace.gradient_depth() == 0:
        return f(*args, **kwargs)
    given = {id(x._node) for x in flatten((args, kwargs)) if isinstance(x, Tensor)}
    since = tick()
    out = f(*args, **kwargs)
    leaves = flatten(out)
    tensors = [x for x in leaves if isinstance(x, Tensor)]
    if not tensors or sum(t.size for t in tensors) < least:
        return out
    knowing = [t for t in tensors if t._keras_logits is not None]  # what they were made of comes from here too
    nodes = [t._node for t in tensors] + [t._keras_logits.node for t in knowing if t._keras_logits is not None]
    (template,), sources = templates([nodes], since)
    places = {i for i, s in enumerate(sources) if id(s) in given} or set(range(len(sources)))
    made = recomputed(template, sources, places)
    fresh = {id(t): Tensor(node) for t, node in zip(tensors, made, strict=False)}
    for t, node in zip(knowing, made[len(tensors) :], strict=True):
        assert t._keras_logits is not None
        fresh[id(t)]._keras_logits = Logits(node, t._keras_logits.axis)
    for t in tensors:
        if hasattr(t, "_keras_mask"):
            fresh[id(t)]._keras_mask = t._keras_mask
    return pack(out, [fresh[id(x)] if isinstance(x, Tensor) else x for x in leaves])


class RematScope:
    """Layers that are made inside of `with RematScope(...):` compute once more instead of keeping what they made.

    Args:
        mode: `"full"`: all layers; `"activations"`: the activation function of layers that have one; `"larger_than"`: layers
            whose results have more than `output_size_threshold` elements; `"list_of_layers"`: those with these names; None: none.
        output_size_threshold: For `"larger_than"`.
        layer_names: For `"list_of_layers"`.

    Raises:
        ValueError: There is no such mode.

    Source: `keras.RematScope`.

    Example:
        >>> with pyml.RematScope("full"):
        ...     layer = pyml.layers.Dense(4, activation="gelu")
        >>> layer(np.ones((2, 3))).shape
        (2, 4)
    """

    def __init__(self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: Sequence[str] | None = None) -> None:
        if mode not in _MODES:
            raise ValueError(f"RematScope: mode must be one of {', '.join(map(repr, _MODES))}. Received: mode={mode!r}")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or [])

    def __enter__(self) -> RematScope:
        _scopes.set((*_scopes.get(), self))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        _scopes.set(_scopes.get()[:-1])


_scopes: ContextVar[tuple[RematScope, ...]] = ContextVar("remat_scopes", default=())


def current_remat() -> RematScope | None:
    """The innermost scope; None outside of all."""
    return _scopes.get()[-1] if _scopes.get() else None


def call_layer(layer: Any, call: Callable[..., Any], wish: RematScope, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """`call`, as a scope asks for it."""
    if wish.mode == "full" or (wish.mode == "list_of_layers" and layer.name in wish.layer_names):
        return _once_more(call, args, kwargs, 0)
    if wish.mode == "larger_than":
        return _once_more(call, args, kwargs, wish.output_size_threshold + 1)
    activation = getattr(layer, "activation", None)
    if wish.mode != "activations" or activation is None:
        return call(*args, **kwargs)
    layer.activation = checkpoint(activation)
    try:
        return call(*args, **kwargs)
    finally:
        layer.activation = activation


__all__ = ["RematScope", "call_layer", "checkpoint", "current_remat", "remat"]
