"""Calls of ops that Keras and pyml must answer alike: values, dtypes, shapes and gradients.

A family is a file `tests/goldens/ops/FAMILY.py` with a dict `CASES`: name -> `call(...)`. Its numbers stand in
`FAMILY.json`, written by `make_with_keras.py FAMILY` and compared on every device by `tests/test_op_goldens.py`.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from golden_cases import uniform

FOLDER = Path(__file__).resolve().parent / "ops"


class Call(NamedTuple):
    """One call: where the function is in the namespace, its arguments, whether gradients are compared and how closely."""

    path: str | Callable[[Any], Callable[..., Any]]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    grad: bool
    tol: float
    tensors: bool


def call(path, *args, grad=True, tol=1e-4, tensors=False, **kwargs):
    """`call("ops.sort", uniform(1, (3, 5)), axis=0)`. Arrays are handed over as they are; `grad=False` where Keras has none.

    `tensors=True` hands over tensors, for functions of Keras' that take nothing else.
    """
    return Call(path, args, kwargs, grad, tol, tensors)


def as_tensors(K, value):
    if isinstance(value, tuple):
        return tuple(as_tensors(K, v) for v in value)
    return K.ops.convert_to_tensor(value) if isinstance(value, np.ndarray) else value


def function_of(K, path):
    """The function at a place of the namespace; or what a case makes of the library, where one call does not say it."""
    if callable(path):
        return path(K)
    found = K
    for part in path.split("."):
        found = getattr(found, part)
    return found


def leaves(value):
    """Arrays of an answer in order; None is left out."""
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in leaves(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in leaves(item)]
    return [] if value is None else [value]


def is_float(value):
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def weighted_sum(K, outputs):
    """A scalar that every element of every float output moves, each by its own amount."""
    total = 0.0
    for i, out in enumerate(outputs):
        if "float" in str(K.backend.standardize_dtype(out.dtype) if K.__name__ == "keras" else out.dtype):
            total = total + K.ops.sum(K.ops.multiply(out, uniform(900 + i, tuple(out.shape))))
    return total


def gradients(K, call):
    """Gradients of `weighted_sum` with respect to the float arrays among the positional arguments."""
    function, places = function_of(K, call.path), [i for i, a in enumerate(call.args) if is_float(a)]

    def scalar(*inputs):
        args = list(call.args)
        for place, value in zip(places, inputs, strict=True):
            args[place] = value
        return weighted_sum(K, leaves(function(*args, **call.kwargs)))

    inputs = [call.args[i] for i in places]
    if K.__name__ == "pyml":
        return K.grad(lambda all_of_them: scalar(*all_of_them))(inputs)  # in one argument, those without a gradient have zeros
    import torch

    tensors = [torch.tensor(a, requires_grad=True) for a in inputs]
    found = torch.autograd.grad(scalar(*tensors), tensors, allow_unused=True)
    return [(torch.zeros_like(t) if g is None else g).detach() for g, t in zip(found, tensors, strict=True)]


def run(K, call):
    """`out`, `dtype` and `grad`: a list of each, in the order of the answer and of the arguments."""
    args = as_tensors(K, call.args) if call.tensors else call.args
    if K.__name__ == "keras" and call.path in ("ops.fold", "ops.unfold"):     # which on PyTorch refuse arrays
        args = [K.ops.convert_to_tensor(a) if is_float(a) else a for a in args]
    outputs = leaves(function_of(K, call.path)(*args, **call.kwargs))
    found = gradients(K, call) if call.grad and any(is_float(a) for a in call.args) else None
    if K.__name__ == "pyml":
        compute([*outputs, *(found or [])])
    values = [np.asarray(K.ops.convert_to_numpy(out)) if hasattr(out, "dtype") else np.asarray(out) for out in outputs]
    answer = {"out": values, "dtype": [v.dtype.name for v in values], "shape": [list(v.shape) for v in values]}
    answer["out"] = [np.stack([v.real, v.imag], -1) if v.dtype.kind == "c" else v for v in values]
    if found is not None:
        answer["grad"] = [g.numpy() for g in found]
    return answer


def compute(tensors):
    """All of them in one plan, where each alone would repeat what they have in common."""
    from pyml import config
    from pyml.compile.program import realize

    realize([t._node for t in tensors if hasattr(t, "_node")], config.device())


def families():
    """Family -> name -> `Call`, from the files of the folder."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"op_goldens_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found[path.stem] = module.CASES
    return found
