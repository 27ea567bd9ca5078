"""Linear algebra of complex matrices beside numpy, on every device, and its gradients beside finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import pyml
from pyml import ops

pytestmark = pytest.mark.in_turn(4)
RANDOM = np.random.default_rng(3)


def drawn(*shape):
    return (RANDOM.uniform(-1, 1, shape) + 1j * RANDOM.uniform(-1, 1, shape)).astype(np.complex64)


A, TALL, WIDE, B = drawn(2, 4, 4) + 2 * np.eye(4, dtype="complex64"), drawn(5, 3), drawn(3, 5), drawn(2, 4, 2)
P = (A @ A.conj().swapaxes(-1, -2) + np.eye(4)).astype(np.complex64)


def product(*factors):
    found = factors[0]
    for factor in factors[1:]:
        found = ops.matmul(found, factor)
    return found


def h(z):
    return ops.conjugate(ops.swapaxes(z, -1, -2))


def recomposed(z, full):
    u, s, vh = ops.svd(z, full_matrices=full)
    k = s.shape[-1]
    return ops.matmul(u[..., :k] * ops.expand_dims(s, -2), vh[..., :k, :])


def lu(batch):
    """LU factors and pivots as LAPACK has them, which compares |re| + |im|."""
    found = [scipy.linalg.lu_factor(a) for a in batch]
    return np.stack([a for a, _ in found]), np.stack([p for _, p in found]).astype(np.int32)


# name -> what ops make of some arrays, and what numpy says
VALUES = {
    "det": (lambda: ops.det(A), lambda: np.linalg.det(A)),
    "sign of slogdet": (lambda: ops.slogdet(A)[0], lambda: np.linalg.slogdet(A)[0]),
    "size of slogdet": (lambda: ops.slogdet(A)[1], lambda: np.linalg.slogdet(A)[1]),
    "logdet": (lambda: ops.logdet(A), lambda: np.log(np.linalg.det(A))),
    "factors of lu": (lambda: ops.lu_factor(A)[0], lambda: lu(A)[0]),
    "pivots of lu": (lambda: ops.lu_factor(A)[1], lambda: lu(A)[1]),
    "tall lu": (lambda: ops.linalg.lu_factor(TALL)[0], lambda: lu(TALL[None])[0][0]),
    "inv": (lambda: ops.inv(A), lambda: np.linalg.inv(A)),
    "solve": (lambda: ops.solve(A, B), lambda: np.linalg.solve(A, B)),
    "solve of a vector": (lambda: ops.solve(A[0], B[0, :, 0]), lambda: np.linalg.solve(A[0], B[0, :, 0])),
    "solve of real matrices": (lambda: ops.solve(A.real, B), lambda: np.linalg.solve(A.real, B)),
    "solve_triangular": (lambda: ops.solve_triangular(A, B, lower=True), lambda: np.linalg.solve(np.tril(A), B)),
    "cholesky": (lambda: ops.cholesky(P), lambda: np.linalg.cholesky(P)),
    "upper cholesky": (lambda: ops.cholesky(P, upper=True), lambda: np.linalg.cholesky(P).conj().swapaxes(-1, -2)),
    "cholesky_inverse": (lambda: ops.cholesky_inverse(ops.cholesky(P)), lambda: np.linalg.inv(P)),
    "qr": (lambda: product(*ops.qr(TALL)), lambda: TALL),
    "r of qr": (lambda: ops.qr(WIDE)[1], lambda: np.linalg.qr(WIDE)[1]),
    "complete qr": (lambda: product(*ops.qr(TALL, mode="complete")), lambda: TALL),
    "values of eigh": (lambda: ops.eigh(P)[0], lambda: np.linalg.eigh(P)[0]),
    "vectors of eigh": (lambda: product(P, ops.eigh(P)[1]), lambda: np.linalg.eigh(P)[1] * np.linalg.eigh(P)[0][:, None]),
    "vectors of eig": (lambda: product(A, ops.eig(A)[1]) - ops.eig(A)[1] * ops.expand_dims(ops.eig(A)[0], -2), lambda: 0 * A),
    "svd": (lambda: recomposed(TALL, False), lambda: TALL),
    "svd with whole bases": (lambda: recomposed(WIDE, True), lambda: WIDE),
    "bases of svd": (lambda: product(ops.svd(TALL)[0], h(ops.svd(TALL)[0])), lambda: np.eye(5, dtype="complex64")),
    "singular values": (lambda: ops.svd(WIDE, compute_uv=False), lambda: np.linalg.svd(WIDE, compute_uv=False)),
    "pinv": (lambda: ops.pinv(WIDE), lambda: np.linalg.pinv(WIDE)),
    "lstsq": (lambda: ops.linalg.lstsq(TALL, drawn_once), lambda: np.linalg.lstsq(TALL, drawn_once, rcond=None)[0]),
    "matrix_rank": (lambda: ops.linalg.matrix_rank(A), lambda: np.array([4, 4], np.int32)),
    "norm": (lambda: ops.norm(A), lambda: np.linalg.norm(A)),
    "nuclear norm": (lambda: ops.norm(WIDE, "nuc", axis=(0, 1)), lambda: np.linalg.norm(WIDE, "nuc")),
    "norms of columns": (lambda: ops.norm(A, 3, axis=1), lambda: np.linalg.norm(A, 3, axis=1)),
    "largest sum of rows": (lambda: ops.norm(A, np.inf, axis=(1, 2)), lambda: np.linalg.norm(A, np.inf, axis=(1, 2))),
}
drawn_once = drawn(5, 2)


@pytest.mark.parametrize("name", VALUES)
def test_values_are_those_of_numpy(device, name):
    ours, numpys = VALUES[name]
    found, wanted = ours(), numpys()
    assert found.shape == wanted.shape and found.dtype == wanted.dtype.name
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-4)


def size(z):
    """Something that does not depend on phases of columns."""
    return ops.sum(ops.square(ops.absolute(z)) * np.linspace(0.5, 2, int(np.prod(z.shape)), dtype="float32").reshape(z.shape))


GRADIENTS = {
    "det": (lambda z: size(ops.det(z)), A),
    "det of a singular matrix": (lambda z: ops.real(ops.det(z)) + 2 * ops.imag(ops.det(z)), np.array([[1, 2], [2j, 4j]], np.complex64)),
    "slogdet": (lambda z: ops.sum(ops.slogdet(z)[1]) + ops.sum(ops.real(ops.slogdet(z)[0])), A),
    "logdet": (lambda z: ops.sum(ops.real(ops.logdet(z)) + 2 * ops.imag(ops.logdet(z))), A),
    "lu": (lambda z: size(ops.lu_factor(z)[0]), A),
    "tall lu": (lambda z: size(ops.lu_factor(z)[0]), TALL),
    "wide lu": (lambda z: size(ops.lu_factor(z)[0]), WIDE),
    "inv": (lambda z: size(ops.inv(z)), A),
    "solve": (lambda z: size(ops.solve(z, B)), A),
    "qr": (lambda z: size(ops.qr(z)[0]) + size(ops.qr(z)[1]), TALL),
    "wide qr": (lambda z: size(ops.qr(z)[1]), WIDE),
    "svd": (lambda z: size(ops.svd(z, full_matrices=False)[0]) + ops.sum(ops.svd(z, full_matrices=False)[1] ** 3), TALL),
    "vectors of svd": (lambda z: size(ops.svd(z, full_matrices=False)[2]), WIDE),
    "eig": (lambda z: size(ops.eig(z)[0]) + size(ops.eig(z)[1]), A[0]),
    "pinv": (lambda z: size(ops.pinv(z)), WIDE),
    "norm": (lambda z: ops.norm(z, "nuc", axis=(0, 1)) + ops.norm(z), WIDE),
    "cholesky": (lambda z: size(ops.cholesky(product(z, h(z)) + np.eye(3, dtype="float32"))), WIDE),
    "eigh": (lambda z: size(ops.eigh(product(z, h(z)))[0]) + size(ops.eigh(product(z, h(z)))[1]), WIDE),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_are_those_of_finite_differences(device, name):
    function, z = GRADIENTS[name]
    found = pyml.grad(function)(ops.convert_to_tensor(z)).numpy()
    way = drawn(*z.shape)
    h = 1e-2
    rise = sum(weight * float(function(ops.convert_to_tensor((z + step * h * way).astype(np.complex64)))) for step, weight in
               ((2, -1 / 12), (1, 8 / 12), (-1, -8 / 12), (-2, 1 / 12))) / h  # fmt: skip
    assert np.sum(found.real * way.real + found.imag * way.imag) == pytest.approx(rise, rel=1e-2, abs=2e-2)


def test_matrices_without_an_answer_are_refused():
    with pytest.raises(np.linalg.LinAlgError, match="inv: a matrix is singular"):
        ops.inv(np.array([[1j, 1], [2j, 2]], np.complex64))
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        ops.cholesky(-P)
    with pytest.raises(pyml.errors.ShapeError, match="square"):
        ops.det(TALL)


def test_a_program_solves_complex_systems(device):
    solved = pyml.program(lambda z, b: ops.solve(z, b) * ops.expand_dims(ops.expand_dims(ops.det(z), -1), -1))
    for a in (A, 2 * A):
        found = solved(ops.convert_to_tensor(a), ops.convert_to_tensor(B)).numpy()
        np.testing.assert_allclose(found, np.linalg.solve(a, B) * np.linalg.det(a)[:, None, None], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["float32", "complex64"])
def test_whole_bases_of_svd_have_the_gradient_of_their_first_vectors(device, kind):
    def loss(z, full):
        u, s, _ = ops.svd(z, full_matrices=full)
        return size(ops.matmul(u[:, :3] * ops.sqrt(s), ops.conjugate(ops.transpose(u[:, :3]))))

    z = ops.convert_to_tensor(TALL if kind == "complex64" else TALL.real)
    whole, thin = (pyml.grad(lambda z: loss(z, full))(z).numpy() for full in (True, False))  # noqa: B023
    assert np.abs(thin).max() > 0.1
    np.testing.assert_allclose(whole, thin, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("z", [TALL, TALL.real], ids=["complex", "real"])
def test_the_complete_q_of_a_tall_matrix_has_no_gradient_and_says_so(z):
    for of in (0, 1):
        with pytest.raises(pyml.errors.NotDifferentiable, match=r"qr: the complete Q .* has no gradient. Received: \(5, 3\)"):
            pyml.grad(lambda z: size(ops.qr(z, mode="complete")[of]))(ops.convert_to_tensor(z))  # noqa: B023


def test_what_has_no_gradient_twice_names_the_op():
    with pytest.raises(pyml.errors.NotDifferentiable, match=r"cofactors"):
        pyml.hessian(lambda x: ops.real(ops.det(ops.cast(x, "complex64") * 1j + A[0])))(ops.convert_to_tensor(A[0].real))
