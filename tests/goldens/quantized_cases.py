"""Quantizers, quantized layers and low-rank adapters, written once and run with Keras and with pyml; see keras_cases.py."""

import numpy as np
from keras_cases import floats, numbers


def host(K, x):
    return numbers(K.ops.convert_to_numpy(x))


def gradients(K, f, values):
    """The gradients of the sum of `f(*values)`, on either library."""
    if hasattr(K, "value_and_grads"):
        return [host(K, g) for g in K.grad(lambda *v: f(*v).sum(), tuple(range(len(values))))(*values)]
    import torch

    tensors = [torch.tensor(v, requires_grad=True) for v in values]
    f(*tensors).sum().backward()
    return [host(K, t.grad) for t in tensors]


def quantizers(K):
    Q = K.quantizers
    x = floats(1, 7, 5)
    found = {}
    for axis in (0, -1, (0, 1)):
        for to_numpy in (False, True):
            numbers_, scale = Q.abs_max_quantize(x, axis, to_numpy=to_numpy)
            found[f"abs_max {axis} {to_numpy}"] = [host(K, numbers_), host(K, scale), str(numbers_.dtype)[-4:]]
            numbers_, scale = Q.AbsMaxQuantizer(axis, value_range=(-8, 7))(x, to_numpy=to_numpy)
            found[f"AbsMaxQuantizer {axis} {to_numpy}"] = [host(K, numbers_), host(K, scale)]
    for block in (3, 7, 9):
        for to_numpy in (False, True):
            parts = Q.abs_max_quantize_grouped_with_zero_point(x + 0.3, block, to_numpy=to_numpy)
            found[f"grouped {block} {to_numpy}"] = [host(K, part) for part in parts]
    packed, shape, rows = Q.pack_int4((np.arange(35).reshape(7, 5) % 16 - 8).astype("int8"), axis=1)
    found["pack_int4"] = [host(K, packed), list(shape), rows, host(K, Q.unpack_int4(packed, rows, axis=1))]
    packed, shape, rows = Q.pack_int4((np.arange(35).reshape(7, 5) % 16).astype("uint8"), dtype="uint8")
    found["pack_int4 unsigned"] = [host(K, packed), list(shape), rows, host(K, Q.unpack_int4(packed, rows, dtype="uint8"))]
    wide = np.concatenate([floats(2, 40) * 600, floats(3, 40) * 0.02, [0.0, -0.0, 448.0, 1e-9, 17.0, 19.0, 0.001953125, 60000.0]])
    for kind in ("float8_e4m3fn", "float8_e5m2"):
        found[kind] = host(K, Q.quantize_and_dequantize(wide.astype("float32"), np.float32(1.5), kind, "float32"))
    found["scale"] = [host(K, Q.compute_float8_scale(K.ops.convert_to_tensor(np.float32(a)), np.float32(2), np.float32(448), margin=1))
                      for a in (3.0, 0.0, np.inf)]
    found["history"] = host(K, Q.compute_float8_amax_history(x, K.ops.convert_to_tensor(floats(4, 5))))
    return found


def fake_quant(K):
    x = floats(5, 4, 3) * 4
    low, high = np.array([-1.5, -0.1, -3.0], "float32"), np.array([1.0, 2.0, 0.5], "float32")
    found = {}
    for bits, narrow in ((8, False), (3, True)):
        for name, least, most, axis in (("one", low[:1], high[:1], None), ("channels", low, high, 1)):
            def run(x, least, most, bits=bits, narrow=narrow, axis=axis):
                return K.quantizers.fake_quant_with_min_max_vars(x, least, most, num_bits=bits, narrow_range=narrow, axis=axis)

            found[f"{name} {bits} {narrow}"] = [host(K, run(x, least, most)), gradients(K, run, (x, least, most))]
    return found


CASES = [quantizers, fake_quant]
