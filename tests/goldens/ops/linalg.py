"""Linear algebra: factors, systems, determinants, eigenvalues and singular values.

Vectors are known up to signs, and of complex ones up to phases, so of `eigh`, `svd` and `eig` what does not depend on them is
compared: values, and what a matrix function of them gives.
"""

import numpy as np
from golden_cases import uniform
from op_calls import call


def positive(seed, *shape):
    x = uniform(seed, shape).astype("float64")
    return (x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])).astype("float32")


def steep(seed, n):
    """Eigenvalues far apart, so that gradients of vectors are well conditioned."""
    return (uniform(seed, (n, n)) * 0.3 + np.diag(np.arange(n) * 1.5 + 1)).astype("float32")


def ranked(seed, m, n, rank):
    return (uniform(seed, (m, rank)).astype("float64") @ uniform(seed + 1, (rank, n))).astype("float32")


def symmetric_function(K):
    """A smooth function of a symmetric matrix by its eigenvectors."""

    def of(x):
        x = K.ops.convert_to_tensor(x)
        w, v = K.ops.eigh(x + K.ops.swapaxes(x, -1, -2))
        return K.ops.matmul(v * K.ops.expand_dims(K.ops.sin(w), -2), K.ops.swapaxes(v, -1, -2)), w

    return of


def polar_factor(K):
    """The orthogonal matrix nearest to one, the singular values, and a matrix function of these."""

    def of(x):
        u, s, vt = K.ops.svd(K.ops.convert_to_tensor(x), full_matrices=False)
        return K.ops.matmul(u, vt), s, K.ops.matmul(u * K.ops.expand_dims(K.ops.exp(-s), -2), vt)

    return of


def whole_basis(K):
    """Projections on the columns that `full_matrices` adds, which are known but for a rotation."""

    def of(x):
        u, s, vt = K.ops.svd(K.ops.convert_to_tensor(x))
        more_u, more_v = u[..., s.shape[-1] :], vt[..., s.shape[-1] :, :]
        return K.ops.matmul(more_u, K.ops.swapaxes(more_u, -1, -2)), K.ops.matmul(K.ops.swapaxes(more_v, -1, -2), more_v), s

    return of


def of_eigenvalues(K):
    return lambda x: K.ops.eigh(x)[0]


def diagonal_of_factor(K):
    return lambda x: K.ops.diagonal(K.ops.cholesky(x))


def of_singular_values(K):
    return lambda x: K.ops.svd(x, compute_uv=False)


CASES = {
    "cholesky": call("ops.cholesky", positive(1, 4, 4)),
    "cholesky_upper_batch": call("ops.linalg.cholesky", positive(2, 2, 3, 3), upper=True),
    "cholesky_reads_the_lower_triangle": call("ops.cholesky", (positive(3, 3, 3) + np.triu(np.ones((3, 3)), 1)).astype("float32")),
    "cholesky_large": call(diagonal_of_factor, positive(4, 33, 33)),
    "cholesky_empty": call("ops.cholesky", np.zeros((2, 0, 0), "float32"), grad=False),
    # PyTorch's gradient has values beyond the triangle, which is not read
    "cholesky_inverse": call("ops.cholesky_inverse", steep(5, 3), grad=False),
    "det": call("ops.det", uniform(7, (2, 3, 3))),
    "det_singular": call("ops.det", ranked(8, 3, 3, 2), tol=1e-3),
    "det_large": call("ops.linalg.det", (uniform(9, (33, 33)) * 0.1 + np.eye(33)).astype("float32")),
    "slogdet": call("ops.slogdet", uniform(11, (2, 4, 4)) * 2),
    "slogdet_zero": call("ops.slogdet", np.zeros((2, 2), "float32"), grad=False),
    "logdet": call("ops.logdet", positive(12, 2, 3, 3)),
    "inv": call("ops.linalg.inv", steep(13, 5)),
    "lu_factor_wide": call("ops.linalg.lu_factor", uniform(18, (2, 3, 5))),
    "lu_factor_tall": call("ops.lu_factor", uniform(19, (5, 3))),
    "norm_nuclear": call("ops.linalg.norm", uniform(20, (3, 4)), ord="nuc", axis=(0, 1)),
    "norm_spectral": call("ops.norm", uniform(21, (2, 3, 4)), ord=2, axis=(-1, 0), keepdims=True),
    "norm_of_all": call("ops.norm", uniform(23, (2, 3, 2))),
    "norm_zeroth": call("ops.norm", np.array([[0.0, 2.0], [0.0, 0.0]], "float32"), ord=0, axis=1, grad=False),
    "norm_integers": call("ops.norm", np.array([3, 4], "int32")),
    "qr": call("ops.qr", uniform(24, (4, 4)), tol=1e-3),
    "qr_tall_batch": call("ops.linalg.qr", uniform(25, (2, 5, 3))),
    "qr_wide": call("ops.qr", uniform(26, (3, 5)), tol=1e-3),
    "qr_complete": call("ops.qr", uniform(27, (5, 3)), mode="complete", grad=False),
    "qr_large": call("ops.qr", uniform(29, (40, 2))),
    "solve": call("ops.solve", steep(30, 4), uniform(31, (4, 3))),
    "solve_vector": call("ops.linalg.solve", steep(32, 3), uniform(33, (3,))),
    "solve_batch_of_vectors": call("ops.solve", np.stack([steep(34, 3), steep(35, 3)]), uniform(36, (2, 3))),
    "solve_broadcast": call("ops.solve", np.stack([steep(37, 3), steep(38, 3)]), uniform(39, (1, 3, 2))),
    "solve_large": call("ops.solve", (uniform(40, (35, 35)) * 0.1 + np.eye(35)).astype("float32"), uniform(41, (35, 1))),
    "solve_triangular": call("ops.solve_triangular", steep(42, 4), uniform(43, (4, 2)), lower=True),
    "solve_triangular_upper": call("ops.linalg.solve_triangular", steep(44, 3), uniform(45, (3, 1))),
    "eigh": call(symmetric_function, steep(49, 4), tol=1e-3),
    "eigh_large": call(of_eigenvalues, steep(52, 24) * 0.1, tol=1e-3),
    "svd": call(polar_factor, steep(53, 4), tol=1e-3),
    "svd_tall_batch": call(polar_factor, uniform(54, (2, 5, 3)), tol=1e-3),
    "svd_large": call(of_singular_values, steep(56, 17) * 0.1, tol=1e-3),
    "svd_full": call(whole_basis, uniform(57, (5, 3)), grad=False),
    "svd_values_of_low_rank": call(of_singular_values, ranked(60, 5, 4, 2), grad=False),
    "svd_values_empty": call(of_singular_values, np.zeros((2, 3, 0), "float32"), grad=False),
    "pinv": call("ops.linalg.pinv", uniform(62, (5, 3))),
    "pinv_of_low_rank": call("ops.pinv", ranked(64, 5, 4, 2), rcond=1e-3, tol=1e-3),
    "lstsq": call("ops.lstsq", uniform(66, (6, 3)), uniform(67, (6, 2)), tol=1e-3),
    "lstsq_wide": call("ops.linalg.lstsq", uniform(70, (2, 5)), uniform(71, (2,)), tol=1e-3),
    "matrix_rank": call("ops.linalg.matrix_rank", ranked(72, 5, 4, 2), grad=False),
}
