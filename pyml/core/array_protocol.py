"""What the Python array API standard asks of an array, beyond the operators that all tensor-likes have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import config
from ..errors import TraceError
from . import trace
from .above import above
from .installed import INSTALLED

if TYPE_CHECKING:
    from .tensor import Tensor
    from .types import TensorLike

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")
_CPU = (1, 0)  # DLPack's kDLCPU: what other libraries are given lies in host memory


class ArrayProtocol:
    """Methods of `Tensor` that the standard names. In-place operators give the name a new tensor; `t[key] = value` too."""

    __slots__ = ()

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Any:
        """`pyml.array_api`.

        Raises:
            ValueError: It does not know that version of the standard.
        """
        if api_version is not None and api_version not in VERSIONS:
            raise ValueError(f"pyml.array_api follows {VERSIONS[-1]} and the versions before it. Received: api_version={api_version!r}")
        return above("array_api")

    @property
    def device(self) -> str:
        """Name of the device in use: `"cpu"`, `"wasm"` or `"webgpu"`."""
        return config.get_backend()

    def to_device(self: Any, device: str, /, *, stream: None = None) -> Tensor:
        """The tensor, where `device` is the one in use; there is no other `stream` than None.

        Raises:
            ValueError: It is another; `pyml.config.set_backend` chooses for everything that is made from then on.
        """
        check_device(device, "to_device")
        if stream is not None:
            raise ValueError(f"to_device: there are no streams; leave stream out. Received: stream={stream!r}")
        return self

    def __dlpack__(
        self: Any,
        /,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A copy in host memory, for any library that reads DLPack."""
        if stream is not None:
            raise ValueError(f"__dlpack__: host memory has no streams; leave stream out. Received: stream={stream!r}")
        if dl_device is not None and tuple(dl_device) != _CPU:
            raise BufferError(f"__dlpack__: tensors are given away in host memory, device {_CPU}. Received: dl_device={dl_device}")
        if copy is False:
            raise BufferError("__dlpack__: the memory of the device cannot be lent, only copied. Received: copy=False")
        host = np.array(self.numpy())
        return host.__dlpack__() if max_version is None else host.__dlpack__(max_version=max_version)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Host memory, `(1, 0)`: where the copy lies that `__dlpack__` gives."""
        return _CPU

    def __complex__(self: Any) -> complex:
        trace.refuse_in_trace("complex()")
        return complex(self.item())

    def __setitem__(self, key: Any, value: TensorLike) -> None:
        """The tensor gets a new value, which differs at `key`; what was computed from the old one keeps it.

        Raises:
            TraceError: A program is being traced: there values have no order in time.
        """
        if trace.current() is not None:
            raise TraceError(
                "tensor[key] = value inside a program that is being traced: tensors do not change there; "
                "use pyml.ops.slice_update, pyml.ops.scatter_update or pyml.ops.where, which return the changed tensor."
            )
        tensor: Any = self
        tensor._node = INSTALLED["setitem"](self, key, value)._node
        tensor._keras_logits = None

    # ---- in place: the name on the left gets a new tensor
    def __iadd__(self: Any, other: TensorLike) -> Tensor:
        return self + other

    def __isub__(self: Any, other: TensorLike) -> Tensor:
        return self - other

    def __imul__(self: Any, other: TensorLike) -> Tensor:
        return self * other

    def __itruediv__(self: Any, other: TensorLike) -> Tensor:
        return self / other

    def __ifloordiv__(self: Any, other: TensorLike) -> Tensor:
        return self // other

    def __imod__(self: Any, other: TensorLike) -> Tensor:
        return self % other

    def __ipow__(self: Any, other: TensorLike) -> Tensor:
        return self**other

    def __imatmul__(self: Any, other: TensorLike) -> Tensor:
        return self @ other

    def __iand__(self: Any, other: TensorLike) -> Tensor:
        return self & other

    def __ior__(self: Any, other: TensorLike) -> Tensor:
        return self | other

    def __ixor__(self: Any, other: TensorLike) -> Tensor:
        return self ^ other

    def __ilshift__(self: Any, other: TensorLike) -> Tensor:
        return self << other

    def __irshift__(self: Any, other: TensorLike) -> Tensor:
        return self >> other


def check_device(device: Any, what: str) -> None:
    """Only the device in use can be asked for.

    Raises:
        ValueError: It is another.
    """
    if device is not None and device != config.get_backend():
        raise ValueError(
            f"{what}: the device in use is {config.get_backend()!r}; pyml.config.set_backend chooses another. Received: device={device!r}"
        )


def as_array(value: np.ndarray, dtype: Any, copy: bool | None) -> np.ndarray:
    """A value that was read from the device, as `__array__` is asked for it.

    Raises:
        ValueError: Memory of the device cannot be had without a copy.
    """
    if copy is False:
        raise ValueError("a tensor is in the memory of its device, which numpy cannot look at without a copy; leave copy=False out.")
    return value if dtype is None else value.astype(dtype, copy=False)
