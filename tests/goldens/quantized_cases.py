"""Quantizers, quantized layers and low-rank adapters, written once and run with Keras and with pyml; see keras_cases.py."""

import numpy as np
from keras_cases import fill, floats, numbers


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


# ---- layers
def built(K, layer, shape, seed):
    """A layer with weights from a seed."""
    layer.build(shape)
    generator = np.random.RandomState(seed)
    layer.set_weights([np.float32(generator.standard_normal(w.shape) * 0.4) for w in layer.get_weights()])
    return layer


def stored(K, layer):
    store = {}
    layer.save_own_variables(store)
    return {key: numbers(K.ops.convert_to_numpy(value)) for key, value in store.items()}


def described(K, layer, x):
    """Outputs, the gradient of the inputs, weights, their dtypes and names, and what a file has."""
    found = {"output": host(K, layer(x)), "policy": layer.dtype_policy.name}
    if x.dtype == np.float32:
        found["gradient"] = gradients(K, lambda x: K.ops.tanh(layer(x)), (x,))
    found["weights"] = [[w.name, str(w.dtype), list(w.shape), host(K, w)] for w in layer.weights]
    return found


def configs(K):
    Q = K.quantizers
    return {"int8": ("int8", None), "int8 weights": (None, Q.Int8QuantizationConfig(activation_quantizer=None)),
            "int4": ("int4", None), "int4 blocks": (None, Q.Int4QuantizationConfig(block_size=4)),
            "int4 columns": (None, Q.Int4QuantizationConfig(block_size=None)),
            "int4 activations": (None, Q.Int4QuantizationConfig(activation_quantizer=Q.AbsMaxQuantizer(), block_size=-1))}


def with_adapter(K, layer, seed, **kwargs):
    """An adapter with weights from a seed."""
    layer.enable_lora(2, **kwargs)
    thin = [w for w in layer.weights if w.name.startswith("lora")]
    for i, w in enumerate(thin):
        w.assign(floats(seed + i, *w.shape) * 0.3)
    return layer


def quantized(K, make, shape, x, names=None, adapter=True):
    """A layer in every mode, without and with an adapter."""
    found = {}
    for name, (mode, config) in configs(K).items():
        if names is None or name in names:
            layer = built(K, make(), shape, 7)
            layer.quantize(mode, config=config)
            found[name] = described(K, layer, x)
            if adapter:
                with_adapter(K, layer, 9, lora_alpha=3)
                found[name + ", adapter"] = [host(K, layer(x)), stored(K, layer)]
    return found


def quantized_dense(K):
    make = lambda: K.layers.Dense(8, activation="tanh")
    return quantized(K, make, (None, 12), floats(11, 5, 12)) | {
        "odd": quantized(K, lambda: K.layers.Dense(5, use_bias=False), (None, 3, 7), floats(12, 2, 3, 7), ("int8", "int4 blocks"))}


def quantized_einsum(K):
    L = K.layers
    plain = lambda: L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 4), bias_axes="de")
    summed = lambda: L.EinsumDense("btnh,nhd->btd", output_shape=(None, 6))
    odd = lambda: L.EinsumDense("abx,xy->aby", output_shape=(None, 5), activation="relu")
    crossed = lambda: L.EinsumDense("abc,dc->abd", output_shape=(None, 3))
    return {"plain": quantized(K, plain, (None, 3, 6), floats(13, 2, 3, 6)),
            "summed": quantized(K, summed, (None, 3, 2, 4), floats(14, 2, 3, 2, 4), ("int8", "int4 blocks")),
            "odd": quantized(K, odd, (None, 3, 7), floats(15, 2, 3, 7), ("int8", "int4 blocks")),
            "crossed": quantized(K, crossed, (None, 3, 7), floats(16, 2, 3, 7), ("int8", "int4 columns"), False)}


def quantized_embedding(K):
    x = np.array([[0, 3, 1], [5, 5, 2]], "int32")
    names = ("int8", "int4", "int4 blocks", "int4 columns")
    return {str(n): quantized(K, lambda n=n: K.layers.Embedding(6, n), None, x, names) for n in (5, 8)}


def adapters(K):
    L = K.layers
    found = {}
    for name, layer, x in (
        ("Dense", L.Dense(3, activation="tanh"), floats(17, 4, 5)),
        ("EinsumDense", L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="e"), floats(18, 2, 3, 4)),
        ("Embedding", L.Embedding(5, 4), np.array([[0, 3, 1], [4, 4, 2]], "int32")),
        ("Conv1D", L.Conv1D(3, 2), floats(19, 2, 6, 4)),
        ("Conv2D", L.Conv2D(4, 2, strides=2), floats(20, 2, 5, 5, 3)),
        ("Conv3D", L.Conv3D(2, 2), floats(21, 1, 3, 3, 3, 2)),
    ):
        with_adapter(K, built(K, layer, (None, *x.shape[1:]), 22), 23, lora_alpha=5)
        config = layer.get_config()
        found[name] = [host(K, layer(x)), [w.name for w in layer.trainable_weights], [w.name for w in layer.non_trainable_weights],
                       stored(K, layer), config["lora_rank"], config["lora_alpha"]]
    model = K.Sequential([K.Input((4,)), L.Dense(6, activation="tanh"), L.Dense(3)])
    fill(model, 24)
    for layer in model.layers:
        with_adapter(K, layer, 26)
    model.compile(K.optimizers.SGD(0.1), "mse")
    x, y = floats(27, 8, 4), floats(28, 8, 3)
    found["losses"] = [float(model.train_on_batch(x, y)) for _ in range(3)]
    found["trained"] = [[w.name, host(K, w)] for w in model.weights]
    return found


def reversible(K):
    """The way back, tied and not, in every mode."""
    x = floats(31, 2, 3, 12)
    found = {}
    for tied, cap in ((True, 3.0), (False, None)):
        def make(tied=tied, cap=cap):
            layer = K.layers.ReversibleEmbedding(5, 12, tie_weights=tied, logit_soft_cap=cap)
            layer.build()
            generator = np.random.RandomState(32)
            layer.set_weights([np.float32(generator.standard_normal(w.shape) * 0.4) for w in layer.get_weights()])
            return layer

        layer = make()
        found[f"{tied}"] = [host(K, layer(x, reverse=True)), host(K, layer(np.array([[1, 4]], "int32"))), [w.name for w in layer.weights]]
        for name, (mode, config) in configs(K).items():
            layer = make()
            layer.quantize(mode, config=config)
            found[f"{tied} {name}"] = [host(K, layer(x, reverse=True)), host(K, layer(np.array([[1, 4]], "int32"))), stored(K, layer)]
    return found


def grouped_attention(K):
    L = K.layers
    query, value = floats(33, 2, 5, 6), floats(34, 2, 4, 6)
    allowed = floats(35, 2, 5, 4) > -0.5
    found = {}
    for name, kwargs in {"plain": {}, "gate": {"use_gate": True, "use_bias": False}, "window": {"sliding_window": 2}}.items():
        layer = L.GroupQueryAttention(3, 4, 2, **kwargs)
        layer.build(query.shape, value.shape)
        generator = np.random.RandomState(36)
        layer.set_weights([np.float32(generator.standard_normal(w.shape) * 0.4) for w in layer.get_weights()])
        output, scores = layer(query, value, return_attention_scores=True)
        found[name] = [host(K, output), host(K, scores), host(K, layer(query, value, attention_mask=allowed)),
                       host(K, layer(query, query, use_causal_mask=True)),
                       gradients(K, lambda q, v, f=layer: K.ops.tanh(f(q, v)), (query, value)),
                       [[w.name, list(w.shape)] for w in layer.weights]]
    return found


def spectral(K):
    L = K.layers
    found = {}
    for name, inner, x in (("Dense", L.Dense(3), floats(37, 4, 5)), ("Conv2D", L.Conv2D(2, 2), floats(38, 2, 4, 4, 3))):
        model = K.Sequential([K.Input(x.shape[1:]), L.SpectralNormalization(inner, power_iterations=2)])
        fill(model, 39)
        first = host(K, model(x))
        model.compile(K.optimizers.SGD(0.1), "mse")
        losses = [float(model.train_on_batch(x, floats(40, *np.shape(first)))) for _ in range(3)]
        found[name] = [first, losses, {w.name: host(K, w) for w in model.weights}, [w.name for w in model.trainable_weights]]
    return found


CASES = [quantizers, fake_quant, quantized_dense, quantized_einsum, quantized_embedding, adapters, reversible, grouped_attention, spectral]
