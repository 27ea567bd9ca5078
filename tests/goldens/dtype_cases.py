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
    i0 deg2rad leaky_relu elu bitwise_not isneginf"""
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
}


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
