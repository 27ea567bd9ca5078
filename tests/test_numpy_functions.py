"""numpy's functions on tensors answer with numpy arrays, operators with tensors, and programs and gradients name the op instead."""

import numpy as np
import pytest

import pyml
from pyml import Tensor, Variable, ops
from pyml.errors import DtypeError, TraceError

pytestmark = pytest.mark.in_turn

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def outer(x):
    return np.arctan2.outer(x, x)


@pytest.mark.parametrize("call", [
    np.min, np.sum, np.mean, np.argmax, np.exp, np.sort, np.ravel, np.median, np.transpose, np.zeros_like, np.linalg.norm, np.isnan,
    lambda x: np.concatenate([x, x]), lambda x: np.stack([x, x], axis=1), lambda x: np.where(x > 2, x, 0), lambda x: np.clip(x, 1, 3),
    lambda x: np.sum(x, axis=0, keepdims=True), lambda x: np.max(x, axis=1), lambda x: np.dot(x, x.T), lambda x: np.add.reduce(x),
    lambda x: np.percentile(x, [25, 75]), lambda x: np.var(x, ddof=1), lambda x: np.einsum("ij,kj->ik", x, x), lambda x: np.split(x, 2)[0],
    lambda x: np.array([x, x]), lambda x: np.asarray(x, np.float64), np.asarray, lambda x: np.array_equal(x, x), np.floor, outer,
])  # fmt: skip
@pytest.mark.parametrize("kind", [pyml.convert_to_tensor, Variable])
def test_a_function_of_numpy_answers_as_for_an_array(call, kind):
    found, expected = call(kind(X)), call(X)
    assert type(found) is type(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_functions_of_numpy_read_every_device(device):
    t = pyml.convert_to_tensor(X) * 2.0
    assert np.max(t) == 10 and np.hypot(t, X).shape == (2, 3)
    np.testing.assert_allclose(np.mean([t, t], axis=0), X * 2)


@pytest.mark.parametrize("call", [
    lambda a, t: a + t, lambda a, t: t + a, lambda a, t: np.float32(2) * t, lambda a, t: a @ t.T, lambda a, t: a > t, lambda a, t: a - t,
    lambda a, t: a / (t + 1), lambda a, t: a**t, lambda a, t: a // (t + 1), lambda a, t: a % (t + 1), lambda a, t: np.add(a, t), np.equal,
])  # fmt: skip
@pytest.mark.parametrize("kind", [pyml.convert_to_tensor, Variable])
def test_an_operator_between_an_array_and_a_tensor_is_the_tensors(call, kind):
    found = call(X, kind(X))
    assert isinstance(found, Tensor)
    np.testing.assert_allclose(found.numpy(), call(X, X), rtol=1e-5)


def test_an_operator_between_an_array_and_a_weight_has_a_gradient():
    gradient = pyml.grad(lambda w: (X @ w).sum())(np.ones((3, 1), np.float32))
    np.testing.assert_allclose(gradient.numpy(), X.sum(0)[:, None])


def test_an_array_takes_a_tensor_in_place():
    a = X.copy()
    a += pyml.convert_to_tensor(X)
    assert type(a) is np.ndarray
    np.testing.assert_array_equal(a, X * 2)


@pytest.mark.parametrize(("call", "instead"), [
    (np.exp, "pyml.ops.exp"), (np.mean, "pyml.ops.mean"), (lambda x: np.concatenate([x, x]), "pyml.ops.concatenate"),
    (np.absolute, "pyml.ops.absolute"), (np.cbrt, "pyml.ops.cbrt"), (outer, "pyml.ops.arctan2"),
    (np.unwrap, "compose it of pyml.ops"),
])  # fmt: skip
def test_in_a_program_and_in_a_gradient_the_op_is_named(call, instead):
    with pytest.raises(TraceError, match=f"inside a program.*{instead}"):
        pyml.program(call)(X)
    with pytest.raises(TraceError, match=f"inside a gradient.*{instead}"):
        pyml.grad(call)(X)


def test_numpy_reads_values_under_a_tape_and_what_it_makes_is_a_constant():
    w = pyml.Variable(np.array([1.0, 2.0], np.float32))
    with pyml.GradientTape() as tape:
        y = w * 3.0
        loss = pyml.ops.sum(y * np.squeeze(y))
    np.testing.assert_allclose(tape.gradient(loss, w).numpy(), 3 * 3 * np.array([1.0, 2.0]))


def test_a_loss_of_numpy_functions_names_the_op():
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(1)])
    model.compile(loss=lambda y, p: np.mean(np.square(y - p)))
    with pytest.raises(TraceError, match=r"np\.square .* use pyml\.ops\.square"):
        model.fit(X, np.ones((2, 1)), verbose=0)


def test_shapes_are_known_in_programs():
    seen = []
    pyml.program(lambda x: (seen.append((np.shape(x), np.ndim(x))), x)[1])(X)
    assert set(seen) == {((2, 3), 2)}


def test_a_symbolic_tensor_has_no_values_for_numpy():
    x = pyml.Input((3,))
    with pytest.raises(ValueError, match="has no values"):
        np.exp(x)
    with pytest.raises(ValueError, match="has no values"):
        np.mean(x)
    assert (np.ones(3, np.float32) + x).shape == (None, 3)


def test_array_takes_a_dtype_and_refuses_to_do_without_a_copy():
    t = pyml.convert_to_tensor(X)
    assert t.__array__(np.int64).dtype == np.int64
    assert np.asarray(t).dtype == np.float32
    copied = np.array(t)
    copied[0, 0] = 9
    assert t[0, 0].item() == 0
    with pytest.raises(ValueError, match="without a copy"):
        t.__array__(copy=False)


class OnlyDlpack:
    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **kwargs):
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnlyArray:
    def __array__(self, dtype=None, copy=None):
        return X


OTHERS = {
    "array": lambda: X, "list": X.tolist, "only_array": OnlyArray, "only_dlpack": lambda: OnlyDlpack(X), "variable": lambda: Variable(X),
    "float64": lambda: X.astype(np.float64),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_ops_take_arrays_of_other_libraries(kind):
    given = OTHERS[kind]()
    np.testing.assert_allclose(ops.add(given, 1).numpy(), X + 1)
    np.testing.assert_allclose(ops.matmul(X.T, given).numpy(), X.T @ X)


def test_dlpack_gives_a_copy_in_host_memory(device):
    t = pyml.convert_to_tensor(X)
    assert t.__dlpack_device__() == (1, 0)
    found = np.from_dlpack(t)
    np.testing.assert_array_equal(found, X)
    np.testing.assert_array_equal(np.from_dlpack(t > 2), X > 2)
    found[0, 0] = 9
    assert t[0, 0].item() == 0
    with pytest.raises(BufferError, match="copy=False"):
        t.__dlpack__(copy=False)
    with pytest.raises(BufferError, match="dl_device"):
        t.__dlpack__(dl_device=(2, 0))
    with pytest.raises(ValueError, match="no streams"):
        t.__dlpack__(stream=1)


def test_a_number_is_taken_out_of_a_tensor_of_one_element():
    t = pyml.convert_to_tensor(2.5)
    assert complex(t) == 2.5 + 0j and float(t) == 2.5 and int(t) == 2
    with pytest.raises(ValueError, match="one element"):
        complex(pyml.ops.ones(2))
    assert t.to_device(t.device) is t
    with pytest.raises(ValueError, match="set_backend"):
        t.to_device("cuda")


def test_bits_of_integers_and_truths_of_booleans():
    whole, truth = pyml.convert_to_tensor([6, -1]), pyml.convert_to_tensor([True, False])
    assert (~whole).tolist() == [-7, 0] and (~truth).tolist() == [False, True]
    assert (whole & 3).tolist() == [2, 3] and (1 << whole[:1]).tolist() == [64] and (whole >> 1).tolist() == [3, -1]
    assert (truth ^ True).tolist() == [False, True] and (truth | truth).dtype == "bool"
    with pytest.raises(DtypeError, match="integers or booleans"):
        pyml.ops.ones(2) & pyml.ops.ones(2)
    assert pyml.ops.ones((2, 3, 4)).mT.shape == (2, 4, 3) and pyml.Input((3, 4)).mT.shape == (None, 4, 3)
    with pytest.raises(ValueError, match="mT"):
        pyml.ops.ones(2).mT  # noqa: B018
