"""Results have the dtypes that Keras' table gives them; 8 and 16 bits wrap and round as their dtype does; 64 bits become 32."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from every import every

import pyml
from pyml import ops
from pyml.errors import DtypeError

sys.path.insert(0, str(Path(__file__).parent / "goldens"))
import dtype_cases
import dtype_differences

pytestmark = pytest.mark.in_turn

GOLDEN = json.loads((Path(__file__).parent / "goldens" / "dtypes.json").read_text(encoding="utf-8"))


@every("name", [*dtype_cases.ONE, *dtype_cases.TWO])
def test_every_dtype_of_a_result_is_keras_or_a_listed_difference(cpu, name):
    assert dtype_differences.found(pyml, name, GOLDEN[name]) == dtype_differences.listed(name)


@pytest.mark.few(8)
@every("name", [*dtype_cases.ONE, *dtype_cases.TWO], blocks=8)
def test_what_has_a_dtype_can_be_computed_or_is_refused_before(cpu, name):
    for cell in dtype_cases.cells(name):
        result = dtype_cases.result_of(pyml, name, cell)
        for value in result if isinstance(result, list | tuple) else [result]:
            if hasattr(value, "numpy"):
                value.numpy()


def test_differences_of_dtypes_are_listed_with_a_reason_once_and_of_ops_with_cases(cpu):
    listed = [(op, cell) for group in dtype_differences.GROUPS for op, differs in group["ops"].items()
              for cells in differs.values() for cell in cells.split()]  # fmt: skip
    assert len(listed) == len(set(listed)) and {op for op, _ in listed} <= {*dtype_cases.ONE, *dtype_cases.TWO}
    assert all(len(group["why"]) > 20 for group in dtype_differences.GROUPS)


def test_the_table_of_dtypes_is_keras(cpu):
    assert dtype_cases.result_types(pyml) == {key: dtype_differences.narrow(want) for key, want in GOLDEN["result_type"].items()}


RNG = np.random.default_rng(5)
NARROW = {
    "int8": RNG.integers(-128, 128, 9).astype("int8"), "uint8": RNG.integers(0, 256, 9).astype("uint8"),
    "int16": RNG.integers(-(2**15), 2**15, 9).astype("int16"), "uint16": RNG.integers(0, 2**16, 9).astype("uint16"),
    "float16": np.array([1, -1.5, 0.1, 6e-8, 6.1e-5, 65504, 300.3, -0.0, 3e-5], "float16"),
}  # fmt: skip


@pytest.mark.parametrize("dtype", NARROW)
def test_values_of_few_bits_survive_and_wrap_or_round_as_numpy_does(device, dtype):
    x = NARROW[dtype]
    t = ops.convert_to_tensor(x)
    assert t.dtype == dtype and t.numpy().dtype == x.dtype
    np.testing.assert_array_equal(t.numpy(), x)
    with np.errstate(over="ignore"):
        results = [(t + t, x + x), (t * t, x * x), (-t, -x), (t - 3, x - x.dtype.type(3))]
    for got, want in results:
        assert got.dtype == dtype
        np.testing.assert_array_equal(got.numpy(), want)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_floats_of_16_bits_are_rounded_to_the_nearest_even(device, dtype):
    ends = [1.00390625, 1.01171875, 65519, 65520, np.inf, -np.inf, np.nan, 0.0]
    x = np.concatenate([RNG.normal(size=40) * 10.0 ** RNG.integers(-8, 5, 40), ends]).astype("f4")
    got = ops.cast(x, dtype).numpy().astype("f4")
    if dtype == "float16":
        with np.errstate(over="ignore"):
            want = x.astype("float16").astype("f4")
    else:
        bits = x.view(np.uint32).astype(np.uint64)
        want = (((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)
    np.testing.assert_array_equal(got[~np.isnan(x)], want[~np.isnan(x)])
    assert np.isnan(got[np.isnan(x)]).all()


def test_an_op_of_several_steps_is_rounded_once(device):
    x = np.linspace(-3, 3, 11).astype("float16")
    exact = np.exp(x.astype("f8")) / np.exp(x.astype("f8")).sum()
    np.testing.assert_array_equal(ops.softmax(ops.convert_to_tensor(x)).numpy(), exact.astype("float16"))
    assert ops.mean(ops.full((70000,), 1.0, "float16")).numpy() == 1.0  # whose sum float16 does not hold


def test_a_program_and_its_gradients_keep_the_dtype(device):
    step = pyml.program(lambda x: (x * x, ops.sum(x)))
    for x in (np.array([1.1, 2.2], "float16"), np.array([100, 20], "uint8"), np.array([1.1, 2.2], "float32")):
        for _ in range(2):
            square, total = step(x)
        assert square.dtype == x.dtype.name
        np.testing.assert_array_equal(square.numpy(), x * x)
        assert total.dtype == {"uint8": "uint32"}.get(x.dtype.name, x.dtype.name)
    gradient = pyml.grad(lambda x: ops.sum(x * x))(ops.cast([1.5, 2.0], "bfloat16"))
    assert gradient.dtype == "bfloat16" and gradient.numpy().tolist() == [3.0, 4.0]


def test_a_variable_keeps_what_its_dtype_holds(device):
    v = pyml.Variable(np.ones(2), dtype="float16")
    v.assign_add([0.1, 1e-5])
    assert v.dtype == v.value.dtype == (v * 2).dtype == "float16"
    np.testing.assert_array_equal(v.numpy(), np.array([1.1, 1.0], "float16"))
    update = pyml.program(lambda: [v.assign(v * 3.0), None][1])
    update()
    np.testing.assert_array_equal(v.numpy(), np.float16(3) * np.array([1.1, 1.0], "float16"))
    w = pyml.Variable(np.array([250, 3], "uint8"))
    w.assign_add(np.array([10, 1], "uint8"))
    assert w.numpy().tolist() == [4, 4] and w.dtype == "uint8"


def test_a_model_of_integers_of_8_bits_runs(cpu):
    x = pyml.Input((2, 2, 1), dtype="uint8")
    model = pyml.Model(x, ops.cast(x, "float32") / 255.0)
    assert x.dtype == "uint8" and (x + 1).dtype == "uint8" and ops.mean(x).dtype == "float32"
    assert model.predict(np.full((3, 2, 2, 1), 51, "uint8"), verbose=0)[0, 0, 0, 0] == np.float32(0.2)


def test_named_arguments_give_the_dtype_of_arguments_by_place(cpu):
    x, places = ops.cast([[3, 4, 5]], "int8"), ops.cast([[2, 0]], "int32")
    assert ops.take_along_axis(indices=places, axis=1, x=x).dtype == ops.take_along_axis(x, places, axis=1).dtype == "int8"
    assert ops.get_item(x=x, key=(0, places[0])).dtype == "int8"


@pytest.mark.parametrize(("dtype", "narrowed"), [("float64", "float32"), ("int64", "int32"), ("uint64", "uint32")])
def test_64_bits_become_32(cpu, dtype, narrowed):
    x = np.array([1, 2], dtype)
    made = [ops.convert_to_tensor(x), ops.cast([1, 2], dtype), pyml.Variable(x), ops.zeros(2, dtype)]
    assert [value.dtype for value in made] == [narrowed] * 4


def test_abs_of_a_comparison_is_it_in_the_kernel_that_compares(device):
    found = pyml.program(lambda x: ops.abs(x > 0.0))(np.array([1.0, -1.0], "float32"))
    assert (found.dtype, found.tolist()) == ("bool", [True, False])


def test_a_boolean_is_saturated_at_0_and_1(device):
    for given in ([-5, 5, 0], [-0.5, 0.5, 0.0]):
        assert ops.saturate_cast(given, "bool").tolist() == [False, True, False]


TOO_LARGE = [(2**31, None), (np.array([2**40]), None), (-1, "uint32"), ([300], "uint8"), (np.array([-129]), "int8"), (70000, "uint16")]


@pytest.mark.parametrize(("value", "dtype"), TOO_LARGE)
def test_integers_that_do_not_fit_are_refused(cpu, value, dtype):
    with pytest.raises(DtypeError, match="do not fit"):
        ops.convert_to_tensor(value, dtype)


def test_a_mixed_policy_rounds_the_outputs_of_layers_and_trains_float32_weights(device):
    pyml.config.set_dtype_policy("mixed_float16")
    try:
        hidden, last = pyml.layers.Dense(4, activation="relu"), pyml.layers.Dense(2, activation="softmax", dtype="float32")
        model = pyml.Sequential([pyml.Input((3,)), hidden, last])
    finally:
        pyml.config.set_dtype_policy("float32")
    assert [t.dtype for t in (hidden.output, last.output, hidden.kernel)] == ["float16", "float32", "float32"]
    x = RNG.normal(size=(8, 3)).astype("float32")
    out = hidden(x)
    assert out.dtype == "float16"
    exact = np.maximum(x @ hidden.kernel.numpy() + hidden.bias.numpy(), 0)
    np.testing.assert_allclose(out.numpy(), exact, rtol=1e-3, atol=1e-6)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = hidden.kernel.numpy()
    model.fit(x, np.arange(8) % 2, epochs=1, verbose=0)
    assert (hidden.kernel.numpy() != before).any() and model.predict(x, verbose=0).dtype == np.float32


def test_a_policy_of_16_bits_keeps_weights_so(cpu):
    layer = pyml.layers.Dense(2, dtype="bfloat16")
    assert layer(np.ones((1, 3), "float32")).dtype == layer.kernel.dtype == "bfloat16"
