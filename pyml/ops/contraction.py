"""`einsum`: sums of products named by letters."""

from __future__ import annotations

from math import prod
from typing import Any

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from .arithmetic import multiply
from .declare import draw, op, sample
from .diagonals import diagonal
from .products import matmul
from .reduce import sum as _sum
from .shaping import reshape, transpose

__all__ = ["einsum"]

_SPARE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _parse(subscripts: str, ranks: list[int]) -> tuple[list[str], str]:
    """Letters of each operand and of the result; an ellipsis becomes letters that are not used otherwise."""
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} operand(s), but {len(ranks)} were given.")
    spare = [c for c in _SPARE if c not in text]
    most = max((rank - len(term) + 3 for term, rank in zip(terms, ranks, strict=True) if "..." in term), default=0)
    for i, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        hidden = rank - len(term) + 3
        terms[i] = term.replace("...", "".join(spare[most - hidden : most])) if "..." in term else term
        if len(terms[i]) != rank:
            raise ShapeError(f"einsum: {term!r} of {subscripts!r} does not fit an operand with {rank} axes.")
    if not arrow:
        found = "".join(terms)
        output = "..." * (most > 0) + "".join(sorted(c for c in set(found) - set(spare[:most]) if found.count(c) == 1))
    output = output.replace("...", "".join(spare[:most]))
    if len(set(output)) != len(output):
        raise ValueError(f"einsum: a letter occurs twice in the result of {subscripts!r}.")
    if not set(output) <= set("".join(terms)):
        raise ValueError(f"einsum: the result of {subscripts!r} has letters that no operand has.")
    return terms, output


def _on_diagonals(x: Tensor, letters: str) -> tuple[Tensor, str]:
    """`x` where axes of the same letter are at the same place, and each letter once."""
    for letter in dict.fromkeys(letters):
        while letters.count(letter) > 1:
            first, second = letters.index(letter), letters.rindex(letter)
            x = diagonal(x, 0, first, second)
            letters = "".join(c for i, c in enumerate(letters) if i not in (first, second)) + letter
    return x, letters


def _without(x: Tensor, letters: str, needed: set[str]) -> tuple[Tensor, str]:
    """`x` summed over the axes whose letters nothing needs."""
    axes = tuple(i for i, c in enumerate(letters) if c not in needed)
    return (_sum(x, axis=axes) if axes else x), "".join(c for c in letters if c in needed)


def _pair(x: Tensor, a: str, y: Tensor, b: str, needed: set[str]) -> tuple[Tensor, str]:
    """The product of two operands, summed over the letters of both that nothing else needs."""
    x, a = _without(x, a, needed | set(b))
    y, b = _without(y, b, needed | set(a))
    sizes = dict(zip(a, x.shape, strict=True)) | dict(zip(b, y.shape, strict=True))
    batch = [c for c in a if c in b and c in needed]
    inner = [c for c in a if c in b and c not in needed]
    left, right = [c for c in a if c not in b], [c for c in b if c not in a]
    size = lambda letters: prod(sizes[c] for c in letters)
    x = transpose(x, [a.index(c) for c in (*batch, *left, *inner)])
    y = transpose(y, [b.index(c) for c in (*batch, *inner, *right)])
    lead = (size(batch),) if batch else ()
    if inner:
        out = matmul(reshape(x, (*lead, size(left), size(inner))), reshape(y, (*lead, size(inner), size(right))))
    else:
        out = multiply(reshape(x, (*lead, size(left), 1)), reshape(y, (*lead, 1, size(right))))
    letters = "".join((*batch, *left, *right))
    return reshape(out, tuple(sizes[c] for c in letters)), letters


@op(
    complex_parts="crosswise",
    dtypes="product",
    like="numpy.einsum",
    samples=[
        sample("ij,jk->ik", draw(2, 3), draw(3, 4)),
        sample("...ij->...ji", draw(2, 3, 4)),
        sample("bij,bkj", draw(2, 3, 4), draw(2, 5, 4)),
        sample("ii", draw(3, 3)),
        sample("iji->ij", draw(3, 2, 3)),
        sample("...ii,i->...i", draw(2, 3, 3), draw(3)),
    ],
)
def einsum(subscripts: str, *operands: TensorLike, **kwargs: Any) -> Tensor:
    """Sums of products, in the common dtype: letters name the axes of operands, those missing behind `->` are summed over.

    A letter twice in a group takes the diagonal.

    Args:
        subscripts: For example `"bij,bjk->bik"`; `...` stands for any leading axes.
        operands: One tensor per group of letters.

    Returns:
        A tensor of the common dtype, with an axis for each letter behind `->`.

    Raises:
        ValueError: The letters do not fit together, or one stands twice in the result.
        ShapeError: A letter has two sizes, or an operand another number of axes.

    Example:
        >>> pyml.ops.einsum("ij,kj->ik", np.eye(2), np.ones((3, 2))).shape
        (2, 3)
    """
    tensors = [Tensor(as_node(x)) for x in operands]
    terms, output = _parse(subscripts, [x.ndim for x in tensors])
    sizes: dict[str, int] = {}
    for term, x in zip(terms, tensors, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                raise ShapeError(f"einsum: {letter!r} of {subscripts!r} is {sizes[letter]} in one operand and {n} in another.")
    for i, (x, letters) in enumerate(zip(tensors, terms, strict=True)):
        tensors[i], terms[i] = _on_diagonals(x, letters)
    x, letters = tensors[0], terms[0]
    for i, (y, term) in enumerate(zip(tensors[1:], terms[1:], strict=True), 2):
        x, letters = _pair(x, letters, y, term, set(output).union(*terms[i:]))
    x, letters = _without(x, letters, set(output))
    return transpose(x, [letters.index(c) for c in output])
