"""`custom_gradient`: a function whose gradient is given beside its value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from ..errors import ShapeError
from ..graph.grad import results_of
from ..graph.loop import argument
from ..graph.node import Node
from ..graph.prims import full
from ..graph.region import template_of
from . import trace
from .nest import aligned, flatten, pack
from .symbolic import call_function, holds_symbolic
from .tensor import NarrowTensor, Tensor, as_node
from .variable import NarrowVariable

P = ParamSpec("P")
R = TypeVar("R")


def custom_gradient(f: Callable[P, tuple[R, Callable[..., Any]]]) -> Callable[P, R]:
    """Decorator: `f(*args)` returns `(value, grad_fn)`; `grad_fn(upstream)` gives one gradient per argument.

    Args:
        f: A function of tensors, each perhaps nested, that returns its value (a tensor, or some of them) and `grad_fn`. That
            gets the gradient of the value, or one for each of several, and returns a gradient for the only argument, or one for
            each; None where there is none. `grad_fn(*args, upstream)`, as Keras calls it on PyTorch, is recognised by the
            name `upstream` behind others.

    Returns:
        A function of the same arguments that returns the value alone. Keyword arguments are handed on to `f`, and have no
        gradient beside positional ones. The gradient can be differentiated again.

    Raises:
        TypeError: `f` does not return a value and a function.
        ValueError: `grad_fn` returns more or fewer gradients than there are arguments; known when it is called.
        ShapeError: A gradient does not have the shape of its argument; likewise.

    Source: `keras.ops.custom_gradient`, `tf.custom_gradient`, `tf.customGrad`, `jax.custom_gradient`.

    Example:
        >>> @pyml.custom_gradient
        ... def clipped(x):
        ...     return x, lambda upstream: pyml.ops.clip(upstream, -1, 1)
        >>> pyml.grad(lambda x: (clipped(x) * 5.0).sum())(np.array([2.])).numpy()
        array([1.], dtype=float32)
    """
    if not callable(f):
        raise TypeError(f"custom_gradient: f must be a function. Received: f={f!r}")

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if holds_symbolic((args, kwargs)):
            return call_function(wrapped, args, kwargs, getattr(f, "__name__", "custom_gradient"))
        args, kwargs = _by_position(f, args, kwargs)
        leaves = flatten(args)
        nodes = [as_node(a) for a in leaves if not _is_plain(a)]
        rest = iter(nodes)
        given = pack(args, [a if _is_plain(a) else _as_given(next(rest), a) for a in leaves])
        answer = f(*given, **kwargs)
        if not (isinstance(answer, (tuple, list)) and len(answer) == 2 and callable(answer[1])):
            raise TypeError(f"custom_gradient: the function must return its value and a function of the upstream gradient. "
                            f"Received: {type(answer).__name__}")  # fmt: skip
        value, grad_fn = answer
        results = flatten(value)
        values = [as_node(v) for v in results]

        def parts(upstream: Sequence[Node]) -> list[Node | None]:
            return _parts(grad_fn, given, nodes, pack(value, [Tensor(g) for g in upstream]))

        made = _in_region(values, nodes, parts) if _copied() else _outside(values, nodes, parts)
        return pack(value, [_as_given(n, v) for n, v in zip(made, results, strict=True)])

    return wrapped


def _as_given(node: Node, value: Any) -> Tensor:
    """The tensor of a node, in the dtype of 8 or 16 bits that `value` has, if it is of one."""
    return NarrowTensor(node, value.dtype) if isinstance(value, (NarrowTensor, NarrowVariable)) else Tensor(node)


def _is_plain(value: Any) -> bool:
    """What has no gradient and is handed on as it is: a word, a function, None."""
    return value is None or isinstance(value, (str, bool)) or (callable(value) and not hasattr(value, "shape"))


def _by_position(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A call whose arguments all have names, as one by position: only such have gradients. Options of Python's stay as they are."""
    named = [k for k, v in kwargs.items() if any(hasattr(x, "_value_node") for x in flatten(v))]
    if args or not named:
        return args, kwargs
    places = [p.name for p in inspect.signature(f).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    most = max((places.index(k) + 1 for k in named if k in places), default=0)
    if any(k not in kwargs for k in places[:most]):
        return args, kwargs
    return tuple(kwargs[k] for k in places[:most]), {k: v for k, v in kwargs.items() if k not in places[:most]}


def _copied() -> bool:
    tracing = trace.current()
    return tracing is not None and tracing.in_region


def _parts(grad_fn: Callable[..., Any], given: Sequence[Any], nodes: Sequence[Node], upstream: Any) -> list[Node | None]:
    """The gradients of all tensors among the arguments."""
    args = upstream if isinstance(upstream, (tuple, list)) else (upstream,)
    found = grad_fn(*given, upstream=upstream) if _takes_arguments(grad_fn) else grad_fn(*args)
    if len(given) == 1 and not (isinstance(found, (tuple, list)) and len(found) == 1):
        found = (found,)
    found = found if isinstance(found, (tuple, list)) else (found,)
    if len(found) != len(given):
        raise ValueError(f"custom_gradient: {len(given)} arguments but grad_fn returned {len(found)} gradients.")
    leaves: list[Any] = []
    for a, g in zip(given, found, strict=True):
        counts = [not _is_plain(x) for x in flatten(a)]
        if g is None:
            leaves += [None] * sum(counts)
        else:
            own = flatten(aligned(g, a, "custom_gradient: what grad_fn returns"))
            leaves += [x for x, is_tensor in zip(own, counts, strict=True) if is_tensor] if len(own) == len(counts) else own
    if len(leaves) != len(nodes):
        raise ValueError(f"custom_gradient: the arguments hold {len(nodes)} tensors but grad_fn returned {len(leaves)} gradients.")
    parts = [None if g is None else as_node(g) for g in leaves]
    for i, (g, n) in enumerate(zip(parts, nodes, strict=True)):
        if g is not None and g.shape != n.shape:
            raise ShapeError(f"custom_gradient: grad_fn returned a gradient of shape {g.shape} for tensor {i}, of shape {n.shape}.")
    return parts


def _takes_arguments(grad_fn: Callable[..., Any]) -> bool:
    """Whether `grad_fn` is written as `grad_fn(*args, upstream)`."""
    try:
        names = list(inspect.signature(grad_fn).parameters)
    except (TypeError, ValueError):
        return False
    return "upstream" in names[1:]


def _outside(values: list[Node], nodes: list[Node], parts: Callable[[list[Node]], list[Node | None]]) -> list[Node]:
    """The rule is the user's function, called when a gradient arrives."""

    def rule(found: dict[tuple[str, int], Node], *src: Node) -> list[Node | None]:
        return parts([found.get(("", i), _zeros(v)) for i, v in enumerate(shapes)])

    shapes = [(v.shape, v.dtype) for v in values]
    return results_of(values, nodes, rule, own=True)


def _zeros(kind: tuple[tuple[int, ...], str]) -> Node:
    return full(kind[0], 0.0, "float32")


def _in_region(values: list[Node], nodes: list[Node], parts: Callable[[list[Node]], list[Node | None]]) -> list[Node]:
    """Where the nodes at hand will be copied, the rule must be a graph: what it uses of them are sources."""
    arriving = [argument(v.shape, "float32") for v in values]
    wanted = parts(arriving)
    template, captured = template_of([g for g in wanted if g is not None], arriving)
    shapes, places = [(v.shape, v.dtype) for v in values], [i for i, g in enumerate(wanted) if g is not None]

    def rule(found: dict[tuple[str, int], Node], *src: Node) -> list[Node | None]:
        upstream = [found.get(("", i), _zeros(v)) for i, v in enumerate(shapes)]
        grads = dict(zip(places, template([*upstream, *src[len(wanted) :]]), strict=True))
        return [grads.get(i) for i in range(len(src))]

    return results_of(values, [*nodes, *captured], rule, own=True)
