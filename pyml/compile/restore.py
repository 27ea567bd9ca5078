"""Plans that an earlier run left, found by the graph that they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import kept
from ..graph.loop import Body
from ..graph.profile import Profile
from .plan import Plan
from .plan_file import from_bytes, to_bytes

_ATOMS = (int, float, str, bool, bytes, type(None))
watching: list[Callable[[tuple, Callable[[Profile], Plan]], object]] = []  # told the key of each new plan, and what makes it for an adapter


def restored(name: str | None) -> Plan | None:
    """The plan of a graph, if there is one; `name` is what `name_of` calls it."""
    raw = kept.find(name)
    if raw is None:
        return None
    try:
        plan = from_bytes(raw)
    except ValueError:
        return None  # and the new one takes its place
    kept.counts["plans found"] += 1
    return plan


def made(name: str | None, key: tuple, profile: Profile, make: Callable[[Profile], Plan]) -> Plan:
    """A new plan, which is kept under this name as soon as its kernels are written."""
    plan = make(profile)
    kept.counts["plans made"] += 1
    plan.to_keep = name
    for told in watching:
        told(key, make)
    return plan


def store(key: str, plan: Plan) -> None:
    """Keeps a plan whose kernels are written; one that the host takes part in is not data, and is planned again in every run."""
    raw = to_bytes(plan)
    if raw is not None:
        kept.keep(key, raw)


def name_of(key: tuple, profile: Profile) -> str | None:
    """The key as text that is the same in every run; None where nothing is kept, or something in it has no such text."""
    if profile.on_host or kept.store() is None or not _plain(key):
        return None
    return kept.key_of("plan", (profile, key))


def _plain(key: Any) -> bool:
    """Whether `repr` says all of it: numbers, text and tuples of such, and bodies of loops."""
    waiting: list[Any] = [key]
    while waiting:
        for value in waiting.pop():
            if value.__class__ in _ATOMS:
                continue
            if isinstance(value, tuple):
                waiting.append(value)
            elif isinstance(value, Body):
                waiting.append((value.key,))
            elif not isinstance(value, _ATOMS):
                return False
    return True
