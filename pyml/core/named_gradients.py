"""TensorFlow.js' forms of gradients: of functions of several tensors, and of all Variables that a function reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..errors import NotDifferentiable, ShapeError
from ..graph.prims import full
from .autograd import check_function
from .derivatives import pulled
from .gaps import Gaps
from .tape import GradientTape
from .tensor import Tensor
from .types import TensorLike
from .variable import Variable


class VariableGrads(NamedTuple):
    """What `variable_grads` gives: the value, and a gradient for each Variable by its path."""

    value: Tensor
    grads: dict[str, Tensor]


def variable_grads(f: Callable[[], Any], variables: Iterable[Variable] | None = None) -> VariableGrads:
    """`f()`, and its gradient with respect to Variables.

    Args:
        f: A function without arguments that returns a scalar float tensor.
        variables: Which; by default all trainable ones that `f` reads.

    Returns:
        `(value, grads)`; `grads` is a dict from each Variable's path to its gradient, zeros where `f` does not depend on it.

    Raises:
        ValueError: `f` reads no trainable Variable, or two of them have one path.
        ShapeError: `f` does not return a scalar.
        NotDifferentiable: `f` returns integers, an operation on the way has no gradient, or the only way leads through one.

    Source: `tf.variableGrads`.

    Example:
        >>> w = pyml.Variable([1., 2.], name="w")
        >>> value, grads = pyml.variable_grads(lambda: (w * w).sum())
        >>> value.item(), grads["w"].tolist()
        (5.0, [2.0, 4.0])
    """
    check_function(f, "variable_grads")
    with GradientTape() as tape:
        wanted = None if variables is None else list(variables)
        if wanted is not None:
            tape.watch(wanted)
        with Gaps("variable_grads") as gaps:
            value = f()
    if not isinstance(value, Tensor) or value.size != 1:
        shape = getattr(value, "shape", type(value).__name__)
        raise ShapeError(f"variable_grads: the function must return a scalar tensor, it returned shape {shape}.")
    found = list(tape.watched_variables()) if wanted is None else wanted
    if not found:
        raise ValueError("variable_grads: the function reads no trainable Variable; name those that are meant by variables=[...].")
    paths = [v.path for v in found]
    twice = {p for p in paths if paths.count(p) > 1}
    if twice:
        raise ValueError(f"variable_grads: several Variables have the path {', '.join(sorted(twice))}; use GradientTape for them.")
    nodes = [node for v in found for node in tape._nodes_of(v, "variable_grads")]
    gaps.refuse([value._node], nodes, (), "what the function reads")
    if value._node.dtype != "float32":
        raise NotDifferentiable(f"variable_grads: the function returns {value.dtype} values; only floats have gradients.")
    grads = tape.gradient(value, found, unconnected_gradients="zero")
    return VariableGrads(value, dict(zip(paths, grads, strict=True)))


def value_and_grads(f: Callable[..., Any]) -> Callable[..., tuple[Any, list[Tensor]]]:
    """A function of a list of arguments that returns `f`'s value for them, and a gradient for each.

    Args:
        f: A function of tensors that returns a float tensor; the gradients are those of its sum.

    Returns:
        A function `(args, dy=None)`; `dy`, of the shape of the value, is what its elements weigh in the gradient.

    Raises:
        ShapeError: `dy` does not have the shape of the value.
        NotDifferentiable: An argument or the value holds integers, or an operation on the way has no gradient.

    Source: `tf.valueAndGrads`.

    Example:
        >>> value, grads = pyml.value_and_grads(lambda a, b: a * b)([np.array(2.), np.array(3.)])
        >>> value.item(), [g.item() for g in grads]
        (6.0, [3.0, 2.0])
    """

    return _pulled(f, "value_and_grads")


def _pulled(f: Callable[..., Any], what: str) -> Callable[..., tuple[Any, list[Tensor]]]:
    check_function(f, what)

    def wrapped(args: Sequence[Any], dy: TensorLike | None = None) -> tuple[Any, list[Tensor]]:
        if not isinstance(args, (list, tuple)):
            raise TypeError(f"{what}: pass the arguments as one list. Received: {type(args).__name__}")
        value, back = pulled(f, args, False, what)
        return value, list(back(Tensor(full(value.shape, 1.0, "float32")) if dy is None else dy))

    return wrapped


def grads(f: Callable[..., Any]) -> Callable[..., list[Tensor]]:
    """A function of a list of arguments that returns a gradient for each; see `value_and_grads`.

    Source: `tf.grads`.

    Example:
        >>> [g.item() for g in pyml.grads(lambda a, b: a * b)([np.array(2.), np.array(3.)])]
        [3.0, 2.0]
    """
    both = _pulled(f, "grads")
    return lambda args, dy=None: both(args, dy)[1]


__all__ = ["VariableGrads", "grads", "value_and_grads", "variable_grads"]
