"""Tensors in einops: `einops.rearrange`, `reduce`, `repeat`, `einsum`, `pack` take ours, as they take those of Keras' backends.

einops knows a kind of tensors by a subclass of its `AbstractBackend`; ours can only be made once einops is there, which may be imported
before or after this package, or never.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pyml.core.symbolic import KerasTensor
from pyml.core.tensor import Tensor
from pyml.core.variable import Variable

from . import core, numpy

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_KINDS = "einops._backends"


def _add_kind(kinds: Any) -> None:
    class PymlBackend(kinds.AbstractBackend):  # type: ignore[misc]
        framework_name = "pyml"

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Tensor | Variable | KerasTensor)

        def from_numpy(self, x: Any) -> Tensor:
            return core.convert_to_tensor(x)

        def to_numpy(self, x: Any) -> Any:
            return core.convert_to_numpy(x)

        def shape(self, x: Any) -> tuple[Any, ...]:
            return tuple(kinds.UnknownSize() if size is None else int(size) for size in x.shape)

        def reshape(self, x: Any, shape: tuple[Any, ...]) -> Any:
            return numpy.reshape(x, tuple(-1 if isinstance(size, kinds.UnknownSize) else size for size in shape))

        def is_float_type(self, x: Any) -> bool:
            return "float" in core.dtype(x)

        def reduce(self, x: Any, operation: str, axes: tuple[int, ...]) -> Any:
            return getattr(numpy, operation)(x, axis=axes)

        arange = staticmethod(numpy.arange)
        transpose = staticmethod(numpy.transpose)
        add_axis = staticmethod(numpy.expand_dims)
        tile = staticmethod(numpy.tile)
        concat = staticmethod(numpy.concatenate)
        stack_on_zeroth_dimension = staticmethod(numpy.stack)
        einsum = staticmethod(numpy.einsum)

    kinds.PymlBackend = PymlBackend  # a class that nobody holds is no longer among the subclasses


class _WhenImported:
    """Stands before Python's finders until einops is imported; it finds nothing by itself."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != _KINDS:
            return None
        sys.meta_path.remove(self)
        spec = next((spec for finder in sys.meta_path if (spec := finder.find_spec(fullname, path, target))), None)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _add_kind(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def register() -> None:
    """Makes our tensors known to einops, at once or when it is imported."""
    if _KINDS in sys.modules:
        _add_kind(sys.modules[_KINDS])
    else:
        sys.meta_path.insert(0, _WhenImported())
