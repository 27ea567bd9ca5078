"""Small real data sets, by Keras' names; each is a module with `load_data`, loaded when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyml.datasets import mnist
from pyml.lazily import parts as _parts

if TYPE_CHECKING:
    from pyml.datasets import boston_housing as boston_housing
    from pyml.datasets import california_housing as california_housing
    from pyml.datasets import cifar10 as cifar10
    from pyml.datasets import cifar100 as cifar100
    from pyml.datasets import fashion_mnist as fashion_mnist
    from pyml.datasets import imdb as imdb
    from pyml.datasets import reuters as reuters

__all__ = ["boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb", "mnist", "reuters"]

if not TYPE_CHECKING:
    __getattr__, _ = _parts(__name__, {}, __all__)


def __dir__() -> list[str]:
    return sorted(__all__)
