"""Devices: where Plans run. Six methods and a description of limits."""

from __future__ import annotations

import re
import sys
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType


class _Device(ModuleType):
    """The package, which may be called as `keras.device` is."""

    def __call__(self, device_name: str) -> AbstractContextManager[None]:
        """A scope for code that names a device, as Keras has it, which changes nothing: what is computed stays on the one that is in use.

        `pyml.config.set_backend` chooses another.

        Args:
            device_name: `"cpu"`, `"gpu"` or `"tpu"`, and perhaps a number, as in `"gpu:0"`.

        Raises:
            ValueError: `device_name` is none of these.

        Source: `keras.device`.

        Example:
            >>> with pyml.device("cpu:0"):
            ...     x = pyml.ops.ones(2)
        """
        if not isinstance(device_name, str) or not re.fullmatch(r"(?i)(cpu|gpu|cuda|tpu|meta)(:\d+)?", device_name):
            raise ValueError(f"device: expected 'cpu', 'gpu' or 'tpu', perhaps with a number as in 'gpu:0'. Received: {device_name!r}")
        return nullcontext()


sys.modules[__name__].__class__ = _Device
