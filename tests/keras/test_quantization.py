"""Quantizers, quantized layers and low-rank adapters beside Keras' numbers, and what they take of the device's memory."""

import json
from pathlib import Path

import numpy as np
import pytest
import quantized_cases as cases
from test_goldens_of_keras import assert_same
from test_kernels import run

import pyml
from benchmarks import quantized as table
from pyml.core.tensor import Tensor, as_node
from pyml.device.wasm import WasmDevice, profile_of
from pyml.graph.prims.packed import PACKED, packed_matmul

GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_quantized_numbers_are_those_of_keras(case, device):
    assert_same(case(pyml), GOLDENS[case.__name__], 2e-5)


def test_a_quantizer_survives_its_config():
    quantizer = pyml.quantizers.AbsMaxQuantizer(axis=0, value_range=(-8, 7), epsilon=1e-3)
    again = pyml.quantizers.get(json.loads(json.dumps(pyml.quantizers.serialize(quantizer))))
    assert again.value_range == (-8, 7) and again.axis == (0,) and again.epsilon == 1e-3


@pytest.mark.parametrize("mode, config, words", [
    ("int9", None, "Invalid quantization mode"), (None, None, "mode such as"), ("gptq", None, "GPTQConfig"),
    ("int8", 3, "QuantizationConfig"), ("int8", "int4", None), ("int8", pyml.quantizers.Int4QuantizationConfig(), "Contradictory"),
])  # fmt: skip
def test_a_mode_and_its_config_are_checked_together(mode, config, words):
    from pyml.quantizers.configs import resolved

    if words is None:
        assert resolved(mode, config).mode == config
    else:
        with pytest.raises(ValueError, match=words):
            resolved(mode, config)


def held(make):
    """What `make()` returns, and the bytes of the device's buffers that it takes."""
    import gc

    gc.collect()
    device = pyml.config.device()
    before = device.live_bytes
    made = make()
    gc.collect()
    return made, device.live_bytes - before


def test_a_config_gives_its_quantizers_and_else_the_default():
    weights, config = pyml.quantizers.AbsMaxQuantizer(axis=0), pyml.quantizers.Int8QuantizationConfig
    of_weights, of_activations = config.weight_quantizer_or_default, config.activation_quantizer_or_default
    assert (of_weights(None, "default"), of_activations(None, "default")) == ("default", "default")
    assert of_weights(config(weight_quantizer=weights), "default") is weights
    assert of_activations(config(activation_quantizer=None), "default") is None


def test_a_quantized_layer_takes_a_quarter_or_an_eighth_of_the_memory(cpu):
    def layer(mode):
        made = pyml.layers.Dense(256, use_bias=False)
        made.build((None, 512))
        if mode:
            made.quantize(mode, config=None)
        for weight in made.weights:
            weight.held.settle()
        return made

    sizes = {mode: held(lambda mode=mode: layer(mode)) for mode in (None, "int8", "int4")}
    floats = sizes[None][1]
    assert floats >= 4 * 512 * 256
    assert sizes["int8"][1] <= floats * 0.26 and sizes["int4"][1] <= floats * 0.16  # scales and zero points of blocks are in it


def test_a_prediction_holds_no_floats_of_a_quantized_weight(cpu):
    model = pyml.Sequential([pyml.Input((512,)), pyml.layers.Dense(256), pyml.layers.Dense(512)])
    x = np.ones((2, 512), np.float32)
    model.predict(x, verbose=0)
    model.quantize("int8")
    _, more = held(lambda: model.predict(x, verbose=0))
    assert more < 4 * 512 * 64


def test_a_quantized_model_predicts_nearly_what_it_did(device):
    pyml.utils.set_random_seed(0)
    model = pyml.Sequential([pyml.Input((40,)), pyml.layers.Dense(24, activation="relu"), pyml.layers.Dense(3)])
    x = np.random.default_rng(0).uniform(-1, 1, (16, 40)).astype(np.float32)
    before = model.predict(x, verbose=0)
    model.quantize("int8", filters="dense")
    after = model.predict(x, verbose=0)
    assert 0 < np.abs(after - before).max() < 0.02 * np.abs(before).max()


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("bits", [8, 4])
def test_sums_of_whole_numbers_are_exact_however_long(bits, rows, device):
    rng = np.random.default_rng(bits)
    x = rng.integers(100, 128, (rows, 2500)).astype(np.float32)  # sums above 2^24, where float32 would round
    words = rng.integers(-(2**31), 2**31, (2500, bits // 4)).astype(np.int32)
    numbers = PACKED.numpy(np.eye(2500, dtype=np.float32), words, n=8, bits=bits, tb=False, first=0, splits=1, exact=False)
    got = Tensor(packed_matmul(as_node(x), as_node(words), 8, bits, exact=True)).numpy()
    np.testing.assert_array_equal(got, (x.astype(np.int64) @ numbers.astype(np.int64)).astype(np.float32))


@pytest.mark.parametrize("transposed", [False, True], ids=["rows", "transposed"])
@pytest.mark.parametrize("bits", [8, 4])
def test_a_core_multiplies_whole_numbers_as_such(bits, transposed, wasm):
    rng = np.random.default_rng(bits)
    shapes = [(1, 4, 3, 0), (1, 16, 3, 0), (1, 48, 34, 8), (1, 32, 35, 0), (13, 20, 33, 8), (245, 36, 101, 8), (2, 8, 1500, 0)]
    for m, n, k, first in shapes:  # ends of blocks, panels, eights and pairs
        words = (n, -(-(k + first) * bits // 32)) if transposed else (k + first, -(-n * bits // 32))
        attrs = {"n": n, "bits": bits, "tb": transposed, "first": first, "splits": 1, "exact": True}
        arrays = [rng.integers(-128, 128, (m, k)).astype(np.float32), rng.integers(-(2**31), 2**31, words).astype(np.int32)]
        node = PACKED(*map(as_node, arrays), **attrs)
        expected = PACKED.numpy(arrays[0].astype(np.int64), arrays[1], **attrs)
        for profile in (wasm.profile, profile_of(4)):
            of_row = {(8, 0): "matmul_row_whole", (4, 0): "matmul_row_four"}.get((bits, n % (128 // bits)), "matmul_row")
            assert node.op.spec(node, profile).file == (of_row if m == 1 and not transposed else "matmul_whole")
            np.testing.assert_array_equal(run(wasm, node, arrays, profile), expected.astype(np.float32))


def test_kernels_of_whole_numbers_say_in_wgsl_what_they_do_in_webassembly(gpu):
    """`dot_i16x8`, and the pairs of one row, are an instruction or two to the compiler of WebAssembly, and functions to all others."""
    rng = np.random.default_rng(0)
    for m, n, bits in ((7, 12, 8), (1, 32, 8), (1, 64, 4)):
        arrays = [rng.integers(-128, 128, (m, 19)).astype(np.float32), rng.integers(-(2**31), 2**31, (19, n * bits // 32)).astype(np.int32)]
        attrs = {"n": n, "bits": bits, "tb": False, "first": 0, "splits": 1, "exact": True}
        expected = PACKED.numpy(arrays[0].astype(np.int64), arrays[1], **attrs)
        got = run(gpu, PACKED(*map(as_node, arrays), **attrs), arrays, WasmDevice.profile)
        np.testing.assert_array_equal(got, expected.astype(np.float32))


@pytest.mark.parametrize("mode", ["float8", "gptq", "awq"])
def test_modes_that_would_save_nothing_are_refused_with_a_reason(mode):
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
    Q = pyml.quantizers
    config = {"gptq": Q.GPTQConfig, "awq": Q.AWQConfig}[mode](dataset=None, tokenizer=None) if mode != "float8" else None
    for quantized in (model, model.layers[-1]):
        with pytest.raises(NotImplementedError, match=f"{mode} is refused"):
            quantized.quantize(mode, config=config)
    with pytest.raises(pyml.errors.DtypeError, match=mode):
        pyml.layers.Dense(3, dtype={"gptq": "gptq/4/-1", "awq": "awq/4/-1"}.get(mode, mode) + "_from_float32")


def test_a_layer_that_cannot_be_quantized_keeps_its_weights_with_a_warning(cpu):
    class Mine(pyml.layers.Dense):
        pass

    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3), Mine(2), pyml.layers.LayerNormalization()])
    with pytest.warns(UserWarning, match="Mine does not have a `quantize` method"):
        model.quantize("int8")
    assert [layer.quantization_mode for layer in model.layers] == ["int8", None, None]
    with pytest.raises(ValueError, match="already quantized"):
        model.layers[0].quantize("int8")
    with pytest.raises(ValueError, match="isn't yet built"):
        pyml.layers.Dense(3).quantize("int8")


@pytest.mark.parametrize("mode", ["int8", "int4"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_is_not_quantized(tmp_path, cpu, mode, value):
    L = pyml.layers
    tokens = pyml.Input((2,), dtype="int32")
    einsum = L.EinsumDense("abc,cd->abd", output_shape=(None, 3), name="einsum")
    model = pyml.Model(tokens, L.Dense(2, name="dense")(einsum(L.Embedding(5, 4, name="embedding")(tokens))))
    for layer in (model.get_layer("embedding"), einsum):
        kernel = layer.weights[0].numpy()
        kernel[1, 1] = value
        layer.weights[0].assign(kernel)
        with pytest.raises(ValueError, match=rf"'{layer.name}' .*its (embeddings|kernel) holds NaN or infinite numbers"):
            layer.quantize(mode)
    before = model.predict(np.ones((1, 2), "int32"), verbose=0)
    with pytest.warns(UserWarning) as told:
        model.quantize(mode)
    assert sorted(str(w.message).split("'")[1] for w in told if "It keeps floats" in str(w.message)) == ["einsum", "embedding"]
    assert [layer.quantization_mode for layer in model.layers[1:]] == [None, None, mode]
    np.testing.assert_array_equal(np.isfinite(model.predict(np.ones((1, 2), "int32"), verbose=0)), np.isfinite(before))
    dense = model.get_layer("dense")
    dense.enable_lora(1)
    dense.lora_kernel_b.assign(np.full(dense.lora_kernel_b.shape, value))
    with pytest.raises(ValueError, match=r"'dense' .*its adapter, .*save_weights\(\"model.npz\"\).* holds NaN or infinite"):
        model.save_weights(tmp_path / "model.weights.h5")


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_weights_farther_apart_than_float32_holds_are_not_quantized_into_nan(cpu, mode):
    layer = pyml.layers.Dense(2, use_bias=False, name="dense")
    layer.build((None, 4))
    layer.kernel.assign(np.array([[3e38, -3e38]] * 4) * np.array([[1.0], [-1.0], [0.1], [0.0]]))
    with pytest.raises(ValueError, match=r"'dense' .*its kernel holds numbers from -3e\+38 to 3e\+38, more apart than float32 holds"):
        layer.quantize(mode)
    assert layer.quantization_mode is None
    layer.kernel.assign(layer.kernel.numpy() / 2)
    layer.quantize(mode)
    x = np.array([[0.5, 0.25, 0.0, 0.1]], "float32")
    np.testing.assert_allclose(layer(x).numpy(), x @ [[1.5e38, -1.5e38], [-1.5e38, 1.5e38], [1.5e37, -1.5e37], [0, 0]], atol=2e37)


def test_a_quantized_layer_is_made_again_from_its_config_and_its_file(cpu):
    for make in (lambda **k: pyml.layers.Dense(5, **k), lambda **k: pyml.layers.EinsumDense("abc,cd->abd", (None, 5), **k),
                 lambda **k: pyml.layers.Embedding(6, 5, **k)):  # fmt: skip
        for mode, config in (("int8", None), ("int4", pyml.quantizers.Int4QuantizationConfig(block_size=4))):
            layer = make()
            layer.build((None, 3, 6))
            layer.quantize(mode, config=config)
            again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
            again.build((None, 3, 6))
            assert again.dtype_policy == layer.dtype_policy
            assert [(w.dtype, w.shape) for w in again.weights] == [(w.dtype, w.shape) for w in layer.weights]
            store: dict = {}
            layer.save_own_variables(store)
            again.load_own_variables(store)
            x = np.array([[1, 2, 0], [3, 5, 4]]) if isinstance(layer, pyml.layers.Embedding) else cases.floats(3, 2, 3, 6)
            np.testing.assert_array_equal(again(x).numpy(), layer(x).numpy())


def test_training_changes_the_adapter_alone(device):
    model = pyml.Sequential([pyml.Input((6,)), pyml.layers.Dense(8, activation="tanh"), pyml.layers.Dense(2)])
    x, y = cases.floats(1, 16, 6), cases.floats(2, 16, 2)
    model.predict(x, verbose=0)
    model.quantize("int8")
    for layer in model.layers:
        layer.enable_lora(2)
    model.compile("adam", "mse")
    before = {w.path: w.numpy() for w in model.weights}
    losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    changed = {w.name for w in model.weights if not np.array_equal(before[w.path], w.numpy())}
    assert changed == {"bias", "lora_kernel_a", "lora_kernel_b"} and losses[-1] < losses[0]


@pytest.mark.parametrize("spoil, words", [
    (lambda layer: layer.enable_lora(2), "already enabled"), (lambda layer: pyml.layers.Dense(3).enable_lora(2), "isn't yet built"),
    (lambda layer: pyml.layers.Dense(3, kernel_constraint="non_neg").enable_lora(2), "constraints"),
])  # fmt: skip
def test_an_adapter_that_cannot_be_says_why(spoil, words):
    layer = pyml.layers.Dense(3, lora_rank=2)
    layer.build((None, 4))
    assert layer.lora_enabled
    with pytest.raises(ValueError, match=words):
        spoil(layer)


def test_files_of_weights_keep_int8_and_those_of_tensorflow_js_refuse_it(cpu, tmp_path):
    def model():
        made = pyml.Sequential([pyml.Input((6,)), pyml.layers.Dense(5), pyml.layers.Dense(2)])
        made.quantize("int8")
        return made

    first, second, x = model(), model(), cases.floats(1, 3, 6)
    first.save_weights(tmp_path / "weights.npz")
    second.load_weights(tmp_path / "weights.npz")
    np.testing.assert_array_equal(second.predict(x, verbose=0), first.predict(x, verbose=0))
    with np.load(tmp_path / "weights.npz") as arrays:
        assert sorted(str(array.dtype) for array in arrays.values()).count("int8") == 2
    with pytest.raises(ValueError, match="weights of int8"):
        first.save(tmp_path / "model.json")
    adapted = pyml.Sequential([pyml.Input((6,)), pyml.layers.Dense(5)])
    adapted.layers[-1].enable_lora(2)
    with pytest.raises(ValueError, match="no low-rank adapters"):
        adapted.save(tmp_path / "model.json")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.npz"]


def test_attention_is_quantized_and_adapted_within(cpu):
    attention = pyml.layers.MultiHeadAttention(2, 4)
    inputs = pyml.Input((5, 8))
    model = pyml.Model(inputs, attention(inputs, inputs))
    x = cases.floats(1, 2, 5, 8)
    before = model.predict(x, verbose=0)
    model.quantize("int8")
    assert {w.dtype for layer in (attention.query_dense, attention.output_dense) for w in layer.weights} == {"int8", "float32"}
    assert 0 < np.abs(model.predict(x, verbose=0) - before).max() < 0.05 * np.abs(before).max()
    attention.query_dense.enable_lora(2)
    assert [w.name for w in attention.query_dense.trainable_weights] == ["bias", "lora_kernel_a", "lora_kernel_b"]


def test_the_benchmark_compares_models_that_predict_alike(cpu):
    made = {mode: table.quantized("einsum", mode) for mode in table.MODES}
    floats, eights, fours = ((model.predict_on_batch(x), table.weight_bytes(model)) for model, x in made.values())
    assert eights[1] < 0.26 * floats[1] and fours[1] < 0.16 * floats[1]
    for (predicted, _), allowed in ((eights, 0.02), (fours, 0.2)):
        assert np.abs(predicted - floats[0]).mean() < allowed * np.abs(floats[0]).mean()
