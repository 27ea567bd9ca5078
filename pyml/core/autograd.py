"""Gradients of Python functions of tensors, and of values with respect to Variables."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import narrow
from ..errors import DtypeError, NotDifferentiable, ShapeError
from ..graph import grad as graph_grad
from ..graph import prims
from . import trace
from .complex_tensor import as_complex, is_complex
from .gaps import Gaps, named
from .narrow import labelled
from .nest import Parts, flatten, pack
from .siblings import siblings
from .step import differentiated
from .tensor import Tensor, as_node, tensor_of
from .types import TensorLike
from .variable import Variable


def gradients(loss: Tensor, targets: Sequence[Tensor | Variable]) -> list[Tensor]:
    """d loss / d target for each target (Tensors or Variables), zeros where the loss does not depend on it.

    Args:
        loss: A tensor of one element.
        targets: Tensors or variables.

    Raises:
        NotDifferentiable: an operation on the way has no gradient.

    Example:
        >>> w = pyml.Variable([1., 2.])
        >>> with pyml.core.trace.differentiating():
        ...     (gradient,) = pyml.core.gradients((w * w).sum(), [w])
        >>> gradient.numpy()
        array([2., 4.], dtype=float32)
    """
    nodes = [t._value_node() if isinstance(t, Variable) else t._node for t in targets]
    differentiated(loss._node)
    made = [labelled(Tensor(g), t.dtype) for g, t in zip(graph_grad.gradients(loss._node, nodes), targets, strict=True)]
    siblings(made, [loss])
    return made


def connected_gradients(loss: Tensor, targets: Sequence[Variable]) -> list[Tensor | None]:
    """As `gradients`, with None where the loss does not depend on the target."""
    differentiated(loss._node)
    found = graph_grad.connected_gradients(loss._node, [t._value_node() for t in targets])
    made = [None if g is None else labelled(Tensor(g), t.dtype) for g, t in zip(found, targets, strict=True)]
    siblings(made, [loss])
    return made


def value_and_grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., tuple[Any, Any]]:
    """A function that returns `f`'s value and its gradient: `(value, grad)`, or `((value, aux), grad)`.

    Args:
        f: Returns a scalar float tensor, or `(scalar, aux)` with `has_aux`.
        argnums: The position, or a tuple of positions, of the arguments to differentiate. Each may be any
            nesting of tuples, lists and dicts of tensors, Variables or numpy arrays.
        has_aux: Whether `f` returns a second value that is not differentiated.

    Returns:
        A function of the same arguments. Gradients have the structure of the arguments (for a tuple of
        positions: a tuple of them); arguments that `f` does not use get zeros. It can be differentiated again.

    Raises:
        ShapeError: `f` does not return a scalar.
        NotDifferentiable: `f` returns integers, or an argument changes the value only through an operation without a gradient,
            as `argmax` or a comparison; where there is another way too, or in part of a nested argument, such ones count as zero.
        TypeError: `f` is not a function.
        ShapeError: It returned more than one number.

    Source: `jax.value_and_grad`.

    Example:
        >>> value, gradient = pyml.value_and_grad(lambda x: (x * x).sum())(np.array([1., 2.]))
        >>> value.item(), gradient.tolist()
        (5.0, [2.0, 4.0])
    """
    return of_scalar(f, argnums, has_aux, "value_and_grad")


def of_scalar(f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, what: str) -> Callable[..., tuple[Any, Any]]:
    """What `value_and_grad` gives; messages name `what`, the function that was called."""
    check_function(f, what)

    @functools.wraps(f, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        places = argument_places(argnums, args, what)
        names, given = names_of(f, args), list(args)
        with trace.differentiating():
            for n in places:
                given[n] = watched(given[n], names[n], what)
            # of now: `f` may assign items
            leaves = [[None if t is None else (t._node, t.dtype) for t in flatten(given[n])] for n in places]
            with Gaps(what) as gaps:
                out = f(*given, **kwargs)
            value = parted(out, has_aux, what)[0]
            if not isinstance(value, (Tensor, Variable)) or value.size != 1:
                shape = getattr(value, "shape", None)
                raise ShapeError(f"{what}: the function must return a scalar tensor, it returned "
                                 f"{f'shape {shape}' if isinstance(value, Tensor) else type(value).__name__}.")  # fmt: skip
            node = as_node(value)
            differentiated(node)
            grads = []
            with named(what):
                found = iter(graph_grad.connected_gradients(node, [leaf[0] for group in leaves for leaf in group if leaf is not None]))
            for n, group in zip(places, leaves, strict=True):
                targets = [leaf[0] for leaf in group if leaf is not None]
                arrived = [next(found) for _ in targets]
                gaps.refuse([node], targets, arrived, f"argument {names[n]}")
                rest = iter(graph_grad.filled(arrived, targets))
                grads.append(pack(given[n], [None if leaf is None else labelled(Tensor(next(rest)), leaf[1]) for leaf in group]))
        siblings(flatten(grads), [value])
        return out, (grads[0] if isinstance(argnums, int) else tuple(grads))

    return wrapped


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of `f`; see `value_and_grad`. With `has_aux`, returns `(grad, aux)`.

    Example:
        >>> pyml.grad(lambda x: (x * x).sum())(np.array([1., 2.])).numpy()
        array([2., 4.], dtype=float32)
    """
    return gradient_of(f, argnums, has_aux, "grad")


def gradient_of(f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, what: str) -> Callable[..., Any]:
    """What `grad` gives; messages name `what`, the function that was called."""
    both = of_scalar(f, argnums, has_aux, what)

    @functools.wraps(f, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        out, g = both(*args, **kwargs)
        return (g, out[1]) if has_aux else g

    return wrapped


def check_function(f: Any, what: str) -> None:
    if not callable(f):
        raise TypeError(f"{what}: f must be a function. Received: f={f!r}")


def parted(out: Any, has_aux: bool, what: str) -> Sequence[Any]:
    """What a function returned, as `(value, aux)`.

    Raises:
        TypeError: With `has_aux` it is something else.
    """
    if not has_aux:
        return out, None
    if not isinstance(out, (tuple, list)) or len(out) != 2:
        raise TypeError(f"{what}: with has_aux=True the function must return a pair (value, aux). Received: {type(out).__name__}"
                        f"{f' of {len(out)}' if isinstance(out, (tuple, list)) else ''}")  # fmt: skip
    return out


def argument_places(argnums: int | Sequence[int], args: Sequence[Any], what: str) -> list[int]:
    """Which of the arguments are meant, counted from the first."""
    wanted: list[Any] = list(argnums) if isinstance(argnums, (tuple, list)) else [argnums]
    if any(isinstance(n, bool) or not isinstance(n, int) for n in wanted):
        raise TypeError(f"{what}: argnums must be an integer, or a tuple of integers. Received: argnums={argnums!r}")
    places = [n % len(args) if -len(args) <= n < len(args) else n for n in wanted]
    if any(not 0 <= n < len(args) for n in places):
        raise ValueError(f"{what}: argnums={argnums} but {len(args)} positional arguments were given.")
    return places


def names_of(f: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    """What `f` calls its positional arguments, for messages."""
    f = inspect.unwrap(f)
    code = getattr(getattr(f, "__func__", f), "__code__", None)
    own = code.co_varnames[hasattr(f, "__self__") : code.co_argcount] if code is not None else ()
    return [repr(own[i]) if i < len(own) else str(i) for i in range(len(args))]


def watched(value: Any, name: str, what: str) -> Any:
    """The tensors of an argument as nodes of their own, so that the same array passed twice gets two gradients."""
    value = pack(value, [as_complex(leaf) if is_complex(leaf) else leaf for leaf in flatten(value)])
    leaves = zip(flatten(value), _paths(value), strict=True)
    return pack(value, [None if leaf is None else _watch(leaf, name + place, what) for leaf, place in leaves])


def _watch(value: Any, name: str, what: str) -> Tensor:
    try:
        node = as_node(value)
    except DtypeError as error:
        error.args = (f"{what}: argument {name}: {error}",)
        raise
    if node.dtype != "float32":
        raise NotDifferentiable(f"{what}: argument {name} holds {node.dtype} values; only float32 has gradients.")
    return tensor_of(prims.copy(node), dtype_of(value))


def dtype_of(value: Any) -> str:
    """The dtype that a float has, which may be one of 16 bits."""
    if isinstance(value, (Tensor, Variable)):
        return value.dtype
    return narrow(value.dtype) or "float32" if isinstance(value, (np.ndarray, np.generic)) else "float32"


def _paths(tree: Any) -> list[str]:
    """Where the leaves of a structure are: `['w'][0]`."""
    if isinstance(tree, dict):
        return [f"[{key!r}]{path}" for key, value in tree.items() for path in _paths(value)]
    if isinstance(tree, (tuple, list)):
        return [f"[{i}]{path}" for i, value in enumerate(tree) for path in _paths(value)]
    if isinstance(tree, Parts):
        return [path for value in tree.parts() for path in _paths(value)]
    return [""]


def stop_gradient(x: TensorLike) -> Tensor:
    """`x` with a gradient of zero.

    Example:
        >>> pyml.grad(lambda x: (x * pyml.stop_gradient(x)).sum())(np.array([3.])).numpy()
        array([3.], dtype=float32)
    """
    return Tensor(prims.stop_gradient(as_node(x)))
