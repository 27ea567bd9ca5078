"""What Keras gives for the samples that ops declare beside themselves: `make_with_keras.py op_samples` freezes it, `test_ops.py` compares.

Of an array of few numbers all are kept, of a longer one eight sums of them with fixed weights, which every number moves.
The generator imports pyml for the samples alone; no number of the file is pyml's.
"""

from __future__ import annotations

import importlib
import pkgutil
import warnings

import numpy as np
from golden_cases import uniform

FEW = 12
HOMES = ("ops", "ops.image", "ops.linalg")
# Samples for which there is no number of Keras on PyTorch that pyml should give: why -> "op-number" of each.
WITHOUT = {
    "Keras on PyTorch refuses what its documentation, or numpy, allows": """
        array_split-3 average-4 bincount-4 bincount-5 cross-1 cross-3 dot_product_attention-2 empty-1 full-1 geomspace-2 get_item-3
        histogram-5 imag-0 linspace-2 linspace-3 logspace-2 nanquantile-8 quantile-8 repeat-2 size-1 solve_triangular-2
        take_along_axis-3 unique-1 unique-2 unique-3 vdot-1 view_as_real-1""",
    "Keras on PyTorch gives another shape or other numbers than numpy, whose the documentation says they are": """
        average-2 correlate-4 get_item-7 max-6 min-6 pad-2 pad-3 heaviside-1 nextafter-0""",
    "what stands in memory that nobody wrote is no number to compare": "empty-0 empty_like-0 empty_like-1",
    "determined but for the sign of vectors or the order of equal ones; goldens/ops/linalg.py and sorting.py compare what is": """
        eigh-0 svd-0 svd-1 top_k-2 top_k-4 top_k-5 argpartition-0 argpartition-1""",
    "Keras on PyTorch takes a data_format of None for channels_first; goldens/ops/image_color.py names the layout": """
        gaussian_blur-0 gaussian_blur-1 gaussian_blur-2""",
    "Keras on PyTorch multiplies the number of a channel by the last two numbers of a transform, which are for projections": """
        affine_transform-0 affine_transform-1""",
    "Keras on PyTorch adds up the running sums of sorted numbers wrongly; goldens/ops/nn_other.py says more": """
        sparsemax-0 sparsemax-1 sparsemax-2""",
    "places of non-zero numbers are a tuple as in numpy, JAX and TensorFlow, one tensor on PyTorch": "nonzero-0 nonzero-1 nonzero-2",
    "Keras on PyTorch keeps uint16 and uint32 in longer integers, and views those": "view-0 view-3 view-5",
}
# Samples whose gradients on PyTorch are not those of finite differences: by the half of a matrix that is not read, and by an
# update that a later one of the same place overwrites.
OTHER_GRADIENTS = ("cholesky_inverse-0", "cholesky_inverse-1", "scatter_update-0")
REASONS = {key: why for why, keys in WITHOUT.items() for key in keys.split()}
# Samples whose arrays have zeros or a gradient here and none on PyTorch: why -> "op-number" of each.
OTHER_SLOPES = {
    "nothing of the array is in the result: zeros, as docs/gradients.md says": """
        argsort-3 argsort-4 digitize-2 full_like-0 histogram-3 is_tensor-0 isreal-0 ndim-0 ones_like-0
        searchsorted-3 shape-0 size-0 zeros_like-0""",
    "the user wants zeros": "stop_gradient-0",
    "the edges are made of the least and the largest number": "histogram-0 histogram-1",
}


def declared():
    """The ops of pyml by name, those too that load when first touched."""
    ops = importlib.import_module("pyml.ops")
    for _, file, _ in pkgutil.iter_modules(ops.__path__):
        importlib.import_module(f"pyml.ops.{file}")
    return importlib.import_module("pyml.ops.declare").DECLARED


def mapped(fn, value):
    """`fn` on every Draw of nested arguments."""
    if type(value).__name__ == "Draw":
        return fn(value)
    if isinstance(value, dict):
        return {k: mapped(fn, v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(mapped(fn, v) for v in value)
    return value


def draws(sample):
    """The Draws among the arguments, in order."""
    found = []
    mapped(found.append, (sample.args, sample.kwargs))
    return found


def drawn(sample):
    """An array for each Draw."""
    rng = np.random.default_rng(5)

    def make(d):
        if d.dtype == "float32":
            return rng.uniform(d.low, d.high, d.shape).astype(np.float32)
        return rng.integers(int(d.low), int(d.high), d.shape).astype(d.dtype)

    return [make(d) for d in draws(sample)]


def called(fn, sample, values):
    """`fn` with `values` in the places of the sample's Draws."""
    rest = iter(values)
    args, kwargs = mapped(lambda d: next(rest), (tuple(sample.args), sample.kwargs))
    return fn(*args, **kwargs)


def results(value):
    """All results of a call in order."""
    return [r for v in value for r in results(v)] if isinstance(value, list | tuple) else [value]


def weights(outputs):
    """A fixed weight for every element of the float results, so that their weighted sum has every derivative in it."""
    rng = np.random.default_rng(3)
    return [rng.uniform(0.5, 1.5, o.shape).astype(np.float32) if o.dtype.kind == "f" else None for o in outputs]


def moves(op, sample):
    """The places of the arrays by which a sample has a gradient."""
    return [i for i, d in enumerate(draws(sample)) if d.dtype == "float32"] if op.gradient else []


def told(array):
    """The numbers of an array, or what stands for them."""
    flat = np.asarray(array).reshape(-1)
    flat = np.stack([flat.real, flat.imag], -1).reshape(-1) if flat.dtype.kind == "c" else flat
    if flat.size <= FEW:
        return [str(v) if isinstance(v, float) and not np.isfinite(v) else v for v in flat.tolist()]
    flat = np.nan_to_num(flat.astype(np.float64), nan=7.0, posinf=9.0, neginf=-9.0)
    return (uniform(flat.size, (8, flat.size)).astype(np.float64) @ flat).tolist()


def answer(arrays):
    return {"dtype": [a.dtype.name for a in arrays], "shape": [list(a.shape) for a in arrays], "out": [told(a) for a in arrays]}


def assert_same(name, got, want, tolerance):
    """Arrays beside what was frozen; 64-bit dtypes are 32-bit ones."""
    short = {"int64": "int32", "float64": "float32", "uint64": "uint32", "complex128": "complex64"}
    assert [list(g.shape) for g in got] == want["shape"], name
    assert [short.get(g.dtype.name, g.dtype.name) for g in got] == [short.get(d, d) for d in want["dtype"]], name
    compare(name, got, want["out"], tolerance)


def compare(name, got, want, tolerance):
    for g, w in zip(got, want, strict=True):
        w = np.array(w, np.float64)
        scale = max(1.0, np.abs(w[np.isfinite(w)]).max(initial=0)) + (np.abs(np.nan_to_num(g)).max() * g.size**0.5 if g.size > FEW else 0)
        np.testing.assert_allclose(np.array(told(g), np.float64), w, rtol=tolerance, atol=tolerance * scale, err_msg=f"{name} beside Keras")


def flat_samples():
    """"op-number" -> op and sample, of those whose gradients by some array no finite differences show."""
    return {f"{op.name}-{i}": (op, s) for op in declared().values() for i, s in enumerate(op.samples)
            if not op.gradient and any(d.dtype == "float32" for d in draws(s))}


def slopes(op, sample, slope):
    """For each array of floats "g" for a gradient, "0" for zeros, "-" for none; `slope(call, array, weights)` finds it."""
    letters = ""
    for place in (i for i, d in enumerate(draws(sample)) if d.dtype == "float32"):
        def call(function, x, place=place):
            return results(called(function, sample, [x if i == place else a for i, a in enumerate(drawn(sample))]))

        found = slope(call, drawn(sample)[place], lambda shape: np.random.default_rng(3).uniform(0.5, 1.5, shape).astype(np.float32))
        letters += "-" if found is None else "g" if np.any(found) else "0"
    return letters


# ---- with Keras itself
def of_keras(K, name):
    """Keras' function of a name, None where it has none."""
    for home in HOMES:
        module = K
        for part in home.split("."):
            module = getattr(module, part)
        if hasattr(module, name):
            return getattr(module, name)
    return None


def as_tensors(K, value):
    """Arrays and lists of numbers as tensors, for functions of Keras' that take nothing else."""
    if isinstance(value, np.ndarray) or (type(value) is list and value and all(type(v) in (int, float) for v in value)):
        return K.ops.convert_to_tensor(value)
    return type(value)(as_tensors(K, v) for v in value) if type(value) in (list, tuple) else value


def run(K, op, sample):
    """Results and gradients of Keras on PyTorch; without gradients where it changes values in place that they need."""
    number = next(i for i, s in enumerate(op.samples) if s is sample)
    places = [] if f"{op.name}-{number}" in OTHER_GRADIENTS else moves(op, sample)
    function = of_keras(K, op.name)
    for form in (function, lambda *args, **kwargs: function(*as_tensors(K, args), **kwargs)):
        for moving in (places, []):
            try:
                return once(K, form, sample, moving)
            except Exception as error:
                wrong = error
    raise wrong


def once(K, function, sample, places):
    """One call with arrays of its own, since Keras on PyTorch changes some."""
    import torch

    values = [torch.tensor(a, requires_grad=i in places) for i, a in enumerate(drawn(sample))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = [o for o in results(called(function, sample, values)) if o is not None]
        arrays = [np.asarray(K.ops.convert_to_numpy(o)) if hasattr(o, "dtype") else np.asarray(o) for o in outputs]
        found = answer(arrays)
        parts = [(o * torch.tensor(s)).sum() for o, s in zip(outputs, weights(arrays), strict=True) if places and s is not None]
        if any(p.requires_grad for p in parts):
            inputs = [values[i] for i in places]
            slopes = torch.autograd.grad(sum(parts), inputs, allow_unused=True)
            found["grad"] = [told((torch.zeros_like(v) if g is None else g).numpy()) for g, v in zip(slopes, inputs, strict=True)]
    return found


def slope_of_keras(K, name):
    """The `slope` of `slopes` on PyTorch."""
    import torch

    def slope(call, array, weight):
        x = torch.tensor(array, requires_grad=True)
        try:
            outputs = [o for o in call(of_keras(K, name), x) if isinstance(o, torch.Tensor)]
            outputs = [torch.view_as_real(o) if o.is_complex() else o.to(torch.float32) for o in outputs]
            parts = [(o * torch.tensor(weight(o.shape))).sum() for o in outputs if o.requires_grad]
            (found,) = torch.autograd.grad(sum(parts), [x], allow_unused=True)
        except (RuntimeError, TypeError, AttributeError):  # PyTorch's way of saying that there is none
            return None
        return None if found is None else found.numpy()

    return slope


def slope_cases(K):
    """What `make_with_keras.py op_slopes` freezes."""
    return {key: lambda K, op=op, s=s: slopes(op, s, slope_of_keras(K, op.name)) for key, (op, s) in flat_samples().items()
            if of_keras(K, op.name) and key not in REASONS}


def cases(K):
    """"op-number" -> what `make_with_keras.py` runs, of every sample of an op that Keras has."""
    return {f"{op.name}-{i}": lambda K, op=op, s=s: run(K, op, s) for op in declared().values() if of_keras(K, op.name)
            for i, s in enumerate(op.samples) if f"{op.name}-{i}" not in REASONS}
