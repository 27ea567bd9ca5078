"""Gradients of Python functions of tensors, and of values with respect to Variables."""

from __future__ import annotations

from ..errors import NotDifferentiable, ShapeError
from ..graph import grad as graph_grad
from ..graph import prims
from . import trace
from .nest import flatten, pack
from .tensor import Tensor, as_node
from .variable import Variable


def gradients(loss: Tensor, targets: list) -> list[Tensor]:
    """d loss / d target for each target (Tensors or Variables), zeros where the loss does not depend on it.

    Raises:
        NotDifferentiable: an operation on the way has no gradient.

    Example:
        >>> w = pyml.Variable([1., 2.])
        >>> with pyml.core.trace.differentiating():
        ...     gradients((w * w).sum(), [w])
    """
    nodes = [t._value_node() if isinstance(t, Variable) else t._node for t in targets]
    return [Tensor(g) for g in graph_grad.gradients(loss._node, nodes)]


def value_and_grad(f, argnums=0, has_aux=False):
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
        >>> pyml.value_and_grad(lambda x: (x * x).sum())(np.array([1., 2.]))
    """
    many = isinstance(argnums, (tuple, list))

    def wrapped(*args, **kwargs):
        positions = [n % len(args) if -len(args) <= n < len(args) else n for n in (argnums if many else (argnums,))]
        if any(not 0 <= n < len(args) for n in positions):
            raise ValueError(f"value_and_grad: argnums={argnums} but {len(args)} positional arguments were given.")
        given = list(args)
        watched: list = []
        with trace.differentiating():
            for n in positions:
                tensors = [_watch(v, n) for v in flatten(given[n])]
                watched.append(tensors)
                given[n] = pack(given[n], tensors)
            out = f(*given, **kwargs)
            value = out[0] if has_aux else out
            if not isinstance(value, Tensor) or value.size != 1:
                shape = getattr(value, "shape", type(value).__name__)
                raise ShapeError(f"value_and_grad: the function must return a scalar tensor, it returned shape {shape}.")
            flat = [t._node for group in watched for t in group]
            found = iter(graph_grad.gradients(value._node, flat))
            grads = [pack(given[n], [Tensor(next(found)) for _ in group]) for n, group in zip(positions, watched, strict=True)]
        return out, (tuple(grads) if many else grads[0])

    return wrapped


def grad(f, argnums=0, has_aux=False):
    """The gradient of `f`; see `value_and_grad`. With `has_aux`, returns `(grad, aux)`."""
    both = value_and_grad(f, argnums, has_aux)

    def wrapped(*args, **kwargs):
        out, g = both(*args, **kwargs)
        return (g, out[1]) if has_aux else g

    return wrapped


def _watch(value, position) -> Tensor:
    node = as_node(value)
    if node.dtype != "float32":
        raise NotDifferentiable(f"value_and_grad: argument {position} holds {node.dtype} values; only float32 has gradients.")
    # a node of its own, so that the same array passed twice gets two gradients
    return Tensor(prims.copy(node))


def custom_gradient(f):
    """Decorator: `f(*args)` returns `(value, grad_fn)`; `grad_fn(upstream)` gives one gradient per argument.

    Source: `tf.customGrad`, `keras.ops.custom_gradient`.

    Example:
        >>> @pyml.custom_gradient
        ... def clipped(x):
        ...     return x, lambda upstream: pyml.ops.clip(upstream, -1, 1)
    """

    def wrapped(*args):
        tensors = [Tensor(as_node(a)) for a in args]
        value, grad_fn = f(*tensors)

        def vjp(g):
            parts = grad_fn(Tensor(g))
            parts = parts if isinstance(parts, (tuple, list)) else (parts,)
            if len(parts) != len(tensors):
                raise ValueError(f"custom_gradient: {len(tensors)} arguments but grad_fn returned {len(parts)} gradients.")
            return tuple(None if p is None else as_node(p) for p in parts)

        return Tensor(graph_grad.CUSTOM(as_node(value), *(t._node for t in tensors), vjp=vjp))

    wrapped.__name__ = getattr(f, "__name__", "custom_gradient")
    wrapped.__doc__ = f.__doc__
    return wrapped


def stop_gradient(x) -> Tensor:
    """`x` with a gradient of zero."""
    return Tensor(prims.stop_gradient(as_node(x)))
