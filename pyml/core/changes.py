"""When layers and metrics change in ways that what was made from them must hear of: other weights or state, frozen or not."""

from __future__ import annotations

version = 0  # of the weights that layers compute with: programs traced before must be traced again
freezings = 0  # how often a layer's `trainable` was set


def changed() -> None:
    """A layer computes with other weights from now on, or a metric with more state."""
    global version
    version += 1


def froze() -> None:
    """A layer was frozen or unfrozen."""
    global freezings
    freezings += 1
