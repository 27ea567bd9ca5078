"""Which weights fit into fewer bits, and what is said of those that do not: they are kept as they are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..tracebacks import warn

LEVELS = {"uint8": 255, "uint16": 65535}
_MOST = float(np.finfo(np.float16).max)
_NAMED = 3  # weights that a warning names: of a training that went astray all are NaN


def misfit(array: np.ndarray, form: str) -> str | None:
    """What an array of float32 holds that a form of fewer bits has no place for; None where it has one for all.

    Args:
        form: `"float16"`, `"uint16"`, `"uint8"` or `"int8"`.
    """
    if not array.size:
        return None
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        return "NaN or infinite numbers"
    if form == "float16" and max(-low, high) > _MOST:
        return f"numbers beyond {_MOST:,.0f}"
    if form in LEVELS:
        with np.errstate(over="ignore"):  # as a reader multiplies
            reach = np.float32(LEVELS[form]) * np.float32((max(high, 0.0) - min(low, 0.0)) / LEVELS[form])
        if not np.isfinite(reach):
            return "numbers too far apart"
    return None


def tell_kept(misfits: Iterable[tuple[str, str]], what: str, asked: str) -> None:
    """Warns of weights that keep their 32 bits.

    Args:
        misfits: Names of weights, each with what `misfit` says.
        what: Who says it.
        asked: The argument that asked for fewer bits, with its value.
    """
    names: dict[str, list[str]] = {}
    for name, held in misfits:
        names.setdefault(held, []).append(repr(name))
    for held, found in names.items():
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        weights = f"weight {found[0]} holds" if len(found) == 1 else f"weights {', '.join(found[:_NAMED])}{more} hold"
        warn(f"{what}: {weights} {held}, which {asked} cannot keep; {'it is' if len(found) == 1 else 'they are'} float32 in the file.")


__all__ = ["LEVELS", "misfit", "tell_kept"]
