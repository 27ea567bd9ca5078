"""Gradients of Python functions of tensors, and of values with respect to Variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import NotDifferentiable, ShapeError
from ..graph import grad as graph_grad
from ..graph import prims
from ..graph.node import Node
from . import trace
from .nest import flatten, pack
from .tensor import Tensor, as_node
from .types import TensorLike
from .variable import Variable


def gradients(loss: Tensor, targets: Sequence[Tensor | Variable]) -> list[Tensor]:
    """d loss / d target for each target (Tensors or Variables), zeros where the loss does not depend on it.

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
    return [Tensor(g) for g in graph_grad.gradients(loss._node, nodes)]


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
        NotDifferentiable: `f` returns integers or uses an operation without a gradient.

    Source: `jax.value_and_grad`.

    Example:
        >>> value, gradient = pyml.value_and_grad(lambda x: (x * x).sum())(np.array([1., 2.]))
        >>> value.item(), gradient.tolist()
        (5.0, [2.0, 4.0])
    """
    wanted = [argnums] if isinstance(argnums, int) else list(argnums)

    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        positions = [n % len(args) if -len(args) <= n < len(args) else n for n in wanted]
        if any(not 0 <= n < len(args) for n in positions):
            raise ValueError(f"value_and_grad: argnums={argnums} but {len(args)} positional arguments were given.")
        given = list(args)
        watched: list = []
        with trace.differentiating():
            for n in positions:
                tensors = [_watch(v, n) for v in flatten(given[n])]
                watched.append([t._node for t in tensors])  # of now: `f` may assign items
                given[n] = pack(given[n], tensors)
            out = f(*given, **kwargs)
            value = out[0] if has_aux else out
            if not isinstance(value, Tensor) or value.size != 1:
                shape = getattr(value, "shape", type(value).__name__)
                raise ShapeError(f"value_and_grad: the function must return a scalar tensor, it returned shape {shape}.")
            flat = [node for group in watched for node in group]
            found = iter(graph_grad.gradients(value._node, flat))
            grads = [pack(given[n], [Tensor(next(found)) for _ in group]) for n, group in zip(positions, watched, strict=True)]
        return out, (grads[0] if isinstance(argnums, int) else tuple(grads))

    return wrapped


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The gradient of `f`; see `value_and_grad`. With `has_aux`, returns `(grad, aux)`.

    Example:
        >>> pyml.grad(lambda x: (x * x).sum())(np.array([1., 2.])).numpy()
        array([2., 4.], dtype=float32)
    """
    both = value_and_grad(f, argnums, has_aux)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        out, g = both(*args, **kwargs)
        return (g, out[1]) if has_aux else g

    return wrapped


def _watch(value: Any, position: int) -> Tensor:
    node = as_node(value)
    if node.dtype != "float32":
        raise NotDifferentiable(f"value_and_grad: argument {position} holds {node.dtype} values; only float32 has gradients.")
    # a node of its own, so that the same array passed twice gets two gradients
    return Tensor(prims.copy(node))


def custom_gradient(f: Callable[..., tuple[Any, Callable[..., Any]]]) -> Callable[..., Tensor]:
    """Decorator: `f(*args)` returns `(value, grad_fn)`; `grad_fn(upstream)` gives one gradient per argument.

    Source: `tf.customGrad`, `keras.ops.custom_gradient`.

    Example:
        >>> @pyml.custom_gradient
        ... def clipped(x):
        ...     return x, lambda upstream: pyml.ops.clip(upstream, -1, 1)
        >>> pyml.grad(lambda x: (clipped(x) * 5.0).sum())(np.array([2.])).numpy()
        array([1.], dtype=float32)
    """

    def wrapped(*args: Any) -> Tensor:
        tensors = [Tensor(as_node(a)) for a in args]
        value, grad_fn = f(*tensors)

        def vjp(g: Node) -> tuple[Node | None, ...]:
            parts = grad_fn(Tensor(g))
            parts = parts if isinstance(parts, (tuple, list)) else (parts,)
            if len(parts) != len(tensors):
                raise ValueError(f"custom_gradient: {len(tensors)} arguments but grad_fn returned {len(parts)} gradients.")
            return tuple(None if p is None else as_node(p) for p in parts)

        return Tensor(graph_grad.CUSTOM(as_node(value), *(t._node for t in tensors), vjp=vjp))

    wrapped.__name__ = getattr(f, "__name__", "custom_gradient")
    wrapped.__doc__ = f.__doc__
    return wrapped


def stop_gradient(x: TensorLike) -> Tensor:
    """`x` with a gradient of zero.

    Example:
        >>> pyml.grad(lambda x: (x * pyml.stop_gradient(x)).sum())(np.array([3.])).numpy()
        array([3.], dtype=float32)
    """
    return Tensor(prims.stop_gradient(as_node(x)))
