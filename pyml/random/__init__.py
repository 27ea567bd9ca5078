"""Random numbers from counters: Keras's SeedGenerator and distributions.

The state of a SeedGenerator is a Variable on the device, so a replayed program draws new numbers each time.
"""

from .binomials import binomial
from .distributions import bernoulli_mask, categorical, dropout, normal, randint, shuffle, truncated_normal, uniform
from .gammas import beta, gamma
from .seeds import SeedGenerator, draw_seed, make_default_seed, seed_everything

__all__ = [
    "SeedGenerator", "bernoulli_mask", "beta", "binomial", "categorical", "draw_seed", "dropout", "gamma", "make_default_seed", "normal",
    "randint", "seed_everything", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip
