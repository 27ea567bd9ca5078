"""The loops of a reduction, written so that no sum runs long: terms are added up in blocks, and blocks in blocks.

A float32 sum of n like terms in one chain is off by as much as n units in the last place (10 million tenths: 2.4 %); in
blocks of 64 by about 64 for each level. Some software adapters also end a loop of a shader after 65,535 rounds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..errors import ShapeError

_SUMS = 64  # terms in one chain where each addition rounds
_ROUNDS = 32768  # rounds of one loop otherwise
_CHOICES = 16  # rounds of other loops from which on two terms are combined first
_LET, _WORD = re.compile(r"\blet (\w+)"), re.compile(r"\w+")
_PAIRED = 24  # statements at most that are written twice


@dataclass
class Accumulator:
    """One result: `combine(a, b)` writes an expression, `value` is what is combined in the innermost loop."""

    name: str
    kind: str
    init: str
    combine: Callable[[str, str], str]
    value: str
    rounds: bool  # whether combining rounds


@dataclass
class Loop:
    """`for (var name = start; name < end; name += step)` with statements that compute the indices inside."""

    name: str
    end: int
    body: Sequence[str]
    start: str = "0u"
    step: int = 1


def write(loops: Sequence[Loop], accumulators: Sequence[Accumulator], jumps: bool = False) -> list[str]:
    """Statements that declare the accumulators and run the loops, the first of which is outermost.

    `jumps` says that a choice between floats is a jump: which of two terms is the larger one nobody can foretell, but the largest so
    far mostly stays what it is. Of 9,216 random rows of three numbers wasmtime finds it in 0.3 of the time without pairs.

    Raises:
        ShapeError: A loop has more rounds than a 32-bit counter.
    """
    block = _SUMS if any(a.rounds for a in accumulators) else _ROUNDS
    if not (jumps and any(a.kind == "f32" and "select" in a.combine("a", "b") for a in accumulators)):
        loops, accumulators = _in_pairs(loops, accumulators, block)
    heads: list[str] = []
    rounds: list[int] = []
    bodies: list[Sequence[str]] = []
    for loop in loops:
        for head, count in _heads(loop, block):
            heads.append(head)
            rounds.append(count)
            bodies.append(())
        bodies[-1] = loop.body
    fresh = _boundaries(rounds) if any(a.rounds for a in accumulators) else set()
    lines = [_declared(a, a.name) for a in accumulators]
    names, depth = [a.name for a in accumulators], 0
    flushes: list[list[str]] = []
    for number, (head, body) in enumerate(zip(heads, bodies, strict=True)):
        after: list[str] = []
        if number in fresh:
            parts = [f"{a.name}_{number}" for a in accumulators]
            lines += ["  " * depth + _declared(a, part) for a, part in zip(accumulators, parts, strict=True)]
            after = [f"{total} = {a.combine(total, part)};" for a, total, part in zip(accumulators, names, parts, strict=True)]
            names = parts
        flushes.append(after)
        lines.append("  " * depth + head)
        depth += 1
        lines += ["  " * depth + line for line in body]
    lines += ["  " * depth + f"{name} = {a.combine(name, a.value)};" for a, name in zip(accumulators, names, strict=True)]
    for after in reversed(flushes):
        depth -= 1
        lines.append("  " * depth + "}")
        lines += ["  " * depth + line for line in after]
    return lines


def _in_pairs(loops: Sequence[Loop], accumulators: Sequence[Accumulator], block: int) -> tuple[Sequence[Loop], Sequence[Accumulator]]:
    """A long innermost loop with two terms a round, which are combined before they wait for the result so far.

    It makes up for the cost of nested loops (6 % of a sum over a million), and where a choice has to look for NaN, half as many
    wait for one another: the largest of 1,024 elements takes a core 0.4 to 0.6 of the time.
    """
    last = loops[-1]
    least = _SUMS if block == _SUMS else _CHOICES
    if last.end <= least or last.end % 2 or last.start != "0u" or last.step != 1 or len(last.body) > _PAIRED:
        return loops, accumulators
    text = "\n".join(last.body)
    own = _LET.findall(text)
    if len(own) != len(last.body):  # not only plain statements
        return loops, accumulators
    names = {last.name: f"({last.name} + 1u)", **{name: f"{name}_b" for name in own}}

    def second(code: str) -> str:
        return _WORD.sub(lambda found: names.get(found[0], found[0]), code)

    both = [f"let {a.name}_two: {a.kind} = {a.combine(a.value, second(a.value))};" for a in accumulators]
    pairs = [replace(a, value=f"{a.name}_two") for a in accumulators]
    return [*loops[:-1], replace(last, step=2, body=[*last.body, *second(text).split("\n"), *both])], pairs


def _declared(a: Accumulator, name: str) -> str:
    return f"var {name}: {a.kind} = {a.kind}({a.init});"


def _heads(loop: Loop, block: int) -> list[tuple[str, int]]:
    """The loop as nested loops of at most `block` rounds: their first lines and how many rounds each has."""
    strides = [loop.step]
    while -(-loop.end // strides[0]) > block:
        strides.insert(0, strides[0] * block)
    if loop.end + strides[0] >= 2**32:
        raise ShapeError(f"a reduction over {loop.end:,} elements is larger than a kernel can index; reduce it in steps.")
    out, start, end = [], loop.start, f"{loop.end}u"
    left = loop.end
    for level, stride in zip(reversed(range(len(strides))), strides, strict=True):
        name = loop.name if level == 0 else f"{loop.name}_{level}"
        step = f"{name}++" if stride == 1 else f"{name} += {stride}u"
        out.append((f"for (var {name} = {start}; {name} < {end}; {step}) {{", -(-left // stride)))
        whole = loop.start == "0u" and loop.end % stride == 0
        start, end, left = name, f"{name} + {stride}u" if whole else f"min({name} + {stride}u, {loop.end}u)", stride
    return out


def _boundaries(rounds: list[int]) -> set[int]:
    """The loops that add up to accumulators of their own: those with 32 rounds or more, inner ones included."""
    found: set[int] = set()
    count = 1
    for number in reversed(range(1, len(rounds))):
        count *= rounds[number]
        if count >= _SUMS // 2:
            found.add(number)
            count = 1
    return found
