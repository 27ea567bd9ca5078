"""The dtype of the result of each op for each dtype of its operands, of `K` (keras or pyml): `make_with_keras.py dtypes` freezes Keras'.

A string holds one letter a cell (`LETTERS`, "-" where the call is refused): a row for an op of one tensor; for one of two operands the
table of `pairs()`, where `Bool`, `Int` and `Float` are numbers of Python.
"""

import itertools

import numpy as np

DTYPES = ["bool", "uint8", "uint16", "uint32", "int8", "int16", "int32", "bfloat16", "float16", "float32"]
NUMBERS = {"Bool": True, "Int": 2, "Float": 2.0}
LETTERS = dict(zip([*DTYPES, "int64", "float64", "complex64", "error"], "bcdeijkfghKHZ-", strict=True))
ONE_NAMES = """\
    abs arccos arccosh arcsin arcsinh arctan arctanh ceil conj copy cos cosh exp exp2 expm1 floor imag real isfinite isinf isnan log
    log10 log1p log2 logical_not negative reciprocal round sign sin sinh sqrt square tan tanh trunc sigmoid relu gelu silu softplus rsqrt
    erf erfinv logsumexp softmax log_softmax ravel transpose flip zeros_like ones_like cumsum cumprod sum prod mean std var max min argmax
    argmin any all count_nonzero median sort argsort diff nan_to_num nansum nanmean nanmax isreal squeeze diag trace tril triu sinc signbit
    i0 deg2rad leaky_relu elu bitwise_not isneginf absolute amax amin angle cbrt celu conjugate diagflat diagonal fabs erfc fliplr
    hard_sigmoid hard_silu hard_tanh isposinf log_sigmoid nancumprod nancumsum nanmedian nanmin nanprod nanstd nanvar nanargmax ptp
    rad2deg relu6 rot90 selu softsign sparsemax squareplus stop_gradient tanh_shrink trapezoid normalize layer_normalization
    rms_normalization det array_split broadcast_to expand_dims one_hot multi_hot full pad quantile repeat reshape roll scatter
    segment_sum segment_max segment_min segment_prod select slice split swapaxes take tile top_k unstack moments max_pool average_pool
    conv batch_normalization glu isin fori_loop scan map"""
TWO_NAMES = """\
    add subtract multiply divide true_divide floor_divide power mod maximum minimum arctan2 equal not_equal less less_equal greater
    greater_equal logical_and logical_or logical_xor matmul dot outer inner tensordot kron hypot logaddexp bitwise_and bitwise_or
    bitwise_xor left_shift right_shift concatenate stack append where isclose heaviside ldexp gcd lcm correlate vdot cross divide_no_nan
    full_like clip linspace arange average digitize searchsorted nextafter fmod"""
ONE, TWO = ONE_NAMES.split(), TWO_NAMES.split()
SHAPES = {"cross": (3, 3), "correlate": (4,), "vdot": (4,), "digitize": (4,), "searchsorted": (4,)}
CALLS = {
    "concatenate": lambda ops, a, b: ops.concatenate([a, b]),
    "stack": lambda ops, a, b: ops.stack([a, b]),
    "where": lambda ops, a, b: ops.where(ops.equal(a, a), a, b),
    "clip": lambda ops, a, b: ops.clip(a, b, b),
    "average": lambda ops, a, b: ops.average(a, weights=b),
    "arange": lambda ops, a, b: ops.arange(0, a, b),
    "layer_normalization": lambda ops, a: ops.layer_normalization(a, gamma=np.ones(2, "float32")),
    "rms_normalization": lambda ops, a: ops.rms_normalization(a, scale=np.ones(2, "float32")),
    "array_split": lambda ops, a: ops.array_split(a, 2),
    "broadcast_to": lambda ops, a: ops.broadcast_to(a, (3, 2, 2)),
    "expand_dims": lambda ops, a: ops.expand_dims(a, 0),
    "one_hot": lambda ops, a: ops.one_hot(a, 2),
    "multi_hot": lambda ops, a: ops.multi_hot(a, 2),
    "full": lambda ops, a: ops.full((2, 2), a),
    "pad": lambda ops, a: ops.pad(a, ((1, 0), (0, 1))),
    "quantile": lambda ops, a: ops.quantile(a, 0.5),
    "repeat": lambda ops, a: ops.repeat(a, 2),
    "reshape": lambda ops, a: ops.reshape(a, (4,)),
    "roll": lambda ops, a: ops.roll(a, 1),
    "scatter": lambda ops, a: ops.scatter(np.array([[0], [2]]), a, (3, 2)),
    **{f"segment_{name}": lambda ops, a, name=name: getattr(ops, f"segment_{name}")(a, np.array([0, 1]), 2)
       for name in ("sum", "max", "min", "prod")},
    "select": lambda ops, a: ops.select([ops.equal(a, a)], [a], 0),
    "slice": lambda ops, a: ops.slice(a, (0, 0), (1, 2)),
    "split": lambda ops, a: ops.split(a, 2),
    "swapaxes": lambda ops, a: ops.swapaxes(a, 0, 1),
    "take": lambda ops, a: ops.take(a, np.array([1, 0]), axis=0),
    "tile": lambda ops, a: ops.tile(a, 2),
    "top_k": lambda ops, a: ops.top_k(a, 1),
    "moments": lambda ops, a: ops.moments(a, axes=[0]),
    "max_pool": lambda ops, a: ops.max_pool(ops.reshape(a, (1, 2, 2, 1)), 2),
    "average_pool": lambda ops, a: ops.average_pool(ops.reshape(a, (1, 2, 2, 1)), 2),
    "conv": lambda ops, a: ops.conv(ops.reshape(a, (1, 2, 2, 1)), ops.reshape(a, (2, 2, 1, 1))),
    "batch_normalization": lambda ops, a: ops.batch_normalization(a, np.zeros(2, "float32"), np.ones(2, "float32"), -1),
    "isin": lambda ops, a: ops.isin(a, np.array([1, 2])),
    "fori_loop": lambda ops, a: ops.fori_loop(0, 2, lambda i, x: ops.maximum(x, i), a),
    "scan": lambda ops, a: ops.scan(lambda carry, x: (ops.maximum(carry, x), ops.sum(x)), a[0], a),
    "map": lambda ops, a: ops.map(ops.sum, a),
}  # fmt: skip


def pairs():
    """The cells of an op of two operands; two numbers of Python have no dtype to keep."""
    names = [*DTYPES, *NUMBERS]
    return [pair for pair in itertools.product(names, repeat=2) if not set(pair) <= set(NUMBERS)]


def cells(name):
    return [(dtype,) for dtype in DTYPES] if name in ONE else pairs()


def result_of(K, name, cell, symbolic=False):
    """What an op gives in one cell, None where the library refuses the call."""
    shape = SHAPES.get(name, (2, 2))

    def operand(dtype):
        if dtype in NUMBERS:
            return NUMBERS[dtype]
        return K.KerasTensor(shape, dtype) if symbolic else K.ops.cast(np.ones(shape, "float32"), dtype)

    try:
        operands = [operand(dtype) for dtype in cell]
        return CALLS[name](K.ops, *operands) if name in CALLS else getattr(K.ops, name)(*operands)
    except Exception:  # libraries refuse with many classes
        return None


def dtype_of(K, name, cell, symbolic=False):
    """The dtype of one cell, "error" where the library refuses the call."""
    result = result_of(K, name, cell, symbolic)
    if result is None:
        return "error"
    return K.backend.standardize_dtype((result[0] if isinstance(result, list | tuple) else result).dtype)


def table(K, name):
    """Letters of all cells, of symbolic tensors and, where any differs, of real ones."""
    found = ["".join(LETTERS[dtype_of(K, name, cell, symbolic)] for cell in cells(name)) for symbolic in (True, False)]
    return found[0] if found[0] == found[1] else {"symbolic": found[0], "eager": found[1]}


def result_types(K):
    """Keras' table of promotion itself."""
    names = [*DTYPES, int, float]
    return {f"{getattr(a, '__name__', a)},{getattr(b, '__name__', b)}": K.backend.result_type(a, b) for a in names for b in names}


def all_cases():
    return {name: lambda K, name=name: table(K, name) for name in [*ONE, *TWO]} | {"result_type": result_types}
