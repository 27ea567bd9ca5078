"""`vectorize`: a function of scalars, or of small arrays, as one of arrays that broadcast."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from ..core.symbolic import call_function, holds_symbolic
from ..core.tensor import Tensor, convert_to_tensor
from ..core.vectorizing import all_at_once
from ..errors import ShapeError
from .shaping import broadcast_to, reshape

__all__ = ["vectorize"]

_ARGUMENT = r"\((?:\w+(?:,\w+)*)?\)"
_SIGNATURE = re.compile(rf"{_ARGUMENT}(?:,{_ARGUMENT})*->{_ARGUMENT}(?:,{_ARGUMENT})*")


def vectorize(pyfunc: Callable[..., Any], *, excluded: Collection[int | str] | None = None,
              signature: str | None = None) -> Callable[..., Any]:  # fmt: skip
    """`pyfunc`, written for scalars or small arrays, as a function of arrays that broadcast.

    It runs for all elements at once, or in a loop that is compiled once, as `vectorized_map` says.

    Args:
        pyfunc: A function of tensors that returns a tensor or a tuple of some.
        excluded: Positions and names of arguments that are handed on as they are.
        signature: Which axes belong to `pyfunc`, as in numpy: `"(m,n),(n)->(m)"`. Without it, it works on scalars.

    Returns:
        A function whose other axes broadcast. Arguments given by name are handed on as they are.

    Raises:
        TypeError: `pyfunc` is not a function, or does not get or return as many tensors as the signature says.
        ValueError: `signature` is malformed, or an axis has different sizes.
        ShapeError: An argument has too few axes, or the other axes do not broadcast.

    Source: `keras.ops.vectorize`, `numpy.vectorize`, `jax.numpy.vectorize`.

    Example:
        >>> product = pyml.ops.vectorize(lambda a, b: pyml.ops.sum(a * b), signature="(n),(n)->()")
        >>> product(np.ones((4, 1, 3)), np.ones((2, 3))).shape
        (4, 2)
    """
    if not callable(pyfunc):
        raise TypeError(f"vectorize: pyfunc must be a function. Received: pyfunc={pyfunc!r}")
    cores = None if signature is None else _parsed(signature)
    kept = set(excluded or ())

    @functools.wraps(pyfunc)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if holds_symbolic((args, kwargs)):
            return call_function(wrapped, args, kwargs, "vectorize")
        named = {k: v for k, v in kwargs.items() if k not in kept}
        places = [i for i, a in enumerate(args) if i not in kept and a is not None]

        def one(rows: list[Tensor]) -> Any:
            given = list(args)
            for i, row in zip(places, rows, strict=False):
                given[i] = row
            own = dict(zip(named, rows[len(places) :], strict=True))
            return pyfunc(*given, **(kwargs | own))

        arrays = [convert_to_tensor(x) for x in (*(args[i] for i in places), *named.values())]
        inputs = [()] * len(arrays) if cores is None else cores[0]
        return _over(one, arrays, inputs, None if cores is None else cores[1])

    return wrapped


def _parsed(signature: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    text = signature.replace(" ", "")
    if not _SIGNATURE.fullmatch(text):
        raise ValueError(f'vectorize: signature must be like "(m,n),(n)->(m)". Received: {signature!r}')
    before, after = ([tuple(re.findall(r"\w+", part)) for part in re.findall(_ARGUMENT, side)] for side in text.split("->"))
    return before, after


def _over(one: Callable[[list[Tensor]], Any], arrays: list[Any], inputs: Sequence[tuple[str, ...]],
          outputs: Sequence[tuple[str, ...]] | None) -> Any:  # fmt: skip
    """`one` over the leading axes of the arrays, broadcast; `inputs` and `outputs` name the axes that it takes and gives."""
    if len(arrays) != len(inputs):
        raise TypeError(f"vectorize: the signature has {len(inputs)} arguments. Received: {len(arrays)}")
    sizes: dict[str, int] = {}
    for node, core in zip(arrays, inputs, strict=True):
        if node.ndim < len(core):
            raise ShapeError(f"vectorize: an argument needs the axes ({', '.join(core)}). Received: shape {node.shape}")
        _sized(sizes, node.shape, core)
    outer = [n.shape[: n.ndim - len(core)] for n, core in zip(arrays, inputs, strict=True)]
    try:
        shape = np.broadcast_shapes(*outer)
    except ValueError:
        raise ShapeError(f"vectorize: axes do not broadcast. Received: {' and '.join(map(str, outer))}") from None
    count = int(np.prod(shape, dtype=int))
    rows = []
    for node, core in zip(arrays, inputs, strict=True):
        own = node.shape[node.ndim - len(core) :]
        rows.append(reshape(broadcast_to(node, (*shape, *own)), (count, *own)))
    found = all_at_once(one, rows, "vectorize") if rows else one([])
    several = isinstance(found, (tuple, list))
    parts = list(found) if several else [found]
    if outputs is not None:
        if len(parts) != len(outputs):
            raise TypeError(f"vectorize: the signature has {len(outputs)} results. Received: {len(parts)}")
        for part, core in zip(parts, outputs, strict=True):
            if part.ndim - 1 != len(core):
                raise ValueError(f"vectorize: a result needs the axes ({', '.join(core)}). Received: shape {part.shape[1:]}")
            _sized(sizes, part.shape, core)
    parts = [reshape(p, (*shape, *p.shape[1:])) for p in parts]
    return tuple(parts) if several else parts[0]


def _sized(sizes: dict[str, int], shape: tuple[int, ...], core: tuple[str, ...]) -> None:
    for name, size in zip(core, shape[len(shape) - len(core) :], strict=True):
        if sizes.setdefault(name, size) != size:
            raise ValueError(f"vectorize: axis {name} is {sizes[name]} in one array and {size} in another.")
