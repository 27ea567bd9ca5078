"""Dtypes of 8 and 16 bits: values are kept and computed in 32, and wrapped or rounded where a result is stored.

A `NarrowTensor` is a tensor whose values all are of such a dtype, over a node of 32 bits. An op is handed the 32-bit tensors,
computes with them from its first to its last step, and its results get the dtype that Keras' table gives them (`labelled`):
sums of int8 wrap as int8 does, and a softmax of float16 is rounded once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..dtypes import FEWER_BITS, FLOATS, LARGEST, NARROW, NUMPY, keras_name, narrow, of_scalar, result_type, standardize
from ..graph import prims
from ..graph.node import Node
from ..settings import default_float, enter_wide, leave_wide
from .tensor import NarrowTensor, Tensor, wrapped
from .variable import NarrowVariable, Variable
from .weak import WeakTensor

_SUMS = {"int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}


def holds_narrow(value: Any) -> bool:
    """Whether `value` is an array of 8 or 16 bits, or a list, tuple or dict with one in it."""
    kind = type(value)
    if kind is NarrowTensor or isinstance(value, NarrowVariable):
        return True
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.itemsize < 4 and value.dtype.kind in "iuf"
    if isinstance(value, (list, tuple)):
        return any(holds_narrow(v) for v in value)
    return isinstance(value, dict) and any(holds_narrow(v) for v in value.values())


def computed(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], rule: str | tuple[str, ...] | None = None,
             counted: bool = False, limited: bool = False, dtype: Any = None) -> Any:  # fmt: skip
    """`fn` of the arguments in 32 bits, its results in the dtypes that Keras gives them.

    Args:
        fn: The function of an op.
        args, kwargs: Its arguments.
        rule, counted, limited: `dtypes`, `counted` and `limited` of the op's declaration (`ops/declare.py`).
        dtype: What the call asks for, where it does.
    """
    by_place = []
    for name in fn.__code__.co_varnames[len(args) : fn.__code__.co_argcount]:
        if name not in kwargs:
            break
        by_place.append(name)
    args = [*args, *(kwargs[name] for name in by_place)]  # rules go by places
    kwargs = {name: value for name, value in kwargs.items() if name not in by_place}
    followed: list[Any] = list(args[:1] if rule == "first" or isinstance(rule, tuple) else args[1:2] if rule == "second" else args)
    if rule == "rest":
        followed = [*args[1:], *(value for name, value in kwargs.items() if name != "condition")]
    elif not followed or rule not in ("first", "second"):
        followed += list(kwargs.values())
    labels = [] if rule == "floatx" else _labels(followed)
    if rule == "limits":
        labels = labels[:1] if labels[:1] == ["float16"] else [{"bool": "int32"}.get(labels[0], labels[0]), *labels[1:]]
    if counted:
        operands = [*args[:2], *(kwargs[key] for key in ("x1", "x2", "weights") if key in kwargs)]
        labels += [default_float() if isinstance(value, float) else of_scalar(value) for value in operands
                   if isinstance(value, (bool, int, float))]  # fmt: skip
        labels += [default_float() if value.dtype == "float32" else value.dtype for value in operands if isinstance(value, WeakTensor)]
    out = in_32_bits(fn, _plain(tuple(args), labels), _plain(dict(kwargs), labels))
    asked = narrow(dtype)
    if dtype is not None and asked is None:
        return out
    rules = rule if isinstance(rule, tuple) else None

    def result(value: Any, place: int = 0) -> Any:
        if isinstance(value, (list, tuple)):
            items = [result(item, i) for i, item in enumerate(value)]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        if not isinstance(value, Tensor):
            return value
        label = asked or _of_result(value.dtype, labels, rules[min(place, len(rules) - 1)] if rules else rule)
        return labelled(_limited(value, label) if limited else value, label)

    return result(out)


def in_32_bits(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`fn` of the arguments, whose own numbers are float32 whatever floatx is."""
    outer = enter_wide(True)
    try:
        return fn(*args, **kwargs)
    finally:
        leave_wide(outer)


def _limited(x: Tensor, dtype: str) -> Tensor:
    """Numbers cut off at the limits of `dtype`."""
    if dtype not in NARROW:
        return x
    if dtype in LARGEST:
        most = LARGEST[dtype]
        return Tensor(prims.minimum(prims.maximum(x._node, prims.full(x.shape, -most, "float32")), prims.full(x.shape, most, "float32")))
    bits, signed = (8 if dtype.endswith("8") else 16), not dtype.startswith("u")
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    node = x._node
    node = prims.maximum(node, prims.full(node.shape, low, node.dtype)) if signed or node.dtype == "int32" else node
    return Tensor(prims.minimum(node, prims.full(node.shape, high, node.dtype)))


def labelled(x: Tensor, dtype: str) -> Tensor:
    """`x` in a dtype, also of 8 or 16 bits; one of 64 bits has 32 on the device."""
    dtype = FEWER_BITS.get(dtype, dtype)
    if dtype not in NARROW:
        return x if x.dtype == dtype else Tensor(prims.cast(x._node, dtype=dtype))
    return NarrowTensor(wrapped(prims.cast(x._node, dtype=standardize(dtype)), dtype), dtype)


def _of_result(computed_as: str, labels: list[str], rule: Any) -> str:
    """The dtype of a result that was computed as one of 32 bits."""
    if computed_as == "bool" or computed_as not in NUMPY:
        return computed_as
    if computed_as != "float32" and NARROW.isdisjoint(labels):
        return computed_as
    floats = [label for label in labels if label in FLOATS]
    if computed_as == "float32":
        return result_type(*floats) if floats else computed_as if rule == "at_least_32" and labels else default_float()
    if rule == "index" or floats or not labels:
        return computed_as
    of_all = result_type(*labels)
    if rule == "product" and set(labels) == {"int8"}:
        return "int32"
    return _SUMS.get(of_all, of_all) if rule == "sum" else of_all


def _labels(values: Any) -> list[str]:
    """The dtypes of the arrays among values; numbers of Python take those of what they meet."""
    found: list[str] = []
    for value in values.values() if isinstance(values, dict) else values:
        if isinstance(value, (Tensor, Variable)):
            if not isinstance(value, WeakTensor):
                found.append(value.dtype)
        elif isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf":
            found.append(default_float() if isinstance(value, float) else result_type(keras_name(value.dtype)))
        elif isinstance(value, (list, tuple, dict)):
            found += _labels(value)
    return found


def _plain(value: Any, labels: list[str]) -> Any:
    """`value` with tensors of 32 bits in the place of narrow ones."""
    kind = type(value)
    if kind is NarrowTensor or isinstance(value, NarrowVariable):
        node: Node = value._value_node()
        wide = "uint32" in labels and value.dtype in ("uint8", "uint16") and "int32" not in labels
        return Tensor(prims.cast(node, dtype="uint32") if wide else node)
    if isinstance(value, (list, tuple)):
        items = [_plain(v, labels) for v in value]
        return kind(*items) if hasattr(value, "_fields") else kind(items)
    return {key: _plain(v, labels) for key, v in value.items()} if isinstance(value, dict) else value


def unlabelled(x: Any) -> Any:
    """A narrow tensor of floats as float32: how layers and losses of 32 bits take it. Anything else as it is."""
    if type(x) is not NarrowTensor or x.dtype not in FLOATS:
        return x
    return _with_notes(Tensor(x._node), x)


def rounded(x: Any, dtype: str) -> Any:
    """A tensor of floats in `dtype`; anything else as it is."""
    if not isinstance(x, Tensor) or x.dtype not in FLOATS or x.dtype == dtype:
        return x
    return _with_notes(labelled(Tensor(x._node), dtype), x)


def _with_notes(new: Tensor, old: Tensor) -> Tensor:
    """The mask and the logits that a tensor carries go with its value."""
    new._keras_logits = old._keras_logits
    mask = getattr(old, "_keras_mask", None)
    if mask is not None:
        new._keras_mask = mask
    return new
