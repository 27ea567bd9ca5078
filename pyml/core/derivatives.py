"""Products with Jacobians, and Jacobians and Hessians themselves, of functions of nested tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import DtypeError, NotDifferentiable, ShapeError
from ..graph.grad import filled, pullback
from ..graph.node import Node
from ..graph.prims import broadcast_to, cast, copy, full, iota, permute, reshape
from ..graph.prims.elementwise import equal
from ..graph.recording import Recording
from . import trace
from .autograd import argument_places, check_function, dtype_of, gradient_of, names_of, parted, watched
from .gaps import Gaps, named
from .narrow import labelled
from .nest import aligned, flatten, pack
from .siblings import siblings
from .tensor import Tensor, as_node
from .vectorizing import all_at_once


def _floats(tree: Any, what: str) -> list[Node]:
    """The nodes of a function's results, which must be float32."""
    nodes = [_node(x, f"{what}: what the function returns") for x in flatten(tree) if x is not None]
    for node in nodes:
        if node.dtype != "float32":
            raise NotDifferentiable(f"{what}: the function returns {node.dtype} values; only float32 has gradients. "
                                    "Return them as has_aux's second result, or cast them.")  # fmt: skip
    return nodes


def _node(value: Any, what: str) -> Node:
    try:
        return as_node(value)
    except DtypeError as error:
        error.args = (f"{what}: {error}",)
        raise


def _like(tree: Any, nodes: Sequence[Node]) -> Any:
    rest = iter(nodes)
    return pack(tree, [None if x is None else labelled(Tensor(next(rest)), dtype_of(x)) for x in flatten(tree)])


def _given(cotangents: Any, like: Any, outs: Sequence[Node], what: str) -> list[Node]:
    """Gradients or tangents that somebody hands in, in the structure `like`: one for each of `outs`, of its shape."""
    nodes = [cast(_node(x, what), dtype="float32") for x in flatten(aligned(cotangents, like, what)) if x is not None]
    if len(nodes) != len(outs) or any(n.shape != o.shape for n, o in zip(nodes, outs, strict=True)):
        raise ShapeError(f"{what}: expected tensors of shapes {', '.join(str(o.shape) for o in outs)}. "
                         f"Received: {', '.join(str(n.shape) for n in nodes)}")  # fmt: skip
    return nodes


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """`f`'s value at `primals`, and the function that takes a gradient of the value back to them.

    Args:
        f: A function of tensors in any nesting, which returns float tensors in any nesting; `(value, aux)` with `has_aux`.
        primals: Its arguments.
        has_aux: Whether `f` returns a second value that is not differentiated.

    Returns:
        `(value, back)`, or `(value, back, aux)`. `back(gradient)` takes something of the structure and shapes of the value, and
        returns a tuple with a gradient for each of `primals`, in its structure. It may be called as often as somebody likes.

    Raises:
        NotDifferentiable: An argument or the value holds integers, or an operation on the way has no gradient.
        ShapeError: What `back` is given does not have the shapes of the value.

    Source: `jax.vjp`.

    Example:
        >>> value, back = pyml.vjp(lambda x, y: x * y, np.array([1., 2.]), np.array([3., 4.]))
        >>> [g.tolist() for g in back(np.array([1., 10.]))]
        [[3.0, 40.0], [1.0, 20.0]]
    """
    return pulled(f, primals, has_aux, "vjp")


def pulled(f: Callable[..., Any], primals: Sequence[Any], has_aux: bool, what: str) -> Any:
    """What `vjp` gives; messages name `what`, the function that was called."""
    check_function(f, what)
    record = Recording()  # the value may be read before a gradient is taken back
    record.begin()
    names = names_of(f, primals)
    with trace.differentiating(), Gaps(what) as gaps:
        given = [watched(p, name, what) for p, name in zip(primals, names, strict=True)]
        targets = [[t._node for t in flatten(p) if t is not None] for p in given]  # of now: `f` may assign items
        out = f(*given)
    record.end()
    value, aux = parted(out, has_aux, what)
    outs = _floats(value, what)

    def back(gradient: Any) -> tuple[Any, ...]:
        made = []
        with trace.differentiating():
            seeds = list(zip(outs, _given(gradient, value, outs, what), strict=True))
            with named(what):
                found = iter(pullback(seeds, [t for group in targets for t in group], lambda node: node not in record))
            for p, group, name in zip(given, targets, names, strict=True):
                arrived = [next(found) for _ in group]
                gaps.refuse(outs, group, arrived, f"argument {name}")
                made.append(_like(p, filled(arrived, group)))
        siblings(flatten(made), flatten(value))
        return tuple(made)

    return (value, back, aux) if has_aux else (value, back)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """`f`'s value at `primals`, and how it changes along `tangents`.

    The way forward is the way back taken twice, as the gradient is linear in what arrives: no Jacobian is made.

    Args:
        f: A function of tensors in any nesting, which returns float tensors in any nesting; `(value, aux)` with `has_aux`.
        primals: A tuple or list of its arguments.
        tangents: As many, of their structures and shapes.
        has_aux: Whether `f` returns a second value that is not differentiated.

    Returns:
        `(value, change)`, or `(value, change, aux)`; the change has the structure and shapes of the value.

    Raises:
        TypeError: `primals` or `tangents` is not a tuple or list.
        ShapeError: The tangents do not have the shapes of the primals.
        NotDifferentiable: An argument or the value holds integers, or an operation on the way has no gradient.

    Source: `keras.ops.jvp`, `jax.jvp`.

    Example:
        >>> value, change = pyml.jvp(lambda x: x * x, (np.array([1., 2.]),), (np.array([1., 10.]),))
        >>> change.numpy()
        array([ 2., 40.], dtype=float32)
    """
    check_function(f, "jvp")
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)) or len(primals) != len(tangents):
        raise TypeError(f"jvp: primals and tangents must be tuples or lists of the same length. "
                        f"Received: {type(primals).__name__} and {type(tangents).__name__}")  # fmt: skip
    with trace.differentiating():
        given = [watched(p, name, "jvp") for p, name in zip(primals, names_of(f, primals), strict=True)]
        inputs = [t._node for t in flatten(given) if t is not None]
        with Gaps("jvp") as gaps:
            out = f(*given)
        value, aux = parted(out, has_aux, "jvp")
        outs = _floats(value, "jvp")
        directions = _given(list(tangents), given, inputs, "jvp")
        gaps.refuse(outs, inputs, (), "what it is given")
        with named("jvp"):
            change = pushed(outs, inputs, directions)
    changes = _like(value, change)
    siblings(flatten(changes), flatten(value))
    return (value, changes, aux) if has_aux else (value, changes)


def pushed(outs: Sequence[Node], inputs: Sequence[Node], directions: Sequence[Node]) -> list[Node]:
    """How `outs` change along `directions`: of `back`, which is linear, the gradient at any point."""
    points = [copy(full(o.shape, 0.0, "float32")) for o in outs]
    back = pullback(list(zip(outs, points, strict=True)), inputs)
    seeds = [(b, d) for b, d in zip(back, directions, strict=True) if b is not None]
    found = pullback(seeds, points)
    return [full(o.shape, 0.0, "float32") if g is None else g for o, g in zip(outs, found, strict=True)]


def units(shape: tuple[int, ...]) -> Tensor:
    """For each element of a tensor of `shape` one such tensor, 1 there and 0 elsewhere: `(size, *shape)`."""
    n = full(shape, 0, "int32").size
    rows, columns = broadcast_to(reshape(iota(n), (n, 1)), (n, n)), broadcast_to(reshape(iota(n), (1, n)), (n, n))
    return Tensor(reshape(cast(equal(rows, columns), dtype="float32"), (n, *shape)))


def jacobian_rows(out: Node, targets: Sequence[Node], leaf: Callable[[Node], bool] = lambda node: False) -> list[Node | None]:
    """d out / d target for each target, `(*out.shape, *target.shape)`; None where `out` does not depend on it.

    All rows at once where the gradient's ops allow that, else in a loop that is compiled once.
    """
    first = pullback([(out, full(out.shape, 1.0, "float32"))], targets, leaf)
    reached = [i for i, g in enumerate(first) if g is not None]
    found: list[Node | None] = [None] * len(targets)

    def row(seed: Tensor) -> list[Tensor]:
        pulled = pullback([(out, seed._node)], [targets[i] for i in reached], leaf)
        return [Tensor(full(targets[i].shape, 0.0, "float32") if g is None else g) for i, g in zip(reached, pulled, strict=True)]

    if reached:
        nothing = [Tensor(full((0, *targets[i].shape), 0.0, "float32")) for i in reached]
        stacks = all_at_once(row, units(out.shape)) if out.size else nothing
        for i, stack in zip(reached, stacks, strict=True):
            found[i] = reshape(stack._node, (*out.shape, *targets[i].shape))
    return found


def _columns(outs: Sequence[Node], inputs: Sequence[Node], place: int) -> list[Node]:
    """d out / d inputs[place] for each of `outs`, made of one change for each element of the input."""
    x = inputs[place]

    def column(direction: Tensor) -> list[Tensor]:
        return [Tensor(g) for g in pushed(outs, [x], [direction._node])]

    stacks = all_at_once(column, units(x.shape)) if x.size else [Tensor(full((0, *o.shape), 0.0, "float32")) for o in outs]
    made = []
    for out, stack in zip(outs, stacks, strict=True):
        made.append(reshape(permute(stack._node, (*range(1, out.ndim + 1), 0)), (*out.shape, *x.shape)))
    return made


def jacobian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives `f`'s Jacobian: every derivative of every element of its value.

    By the way back, one row for each element of the value; for few arguments and many results `jacfwd` does less. The rows
    are computed at once where the ops of the gradient allow that, else in a loop that is compiled once.

    Args:
        f: A function of tensors in any nesting, which returns float tensors in any nesting; `(value, aux)` with `has_aux`.
        argnums: The position, or a tuple of positions, of the arguments to differentiate.
        has_aux: Whether `f` returns a second value that is not differentiated.

    Returns:
        A function of the same arguments. In the structure of the value it gives structures like the argument (for a tuple of
        positions: tuples of them), of tensors `(*value.shape, *argument.shape)`. With `has_aux`: `(jacobian, aux)`.

    Raises:
        ValueError: There is no argument at a position.
        NotDifferentiable: An argument or the value holds integers, or an operation on the way has no gradient.

    Source: `jax.jacrev`, `tf.GradientTape.jacobian`.

    Example:
        >>> pyml.jacobian(lambda x: x * x)(np.array([1., 2.])).numpy()
        array([[2., 0.],
               [0., 4.]], dtype=float32)
    """
    return _jacobian(f, argnums, has_aux, "jacobian", _rows)


def jacrev(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """`jacobian` by the name that JAX has for it; see `jacobian`.

    Source: `jax.jacrev`.

    Example:
        >>> pyml.jacrev(lambda x: x * x)(np.array([1., 2.])).tolist()
        [[2.0, 0.0], [0.0, 4.0]]
    """
    return _jacobian(f, argnums, has_aux, "jacrev", _rows)


def _rows(outs: Sequence[Node], targets: Sequence[Node]) -> list[list[Node]]:
    return [
        [full((*o.shape, *t.shape), 0.0, "float32") if g is None else g for g, t in zip(jacobian_rows(o, targets), targets, strict=True)]
        for o in outs
    ]


def jacfwd(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The same as `jacobian`, column by column: better where the arguments have fewer elements than the value.

    Source: `jax.jacfwd`.

    Example:
        >>> pyml.jacfwd(lambda x: x * np.array([1., 10.]))(np.array(3.)).numpy()
        array([ 1., 10.], dtype=float32)
    """

    def both(outs: Sequence[Node], targets: Sequence[Node]) -> list[list[Node]]:
        columns = [_columns(outs, targets, i) for i in range(len(targets))]
        return [[column[k] for column in columns] for k in range(len(outs))]

    return _jacobian(f, argnums, has_aux, "jacfwd", both)


def _jacobian(f: Callable[..., Any], argnums: int | Sequence[int], has_aux: bool, what: str,
              blocks: Callable[[Sequence[Node], Sequence[Node]], list[list[Node]]]) -> Callable[..., Any]:  # fmt: skip
    """A function of the derivatives of `f`; `blocks` makes, for each result, one for every argument that is differentiated."""
    check_function(f, what)

    @functools.wraps(f, updated=())
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = argument_places(argnums, args, what)
        names, given = names_of(f, args), list(args)
        with trace.differentiating():
            for n in places:
                given[n] = watched(given[n], names[n], what)
            groups = [[t._node for t in flatten(given[n]) if t is not None] for n in places]
            targets = [t for group in groups for t in group]
            with Gaps(what) as gaps:
                out = f(*given, **kwargs)
            value, aux = parted(out, has_aux, what)
            outs = _floats(value, what)
            for n, group in zip(places, groups, strict=True):
                gaps.refuse(outs, group, (), f"argument {names[n]}")
            with named(what):
                rows = iter(blocks(outs, targets))
            parts: list[Any] = []
            for leaf in flatten(value):
                if leaf is None:
                    parts.append(None)
                    continue
                rest = iter(next(rows))
                each = [_like(given[n], [next(rest) for t in flatten(given[n]) if t is not None]) for n in places]
                parts.append(each[0] if isinstance(argnums, int) else tuple(each))
        found = pack(value, parts)
        siblings(flatten(found))
        return (found, aux) if has_aux else found

    return wrapped


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives all second derivatives of `f`, which returns a scalar: the Jacobian of its gradient.

    Args:
        f: A function of tensors in any nesting that returns a scalar; `(scalar, aux)` with `has_aux`.
        argnums: The position, or a tuple of positions, of the arguments to differentiate.
        has_aux: Whether `f` returns a second value that is not differentiated.

    Returns:
        A function of the same arguments. For one tensor it gives `(*shape, *shape)`; in general, in the structure of the
        argument, structures like it. With `has_aux`: `(hessian, aux)`.

    Raises:
        ShapeError: `f` does not return a scalar.
        NotDifferentiable: An argument or the value holds integers, or an operation on the way has no second derivative.

    Source: `jax.hessian`.

    Example:
        >>> pyml.hessian(lambda x: x[0] * x[0] * x[1])(np.array([1., 2.])).numpy()
        array([[4., 2.],
               [2., 0.]], dtype=float32)
    """
    check_function(f, "hessian")
    return _jacobian(gradient_of(f, argnums, has_aux, "hessian"), argnums, has_aux, "hessian", _rows)


__all__ = ["hessian", "jacfwd", "jacobian", "jacobian_rows", "jacrev", "jvp", "vjp"]
