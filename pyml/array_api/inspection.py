"""What the namespace says about itself."""

from __future__ import annotations

from typing import Any

from .. import config
from ..core.array_protocol import check_device
from ..dtypes import NUMPY
from .data_types import isdtype

MOST_DIMENSIONS = 32


class Info:
    """What there is: devices, dtypes and capabilities.

    Example:
        >>> from pyml import array_api as xp
        >>> sorted(xp.__array_namespace_info__().dtypes(kind="integral"))
        ['int32', 'uint32']
    """

    def capabilities(self) -> dict[str, Any]:
        """Boolean masks and shapes that depend on data are there; in programs that are traced they are not."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": MOST_DIMENSIONS}

    def default_device(self) -> str:
        """Name of the device in use."""
        return config.get_backend()

    def devices(self) -> list[str]:
        """The device in use; `pyml.config.set_backend` chooses it."""
        return [config.get_backend()]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, str]:
        """float32, complex64 and int32."""
        check_device(device, "default_dtypes")
        return {"real floating": "float32", "complex floating": "complex64", "integral": "int32", "indexing": "int32"}

    def dtypes(self, *, device: str | None = None, kind: Any = None) -> dict[str, str]:
        """The dtypes that arrays can have, of a kind of `isdtype` or of all."""
        check_device(device, "dtypes")
        return {name: name for name in (*NUMPY, "complex64") if kind is None or isdtype(name, kind)}


def __array_namespace_info__() -> Info:
    """What there is: devices, dtypes and capabilities."""
    return Info()
