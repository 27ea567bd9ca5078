"""What layer calls look like: which arguments `call` and `build` take, shapes and dtypes of what was passed."""

from __future__ import annotations

import inspect
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from pyml import dtype_policies
from pyml.core import Tensor, Variable, convert_to_tensor
from pyml.core.symbolic import KerasTensor
from pyml.core.tensor import tensor_of
from pyml.core.trace import Trace, tracing
from pyml.core.tree import flatten, is_nested, map_structure
from pyml.dtype_policies import DTypePolicy
from pyml.dtypes import narrow, standardize
from pyml.errors import DtypeError, ShapeError

_TENSORS = (Tensor, Variable, KerasTensor, np.ndarray)


class Tracing:
    """`with Tracing():` nothing inside runs; values made there are dropped."""

    def __enter__(self) -> Any:
        self._context = tracing(Trace())
        return self._context.__enter__()

    def __exit__(self, *error: Any) -> Any:
        return self._context.__exit__(*error)


class Signature:
    """What `call` and `build` of a layer class take, looked up once per class."""

    def __init__(self, cls: Any) -> None:
        call = _arguments(cls.call)
        self.names = [name for name, p in call.items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.needs = [name for name in self.names if call[name].default is inspect.Parameter.empty]
        anything = any(p.kind is p.VAR_KEYWORD for p in call.values())
        self.names_training = "training" in call
        self.takes_training = self.names_training or (anything and "args" not in call)
        self.takes_mask = "mask" in call
        self.mask_names = {name[:-5]: name for name in call if name.endswith("_mask")}  # `query_mask` belongs to `query`
        default = call["training"].default if "training" in call else None
        self.default_training = None if default is inspect.Parameter.empty else default
        build = list(_arguments(cls.build).values())
        self.build_takes_shape = any(p.kind is not p.VAR_KEYWORD for p in build)  # `def build(self)` is called with nothing, as in Keras
        build = [p for p in build if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.build_names = [p.name for p in build]
        self.build_needs = {p.name for p in build if p.default is p.empty}
        shapes = list(_arguments(cls.compute_output_shape).values())
        self.output_takes_shape = bool(shapes)  # `def compute_output_shape(self)` is called with nothing
        shapes = [p for p in shapes if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        self.output_names = [p.name for p in shapes]
        self.output_needs = {p.name for p in shapes if p.default is p.empty}

    def missing(self, args: Any, kwargs: Any) -> str | None:
        """The first argument that `call` needs and does not get, or gets as None."""
        given = dict(zip(self.names, args, strict=False)) | kwargs
        return next((name for name in self.needs if given.get(name) is None), None)

    def first(self, args: Any, kwargs: Any) -> Any:
        """What is passed for the first argument of `call`, None for nothing."""
        return args[0] if args else kwargs.get(self.names[0]) if self.names else None

    def further(self, args: Any, kwargs: Any) -> dict[str, Any]:
        """Shapes and dtypes of what is passed for arguments of `call` after the first, but masks."""
        given = {name: value for name, value in (dict(zip(self.names, args, strict=False)) | kwargs).items() if name not in self.names[:1]}
        return {name: [_shape_of(value), map_structure(lambda leaf: str(leaf.dtype), value)] for name, value in given.items()
                if name != "mask" and name not in self.mask_names.values() and _holds_tensors(value)}  # fmt: skip

    def fill_masks(self, args: Any, kwargs: Any) -> Any:
        """Puts the masks that the inputs carry where `call` takes them.

        As in Keras 3 the mask of a single argument with tensors goes to `mask`; of several, each one's goes to `<its name>_mask`,
        and none to `mask`: a recurrent layer called with `initial_state` sees the mask that is passed, and no other.

        Returns:
            The mask of the first input (masks in its structure where it is nested), None without any.
        """
        if len(args) == 1 and not kwargs:  # nearly every call
            previous = mask_of(args[0])
            if self.takes_mask and previous is not None:
                kwargs["mask"] = previous
            return previous
        given = dict(zip(self.names, args, strict=False)) | kwargs
        with_tensors = [name for name, value in given.items() if _holds_tensors(value)]
        if len(with_tensors) > 1:
            for name in with_tensors:
                target = self.mask_names.get(name)
                if target is not None and kwargs.get(target) is None and (mask := mask_of(given[name])) is not None:
                    kwargs[target] = mask
        previous = mask_of(self.first(args, kwargs))
        if self.takes_mask and kwargs.get("mask") is None and previous is not None and len(with_tensors) < 2:
            kwargs["mask"] = previous
        named = kwargs.get("mask") if self.takes_mask else None
        return previous if named is None else named

    def build_shapes(self, args: Any, kwargs: Any) -> tuple[Any, bool]:
        """What `build` is called with: the first input's shape, or one shape per argument it names, and whether it is the latter.

        Raises:
            ValueError: `build` needs an argument that `call` has no input for.
        """
        shapes = self._shapes(args, kwargs)
        if len(self.build_names) > 1 and self.build_needs <= set(shapes):
            return {name: shapes[name] for name in self.build_names if name in shapes}, True
        if len(self.build_needs) > 1:
            for name in self.build_names:
                if name in self.build_needs and name.removesuffix("_shape") not in (*self.names, *kwargs):
                    raise ValueError(f"build() has an argument {name!r}; with several, each is `<an argument of call()>_shape`. call() "
                                     f"has {self.names}.")  # fmt: skip
                if name in self.build_needs and not name.endswith("_shape"):
                    raise ValueError(f"build() has an argument {name!r}, which does not end in `_shape`; with several, each must.")
        return next(iter(shapes.values()), None), False

    def output_shapes(self, args: Any, kwargs: Any) -> dict[str, Any] | None:
        """What `compute_output_shape` is called with where it takes several shapes by name, as `build` does; else None."""
        if not self.output_takes_shape:
            return {}
        shapes = self._shapes(args, kwargs) if len(self.output_names) > 1 else {}
        return {name: shapes[name] for name in self.output_names if name in shapes} if shapes and self.output_needs <= set(shapes) else None

    def _shapes(self, args: Any, kwargs: Any) -> dict[str, Any]:
        given = dict(zip(self.names, args, strict=False)) | kwargs
        return {f"{name}_shape": _shape_of(value) for name, value in given.items() if _has_shape(value)}


def _arguments(method: Any) -> dict[str, inspect.Parameter]:
    """The parameters of a function in a class without the instance, which need not be called `self`."""
    parameters = dict(inspect.signature(method).parameters)
    first = next(iter(parameters.values()), None)
    if inspect.isfunction(method) and first is not None and first.kind in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD):
        del parameters[first.name]
    return parameters


def mask_of(value: Any) -> Any:
    """The mask that a tensor carries, a list or dict of them for nested tensors, or None where there is none."""
    if isinstance(value, (list, tuple)):
        masks = [mask_of(item) for item in value]
        return None if all(mask is None for mask in masks) else tuple(masks) if isinstance(value, tuple) else masks
    if isinstance(value, dict):
        named = {key: mask_of(item) for key, item in value.items()}
        return named if any(mask is not None for mask in named.values()) else None
    return getattr(value, "_keras_mask", None)


def set_mask(outputs: Any, mask: Any) -> None:
    """Makes outputs that carry no mask yet carry one each, in order: a single one is the first output's, as in Keras."""
    if isinstance(outputs, dict) and isinstance(mask, dict):
        mask = [mask.get(key) for key in sorted(outputs)]
    for output, own in zip(flatten(outputs), flatten(mask), strict=False):
        if own is not None and isinstance(output, Tensor) and getattr(output, "_keras_mask", None) is None:
            output._keras_mask = own


def with_masks(inputs: list[Any], mask: Any) -> list[Any]:
    """Flat inputs that carry the masks that a model was called with; those of the caller stay as they are."""
    if mask is None:
        return inputs
    masks = flatten(mask)
    return [_masked(x, own) for x, own in zip(inputs, [*masks, *[None] * (len(inputs) - len(masks))], strict=False)]


def _masked(x: Any, mask: Any) -> Any:
    if mask is None or not isinstance(x, Tensor) or getattr(x, "_keras_mask", None) is mask:
        return x
    copy = tensor_of(x._node, x.dtype)
    copy._keras_mask = mask if isinstance(mask, (Tensor, KerasTensor)) else convert_to_tensor(mask)
    return copy


_signatures: WeakKeyDictionary[type, Signature] = WeakKeyDictionary()   # a page defines its classes again at each run


def call_signature(cls: type) -> Signature:
    """The Signature of a layer class."""
    if cls not in _signatures:
        _signatures[cls] = Signature(cls)
    return _signatures[cls]


def overridden(cls: type) -> set[str]:
    """Names that a layer class or its bases below Layer define."""
    names: set[str] = set()
    for base in cls.__mro__:
        if base.__module__ == "pyml.layers.layer" and base.__name__ == "Layer":
            break
        names.update(vars(base))
    return names


def _holds_tensors(value: Any) -> bool:
    if not is_nested(value):
        return isinstance(value, _TENSORS)
    leaves = [leaf for leaf in flatten(value) if leaf is not None]
    return bool(leaves) and all(isinstance(leaf, _TENSORS) for leaf in leaves)


def _has_shape(value: Any) -> bool:
    leaves = flatten(value)
    return bool(leaves) and all(hasattr(leaf, "shape") for leaf in leaves)


def _shape_of(value: Any) -> Any:
    return map_structure(lambda leaf: tuple(leaf.shape), value) if is_nested(value) else tuple(value.shape)


def specs_of(shapes: Any, dtype: Any) -> Any:
    """Shapes (nested) as KerasTensors."""
    if isinstance(shapes, (tuple, list)) and all(n is None or isinstance(n, (int, np.integer)) for n in shapes):
        return KerasTensor(shapes, dtype=dtype)
    if not isinstance(shapes, (tuple, list, dict)):
        raise ShapeError(f"compute_output_shape() must return a tuple of sizes, or several in a list or dict. It returned {shapes!r}.")
    if isinstance(shapes, dict):
        return {key: specs_of(shape, dtype) for key, shape in shapes.items()}
    return type(shapes)(specs_of(shape, dtype) for shape in shapes)


def is_number_list(value: Any) -> bool:
    """True for nested lists of plain numbers."""
    return isinstance(value, (list, tuple)) and bool(value) and all(
        not isinstance(leaf, (Tensor, Variable, KerasTensor, np.ndarray)) and isinstance(leaf, (int, float))
        for leaf in flatten(value))


def dtype_name(dtype: Any) -> str:
    """A dtype argument as the name of a dtype."""
    if isinstance(dtype, (dict, DTypePolicy)):
        dtype = dtype_policies.get(dtype).variable_dtype
    return narrow(dtype) or standardize("float32" if dtype is None else dtype)


def policy_of(dtype: Any, layer: Any) -> DTypePolicy:
    """The policy that a layer is given.

    Raises:
        DtypeError: The layer cannot compute with its quantized weights, or its dtypes are not numbers.
        ValueError: It names no policy.
    """
    policy = dtype_policies.get(dtype)
    mode = policy.quantization_mode
    if mode is not None and mode not in getattr(layer, "_modes", ()):
        raise DtypeError(
            f"{type(layer).__name__}: the layer does not compute with weights of {mode}; Dense, EinsumDense and Embedding do with int8 and "
            f"int4. Give a policy of floats such as 'float32'. Received: dtype={policy.name!r}"
        )
    standardize(policy.variable_dtype)
    return policy
