"""Products with Jacobians, Jacobians and Hessians, gradients by name, and computing once more instead of keeping."""

from __future__ import annotations

import functools
import re
from collections import OrderedDict

import numpy as np
import pytest
from test_ops import SMOOTH, called, drawn, results

import pyml
from pyml import GradientTape, ops
from pyml.errors import DtypeError, NotDifferentiable, ShapeError

pytestmark = pytest.mark.in_turn


def array(*values):
    return np.array(values, np.float32)


# ---- products with Jacobians
def test_vjp_takes_trees_there_and_back_as_often_as_asked(device):
    value, back = pyml.vjp(lambda p, y: {"a": p["x"] * y, "b": [ops.sum(p["x"])]}, {"x": array(1, 2)}, array(3, 4))
    assert value["a"].tolist() == [3, 8]
    for scale in (1.0, 10.0):
        p, y = back({"a": array(scale, 0), "b": [array(2.0)[0]]})
        assert p["x"].tolist() == [3 * scale + 2, 2] and y.tolist() == [scale, 0]
    with pytest.raises(ShapeError, match=r"expected tensors of shapes \(2,\), \(\)"):
        back({"a": array(1.0), "b": [1.0]})


def test_jvp_is_the_jacobian_times_the_tangent(device):
    w, x, t = (np.random.default_rng(i).normal(size=s).astype(np.float32) for i, s in enumerate([(4, 3), (2, 4), (2, 4)]))

    def f(x):
        return ops.tanh(ops.matmul(x, w)), ops.scan(lambda c, row: (ops.sin(c + row), c), ops.zeros(4), x)[0]

    value, change, aux = pyml.jvp(lambda x: (f(x), "more"), (x,), (t,), has_aux=True)
    assert aux == "more" and [v.shape for v in value] == [(2, 3), (4,)]
    for k in range(2):
        whole = pyml.jacobian(lambda x, k=k: f(x)[k])(x).numpy()
        np.testing.assert_allclose(change[k], np.tensordot(whole, t, 2), rtol=1e-4, atol=1e-5)


# ---- Jacobians
def test_jacobians_row_by_row_and_column_by_column_are_equal(device):
    w, x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32), array(0.1, -0.2, 0.3, 0.4)

    def f(x, scale):
        return {"tanh": ops.tanh(ops.matmul(x[None], w))[0] * scale, "norm": ops.sqrt(ops.sum(x * x))}

    rows, columns = (j(f, argnums=(0, 1))(x, array(2.0)) for j in (pyml.jacobian, pyml.jacfwd))
    for name, shape in (("tanh", (3,)), ("norm", ())):
        for a, b, own in zip(rows[name], columns[name], [(4,), (1,)], strict=True):
            assert a.shape == (*shape, *own)
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(rows["norm"][0], x / np.sqrt((x * x).sum()), rtol=1e-5)


def test_a_jacobian_of_ops_without_rows_of_their_own_is_a_loop(device):
    x = np.random.default_rng(0).normal(size=(1, 5, 5, 1)).astype(np.float32)
    layer = pyml.layers.Conv2D(2, 3)
    layer(x)
    program = pyml.program(lambda x: pyml.jacobian(layer)(x))
    found = program(x)
    assert found.shape == (1, 3, 3, 2, 1, 5, 5, 1) and "scan" in program.explain()
    np.testing.assert_allclose(found.numpy()[0, 1, 2, 1, 0, 1:4, 2:5, 0], layer.kernel.numpy()[:, :, 0, 1], rtol=1e-5)


def test_an_empty_value_has_an_empty_jacobian():
    assert pyml.jacobian(lambda x: x[:0] * 2.0)(array(1, 2, 3)).shape == (0, 3)


def test_hessians_of_trees_have_all_blocks(device):
    found = pyml.hessian(lambda p: ops.sum(p["a"] ** 2 * p["b"]))({"a": array(1, 2), "b": array(3, 4)})
    assert found["a"]["a"].tolist() == [[6, 0], [0, 8]] and found["a"]["b"].tolist() == [[2, 0], [0, 4]]
    assert found["b"]["b"].tolist() == [[0, 0], [0, 0]]


def test_the_hessian_of_a_network_is_that_of_finite_differences(device):
    w = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)

    def loss(x):
        return ops.sum(ops.softplus(ops.tanh(ops.matmul(x[None], w))) ** 2)

    x = array(0.2, -0.4, 0.6)
    found, gradient, step = pyml.program(pyml.hessian(loss))(x).numpy(), pyml.grad(loss), 1e-2
    for i in range(3):
        change = np.zeros(3, np.float32)
        change[i] = step
        slope = (gradient(x + change).numpy() - gradient(x - change).numpy()) / (2 * step)
        np.testing.assert_allclose(found[i], slope, atol=5e-3)
    np.testing.assert_allclose(found, found.T, rtol=1e-4, atol=1e-5)


OFTEN = [
    "add", "subtract", "multiply", "divide", "power", "maximum", "exp", "log", "log1p", "sqrt", "rsqrt", "square", "tanh", "sigmoid",
    "relu", "gelu", "silu", "softplus", "elu", "selu", "softmax", "log_softmax", "logsumexp", "sin", "cos", "arctan", "erf", "matmul",
    "einsum", "dot", "tensordot", "sum", "mean", "var", "std", "max", "prod", "cumsum", "reshape", "transpose", "concatenate", "stack",
    "where", "take", "norm", "conv", "average_pool", "max_pool", "batch_normalization", "layer_normalization",
    "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy", "scan", "fori_loop", "while_loop", "switch",
    "map", "vectorized_map", "associative_scan", "cbrt", "sinc", "clip", "det", "dot_product_attention", "sparsemax",
]  # fmt: skip
SECOND = {c.values[0].name: c for c in SMOOTH if c.values[0].name in OFTEN}


def test_nearly_all_ops_named_here_have_second_derivatives_tested():
    assert len(SECOND) > 0.8 * len(OFTEN)


@pytest.mark.parametrize("name", SECOND)
def test_the_second_derivative_of_an_op_is_that_of_finite_differences(name):
    declared, sample = SECOND[name].values
    arrays, rng, step = drawn(sample), np.random.default_rng(1), 2e-3
    moved = [i for i, a in enumerate(arrays) if a.dtype == np.float32]
    along = [rng.uniform(-1, 1, arrays[i].shape).astype(np.float32) for i in moved]

    def total(floats):
        values = list(arrays)
        for i, value in zip(moved, floats, strict=True):
            values[i] = value
        floats = [o for o in results(called(declared.function, sample, values)) if o.dtype == "float32"]
        return sum((ops.sum(ops.sin(o * 0.7 + 0.3)) for o in floats), ops.zeros(()))

    gradient = pyml.grad(total)
    _, second = pyml.jvp(lambda *floats: gradient(list(floats)), [arrays[i] for i in moved], along)
    found = sum(float(ops.sum(s * d)) for s, d in zip(second, along, strict=True))
    sides = []
    for sign in (-1, 1):
        at = gradient([arrays[i] + np.float32(sign * step) * d for i, d in zip(moved, along, strict=True)])
        sides.append(sum(float((g.numpy().astype(np.float64) * d).sum()) for g, d in zip(at, along, strict=True)))
    wanted = (sides[1] - sides[0]) / (2 * step)
    assert abs(found - wanted) < 2e-2 * (1 + abs(wanted))


# ---- gradients by name
def test_variable_grads_names_the_variables_that_a_function_reads():
    a, b, still = pyml.Variable(2.0, name="a"), pyml.Variable(3.0, name="b"), pyml.Variable(5.0, trainable=False, name="still")
    value, grads = pyml.variable_grads(lambda: a * a * b * still)
    assert value.item() == 60.0 and {k: g.item() for k, g in grads.items()} == {"a": 60.0, "b": 20.0}
    assert {k: g.item() for k, g in pyml.variable_grads(lambda: a * still, [still, b]).grads.items()} == {"still": 2.0, "b": 0.0}
    with pytest.raises(ValueError, match="reads no trainable Variable"):
        pyml.variable_grads(lambda: still * 2.0)
    with pytest.raises(ValueError, match="several Variables have the path a"):
        pyml.variable_grads(lambda: a * pyml.Variable(1.0, name="a"))
    with pytest.raises(ShapeError, match="must return a scalar"):
        pyml.variable_grads(lambda: ops.ones(2) * a)


def test_grads_of_several_arguments_may_be_weighed():
    value, grads = pyml.value_and_grads(lambda a, b: a * b)([array(1, 2), array(3, 4)], dy=array(1, 10))
    assert value.tolist() == [3, 8] and [g.tolist() for g in grads] == [[3, 40], [1, 20]]
    assert [g.tolist() for g in pyml.grads(lambda a, b: a * b)([array(1, 2), array(3, 4)])] == [[3, 4], [1, 2]]


@pytest.mark.parametrize(("words", "run"), [
    ("argument 'n' holds int32", lambda: pyml.grad(lambda x, n: ops.sum(x * n), argnums=1)(array(1.0), np.arange(3))),
    ("argument 'tree'\\['b'\\]\\[1\\]\\[0\\] holds int32", lambda: pyml.jacobian(lambda tree: tree["b"][0])({"b": [array(1.0), [1]]})),
    ("the function returns int32", lambda: pyml.vjp(lambda x: ops.cast(x, "int32"), array(1.0))),
    ("the function returns bool", lambda: pyml.jvp(lambda x: x > 0, (array(1.0),), (array(1.0),))),
])  # fmt: skip
def test_integers_are_refused_by_name(words, run):
    with pytest.raises(NotDifferentiable, match=words):
        run()


BY_NAME = {
    **{fn.__name__: lambda f, *a, fn=fn, **k: fn(f, **k)(*a) for fn in (
        pyml.grad, pyml.value_and_grad, pyml.jacobian, pyml.jacrev, pyml.jacfwd, pyml.hessian)},
    "vjp": lambda f, *a, **k: pyml.vjp(f, *a, **k)[1](1.0),
    "jvp": lambda f, *a, **k: pyml.jvp(f, a, a, **k),
    "grads": lambda f, *a: pyml.grads(f)(list(a)),
    "value_and_grads": lambda f, *a: pyml.value_and_grads(f)(list(a)),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_NAME)
def test_what_is_wrong_is_told_by_the_function_that_was_called(name):
    x, n, call = array(1.0, 2.0), np.arange(3), BY_NAME[name]
    faults = [
        (TypeError, "must be a function", lambda: call(None, x)),
        (NotDifferentiable, "argument 'n' holds int32", lambda: call(lambda n: ops.sum(n * 1.5), n)),
        (NotDifferentiable, "int32 value", lambda: call(lambda x: ops.sum(ops.cast(x, "int32")), x)),
        (NotDifferentiable, "cast has no gradient", lambda: call(lambda x: 1.0 * ops.sum(ops.cast(x, "int32")), x)),
        (NotDifferentiable, "qr.* has no gradient", lambda: call(lambda x: ops.sum(ops.qr(x[:, None], mode="complete")[0]), x)),
        (NotDifferentiable, "reading numbers into Python", lambda: call(lambda x: ops.ones(()) * float(x[0]), x)),
        (NotDifferentiable, "reading numbers into Python", lambda: call(lambda x: ops.sum(ops.array(x.numpy()) * 2), x)),
    ]
    if "s" not in name[-1]:
        faults.append((TypeError, "a pair", lambda: call(lambda x: ops.sum(x), x, has_aux=True)))
    if name in ("grad", "value_and_grad", "hessian"):
        faults += [(ShapeError, r"scalar tensor, it returned shape \(2,\)", lambda: call(lambda x: x, x)),
                   (ShapeError, "scalar tensor, it returned NoneType", lambda: call(lambda x: None, x))]  # fmt: skip
    if name not in ("vjp", "jvp", "grads", "value_and_grads"):
        faults.append((ValueError, "argnums=3 but 1 positional", lambda: call(ops.sum, x, argnums=3)))
    for kind, words, fault in faults:
        with pytest.raises(kind, match=f"^{name}: .*{words}"):
            fault()
    with pytest.raises(DtypeError, match=f"^{name}: argument 'x'\\['a'\\]: .*text"):
        call(lambda x: ops.sum(x["a"]), {"a": "words"})
    for name in ("checkpoint", "remat"):
        with pytest.raises(TypeError, match=f"^{name}: f must be a function"):
            getattr(pyml, name)(3)


def test_dicts_that_are_handed_in_are_taken_by_their_keys():
    """Whatever the order in which somebody wrote them down."""
    x, turned = np.float32(1.0), {"b": np.float32(100.0), "a": np.float32(1.0)}
    assert pyml.vjp(lambda x: {"a": x * 2, "b": x * 3}, x)[1](turned)[0].item() == 302
    assert pyml.jvp(lambda d: d["a"] * 2 + d["b"] * 3, ({"a": x, "b": x},), (turned,))[1].item() == 302
    weighed = pyml.custom_gradient(lambda d: (d["a"] * 2 + d["b"] * 3, lambda g: {"b": g * 3, "a": g * 2}))
    assert {k: g.item() for k, g in pyml.grad(weighed)({"a": x, "b": x}).items()} == {"a": 2, "b": 3}
    v = pyml.Variable(x)
    with GradientTape() as tape:
        made = {"a": v * 2, "b": v * 3}
    assert tape.gradient(made, v, output_gradients=turned).item() == 302
    with pytest.raises(ValueError, match=r"vjp: expected a dict with the keys 'a'.* the keys 'c'"):
        pyml.vjp(lambda x: {"a": x}, x)[1]({"c": x})
    assert pyml.jacobian(lambda x: (None, x))(x)[0] is None


@pytest.mark.parametrize("as_given", [lambda x: x.astype("float16"), lambda x: ops.cast(x, "float16")])
def test_derivatives_have_the_dtype_of_what_they_belong_to(as_given):
    x = as_given(array(1.0, 2.0))
    assert pyml.grad(lambda x: ops.sum(x * x))(x).dtype == "float16"
    value, back = pyml.vjp(lambda x: x * x, x)
    assert value.dtype == back(x)[0].dtype == "float16" and back(x)[0].tolist() == [2, 8]
    assert [t.dtype for t in pyml.jvp(lambda x: x * x, (x,), (x,))] == ["float16", "float16"]
    assert {f(lambda x: x * x)(x).dtype for f in (pyml.jacobian, pyml.jacfwd)} == {"float16"}


def test_numpy_arrays_of_complex_numbers_have_gradients_as_on_pytorch():
    z = np.array([1 + 2j, 3 - 1j], "complex64")
    np.testing.assert_allclose(pyml.grad(lambda z: ops.sum(ops.absolute(z) ** 2))(z), 2 * z, rtol=1e-6)
    np.testing.assert_allclose(pyml.grad(lambda d: ops.sum(ops.real(d["z"] * d["z"])))({"z": z})["z"], 2 * z.conj(), rtol=1e-6)


def test_a_custom_gradient_takes_tensors_by_name_and_tells_of_those_that_it_does_not_know():
    double = pyml.custom_gradient(lambda x, how=None: (x * 2.0, lambda g: (g * 3.0, None) if how is None else g * 5.0))
    x = array(1.0, 2.0)
    assert pyml.grad(lambda x: ops.sum(double(x=x, how="five")))(x).tolist() == [5, 5]
    assert pyml.grad(lambda x: ops.sum(double(x, None)))(x).tolist() == [3, 3]
    around = lambda x: ops.sum(pyml.custom_gradient(lambda y: (y * x, lambda g: g))(np.ones(2, "float32")))
    with pytest.raises(NotDifferentiable, match="grad: a tensor that is no positional argument of the function with a custom_gradient"):
        pyml.grad(around)(x)
    assert pyml.grad(lambda x: around(x) + ops.sum(x))(x).tolist() == [1, 1]


def test_arguments_that_hold_none_keep_it():
    found = pyml.grad(lambda p: ops.sum(p["w"] * 2.0))({"w": array(1, 2), "b": None})
    assert found["w"].tolist() == [2, 2] and found["b"] is None
    ordered = pyml.grad(lambda p: ops.sum(p["b"] * p["a"]))(OrderedDict(b=array(1.0), a=array(2.0)))
    assert isinstance(ordered, OrderedDict) and [(k, g.tolist()) for k, g in ordered.items()] == [("b", [2]), ("a", [1])]


def test_an_argument_that_a_loop_carries_unchanged_has_its_gradient(device):
    assert pyml.grad(lambda x: ops.scan(lambda c, _: (c * x, None), 1.0, length=3)[0])(2.0).item() == 12.0


# ---- computing once more
def chain(checkpoint):
    """A program of a training step of twelve layers, four of which are a block."""
    weights = [pyml.Variable(np.random.default_rng(i).normal(size=(32, 32)).astype(np.float32) * 0.1) for i in range(12)]

    def block(some):
        def run(x):
            for w in some:
                x = ops.tanh(ops.matmul(x, w))
            return x

        return pyml.checkpoint(run) if checkpoint else run

    @pyml.program
    def step(x):
        with GradientTape() as tape:
            for i in range(0, 12, 4):
                x = block(weights[i : i + 4])(x)
            loss = ops.sum(x * x)
        return loss, tape.gradient(loss, weights)

    return step


def test_a_step_with_checkpoints_holds_less_and_gives_the_same(device):
    x = np.random.default_rng(9).normal(size=(64, 32)).astype(np.float32)
    whole, blocks = chain(False), chain(True)
    (first, wanted), (second, found) = whole(x), blocks(x)
    np.testing.assert_allclose(second, first, rtol=1e-5)
    for f, w in zip(found, wanted, strict=True):
        np.testing.assert_allclose(f, w, rtol=1e-4, atol=1e-6)
    assert sum(blocks.last_plan.slots) < 0.5 * sum(whole.last_plan.slots)


def test_checkpoints_have_second_derivatives_and_none_outside_of_gradients(device):
    f = pyml.checkpoint(lambda x: (ops.sin(x * x), {"n": 3}))
    assert f(ops.ones(1))[1] == {"n": 3}
    grad = pyml.grad(lambda x: ops.sum(f(x)[0]))
    x = 0.7
    assert grad(array(x)).item() == pytest.approx(2 * x * np.cos(x * x), rel=1e-5)
    second = 2 * np.cos(x * x) - 4 * x * x * np.sin(x * x)
    assert pyml.grad(lambda x: ops.sum(grad(x)))(array(x)).item() == pytest.approx(second, rel=1e-4)


@pytest.mark.parametrize("mode", ["full", "activations", "larger_than", "list_of_layers"])
def test_layers_made_in_a_remat_scope_train_as_others_do(mode):
    x = np.random.default_rng(0).normal(size=(32, 8)).astype(np.float32)

    def losses(mode):
        pyml.utils.set_random_seed(1)
        with pyml.RematScope(mode, output_size_threshold=100, layer_names=["first"]):
            layers = [pyml.layers.Dense(16, activation="gelu", name="first"), pyml.layers.Dropout(0.3, seed=3),
                      pyml.layers.BatchNormalization(), pyml.layers.Dense(3, activation="softmax")]  # fmt: skip
        model = pyml.Sequential([pyml.Input((8,)), *layers])
        model.compile(pyml.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        return model.fit(x, np.arange(32) % 3, epochs=2, shuffle=False, verbose=0).history["loss"]

    np.testing.assert_allclose(losses(mode), losses(None), rtol=1e-5)
    with pytest.raises(ValueError, match="mode must be one of"):
        pyml.RematScope("some")


def test_what_has_no_gradient_may_follow_stop_gradient():
    def f(z):
        return ops.sum(ops.qr(ops.stop_gradient(z), mode="complete")[0]) + ops.sum(z)

    np.testing.assert_array_equal(pyml.grad(f)(ops.ones((5, 3))), np.ones((5, 3)))


READ = "what the function reads"
COUNTED = "(bincount|cast)"  # where the host counts it is the former


def sharp(x):
    return ops.sum(ops.cast(ops.greater(x, 0), "float32"))


def of_argmax(x):
    return ops.sum(ops.one_hot(ops.argmax(x), 3))


@pytest.mark.parametrize(
    ("call", "who", "op", "argument"),
    [
        (pyml.grad(of_argmax), "grad", "argmax", "argument 'x'"),
        (pyml.grad(lambda x: x.argmax().astype("float32")), "grad", "argmax", "argument 'x'"),
        (pyml.grad(lambda x: (x > 0).astype("float32").sum()), "grad", "greater", "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(x // 0.5)), "grad", "floor_divide", "argument 'x'"),
        (pyml.grad(lambda x: 1.0 * ops.sum(ops.bincount(ops.cast(ops.abs(x), "int32")))), "grad", COUNTED, "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.bincount(ops.cast(ops.abs(x), "int32"), ops.ones(3)))), "grad", COUNTED, "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.roll(array(1, 2, 4), ops.cast(x[0], "int32"))[0])), "grad", "roll", "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.rot90(np.eye(3)[:2], ops.cast(x[0], "int32"))[0])), "grad", "rot90", "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.repeat(array(1, 2, 4), ops.cast(ops.abs(x), "int32")))), "grad", "repeat", "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.segment_sum(array(1, 2, 4), ops.argsort(x)))), "grad", "argsort", "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.cast(ops.nonzero(x)[0], "float32"))), "grad", "nonzero", "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.unique(x))), "grad", "unique", "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.scan(lambda c, r: (c, sharp(r)), 0.0, x)[1])), "grad", "greater", "argument 'x'"),
        (pyml.grad(lambda x: ops.sum(ops.vectorized_map(sharp, x))), "grad", "greater", "argument 'x'"),
        (pyml.program(pyml.grad(lambda x: ops.while_loop(lambda i: i < x[2], lambda i: i + 1.0, 0.0, 5))), "grad", "less", "argument 'x'"),
        (pyml.grad(pyml.checkpoint(sharp)), "grad", "greater", "argument 'x'"),
        (pyml.program(pyml.grad(sharp)), "grad", "greater", "argument 'x'"),
        (lambda x: pyml.grad(lambda x, y: ops.sum(x) * sharp(y), argnums=(0, 1))(x, x), "grad", "greater", "argument 'y'"),
        (pyml.jacobian(lambda x: ops.cast(ops.argsort(x), "float32")), "jacobian", "argsort", "argument 'x'"),
        (pyml.jacfwd(lambda x: ops.cast(x, "int32") * 1.0), "jacfwd", "cast", "argument 'x'"),
        (pyml.hessian(of_argmax), "hessian", "argmax", "argument 'x'"),
        (lambda x: pyml.vjp(sharp, x)[1](1.0), "vjp", "greater", "argument 'x'"),
        (lambda x: pyml.jvp(sharp, (x,), (x,)), "jvp", "greater", "what it is given"),
        (lambda x: pyml.variable_grads(functools.partial(sharp, pyml.Variable(x))), "variable_grads", "greater", READ),
        (lambda x: pyml.variable_grads(functools.partial(ops.argmax, pyml.Variable(x))), "variable_grads", "argmax", READ),
    ],
)  # fmt: skip
def test_a_gradient_through_nothing_but_an_op_that_has_none_names_the_op(call, who, op, argument):
    with pytest.raises(NotDifferentiable) as error:
        call(array(1.5, -0.5, 2.0))
    assert re.match(f"{who}: {op} has no gradient, and {argument} changes the value only through it. Use ", str(error.value))


def test_a_gradient_that_has_another_way_or_that_nobody_wants_goes_around_ops_without_one(device):
    x = array(1.5, -0.5, 2.0)
    for f, wanted in (
        (lambda x: ops.sum(x * ops.cast(x > 0, "float32")), [1, 0, 1]),
        (lambda x: ops.sum(x * ops.one_hot(ops.argmax(x), 3)), [0, 0, 1]),
        (lambda x: ops.sum(ops.where(x > 0, x, 0.0)), [1, 0, 1]),
        (lambda x: ops.sum(ops.top_k(x, 2)[0]), [1, 0, 1]),
        (lambda x: sharp(x) + ops.sum(x), [1, 1, 1]),
        (lambda x: ops.sum(x + ops.stop_gradient(ops.cast(x > 0, "float32") - x)), [1, 1, 1]),  # straight through
        (lambda x: sharp(ops.stop_gradient(x)), [0, 0, 0]),
        (lambda x: ops.stop_gradient(sharp(x)), [0, 0, 0]),
        (lambda x: sharp(ops.round(x)) * 0 + ops.sum(ops.round(x) + ops.floor(x) + ops.ceil(x) + ops.sign(x) + ops.trunc(x)), [0, 0, 0]),
        (lambda x: ops.sum(ops.ones_like(x, "int32")) * 1.0, [0, 0, 0]),
        (lambda x: 1.0 * ops.sum(ops.ones(3)), [0, 0, 0]),
        (pyml.custom_gradient(lambda x: (sharp(x), lambda upstream: upstream * ops.ones(3))), [1, 1, 1]),
    ):  # fmt: skip
        assert pyml.grad(f)(x).tolist() == wanted
    weights = {"w": x, "of_mask": x}  # one that serves for a mask alone has zeros, as the others have gradients
    found = pyml.grad(lambda p: ops.sum(p["w"] * ops.cast(p["of_mask"] > 0, "float32")))(weights)
    assert found["w"].tolist() == [1, 0, 1] and found["of_mask"].tolist() == [0, 0, 0]
    w, m = pyml.Variable(x, name="w"), pyml.Variable(x, name="m")
    grads = pyml.variable_grads(lambda: ops.sum(w * ops.cast(m > 0, "float32"))).grads
    assert grads["w"].tolist() == [1, 0, 1] and grads["m"].tolist() == [0, 0, 0]
    for piecewise in (lambda x: ops.sum(ops.where(x > 0, x, 0.0)), lambda x: ops.sum(x * ops.cast(x > 0, "float32"))):
        assert not np.any(pyml.hessian(piecewise)(x))
    with pyml.GradientTape() as tape:
        loss = sharp(w)
    assert tape.gradient(loss, w) is None  # as TensorFlow


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7])
def test_the_gradient_of_a_product_is_the_product_of_the_others_zeros_among_them_or_not(device, n):
    x = np.arange(1, 4 * n + 1, dtype=np.float32).reshape(4, n) % 5  # 0 is among them
    others = [[np.prod(np.delete(row, i)) for i in range(n)] for row in x]
    np.testing.assert_allclose(pyml.grad(lambda x: ops.sum(ops.prod(x, axis=1)))(x).numpy(), others, rtol=1e-6)


def test_a_number_that_was_lifted_out_of_the_kernels_is_added_to_a_picked_element(device):
    slope = pyml.grad(lambda x: ops.sum(ops.take(x, 2) * 0.37))
    np.testing.assert_allclose(slope(np.arange(4, dtype="float32")).numpy(), [0, 0, 0.37, 0], rtol=1e-6)
