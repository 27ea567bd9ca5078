"""Batch renormalization: corrections that make the statistics of a small batch agree with those of the batches before it."""

from __future__ import annotations

from typing import Any

from pyml import ops
from pyml.core import Tensor

_LIMITS = ("rmax", "rmin", "dmax")


def limits_of(renorm: bool, clipping: Any) -> dict[str, float]:
    """The limits of the corrections; those that are missing do not bind.

    Raises:
        ValueError: There are others, `rmax` is below `rmin`, or `dmax` below 0.
    """
    limits = dict(clipping or {}) if renorm else {}
    if others := sorted(set(limits) - set(_LIMITS), key=str):
        raise ValueError(f"BatchNormalization: renorm_clipping has 'rmax', 'rmin' and 'dmax'. Received: {', '.join(map(repr, others))}")
    low, high, most = (limits.get(name) for name in ("rmin", "rmax", "dmax"))
    if low is not None and high is not None and high < low:
        raise ValueError(f"BatchNormalization: renorm_clipping must have an rmax of at least rmin. Received: rmax={high}, rmin={low}")
    if most is not None and most < 0:
        raise ValueError(f"BatchNormalization: renorm_clipping must have a dmax of at least 0. Received: dmax={most}")
    return {name: value for name, value in limits.items() if value is not None}


def corrections(layer: Any, mean: Tensor, deviation: Tensor, limits: dict[str, float]) -> tuple[Any, Any]:
    """What scale and offset of a batch become, so that `(x * r + d) * gamma + beta` counts; no gradient passes through r and d."""
    before = ops.maximum(layer.renorm_stddev, layer.epsilon**0.5)
    r: Any = ops.divide(deviation, before)
    d: Any = ops.divide(mean - layer.renorm_mean, before)
    if "rmin" in limits:
        r = ops.maximum(r, limits["rmin"])
    if "rmax" in limits:
        r = ops.minimum(r, limits["rmax"])
    if "dmax" in limits:
        d = ops.clip(d, -limits["dmax"], limits["dmax"])
    r, d = ops.stop_gradient(r), ops.stop_gradient(d)
    scale = r if layer.gamma is None else r * layer.gamma
    offset = d if layer.gamma is None else d * layer.gamma
    return scale, offset if layer.beta is None else offset + layer.beta
