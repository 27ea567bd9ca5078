"""One call that seeds everything random."""

import random as python_random

import numpy as np

from pyml import random


def set_random_seed(seed: int) -> None:
    """Seeds Python's `random`, numpy and pyml, so a script repeats exactly on the same device.

    Args:
        seed: An integer in `[0, 2**32)`.

    Raises:
        ValueError: `seed` is not such an integer.

    Example:
        >>> pyml.utils.set_random_seed(1)
        >>> first = pyml.random.normal((2,)).tolist()
        >>> pyml.utils.set_random_seed(1)
        >>> pyml.random.normal((2,)).tolist() == first
        True
    """
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed: seed must be an integer in [0, 2**32). Received: seed={seed!r}")
    python_random.seed(int(seed))
    np.random.seed(int(seed))
    random.seed_everything(int(seed))


def make_default_seed() -> int:
    """A seed drawn from Python's `random`, so that `set_random_seed` governs it."""
    return python_random.randint(1, int(1e9))
