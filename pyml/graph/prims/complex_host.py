"""Factors of complex matrices: numpy's work on the host, of a batch `(b, 2 m, n)` with the real parts above the imaginary ones.

What a result has of several matrices lies below one another, each again with its real part above its imaginary one. Gradients are
those of `ops/complex_matrices.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...errors import ShapeError
from ..op import routine
from .contract import float_only
from .factor import lu_of
from .matrices import each, each_finite


def _below(*matrices: np.ndarray) -> np.ndarray:
    return np.concatenate([part for x in matrices for part in ((x.real, x.imag) if np.iscomplexobj(x) else (x,))], -2)


def _cholesky(x: np.ndarray) -> np.ndarray:
    return _below(np.linalg.cholesky(np.tril(x) + np.swapaxes(np.tril(x, -1).conj(), -1, -2)))


def _eigh(x: np.ndarray) -> np.ndarray:
    w, v = np.linalg.eigh(x)
    return _below(v, w[..., None, :])


def _eig(x: np.ndarray) -> np.ndarray:
    w, v = np.linalg.eig(x)
    return _below(v, w[..., None, :])


def _svd(x: np.ndarray) -> np.ndarray:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return _below(u, np.swapaxes(vh.conj(), -1, -2), s[..., None, :])


def _qr(x: np.ndarray) -> np.ndarray:
    q, r = np.linalg.qr(x)
    return _below(q, np.swapaxes(r, -1, -2))


def _complete(x: np.ndarray) -> np.ndarray:
    """As many more columns as make a basis."""
    return _below(np.linalg.qr(x, "complete")[0][..., x.shape[-1] :])


def _lu(x: np.ndarray) -> np.ndarray:
    return _below(lu_of(x))


def _slogdet(x: np.ndarray) -> np.ndarray:
    sign, size = np.linalg.slogdet(x)
    return _below(sign[..., None, None], size[..., None, None])


def _det(x: np.ndarray) -> np.ndarray:
    return _below(np.linalg.det(x)[..., None, None])


def _cofactors(x: np.ndarray) -> np.ndarray:
    """The conjugate transpose of the adjugate, of singular matrices too."""
    u, s, vh = np.linalg.svd(x)
    others = np.stack([np.prod(np.delete(s, i, -1), -1) for i in range(s.shape[-1])], -1)
    turn = (np.linalg.det(u) * np.linalg.det(vh)).conj()[..., None, None]
    return _below(turn * ((u * others[..., None, :]) @ vh))


# what is computed -> the function, and the shape of its result for (m, n)
_KNOWN: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[int, int], tuple[int, int]]]] = {
    "cholesky": (_cholesky, lambda m, n: (2 * n, n)),
    "eigh": (_eigh, lambda m, n: (2 * n + 1, n)),
    "eig": (_eig, lambda m, n: (2 * n + 2, n)),
    "svd": (_svd, lambda m, n: (2 * m + 2 * n + 1, min(m, n))),
    "qr": (_qr, lambda m, n: (2 * m + 2 * n, min(m, n))),
    "lu_factor": (_lu, lambda m, n: (2 * m, n + 2)),
    "complete": (_complete, lambda m, n: (2 * m, m - n)),
    "slogdet": (_slogdet, lambda m, n: (3, 1)),
    "det": (_det, lambda m, n: (2, 1)),
    "cofactors": (_cofactors, lambda m, n: (2 * n, n)),
}


def _shape(x: tuple[int, ...], what: str) -> tuple[int, ...]:
    if len(x) != 3 or x[1] % 2 or (what == "cofactors" and x[1] != 2 * x[2]):
        raise ShapeError(f"{what}: expected a batch of complex matrices (batch, 2 rows, columns), square ones for cofactors. Received: {x}")
    return (x[0], *_KNOWN[what][1](x[1] // 2, x[2]))


def _numpy(x: np.ndarray, what: str) -> np.ndarray:
    m = x.shape[1] // 2
    whole = each_finite if what in ("eigh", "eig", "svd", "cofactors") else each
    return whole(_KNOWN[what][0], _shape(x.shape, what), x[:, :m].astype(np.float64) + 1j * x[:, m:])


def _sample() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (2, 6, 3)).astype(np.float32)


COMPLEX = routine(
    "complex_matrices",
    shape=_shape,
    dtype=float_only("complex_matrices"),
    numpy=_numpy,
    grad=None,
    kernel=None,
    flops=lambda node: 25 * node.src[0].size * node.shape[2],
    samples=[((_sample(),), {"what": what}) for what in ("det", "slogdet", "cofactors", "qr", "lu_factor", "svd")],
)
