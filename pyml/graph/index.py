"""Integer index expressions: sums of products, floor division and remainder, simplified by their ranges.

A movement op says which source element an output element comes from, as expressions over loop variables.
One expression serves every device: it prints as WGSL, and evaluates on numpy integers in the tests.
Arithmetic is meant modulo 2**32, so a masked-out negative index is harmless.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Hashable, Mapping, Sequence
from math import gcd
from typing import Any, TypeAlias

_numbers: dict[Hashable, int] = {}  # structure of an atom -> its number, so that equal atoms compare as integers


def _number(structure: Hashable) -> int:
    if len(_numbers) > 100_000:  # forgetting costs a missed simplification at most
        _numbers.clear()
    return _numbers.setdefault(structure, next(_fresh))


_fresh = itertools.count()


class Known(dict[Hashable, Any]):
    """What was found before: kernels of one network, and nodes of one kernel, have elements at the same places. Forgets all of much."""

    def __setitem__(self, key: Hashable, value: Any) -> None:
        if len(self) >= 1024:
            self.clear()
        super().__setitem__(key, value)


_divided, _replaced, _placed, _summed = Known(), Known(), Known(), Known()
_MOST = 4096  # structures of several networks: MobileNetV2 has 800


def forget() -> None:
    """Before a plan is made: gives up what earlier plans left, where it is much. Numbers are not given twice, so nothing is mixed up."""
    if len(_numbers) > _MOST:
        for known in (_numbers, _divided, _replaced, _placed, _summed):
            known.clear()


class Var:
    """A loop variable with values 0 … size - 1."""

    __slots__ = ("high", "key", "name", "size")

    def __init__(self, name: str, size: int):
        self.name, self.size, self.high = name, size, size - 1
        self.key = _number(("v", name, size))

    low = 0

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        return values[self.name]


class Quotient:
    """floor(e / k) or e mod k of an expression that could not be simplified away."""

    __slots__ = ("expr", "high", "k", "key", "low", "op")

    def __init__(self, op: str, expr: Index, k: int):
        self.op, self.expr, self.k = op, expr, k
        self.key = _number((op, expr.key, k))
        self.low, self.high = (expr.low // k, expr.high // k) if op == "/" else (0, k - 1)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        e = self.expr.evaluate(values)
        return e // self.k if self.op == "/" else e % self.k


class Index:
    """const + sum of coefficient * atom; immutable and canonical, so equal expressions have equal keys."""

    __slots__ = ("atoms", "const", "high", "key", "low", "names", "terms", "text")
    key: tuple[Hashable, ...]
    text: tuple[Hashable, ...]  # `key` in the order of the terms, which is that of the text that kernels have
    low: int
    high: int

    def __init__(self, terms: dict[int, int], const: int, atoms: dict[int, Var | Quotient]):
        self.terms = terms  # atom key -> coefficient
        self.atoms = atoms  # atom key -> Var | Quotient
        self.const = const
        self.names: frozenset[str] | None = None  # of its variables, once somebody has asked
        low = high = const
        for k, c in terms.items():
            a = atoms[k]
            if c > 0:
                low += c * a.low
                high += c * a.high
            else:
                low += c * a.high
                high += c * a.low
        self.low, self.high = low, high
        self.text = (const, *terms.items())
        self.key = (const, *sorted(terms.items())) if len(terms) > 1 else self.text

    def __add__(self, other: Index | int) -> Index:
        if isinstance(other, int):
            return Index(self.terms, self.const + other, self.atoms) if other else self
        terms, atoms = dict(self.terms), {**self.atoms, **other.atoms}
        for k, c in other.terms.items():
            terms[k] = terms.get(k, 0) + c
        return _recombine({k: c for k, c in terms.items() if c}, self.const + other.const, atoms)

    def __mul__(self, k: int) -> Index:
        if k == 0:
            return constant(0)
        return self if k == 1 else Index({a: c * k for a, c in self.terms.items()}, self.const * k, self.atoms)

    def __sub__(self, other: Index | int) -> Index:
        return self + (-other if isinstance(other, int) else other * -1)

    def __floordiv__(self, k: int) -> Index:
        return _divide(self, k)[0]

    def __mod__(self, k: int) -> Index:
        return _divide(self, k)[1]

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The value at `values`, a dict from variable name to integers or integer arrays."""
        return self.const + sum(c * self.atoms[k].evaluate(values) for k, c in self.terms.items())

    def substitute(self, name: str, value: Index) -> Index:
        """This expression with variable `name` replaced, simplified again."""
        asked = (self.text, name, value.text)
        out = _replaced.get(asked)
        if out is not None:
            return out
        out = constant(self.const)
        for k, c in self.terms.items():
            atom = self.atoms[k]
            if isinstance(atom, Var):
                part = value if atom.name == name else variable(atom)
            else:
                inner = atom.expr.substitute(name, value)
                part = inner // atom.k if atom.op == "/" else inner % atom.k
            out = out + part * c
        _replaced[asked] = out
        return out

    def variables(self) -> frozenset[str]:
        """The names of all variables in it."""
        if self.names is None:
            atoms = [self.atoms[k] for k in self.terms]
            self.names = frozenset().union(*((a.name,) if isinstance(a, Var) else a.expr.variables() for a in atoms))
        return self.names

    @property
    def is_const(self) -> bool:
        return not self.terms

    @property
    def wraps(self) -> bool:
        """Whether a number below 0 may be divided in it: that gives more than `high`, modulo 2**32, where the element does not count."""
        quotients = [atom for key in self.terms if isinstance(atom := self.atoms[key], Quotient) and atom.op == "/"]
        return any(atom.expr.low < 0 or atom.expr.wraps for atom in quotients)


# where an element of a movement comes from: its coordinates in a source, what must be `0 <= index < size`, and what it is otherwise
Place: TypeAlias = tuple[Sequence[Index], Sequence[tuple[Index, int]], float | None]


@functools.lru_cache(1024)
def constant(value: int) -> Index:
    return Index({}, value, {})


def variable(var: Var) -> Index:
    if var.size == 1:
        return constant(0)
    return Index({var.key: 1}, 0, {var.key: var})


def _atom(op: str, expr: Index, k: int) -> Index:
    q = Quotient(op, expr, k)
    return Index({q.key: 1}, 0, {q.key: q})


def _recombine(terms: dict[int, int], const: int, atoms: dict[int, Var | Quotient]) -> Index:
    """c*k*(e // k) + c*(e % k) is c*e."""
    for key, c in terms.items():
        atom = atoms[key]
        if isinstance(atom, Quotient) and atom.op == "%":
            whole = atom.expr // atom.k
            if len(whole.terms) == 1 and whole.const == 0:
                (wkey, wc), = whole.terms.items()
                if wc == 1 and terms.get(wkey) == c * atom.k:
                    rest = {k: v for k, v in terms.items() if k not in (key, wkey)}
                    return Index(rest, const, atoms) + atom.expr * c
    return Index(terms, const, atoms)


def _divide(e: Index, k: int) -> tuple[Index, Index]:
    """(e // k, e % k), simplified."""
    found = _divided.get((k, e.text))
    if found is None:
        found = _divided[k, e.text] = _quotient_and_rest(e, k)
    return found


def _quotient_and_rest(e: Index, k: int) -> tuple[Index, Index]:
    if k == 1:
        return e, constant(0)
    if e.low >= 0 and e.high < k:
        return constant(0), e
    if e.low >= 0 and e.low // k == e.high // k:
        same = e.low // k
        return constant(same), e - same * k
    # e = k * whole + rest
    whole = Index({a: c // k for a, c in e.terms.items() if c % k == 0}, e.const // k, e.atoms)
    rest = Index({a: c for a, c in e.terms.items() if c % k}, e.const % k, e.atoms)
    if rest.low < 0:  # splitting would divide a negative number, which wraps in u32
        return _atom("/", e, k), _atom("%", e, k)
    if rest.high < k:
        return whole, rest
    if whole.terms or whole.const:
        q, r = _divide(rest, k)
        return whole + q, r
    # (g*a + b) / (g*k') with 0 <= b < g: divide a by k'
    for g in sorted({gcd(c, k) for c in rest.terms.values()}, reverse=True):
        if g == 1 or g == k:
            continue
        small = Index({a: c for a, c in rest.terms.items() if c % g}, rest.const % g, rest.atoms)
        if small.low >= 0 and small.high < g:
            large = Index({a: c // g for a, c in rest.terms.items() if c % g == 0}, rest.const // g, rest.atoms)
            q, r = _divide(large, k // g)
            return q, r * g + small
    if len(rest.terms) == 1 and rest.const == 0:
        (key, c), = rest.terms.items()
        atom = rest.atoms[key]
        if c == 1 and isinstance(atom, Quotient):
            if atom.op == "/":
                return atom.expr // (atom.k * k), _atom("%", rest, k)
            if atom.k % k == 0:
                return _atom("/", rest, k), atom.expr % k
    return _atom("/", rest, k), _atom("%", rest, k)


def strides_of(shape: Sequence[int]) -> tuple[int, ...]:
    """Row-major strides in elements."""
    out, step = [], 1
    for n in reversed(shape):
        out.append(step)
        step *= n
    return tuple(reversed(out))


def linear(coords: Sequence[Index], shape: Sequence[int]) -> Index:
    """The row-major element number of `coords` in `shape`."""
    key = (tuple(shape), *[c.text for c in coords])
    total = _summed.get(key)
    if total is None:
        total = constant(0)
        for c, s in zip(coords, strides_of(shape), strict=True):
            total = total + c * s
        _summed[key] = total
    return total


def coordinates(index: Index, shape: Sequence[int]) -> list[Index]:
    """The coordinates in `shape` of the row-major element number `index`.

    An index past the end (the unused lanes of a vector) leaves the first coordinate out of range, so that `linear`
    gives the index back.
    """
    key = (tuple(shape), index.text)
    found = _placed.get(key)
    if found is None:
        found = [index // s if axis == 0 else (index // s) % n for axis, (n, s) in enumerate(zip(shape, strides_of(shape), strict=True))]
        _placed[key] = found
    return found.copy()
