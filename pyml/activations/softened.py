"""The exponential, and rectifiers with a bend in the place of their corner."""

from __future__ import annotations

from pyml import ops
from pyml.core import Tensor
from pyml.core.types import TensorLike
from pyml.objects.registry import ACTIVATIONS

__all__ = ["exponential", "softplus", "sparse_plus", "squareplus"]


@ACTIVATIONS.function()
def exponential(x: TensorLike) -> Tensor:
    """`exp(x)`.

    Example:
        >>> pyml.activations.exponential([0., 1.]).numpy().round(4)
        array([1.    , 2.7183], dtype=float32)
    """
    return ops.exp(x)


@ACTIVATIONS.function()
def softplus(x: TensorLike) -> Tensor:
    """`log(1 + exp(x))`.

    Source: Dugas et al. 2001, "Incorporating Second-Order Functional Knowledge for Better Option Pricing".

    Example:
        >>> pyml.activations.softplus([0., 100.]).numpy().round(4)
        array([  0.6931, 100.    ], dtype=float32)
    """
    return ops.softplus(x)


@ACTIVATIONS.function()
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """`(x + sqrt(x^2 + b)) / 2`. Source: Barron 2021.

    Args:
        b: How smooth it is around 0.

    Example:
        >>> pyml.activations.squareplus([0., 1.5]).numpy().round(4)
        array([1., 2.], dtype=float32)
    """
    return ops.squareplus(x, b=b)


@ACTIVATIONS.function()
def sparse_plus(x: TensorLike) -> Tensor:
    """0 up to -1, `x` from 1 on, `(x + 1)^2 / 4` between.

    Example:
        >>> pyml.activations.sparse_plus([-2., 0., 1.5]).numpy()
        array([0.  , 0.25, 1.5 ], dtype=float32)
    """
    return ops.sparse_plus(x)
