"""`Model.quantize`: each layer of a model for itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pyml.layers.quantizable import NotFinite, check_quantizable, why_not
from pyml.tracebacks import warn


def quantize_layers(model: Any, mode: str | None, config: Any, filters: Any, type_check: bool = True, **kwargs: Any) -> None:
    """Quantizes the layers of a model that hold no others and that `filters` name."""
    from pyml.quantizers.configs import resolved

    owner = type(model).__name__
    config = resolved(mode, config)
    check_quantizable(model, config.mode)
    if kwargs:
        raise ValueError(f"{owner}.quantize: arguments not recognized: {', '.join(map(repr, kwargs))}.")
    if filters is not None and not isinstance(filters, (str, Sequence)) and not callable(filters):
        raise ValueError(f"{owner}.quantize: `filters` must be a regular expression, a list of them, or a function of the layer. "
                         f"Received: {filters!r}")
    if config.mode not in ("int8", "int4"):
        raise NotImplementedError(f"{owner}.quantize: {why_not(config.mode)}")
    for layer in model._flatten_layers():
        if layer is model or len(layer._flatten_layers()) > 1 or not _chosen(layer, filters):
            continue
        try:
            layer.quantize(config.mode, type_check=type_check, config=config)
        except NotImplementedError as error:
            if layer.weights:  # Keras warns of layers that have none, too
                warn(str(error))
        except NotFinite as error:
            warn(f"{error} It keeps floats.")


def _chosen(layer: Any, filters: Any) -> bool:
    if filters is None:
        return True
    if callable(filters):
        return bool(filters(layer))
    patterns = [filters] if isinstance(filters, str) else filters
    return any(re.search(pattern, layer.name) for pattern in patterns)
