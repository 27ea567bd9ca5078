"""Unknown sizes: a function is traced for two of them, and what differs afterwards is unknown too, in errors as in shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from math import gcd, prod
from typing import Any, TypeVar

T = TypeVar("T")
PROBES = (83, 167)  # primes, so that no reshape or stride divides them by luck, and far enough apart for strides up to 83
ROUND = (120, 240)  # for what asks for a divisor, as a split in two does, or for a long axis, as `x[:, 90]` does
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:,\d{3})*)(?![\w.]*\d)")  # that stands by itself: not part of a name or of a fraction


_probing: ContextVar[int | None] = ContextVar("probing", default=None)  # the size that unknown sizes have in the trace in progress


def probed(function: Callable[[int], T]) -> tuple[list[T], int | None]:
    """`function(size)` for two sizes, and None. Where it raises for all of them, that for the only size that does, as `would_fit` of the
    error says it, or for a size of one, which is as good as any other beside it, and that size. Where it raises for that too, the
    message is rewritten: None for sizes that depend on it."""

    def traced(size: int) -> T:
        before = _probing.set(size)
        try:
            return function(size)
        finally:
            _probing.reset(before)

    results: list[T] = []
    for size in PROBES:
        try:
            results.append(traced(size))
        except Exception as error:
            for sizes in (getattr(error, "would_fit", ()), ROUND, (1,)):
                if not sizes:
                    continue
                try:
                    return [traced(other) for other in sizes], sizes[0] if len(sizes) == 1 else None
                except Exception:
                    continue
            _reword(error, traced, sum(PROBES) - size)
            raise error from None
    return results, None


def fitting(shape: Sequence[int], wanted: Sequence[int]) -> tuple[int, ...]:
    """Sizes for the unknown one of the trace in progress with which `shape` can be reshaped to `wanted`: one, or two where a -1 is left."""
    size = _probing.get()
    if size not in PROBES or tuple(shape).count(size) != 1:
        return ()
    known, count = prod(shape) // size, prod(n for n in wanted if n != -1)
    if not known or not count:
        return ()
    if -1 in wanted:
        return tuple(count // gcd(count, known) * probe for probe in PROBES)
    return () if count % known else (count // known,)


def without_probe(shape: Any) -> Any:
    """A shape with None for sizes that may be unknown ones: those that the trace in progress has in their place."""
    size = _probing.get()
    if isinstance(shape, dict):
        return {key: without_probe(value) for key, value in shape.items()}
    if isinstance(shape, (tuple, list)):
        return type(shape)(without_probe(value) for value in shape)
    return None if size is not None and size != 1 and shape == size else shape


def _reword(error: Exception, traced: Callable[[int], object], other_size: int) -> None:
    text = _text(error)
    if text is None or not _NUMBER.search(text):
        return
    other = None
    try:
        traced(other_size)
    except Exception as second:
        other = _text(second) if type(second) is type(error) else None
    error.args = (without_probes(text, other), *error.args[1:])


def _text(error: Exception) -> str | None:
    return error.args[0] if error.args and isinstance(error.args[0], str) else None


def without_probes(text: str, other: str | None = None) -> str:
    """`text` with None for numbers that are not the same in `other`, the message for another size; without one, for
    numbers that are a size it may have been traced with."""
    parts, others = _NUMBER.split(text), [] if other is None else _NUMBER.split(other)
    same = len(parts) == len(others) and all(_plain(a) == _plain(b) for a, b in zip(parts[::2], others[::2], strict=True))
    for i in range(1, len(parts), 2):
        if (parts[i] != others[i]) if same else (int(parts[i].replace(",", "")) in PROBES):
            parts[i] = "None"
    return "".join(parts)


def _plain(text: str) -> str:
    """Without the numbers of automatic names, which go up with every trace."""
    return re.sub(r"_\d+", "", text)
