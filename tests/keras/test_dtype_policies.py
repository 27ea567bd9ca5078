"""Policies: names, dtypes, configs and back, what is refused."""

import numpy as np
import pytest

import pyml
from pyml import dtype_policies as p

ALL = [
    p.DTypePolicy("float32"), p.DTypePolicy("mixed_float16"), p.FloatDTypePolicy("mixed_bfloat16"), p.DTypePolicy("bfloat16"),
    p.QuantizedDTypePolicy("int8", "mixed_bfloat16"), p.QuantizedDTypePolicy("int4", "float32"),
    p.QuantizedFloat8DTypePolicy("float8", "float32", amax_history_length=7), p.Int4DTypePolicy("int4/64", "float32"),
    p.GPTQDTypePolicy("gptq/4/128", "float32"), p.AWQDTypePolicy("awq/4/-1", "float32"),
    p.DTypePolicyMap(p.DTypePolicy("float32"), {"a/.*": p.DTypePolicy("bfloat16"), "b": p.QuantizedDTypePolicy("int8", "float32")}),
]  # fmt: skip


@pytest.mark.parametrize("policy", ALL, ids=repr)
def test_a_policy_equals_the_one_its_config_makes(policy):
    for again in (p.deserialize(p.serialize(policy)), type(policy).from_config(policy.get_config()), p.get(p.serialize(policy))):
        assert type(again) is type(policy) and again == policy and again.name == policy.name
    assert pyml.saving.deserialize_keras_object(pyml.saving.serialize_keras_object(policy)) == policy


@pytest.mark.parametrize("policy", ALL[:4] + ALL[4:6] + ALL[7:10], ids=repr)
def test_a_policy_is_found_by_its_name(policy):
    assert p.get(policy.name) == policy


@pytest.mark.parametrize(
    ("name", "compute", "variable", "mode"),
    [
        ("mixed_float16", "float16", "float32", None), ("mixed_bfloat16", "bfloat16", "float32", None),
        ("float64", "float64", "float64", None), ("int8_from_mixed_bfloat16", "bfloat16", "float32", "int8"),
        ("int4/32_from_float32", "float32", "float32", "int4"), ("float8_from_float32", "float32", "float32", "float8"),
    ],
)  # fmt: skip
def test_a_name_says_the_dtypes(name, compute, variable, mode):
    policy = p.get(name)
    assert (policy.compute_dtype, policy.variable_dtype, policy.quantization_mode) == (compute, variable, mode)


def test_policies_of_other_numbers_differ():
    assert p.GPTQDTypePolicy("gptq/4/128", "float32") != p.GPTQDTypePolicy("gptq/8/128", "float32")
    assert p.DTypePolicy("float32") != p.QuantizedDTypePolicy("int8", "float32")
    assert p.DTypePolicy("float32") == p.FloatDTypePolicy("float32")
    assert len({p.DTypePolicy("float32"), p.FloatDTypePolicy("float32")}) == 1


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: p.DTypePolicy("mixed"), "Cannot convert 'mixed'"),
        (lambda: p.QuantizedDTypePolicy("int2", "float32"), "int2"),
        (lambda: p.QuantizedDTypePolicy("int8", "float16"), "float16"),
        (lambda: p.Int4DTypePolicy("int4/0", "float32"), "int4/0"),
        (lambda: p.GPTQDTypePolicy("gptq/5/128", "float32"), "weight_bits"),
        (lambda: p.GPTQDTypePolicy("gptq/4", "float32"), "group_size"),
        (lambda: p.AWQDTypePolicy("awq/8/128", "float32"), "weight_bits"),
        (lambda: p.get("int8_float32"), "_from_"),
        (lambda: p.get(3.5), "3.5"),
        (lambda: p.deserialize({"class_name": "Dense"}), "Dense"),
        (lambda: p.DTypePolicyMap(p.DTypePolicyMap()), "default_policy"),
    ],
)
def test_what_is_no_policy_is_refused_with_what_was_given(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_names_of_other_types_are_refused():
    for make, told in (
        (lambda: p.DTypePolicy(3), "name=3"), (lambda: p.DTypePolicyMap(policy_map=[1]), "`policy_map` must be a dict"),
        (lambda: p.QuantizedFloat8DTypePolicy("float8", "float32", amax_history_length=1.5), "`amax_history_length` must be an integer"),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=told):
            make()


def test_a_map_takes_the_path_the_pattern_or_the_default():
    policies = ALL[-1]
    assert policies["b"].name == "int8_from_float32" and policies["a/x/y"].name == "bfloat16" and policies["c"].name == "float32"
    mixed = p.DTypePolicyMap()
    mixed["a.*"] = mixed["ab.*"] = "float16"
    with pytest.raises(ValueError, match="matches multiple"):
        mixed["abc"]
    with pytest.raises(ValueError, match="already exists"):
        mixed["a.*"] = "float32"
    del mixed["ab.*"]
    assert mixed["abc"].name == "float16" and len(mixed) == 1 and list(mixed) == ["a.*"]


def test_a_policy_converts_floats_of_another_dtype_where_it_may():
    policy = p.DTypePolicy("float16")
    x, whole = np.ones(2, np.float32), np.ones(2, np.int32)
    assert policy.convert_input(x, True, "float16").dtype == np.float16
    assert policy.convert_input(x, False, "float16") is x and policy.convert_input(whole, True, "float16") is whole
    assert policy.convert_input("text", True, "float16") == "text"


def test_a_map_reads_classes_of_ones_own():
    class Narrow(p.DTypePolicy):
        pass

    config = p.DTypePolicyMap("float16", {"a": Narrow("bfloat16")}).get_config()
    assert type(p.DTypePolicyMap.from_config(config, custom_objects={"Narrow": Narrow})["a"]) is Narrow


def test_a_symbolic_embedding_has_the_dtype_of_its_values(cpu):
    layer = pyml.layers.Embedding(3, 2, dtype="mixed_float16")
    assert layer(pyml.Input((2,), dtype="int32")).dtype == layer(np.array([[1, 2]])).dtype == "float16"
    config = pyml.layers.Lambda(pyml.ops.square, mask=pyml.ops.ones((2,))).get_config()
    assert config["mask"] == {"class_name": "__tensor__", "config": {"value": [1.0, 1.0], "dtype": "float32"}}
    assert pyml.layers.Lambda.from_config(config).mask.numpy().tolist() == [1, 1]


def test_layers_without_weights_give_float32_of_integers_under_policies_of_16_bits_as_in_keras(cpu):
    """Means of 100,000 were infinite."""
    x, pictures = np.full((2, 4, 3), 100_000, "int32"), np.full((2, 4, 4, 3), 100_000, "int32")
    L, half = pyml.layers, {"dtype": "mixed_float16"}
    for layer, given, floats in (
        (L.GlobalAveragePooling2D(**half), pictures, "float32"), (L.GlobalAveragePooling1D(**half), x, "float32"),
        (L.AdaptiveAveragePooling1D(2, **half), x, "float32"), (L.Average(**half), [x, x], "float32"), (L.Softmax(**half), x, "float32"),
        (L.Activation("softplus", **half), x, "float32"), (L.Activation("relu", **half), x, "int32"),
        (L.Rescaling(0.01, **half), x, "float16"), (L.Dense(1, kernel_initializer="zeros", **half), x, "float16"),
    ):  # fmt: skip
        symbolic = [pyml.Input(each.shape[1:], dtype="int32") for each in (given if isinstance(given, list) else [given])]
        y = layer(given)
        assert y.dtype == layer(symbolic if isinstance(given, list) else symbolic[0]).dtype == floats, layer.name
        assert np.isfinite(y.numpy()).all(), layer.name
    assert L.GlobalAveragePooling1D(**half)(x.astype("float32")).dtype == "float16"


def test_an_input_of_int8_is_one_of_numbers_not_of_quantized_weights(cpu, tmp_path):
    model = pyml.Sequential([pyml.Input((3,), dtype="int8"), pyml.layers.Rescaling(0.5)])
    model.save(tmp_path / "small.keras")
    again = pyml.models.load_model(tmp_path / "small.keras")
    assert again.input.dtype == pyml.models.clone_model(again).input.dtype == "int8"
    assert again.predict(np.array([[1, -3, 127]]), verbose=0).tolist() == [[0.5, -1.5, 63.5]]


@pytest.mark.parametrize("backend", ["cpu", "wasm"])
def test_layers_of_float64_compute_in_32_bits_as_others_do(backend, request):
    """They ended in a KeyError."""
    request.getfixturevalue(backend)
    L, x = pyml.layers, np.random.default_rng(0).normal(size=(4, 8, 8, 2)).astype("float32")
    found = []
    for dtype in ("float32", "float64"):
        pyml.utils.set_random_seed(1)
        model = pyml.Sequential([
            pyml.Input((8, 8, 2)), L.Conv2D(3, 3, dtype=dtype), L.BatchNormalization(dtype=dtype), L.ReLU(dtype=dtype),
            L.Reshape((6, 18), dtype=dtype), L.LSTM(3, dtype=dtype), L.Dense(2),
        ])  # fmt: skip
        model.compile("adam", "mse")
        before = model.predict(x, verbose=0)
        assert before.dtype == "float32"
        found.append((before, model.fit(x, np.zeros((4, 2)), epochs=2, verbose=0, shuffle=False).history["loss"]))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
