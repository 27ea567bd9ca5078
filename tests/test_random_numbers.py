"""Random numbers have the moments of their distributions, the same for the same seed on every device."""

import collections

import numpy as np
import pytest

import pyml
from pyml import ops, random
from pyml.core.tensor import Tensor
from pyml.random.binomials import _stirling
from pyml.random.bits import random_order, random_words, words_of
from pyml.random.distributions import _erfinv
from pyml.random.rejection import first_fit

pytestmark = pytest.mark.in_turn

N = 4000
DRAWS = {  # name -> what draws, mean, variance
    "gamma below 1": (lambda: random.gamma((N,), 0.3, seed=3), 0.3, 0.3),
    "gamma of 1": (lambda: random.gamma((N,), 1.0, seed=3), 1.0, 1.0),
    "gamma above 1": (lambda: random.gamma((N,), 8.5, seed=3), 8.5, 8.5),
    "beta": (lambda: random.beta((N,), 2.0, 5.0, seed=4), 2 / 7, 10 / (49 * 8)),
    "beta below 1": (lambda: random.beta((N,), 0.2, 0.3, seed=4), 0.4, 0.06 / (0.25 * 1.5)),
    "binomial, few": (lambda: random.binomial((N,), 9, 0.3, seed=5), 2.7, 1.89),
    "binomial, many": (lambda: random.binomial((N,), 1000, 0.8, seed=5), 800, 160),
    "binomial, rare": (lambda: random.binomial((N,), 5000, 0.001, seed=5), 5, 4.995),
}


@pytest.mark.parametrize("name", DRAWS)
def test_numbers_have_the_mean_and_the_variance_of_their_distribution(device, name):
    draw, mean, variance = DRAWS[name]
    x = draw().numpy()
    assert x.shape == (N,) and x.dtype == np.float32 and np.isfinite(x).all()
    spread = (variance / N) ** 0.5
    assert abs(x.mean() - mean) < 5 * spread
    kurtosis = np.mean((x - mean) ** 4) / variance**2
    assert abs(x.var() - variance) < 5 * variance * (max(kurtosis - 1, 0.1) / N) ** 0.5


def test_the_first_of_many_tries_that_fits_is_taken(device):
    """As numpy finds it among all of them; where none fits it is what was given for that."""
    count, shape, key = 3, (50, 2), random.draw_seed(9)
    fits_and_value = lambda words: (words % 4 == 0, words // 256)
    found = first_fit(count, shape, lambda numbers: fits_and_value(Tensor(words_of(numbers, key._node, 5))), pyml.ops.full((), 7, "uint32"))
    fits, values = fits_and_value(Tensor(random_words((count, *shape), key._node, 5)).numpy())
    expected = np.where(fits.any(axis=0), np.take_along_axis(values, fits.argmax(axis=0)[None], axis=0)[0], 7)
    np.testing.assert_array_equal(found.numpy(), expected)
    assert 5 < (expected == 7).sum() < 80


@pytest.mark.parametrize(("name", "parameters", "dispatches"), [("gamma", [0.5], 1), ("beta", [0.4, 2.0], 2), ("binomial", [90.0, 0.3], 2)])
def test_numbers_are_drawn_by_few_kernels_and_those_of_tensors_are_the_same(wasm, name, parameters, dispatches):
    run = pyml.program(lambda *given: getattr(random, name)((300,), *given, seed=1))
    numbers = run(*parameters).numpy()
    assert run.last_plan.dispatches <= dispatches
    np.testing.assert_allclose(run(*(np.full(300, p, "float32") for p in parameters)).numpy(), numbers, rtol=3e-6)


@pytest.mark.parametrize("count", [2, 300])
def test_a_random_order_is_that_of_uniform_numbers(device, count):
    np.testing.assert_array_equal(random_order(count, 4).numpy(), np.argsort(random.uniform((count,), seed=4).numpy(), kind="stable"))


def test_binomial_numbers_are_whole_and_within_the_counts(device):
    counts, p = np.array([0, 1, 30, 400]), pyml.ops.convert_to_tensor([0.5, 1.0, 0.9, 0.5])
    x = random.binomial((200, 4), counts, p, seed=1).numpy()
    assert (x == np.round(x)).all() and (x >= 0).all() and (x <= counts).all()
    assert (x[:, 1] == 1).all() and len(np.unique(x[:, 3])) > 20


def test_classes_are_drawn_by_their_probabilities(device):
    p = np.array([[0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    x = random.categorical(np.log(np.maximum(p, 1e-30)), N, seed=2).numpy()
    assert x.shape == (2, N) and x.dtype == np.int32
    shares = np.stack([np.bincount(row, minlength=3) / N for row in x])
    np.testing.assert_allclose(shares, p, atol=0.04)


def test_a_seed_repeats_and_a_generator_moves_on(cpu):
    seed = random.SeedGenerator(7)
    draws = [lambda s: random.gamma((5,), 2.0, seed=s), lambda s: random.beta((5,), 2.0, 3.0, seed=s),
             lambda s: random.binomial((5,), 500, 0.4, seed=s), lambda s: random.categorical(np.zeros((2, 50)), 5, seed=s)]  # fmt: skip
    for draw in draws:
        np.testing.assert_array_equal(draw(11).numpy(), draw(11).numpy())
        assert (draw(seed).numpy() != draw(seed).numpy()).any()


def test_a_seed_may_be_negative_as_in_keras(cpu):
    made = [lambda s: random.normal((8,), seed=s), lambda s: random.normal((8,), seed=random.SeedGenerator(s)),
            lambda s: random.shuffle(np.arange(8), seed=s), lambda s: pyml.initializers.GlorotUniform(seed=s)((2, 4)),
            lambda s: pyml.layers.Dropout(0.5, seed=s)(np.ones(64, "float32"), training=True),
            lambda s: np.array(pyml.utils.split_dataset(np.arange(9), left_size=8, shuffle=True, seed=s)[0].to_array())]  # fmt: skip
    for make in made:
        first, again, other = (np.asarray(make(s)) for s in (-3, -3, -4))
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()
    assert pyml.random.SeedGenerator(-3).get_config()["seed"] == -3


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda: random.gamma((2,), 0.0), "gamma: alpha must be positive"),
        (lambda: random.beta((2,), 1.0, -1.0), "beta: beta must be positive"),
        (lambda: random.binomial((2,), -1, 0.5), "binomial: counts must not be negative"),
        (lambda: random.binomial((2,), 3, 1.5), "binomial: probabilities must be from 0 to 1"),
        (lambda: random.categorical(np.zeros(3), 2), "categorical: logits must be"),
        (lambda: random.normal((2,), dtype="int32"), "normal: dtype must be one of floats"),
        (lambda: random.uniform((2,), dtype="bool"), "uniform: dtype must be one of floats"),
        (lambda: random.gamma((2,), 1.0, dtype="int8"), "gamma: dtype must be one of floats"),
        (lambda: random.randint((2,), 0, 5, dtype="float32"), "randint: dtype must be one of integers"),
        (lambda: random.randint((2,), 0, 5, dtype="int99"), "Invalid dtype: 'int99'"),
        (lambda: random.randint((2,), -1, 5, dtype="uint8"), "randint: uint8 holds numbers from 0 to 255"),
        (lambda: random.randint((2,), 0, 2**33, dtype="int64"), "randint: int32 holds numbers from"),
        (lambda: random.binomial((2,), 3, 0.5, dtype="bool"), "binomial: dtype must be one of numbers"),
        (lambda: random.categorical(pyml.Input((3,)), 2), r"categorical: shape must hold integers.*None, 2, 3"),
        (lambda: random.dropout(np.ones((4, 5)), 0.5, noise_shape=(None,)), r"noise_shape must broadcast to .* \(4, 5\)"),
        (lambda: random.dropout(np.ones((4, 5)), 0.5, noise_shape=(1, 4, 5)), "noise_shape must broadcast"),
        (lambda: random.shuffle(np.float32(3.0)), "shuffle: axis 0 is out of range"),
    ],
)
def test_parameters_without_a_distribution_are_refused(draw, told):
    with pytest.raises(ValueError, match=told):
        draw()


@pytest.mark.parametrize("draw", [random.normal, random.uniform, random.truncated_normal])
def test_parameters_that_are_tensors_have_gradients_and_those_of_counts_none(cpu, draw):
    first, second = np.array([-1.0, 0.0, 2.0], "float32"), np.array([[1.5], [3.0]], "float32")
    plain = draw((2, 3), 0.0, 1.0, seed=4).numpy()
    value, found = pyml.value_and_grad(lambda a, b: pyml.ops.sum(draw((2, 3), a, b, seed=4)), argnums=(0, 1))(first, second)
    spread = second - first if draw is random.uniform else second
    np.testing.assert_allclose(value, (plain * spread + first).sum(), rtol=1e-5)
    np.testing.assert_allclose(found[0], (1 - plain if draw is random.uniform else np.ones_like(plain)).sum(0), rtol=1e-5)
    np.testing.assert_allclose(found[1], plain.sum(1, keepdims=True), rtol=1e-5)
    with pytest.raises(pyml.errors.ShapeError, match=f"{draw.__name__}: parameters must broadcast"):
        draw((3,), first, second)
    with pytest.raises(pyml.errors.NotDifferentiable, match="binomial has no gradient"):
        pyml.grad(lambda p: pyml.ops.sum(random.binomial((3,), 4, p, seed=1)))(np.float32(0.3))


FLOATS = {
    "normal": random.normal, "uniform": random.uniform, "truncated_normal": random.truncated_normal,
    "gamma": lambda shape, **how: random.gamma(shape, 2.0, **how), "beta": lambda shape, **how: random.beta(shape, 2.0, 2.0, **how),
    "binomial": lambda shape, **how: random.binomial(shape, 9, 0.5, **how),
    "dropout": lambda shape, dtype, seed: random.dropout(pyml.ops.ones(shape, dtype=dtype), 0.5, seed=seed),
    "initializer": lambda shape, dtype, seed: pyml.initializers.HeNormal(seed=seed)(shape, dtype=dtype),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", None])
def test_numbers_have_the_float_dtype_that_was_asked_for(device, dtype):
    wanted = {"float64": "float32", None: "float32"}.get(dtype, dtype)
    for name, draw in FLOATS.items():
        numbers = draw((50,), dtype=dtype or "float32", seed=3) if name == "dropout" else draw((50,), dtype=dtype, seed=3)
        assert numbers.dtype == wanted, name
        np.testing.assert_allclose(pyml.ops.cast(numbers, "float32"), draw((50,), dtype="float32", seed=3), 0.01, 0.01, err_msg=name)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_integers_have_the_dtype_that_was_asked_for(device, dtype):
    numbers = random.randint((500,), 3, 99, dtype=dtype, seed=3)
    assert numbers.dtype == dtype and random.categorical(np.zeros((2, 3)), 4, dtype=dtype).dtype == dtype
    np.testing.assert_array_equal(pyml.ops.cast(numbers, "int32"), random.randint((500,), 3, 99, seed=3))


def test_integers_come_from_the_whole_range_of_their_dtype(device):
    for low, high, dtype in ((0, 2**32, "uint32"), (2**31, 2**32 - 1, "uint32"), (-(2**31), 2**31, "int32"), (0, 256, "uint8")):
        numbers = random.randint((2000,), low, high, dtype=dtype, seed=3).numpy().astype(np.int64)
        assert low <= numbers.min() < low + 0.02 * (high - low) and high - 0.02 * (high - low) < numbers.max() < high


def test_the_mask_of_dropout_broadcasts_from_the_last_axes(cpu):
    for given, rows, columns in (((5,), 1, 5), ((), 1, 1), ((1,), 1, 1), ([4, None], 4, 5), ((None, 1), 4, 1)):
        kept = random.dropout(np.ones((4, 5), "float32"), 0.5, noise_shape=given, seed=1).numpy()
        np.testing.assert_array_equal(kept, np.broadcast_to(kept[:rows, :columns], (4, 5)))
        assert set(np.unique(kept)) <= {0, 2} and (rows * columns == 1 or len(np.unique(kept)) == 2)


def test_a_list_is_shuffled_and_counts_may_be_integers(cpu):
    assert sorted(random.shuffle([3, 1, 2], seed=1).tolist()) == [1, 2, 3]
    counts = random.binomial((500,), 9, 0.5, dtype="int32", seed=3)
    assert counts.dtype == "int32" and counts.tolist() == random.binomial((500,), 9, 0.5, seed=3).tolist()


def test_generators_have_names_of_their_own_as_in_keras(cpu):
    pyml.utils.clear_session()
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dropout(0.5), pyml.layers.GaussianNoise(0.1)])
    model.compile("sgd", "mse")
    names = ["seed_generator", "seed_generator_1"]
    assert [v.path for v in model.variables] == [f"{name}/seed_generator_state" for name in names]
    assert list(model.get_state_tree()["non_trainable_variables"]) == names
    assert model.layers[0].seed_generator.get_config() == {"seed": None, "name": "seed_generator"}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_uniform_numbers_of_sixteen_bits_stay_below_the_end(device, dtype):
    numbers = random.uniform((100_000,), dtype=dtype, seed=1)
    assert 0.99 < float(pyml.ops.max(pyml.ops.cast(numbers, "float32"))) < 1


MANY = 60_000
# how numbers are drawn, and the distribution of scipy that they have; those of parameters in tensors have one for each half
CONTINUOUS = {
    "uniform": (lambda s: random.uniform((MANY,), seed=s), ["uniform", 0, 1]),
    "uniform of other ends": (lambda s: random.uniform((MANY,), -1.5, 2.0, seed=s), ["uniform", -1.5, 3.5]),
    "normal": (lambda s: random.normal((MANY,), seed=s), ["norm", 0, 1]),
    "normal elsewhere": (lambda s: random.normal((MANY,), 3.0, 0.25, seed=s), ["norm", 3.0, 0.25]),
    "truncated": (lambda s: random.truncated_normal((MANY,), seed=s), ["truncnorm", -2, 2]),
    "truncated elsewhere": (lambda s: random.truncated_normal((MANY,), -1.0, 2.0, seed=s), ["truncnorm", -2, 2, -1.0, 2.0]),
    **{f"gamma {a}": (lambda s, a=a: random.gamma((MANY,), a, seed=s), ["gamma", a]) for a in (0.1, 0.7, 1.0, 2.5, 40.0)},
    **{f"beta {a} {b}": (lambda s, a=a, b=b: random.beta((MANY,), a, b, seed=s), ["beta", a, b])
       for a, b in ((0.5, 0.5), (2.0, 5.0), (9.0, 0.8))},
}  # fmt: skip
HALF = np.repeat([0, 1], MANY // 2)


def halves(first, second):
    return ops.array(np.array([first, second], "float32")[HALF])


HALVES = {
    "uniform": (lambda: random.uniform((MANY,), halves(-1, 2), halves(1, 5), seed=3), [-1, 2], [2, 3]),
    "norm": (lambda: random.normal((MANY,), halves(-1, 2), halves(0.5, 4), seed=3), [-1, 2], [0.5, 4]),
    "gamma": (lambda: random.gamma((MANY,), halves(0.4, 6), seed=3), [0.4, 6]),
    "beta": (lambda: random.beta((MANY,), halves(0.6, 3), halves(2, 0.9), seed=3), [0.6, 3], [2, 0.9]),
}


def distance(numbers, name, *parameters):
    """The largest difference between the share of numbers below a value and that of the distribution, by what is usual of so many."""
    from scipy import stats  # takes a second

    below = getattr(stats, name)(*parameters).cdf(np.sort(numbers.astype("float64")))
    places = np.arange(len(below) + 1) / len(below)
    return max(np.abs(below - places[1:]).max(), np.abs(below - places[:-1]).max()) * len(below) ** 0.5


def test_numbers_have_their_distribution_and_nothing_to_do_with_those_before(cpu):
    for name, (draw, expected) in CONTINUOUS.items():
        numbers = draw(1).numpy()
        assert distance(numbers, *expected) < 2.2, name  # more is one draw in 8,000
        ranks = numbers.argsort().argsort() / MANY - 0.5
        assert abs(np.mean(ranks[1:] * ranks[:-1]) * 12 * MANY**0.5) < 3.5, name  # correlation, in standard deviations
    for name, (draw, *parameters) in HALVES.items():
        numbers = draw().numpy()
        for i in (0, 1):
            assert distance(numbers[i == HALF], name, *(values[i] for values in parameters)) < 2.2, name


def test_what_distributions_are_made_of_is_as_accurate_as_it_says(cpu):
    from scipy import special

    x = np.linspace(-0.9545, 0.9545, 2001, dtype="float32")
    np.testing.assert_allclose(Tensor(_erfinv(ops.array(x)._node)).numpy(), special.erfinv(x.astype("float64")), rtol=2e-6, atol=1e-8)
    k = np.array([0.0, 1, 3, 10, 50, 1000, 1e6])
    exact = special.gammaln(k + 1) - ((k + 0.5) * np.log(k + 1) - (k + 1) + 0.5 * np.log(2 * np.pi))
    np.testing.assert_allclose([_stirling(one) for one in k[:3]], exact[:3], atol=3e-4)
    np.testing.assert_allclose([_stirling(one) for one in k[3:]], exact[3:], atol=1e-8)


def unlikely(found, expected):
    """How far counts are from the expected ones, by what is usual: of many degrees of freedom normally distributed."""
    kept = expected >= 5
    found, expected = (np.append(counts[kept], counts[~kept].sum()) for counts in (found, expected))
    square = (found - expected) ** 2 / np.maximum(expected, 1)
    return (square.sum() - kept.sum()) / (2 * kept.sum()) ** 0.5


COUNTS = [(1, 0.3), (9, 0.5), (40, 0.1), (30, 0.4), (50, 0.9), (100, 0.35), (1000, 0.012), (5000, 0.5), (20_000, 0.98), (30, 0.6)]


def test_whole_numbers_have_their_distribution(cpu):
    from scipy.stats import binom

    some = 20_000
    for i, (n, p) in enumerate(COUNTS):
        given = (n, p) if i % 2 or p > 0.5 else (ops.array(float(n)), ops.array(p))
        numbers = random.binomial((some,), *given, seed=5).numpy().astype(int)
        assert unlikely(np.bincount(numbers, minlength=n + 1), some * binom(n, p).pmf(np.arange(n + 1))) < 3.5, (n, p)
    for low, high, bins in ((0, 6, 6), (-3, 4, 7), (5, 305, 50), (-(2**31), 2**31 - 1, 50)):
        numbers = random.randint((some,), low, high, seed=2).numpy().astype("int64")
        assert numbers.min() >= low and numbers.max() < high
        assert unlikely(np.bincount((numbers - low) * bins // (high - low), minlength=bins), np.full(bins, some / bins)) < 3.5, (low, high)
    orders = collections.Counter(tuple(random.shuffle(np.arange(3), seed=seed).numpy().tolist()) for seed in range(120))
    assert unlikely(np.array([*orders.values()]), np.full(6, 20.0)) < 3.5
    chances = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], "float32")
    for row, found in zip(chances, random.categorical(np.log(chances), some, seed=4).numpy(), strict=True):
        assert unlikely(np.bincount(found, minlength=3), some * row) < 3.5
    assert random.categorical(np.zeros((3, 1), "float32"), 4, seed=1).tolist() == [[0] * 4] * 3
    with pytest.raises(ValueError, match="categorical"):
        random.categorical(np.zeros((3, 0), "float32"), 4)
    assert all(1 <= random.make_default_seed() < 2**31 for _ in range(50))
    for rate in (0.1, 0.5, 0.9):
        kept = random.dropout(np.ones(some, "float32"), rate, seed=6).numpy()
        assert unlikely(np.array([(kept == 0).sum(), (kept > 0).sum()]), some * np.array([rate, 1 - rate])) < 3.5
        np.testing.assert_allclose(kept[kept > 0], 1 / (1 - rate), rtol=1e-6)
