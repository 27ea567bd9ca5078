"""Linear algebra where it is easily wrong: on the host within programs, in loops, of bad input, of special matrices."""

from __future__ import annotations

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.core.tensor import as_node
from pyml.errors import ShapeError
from pyml.graph.op import OPS, Profile

pytestmark = pytest.mark.in_turn(4)

RNG = np.random.default_rng(0)
LARGE = (RNG.uniform(-1, 1, (40, 40)) * 0.1 + np.eye(40)).astype(np.float32)
SMALL = np.array([[4.0, 1.0], [1.0, 3.0]], np.float32)


def test_a_program_goes_on_with_what_the_host_computes(device):
    state = pyml.Variable(np.ones(40, np.float32))

    @pyml.program
    def step(a, x):
        found = ops.solve(a, x * 2 + state) * 3
        state.assign_add(ops.sum(found) * 1e-3 + ops.zeros(40))
        return ops.sum(found, axis=0)

    before = np.ones(40)
    for k in range(3):
        x = RNG.uniform(-1, 1, (40,)).astype(np.float32)
        wanted = np.linalg.solve(LARGE.astype(np.float64) * (k + 1), x * 2 + before) * 3
        assert step(LARGE * (k + 1), x).item() == pytest.approx(wanted.sum(), rel=1e-4)
        before = before + wanted.sum() * 1e-3
    np.testing.assert_allclose(state.numpy(), before, rtol=1e-4)


def test_gradients_of_gradients_pass_through_the_host(device):
    f = lambda a: ops.sum(ops.linalg.inv(a) ** 2)
    g = pyml.grad(lambda a: ops.sum(pyml.grad(f)(a) * LARGE.T))(LARGE).numpy()

    def slope(a):  # d/da of the sum of squares of the inverse, in float64
        p = np.linalg.inv(a)
        return float((-p.T @ (2 * p) @ p.T * LARGE.T).sum())

    moved = LARGE.astype(np.float64).copy()
    moved[3, 5] += 1e-5
    difference = (slope(moved) - slope(LARGE.astype(np.float64))) / 1e-5
    assert g[3, 5] == pytest.approx(difference, rel=1e-2, abs=1e-2)


@pytest.mark.parametrize(("name", "tall", "side"), [
    ("cholesky", 1, 33), ("lu_factor", 1, 33), ("lu_factor", 2, 17), ("qr", 1, 27), ("qr", 2, 17), ("eigh", 1, 23), ("svd", 1, 15),
    ("svd", 2, 12), ("solve_triangular", 1, 345),
])  # fmt: skip
def test_the_host_takes_matrices_over_from_the_side_that_is_too_long_for_a_thread(name, tall, side):
    op = OPS[name]
    attrs = op.samples[0][1]

    def on_host(n):
        sources = [as_node(np.ones((1, tall * n, n), np.float32)), as_node(np.ones((1, n, 1), np.float32))]
        node = op(*sources[: len(op.samples[0][0])], **attrs)
        return op.on_host(node, Profile("tile"))

    assert [on_host(side - 1), on_host(side)] == [False, True]


def test_small_matrices_are_solved_within_a_loop(device):
    _, found = ops.scan(lambda c, row: (c, ops.solve(SMALL, row)), ops.zeros(()), ops.convert_to_tensor(np.eye(2, dtype=np.float32)))
    np.testing.assert_allclose(found.numpy(), np.linalg.inv(SMALL).T, rtol=1e-5, atol=1e-6)


def test_a_loop_with_large_ones_is_computed_on_the_host_with_its_gradient(device):
    rows = np.eye(40, dtype=np.float32)[:2]

    def solved(rows):
        return ops.scan(lambda c, row: (c, ops.solve(LARGE, row)), ops.zeros(()), rows)[1]

    want = np.linalg.inv(LARGE.astype(np.float64)).T[:2]
    np.testing.assert_allclose(solved(ops.convert_to_tensor(rows)).numpy(), want, rtol=1e-4, atol=1e-5)
    slope = pyml.program(pyml.grad(lambda rows: ops.sum(solved(rows))))(rows).numpy()
    np.testing.assert_allclose(slope, np.broadcast_to(np.linalg.inv(LARGE.astype(np.float64)).sum(0), (2, 40)), rtol=1e-3, atol=1e-4)


def test_one_plan_has_small_and_large_matrices(device):
    step = pyml.program(lambda a, b: ops.det(ops.inv(a)) + ops.det(b))
    assert step(LARGE, SMALL).item() == pytest.approx(1 / np.linalg.det(LARGE.astype(np.float64)) + 11, rel=1e-4)


def test_a_symbolic_batch_has_factors():
    x = pyml.Input((3, 3))
    w, v = ops.eigh(x)
    assert (w.shape, v.shape) == ((None, 3), (None, 3, 3))
    model = pyml.Model(x, ops.linalg.inv(x))
    batch = (RNG.uniform(-1, 1, (2, 3, 3)) + 3 * np.eye(3)).astype(np.float32)
    np.testing.assert_allclose(model(batch).numpy(), np.linalg.inv(batch), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n", [3, 18])
def test_a_matrix_of_low_rank_has_whole_bases(device, n):
    x = (RNG.uniform(-1, 1, (n + 2, 2)) @ RNG.uniform(-1, 1, (2, n))).astype(np.float32)
    u, s, vt = (t.numpy() for t in ops.svd(x))
    np.testing.assert_allclose(u.T @ u, np.eye(n + 2), atol=1e-5)
    np.testing.assert_allclose(vt @ vt.T, np.eye(n), atol=1e-5)
    np.testing.assert_allclose(u[:, :n] * s @ vt, x, atol=1e-5)


def test_sizes_of_the_parts_of_complex_eigenvectors_have_the_gradient_of_vectors_of_length_one(cpu):
    a = np.array([[0.3, 2.1, -0.2], [-1.7, 0.2, 0.5], [0.4, -0.6, 1.1]])
    weights = np.arange(1, 10).reshape(3, 3) / 9
    found = pyml.grad(lambda x: ops.sum(ops.absolute(ops.eig(x)[1]) ** 2 * weights.astype(np.float32)))(a.astype(np.float32)).numpy()
    assert abs(np.linalg.eigvals(a).imag).max() > 1
    for place in np.ndindex(3, 3):
        ahead, back = a.copy(), a.copy()
        ahead[place] += 1e-6
        back[place] -= 1e-6
        slope = np.sum((np.abs(np.linalg.eig(ahead)[1]) ** 2 - np.abs(np.linalg.eig(back)[1]) ** 2) * weights) / 2e-6
        assert found[place] == pytest.approx(slope, abs=2e-5)


def test_equal_eigenvalues_have_finite_gradients(device):
    gradient = pyml.grad(lambda x: ops.sum(ops.eigh(x)[0] ** 2))(np.eye(3, dtype=np.float32) * 2).numpy()
    np.testing.assert_allclose(gradient, 4 * np.eye(3), atol=1e-5)


def test_the_determinant_of_a_singular_matrix_has_its_cofactors_as_gradient(device):
    gradient = pyml.grad(ops.det)(np.array([[1.0, 2.0], [2.0, 4.0]], np.float32)).numpy()
    np.testing.assert_allclose(gradient, [[4, -2], [-2, 1]], rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_very_large_and_small_numbers_have_singular_values(device, scale):
    x = (np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 1.0]]) * scale).astype(np.float32)
    wanted = np.linalg.svd(x.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(ops.svd(x, compute_uv=False).numpy(), wanted, rtol=1e-5)


SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]], np.float32)


def odd(n, value):
    """A unit matrix with `value` below its diagonal, in the last row."""
    x = np.eye(n, dtype=np.float32)
    x[-1, 0] = value
    return x


WITHOUT_ANSWER = {
    "inv": (lambda: ops.inv(SINGULAR), "inv: a matrix is singular"),
    "solve": (lambda: ops.solve(SINGULAR, [1.0, 1.0]), "solve: a matrix is singular"),
    "solve on the host": (lambda: ops.solve(np.zeros((40, 40), np.float32), np.ones(40)), "solve: a matrix is singular"),
    "solve_triangular": (lambda: ops.solve_triangular([[0.0, 1.0], [0.0, 1.0]], [1.0, 1.0]), "solve_triangular: a matrix is singular"),
    "cholesky": (lambda: ops.cholesky([[1.0, 2.0], [2.0, 1.0]]), "not positive definite"),
    "cholesky on the host": (lambda: ops.cholesky(-np.eye(40, dtype=np.float32)), "not positive definite"),
    "eigh": (lambda: ops.eigh([[np.nan, 0.0], [0.0, 1.0]]), "hold NaN or infinity"),
    "eigh beside the diagonal": (lambda: ops.eigh(odd(4, np.nan)), "hold NaN or infinity"),
    "eigh of infinity": (lambda: ops.eigh(odd(4, np.inf)), "hold NaN or infinity"),
    "svd of infinity": (lambda: ops.svd(odd(4, np.inf)), "hold NaN or infinity"),  # LAPACK's would not end
    "svd of infinity on the host": (lambda: ops.svd(odd(40, np.inf)), "hold NaN or infinity"),
    "eig of infinity": (lambda: ops.eig(odd(4, -np.inf)), "hold NaN or infinity"),
    "svd": (lambda: ops.svd([[np.inf, 0.0], [0.0, 1.0]]), "hold NaN or infinity"),
    "eig": (lambda: ops.eig([[np.nan, 0.0], [0.0, 1.0]]), "hold NaN or infinity"),
}


@pytest.mark.parametrize("name", WITHOUT_ANSWER)
def test_matrices_without_an_answer_are_named(device, name):
    compute, message = WITHOUT_ANSWER[name]
    with pytest.raises(np.linalg.LinAlgError, match=message):
        compute()


def test_within_a_program_a_singular_matrix_gives_no_number(device):
    assert not np.isfinite(pyml.program(ops.inv)(SINGULAR).numpy()).all()
    assert np.isnan(pyml.program(ops.cholesky)(-SMALL).numpy()).all()


WRONG = {
    "not square": (lambda: ops.inv(np.zeros((2, 3))), "inv: expected square matrices"),
    "a vector": (lambda: ops.svd(np.zeros(3)), "svd: expected matrices"),
    "other rows": (lambda: ops.solve(SMALL, np.zeros((3, 1))), "solve: a .* needs right-hand sides b of 2 rows"),
    "other batches": (lambda: ops.solve(np.zeros((2, 2, 2)), np.zeros((3, 2, 1))), "solve: batches"),
    "least squares": (lambda: ops.lstsq(np.zeros((3, 2)), np.zeros(2)), "lstsq: expected a matrix"),
    "mode": (lambda: ops.qr(SMALL, mode="full"), "qr: mode must be"),
    "norm": (lambda: ops.norm(SMALL, ord="nuclear", axis=(0, 1)), "norm: ord of matrices must be"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_named_in_a_sentence(name):
    compute, message = WRONG[name]
    with pytest.raises(ValueError, match=message) as raised:
        compute()
    assert isinstance(raised.value, ShapeError) or name in ("mode", "norm")


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3)])
def test_empty_matrices_and_batches_have_answers(device, shape):
    x = np.zeros(shape, np.float32)
    assert ops.inv(x).shape == shape
    np.testing.assert_array_equal(ops.det(x).numpy(), np.linalg.det(x))
    assert [t.shape for t in ops.svd(x)] == [t.shape for t in np.linalg.svd(x)]
    assert [t.shape for t in ops.qr(x)] == [t.shape for t in np.linalg.qr(x)]


def test_matrices_that_must_be_square_are_told_so_and_a_diagonal_has_one_axis_or_two(cpu):
    wide = np.ones((2, 3), "float32")
    for name in ("cholesky", "cholesky_inverse", "det", "slogdet", "eig", "eigh", "inv", "logdet", "solve"):
        given = (wide, np.ones((2, 1), "float32")) if name == "solve" else (wide,)
        for first in (wide, np.stack([wide, wide])):
            with pytest.raises(ShapeError, match=rf"{name}: expected square matrices. Received: shape \({'2, ' * (first.ndim - 2)}2, 3\)"):
                getattr(ops, name)(first, *given[1:])
    for x in (np.float32(1), np.ones((2, 2, 2), "float32")):
        with pytest.raises(ShapeError, match="diag: x must have one axis or two"):
            ops.diag(x)
