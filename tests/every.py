"""Tests of many small cases: a few blocks of them are a test each, since a test by itself costs more than such a case.

    @every("n, sign", [(1, "+"), (2, "-")])
    def test_numbers(n, sign): ...

is `pytest.mark.parametrize` to whoever reads the test, and to its failures: every case runs, and those that fail are named.
`pytest --case TEXT` runs only the cases whose names hold the text, and other tests whose own names do.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

_PARAM = type(pytest.param())
only = ""  # the text of `--case`


def every(names: str | tuple[str, ...], cases: Iterable[Any] | Callable[[], Iterable[Any]], ids: Any = None, blocks: int = 4) -> Any:
    """Runs a test on each of `cases`, every `blocks`th of them in one item.

    Devices take turns by block (`conftest.py`): with a multiple of four blocks each case meets the device that it would meet alone.

    Args:
        names: The parameters that a case gives, as `parametrize` takes them.
        cases: Values, tuples of them, or `pytest.param`s with an id; a function that makes them when the first block runs.
        ids: Names of the cases, or a function of a case's values.
        blocks: How many items there are.
    """
    parameters = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)

    @functools.cache
    def named() -> list[tuple[str, tuple[Any, ...]]]:
        found, taken = [], set()
        given = list(cases() if callable(cases) else cases)
        for i, case in enumerate(given):
            values = case.values if isinstance(case, _PARAM) else tuple(case) if len(parameters) > 1 else (case,)
            assert not (isinstance(case, _PARAM) and case.marks) and len(values) == len(parameters), f"{case}: no case of {parameters}"
            told = case.id if isinstance(case, _PARAM) else None
            told = told or (ids(*values) if callable(ids) else ids[i] if ids else "-".join(map(_text, values)))
            found.append((f"{told} ({i})" if told in taken else str(told), values))
            taken.add(told)
        return found

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)
        rest = [p for p in signature.parameters.values() if p.name not in parameters]

        @functools.wraps(test)
        def run(block: int, **fixtures: Any) -> None:
            _run(test, parameters, of_block(block), fixtures)

        def of_block(block: int) -> list[tuple[str, tuple[Any, ...]]]:
            return [(told, values) for told, values in named()[block::blocks] if only in told]

        own = inspect.Parameter("block", inspect.Parameter.KEYWORD_ONLY)
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in rest), own])
        run.of_block = of_block  # type: ignore[attr-defined]
        count = blocks if callable(cases) else min(blocks, len(named()))
        return pytest.mark.parametrize("block", range(count))(run)

    return decorate


def chosen(item: Any) -> bool:
    """Whether a test has something to do with the text of `--case`."""
    of_block = getattr(item.function, "of_block", None)
    return only in item.nodeid if of_block is None else bool(of_block(item.callspec.params["block"]))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", None) or repr(value)[:60]


def _run(test: Callable[..., None], names: list[str], cases: list[tuple[str, tuple[Any, ...]]], fixtures: dict[str, Any]) -> None:
    __tracebackhide__ = True
    failed: list[Exception] = []
    skipped = 0
    for told, values in cases:
        try:
            test(**dict(zip(names, values, strict=True)), **fixtures)
        except pytest.skip.Exception as reason:
            skipped += 1
            if skipped == len(cases):
                raise reason
        except (Exception, pytest.fail.Exception) as error:
            failed.append(error if isinstance(error, Exception) else AssertionError(str(error)))
            failed[-1].add_note(f"in the case {told}")
    if len(failed) == 1:
        raise failed[0]
    if failed:
        told = "; ".join(error.__notes__[-1].removeprefix("in the case ") for error in failed)
        raise ExceptionGroup(f"{len(failed)} of {len(cases)} cases: {told}", failed)
