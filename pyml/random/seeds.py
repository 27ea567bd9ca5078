"""`SeedGenerator`, the global seed, and the keys that draws are made of."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from pyml import config
from pyml.core import trace
from pyml.core.naming import auto_name
from pyml.core.tensor import Tensor
from pyml.core.variable import Variable
from pyml.device.lock import LOCK
from pyml.errors import did_you_mean
from pyml.graph import prims
from pyml.objects.configured import Configured
from pyml.objects.registry import SEEDS

if TYPE_CHECKING:
    from pyml.graph.node import Node

_alive: weakref.WeakSet[SeedGenerator] = weakref.WeakSet()
_global: SeedGenerator | None = None
_python = np.random.default_rng()


class SeedGenerator(Configured, kind=SEEDS):
    """State for random functions: `next()` gives a seed and moves on. One whose state lay on a GPU that was lost begins anew.

    Args:
        seed: An integer; None takes one from the global seed (see `pyml.utils.set_random_seed`).
        name: Of the generator; by default `seed_generator`, `seed_generator_1` and so on.

    Raises:
        ValueError: `seed` is not an integer or None, or an argument is unknown.

    Source: `keras.random.SeedGenerator`.

    Example:
        >>> gen = pyml.random.SeedGenerator(1)
        >>> x = pyml.random.uniform((2,), seed=gen)
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        kwargs.pop("backend", None)  # Keras' own layers and layers in their manner hand it on; there is one here
        if kwargs:
            hint = did_you_mean(next(iter(kwargs)), ("seed", "name"))
            raise ValueError(f"SeedGenerator: unrecognized keyword arguments: {kwargs}.{hint}")
        if seed is not None and not isinstance(seed, (int, np.integer)):
            raise ValueError(f"SeedGenerator: seed must be an integer or None. Received: seed={seed!r}")
        self._initial_seed = None if seed is None else int(seed)
        seed = make_default_seed() if seed is None else seed
        self.name = name or auto_name(type(self).__name__)
        self._first = np.array([int(seed) & 0xFFFFFFFF, 0], np.uint32)
        self.state = Variable(self._first, trainable=False, name="seed_generator_state")
        self.state.path = f"{self.name}/seed_generator_state"
        _alive.add(self)

    def next(self, ordered: bool = True) -> Tensor:
        """The current state, uint32 `(2,)`; the counter advances, whatever `ordered`, which JAX needs, says."""
        with LOCK:  # no two threads draw the same numbers
            now = self.state.value
            self.state.assign(Tensor(prims.add(now._node, _unit())))
            return now

    def get_config(self) -> dict[str, Any]:
        return {"seed": self._initial_seed, "name": self.name}


def _begin_anew() -> None:
    """After a lost device: what was trained is gone or loaded again, but nobody can load the state of a generator."""
    for generator in list(_alive):
        if generator.state._gone():
            generator.state.assign(generator._first)


config.restarts.append(_begin_anew)


def _unit() -> Node:
    return prims.cast(prims.iota(2, "int32"), dtype="uint32")  # [0, 1]


Seed: TypeAlias = int | np.integer | SeedGenerator | Tensor | None  # a Tensor is a key that was drawn before


def make_default_seed() -> int:
    """A fresh seed from the global random state.

    Example:
        >>> isinstance(pyml.random.make_default_seed(), int)
        True
    """
    return int(_python.integers(1, 2**31 - 1))


def host_generator(seed: object) -> np.random.Generator:
    """numpy's generator for what is drawn on the host: of an integer seed, otherwise of one from the global random state."""
    return np.random.default_rng(of_numpy(seed) if isinstance(seed, int) else _python.integers(2**31))


def of_numpy(seed: int) -> int:
    """A seed as numpy takes it: a negative one is the one whose lowest 32 bits it has, as on the device."""
    return seed if seed >= 0 else seed & 0xFFFFFFFF


def seed_everything(seed: int | None) -> None:
    """Restarts the global state; see `pyml.utils.set_random_seed`. None seeds it as a new interpreter does.

    Args:
        seed: An integer from 0 on, or None.

    Example:
        >>> pyml.random.seed_everything(1)
        >>> first = pyml.random.normal((2,)).tolist()
        >>> pyml.random.seed_everything(1)
        >>> pyml.random.normal((2,)).tolist() == first
        True
    """
    global _python, _global
    _python = np.random.default_rng(seed)
    _global = None


def draw_seed(seed: Seed) -> Tensor:
    """uint32 `(2,)` of an int, a SeedGenerator or None (the global generator).

    Args:
        seed: An integer, a `SeedGenerator`, which moves on, or None for the global generator.

    Raises:
        ValueError: `seed` is none of these.

    Example:
        >>> pyml.random.draw_seed(5).numpy()
        array([5, 0], dtype=uint32)
    """
    global _global
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        with LOCK:
            if _global is None:
                with trace.tracing(None):
                    _global = SeedGenerator()
            return _global.next()
    if isinstance(seed, Tensor):
        return seed
    if isinstance(seed, (int, np.integer)):
        return Tensor(prims.concat([prims.full((1,), int(seed) & 0xFFFFFFFF, "uint32"), prims.full((1,), 0, "uint32")], 0))
    raise ValueError(f"seed must be an integer, a SeedGenerator or None. Received: {seed!r}")
