"""`pyml.array_api.linalg` beside numpy: batches, vectors, every option, and factors that multiply to what was given."""

import numpy as np
import pytest

from pyml import array_api as xp
from pyml.errors import DtypeError, ShapeError

pytestmark = pytest.mark.in_turn(4)

RNG = np.random.default_rng(0)
SQUARE = (RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)).astype(np.float32)
TALL, WIDE = RNG.normal(size=(5, 3)).astype(np.float32), RNG.normal(size=(2, 3, 4)).astype(np.float32)
POSITIVE = SQUARE @ SQUARE.swapaxes(1, 2)
VECTORS = RNG.normal(size=(2, 4, 3)).astype(np.float32)


def near(found, expected, tolerance=2e-4):
    assert tuple(found.shape) == np.shape(expected)
    np.testing.assert_allclose(np.asarray(found), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "args", "kwargs"), [
    ("cholesky", [POSITIVE], {}), ("cholesky", [POSITIVE], {"upper": True}), ("det", [SQUARE], {}), ("inv", [SQUARE], {}),
    ("eigvalsh", [POSITIVE], {}), ("svdvals", [TALL], {}), ("svdvals", [WIDE], {}), ("pinv", [TALL], {}), ("pinv", [WIDE], {}),
    ("diagonal", [WIDE], {"offset": 1}), ("trace", [SQUARE], {}), ("trace", [WIDE], {"offset": -1}), ("outer", [TALL[:, 0], TALL[0]], {}),
    ("cross", [VECTORS, VECTORS[::-1]], {}), ("cross", [VECTORS[0, :3], VECTORS[1, :3]], {"axis": 0}), ("matmul", [TALL, SQUARE], {}),
    ("matrix_rank", [np.ones((4, 4), np.float32)], {}), ("matrix_rank", [WIDE], {"rtol": 0.5}), ("matrix_transpose", [WIDE], {}),
    ("solve", [SQUARE, VECTORS[0, 0]], {}), ("solve", [SQUARE, WIDE], {}), ("solve", [SQUARE[0], WIDE], {}), ("vecdot", [WIDE, WIDE], {}),
    *(("matrix_power", [SQUARE], {"n": n}) for n in (0, 1, 3, -2)), ("tensordot", [TALL, SQUARE[0]], {"axes": 1}),
    *(("matrix_norm", [WIDE], {"ord": ord, "keepdims": ord == 1}) for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)),
    *(("vector_norm", [WIDE], {"ord": ord, "axis": axis}) for ord in (0, 1, 2, 3, -1, np.inf, -np.inf) for axis in (1, (0, 2))),
    ("vector_norm", [WIDE], {"keepdims": True}),
])  # fmt: skip
def test_functions_are_numpys(name, args, kwargs, device):
    n = [kwargs["n"]] if "n" in kwargs else []
    kwargs = {k: v for k, v in kwargs.items() if k != "n"}
    near(getattr(xp.linalg, name)(*map(xp.asarray, args), *n, **kwargs), getattr(np.linalg, name)(*args, *n, **kwargs))


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("x", [TALL, WIDE], ids=["tall", "wide"])
def test_factors_multiply_to_what_was_given(x, full, device):
    t = xp.asarray(x)
    u, s, vh = xp.linalg.svd(t, full_matrices=full)
    k = s.shape[-1]
    near(xp.matmul(u[..., :k] * s[..., None, :], vh[..., :k, :]), x)
    q, r = xp.linalg.qr(t, mode="complete" if full else "reduced")
    near(xp.matmul(q, r), x)
    assert u.shape == np.linalg.svd(x, full_matrices=full).U.shape and q.shape == np.linalg.qr(x, "complete" if full else "reduced").Q.shape
    near(xp.matmul(xp.matrix_transpose(q), q), np.broadcast_to(np.eye(q.shape[-1]), (*x.shape[:-2], q.shape[-1], q.shape[-1])))


def test_results_have_names(device):
    t = xp.asarray(POSITIVE)
    found = xp.linalg.eigh(t)
    near(xp.matmul(t, found.eigenvectors), np.asarray(found.eigenvectors) * np.asarray(found.eigenvalues)[:, None, :], 1e-3)
    near(xp.linalg.slogdet(t).logabsdet, np.linalg.slogdet(POSITIVE).logabsdet)
    near(xp.linalg.slogdet(t).sign, np.linalg.slogdet(POSITIVE).sign)
    assert xp.linalg.svd(t).Vh.shape == xp.linalg.qr(t).R.shape == (2, 3, 3)
    rtol = xp.asarray([0.0, 0.9])
    near(xp.linalg.matrix_rank(t, rtol=rtol), np.linalg.matrix_rank(POSITIVE, rtol=np.array([0.0, 0.9])))


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: xp.linalg.det(xp.ones(3)), ShapeError, "det: a matrix has two axes"),
    (lambda: xp.linalg.inv(xp.ones((2, 2), dtype="int32")), DtypeError, "inv: expected an array of floats"),
    (lambda: xp.linalg.cross(xp.ones(2), xp.ones(2)), ShapeError, "cross: axis -1 must have size 3"),
    (lambda: xp.linalg.outer(xp.ones((2, 2)), xp.ones(2)), ShapeError, "outer: expected two vectors"),
    (lambda: xp.linalg.qr(xp.ones((2, 2)), mode="raw"), ValueError, "qr: mode must be"),
    (lambda: xp.linalg.matrix_norm(xp.ones((2, 2)), ord=3), ValueError, "matrix_norm: ord must be"),
    (lambda: xp.linalg.matrix_power(xp.ones((2, 3)), 2), ShapeError, "matrix_power: matrices must be square"),
    (lambda: xp.linalg.solve(xp.ones((2, 2, 2)), xp.ones((3, 2, 2))), ShapeError, "solve: shapes"),
])  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_complex_matrices_are_inverted_solved_and_measured():
    rng = np.random.default_rng(3)
    a, b, c = (rng.normal(size=s) + 1j * rng.normal(size=s) for s in ((2, 3, 3), (3, 2), (4, 3)))
    for found, expected in [(xp.linalg.inv(xp.asarray(a)), np.linalg.inv(a)), (xp.linalg.pinv(xp.asarray(c)), np.linalg.pinv(c)),
                            (xp.linalg.solve(xp.asarray(a[0]), xp.asarray(b)), np.linalg.solve(a[0], b)),
                            (xp.linalg.solve(xp.asarray(a[1]), xp.asarray([1.0, 2.0, 3.0])), np.linalg.solve(a[1], [1.0, 2.0, 3.0])),
                            (xp.linalg.matrix_norm(xp.asarray(a), ord=1), np.linalg.norm(a, 1, axis=(1, 2))),
                            (xp.linalg.vector_norm(xp.asarray(b)), np.linalg.norm(b.ravel()))]:  # fmt: skip
        np.testing.assert_allclose(np.asarray(found), expected, rtol=2e-4, atol=2e-4)
