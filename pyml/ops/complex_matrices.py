"""Linear algebra of complex matrices: the `complex_parts` of its ops.

Systems of equations are those of real matrices twice as large, on the device where these are. Factors are computed by numpy on the
host; phases of vectors are LAPACK's. Gradients are of the device, and are those of PyTorch: the derivative by the real part, plus i
times that by the imaginary part.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ..core.complex_tensor import ComplexTensor, as_complex
from ..core.custom import custom_gradient
from ..core.tensor import Tensor
from ..errors import NotDifferentiable, ShapeError
from ..graph import prims
from ..graph.prims.complex_host import COMPLEX
from ..graph.prims.factor import SOLVE
from .matrices import SINGULAR, checked, matrices, one_batch
from .shaping import swapaxes

_NONE = "there is no answer; the iteration did not end."
Gradient = Callable[[Any, Any], ComplexTensor]


def _h(z: Any) -> Any:
    """The conjugate transpose."""
    real, imag = (_swapped(part) for part in (z.real, z.imag))
    return ComplexTensor(real, -imag)


def _swapped(x: Tensor) -> Tensor:
    return swapaxes(x, -1, -2)


def _batch(z: Any, what: str, square: bool = False) -> tuple[ComplexTensor, tuple[int, ...]]:
    """Matrices `(b, m, n)`, and the leading axes that they had."""
    z = as_complex(z)
    matrices(z.real, what, square)
    shape = z.shape
    return z.reshape((prod(shape[:-2]), *shape[-2:])), shape[:-2]


def _stacked(m: Any, z: ComplexTensor) -> Tensor:
    return m.concatenate([z.real, z.imag], axis=1)


def _pair(x: Tensor, first: int, rows: int) -> Any:
    return ComplexTensor(x[:, first : first + rows], x[:, first + rows : first + 2 * rows])


def _found(m: Any, what: str, z: ComplexTensor, gradient: Gradient, problem: str = _NONE) -> Tensor:
    """What the host computes of z; `gradient` gives that of z from the result and its gradient, both as they are laid out."""

    def forward(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
        out = Tensor(COMPLEX(x._node, what=what))
        return out, lambda g: _stacked(m, gradient(out, g))

    out = custom_gradient(forward)(_stacked(m, z))
    checked(out._node, (), what, problem)
    return out


def _refused(sentence: str, x: Tensor) -> Tensor:
    """x, without a gradient: whoever asks for one reads the sentence."""

    def refuse(g: Tensor) -> Tensor:
        raise NotDifferentiable(sentence)

    return custom_gradient(lambda x: (x, refuse))(x)


def _over(m: Any, x: Any) -> Any:
    """1 / x, and 0 where x is 0."""
    return m.where(m.equal(x, 0.0), 0.0, m.divide(1.0, m.where(m.equal(x, 0.0), 1.0, x)))


def _diagonal(m: Any, x: Any) -> Any:
    """Matrices with the last axis of x on the diagonal, of what is `(b, 1, n)`."""
    return x * m.eye(x.shape[-1])


# ---- systems
def _embedded(m: Any, z: ComplexTensor) -> Tensor:
    return m.concatenate([m.concatenate([z.real, -z.imag], axis=-1), m.concatenate([z.imag, z.real], axis=-1)], axis=-2)


def _solved(m: Any, a: ComplexTensor, b: ComplexTensor, what: str) -> ComplexTensor:
    n = a.shape[-1]
    right = m.concatenate([b.real, b.imag], axis=-2)
    one, other, lead = one_batch(_embedded(m, a)._node, right._node, what)
    found = Tensor(checked(SOLVE(one, other), (one, other), what, SINGULAR)).reshape((*lead, 2 * n, right.shape[-1]))
    return ComplexTensor(found[..., :n, :], found[..., n:, :])


def inv(m: Any, x: Any) -> ComplexTensor:
    z = as_complex(x)
    matrices(z.real, "inv", square=True)
    return _solved(m, z, as_complex(m.broadcast_to(m.eye(z.shape[-1]), z.shape)), "inv")


def solve(m: Any, a: Any, b: Any, what: str = "solve") -> ComplexTensor:
    left, right = as_complex(a), as_complex(b)
    matrices(left.real, what, square=True)
    vector = right.ndim == 1 or (right.ndim == left.ndim - 1 and right.shape == left.shape[:-1])
    columns = right.reshape((*right.shape, 1)) if vector else right
    if columns.ndim < 2 or columns.shape[-2] != left.shape[-1]:
        raise ShapeError(f"{what}: a {left.shape} needs right-hand sides b of {left.shape[-1]} rows. Received: b of shape {right.shape}")
    found = _solved(m, left, columns, what)
    return found.reshape(found.shape[:-1]) if vector else found


def solve_triangular(m: Any, a: Any, b: Any, lower: bool = False) -> ComplexTensor:
    return solve(m, (m.tril if lower else m.triu)(as_complex(a)), b, "solve_triangular")


# ---- determinants
def det(m: Any, x: Any) -> ComplexTensor:
    z, lead = _batch(x, "det", square=True)

    def gradient(out: Tensor, g: Tensor) -> ComplexTensor:
        cofactors = Tensor(COMPLEX(_stacked(m, z)._node, what="cofactors"))
        whole: Any = _pair(g, 0, 1)
        return whole * _pair(cofactors, 0, z.shape[1])

    return _pair(_found(m, "det", z, gradient), 0, 1).reshape(lead)


def slogdet(m: Any, x: Any) -> tuple[ComplexTensor, Tensor]:
    z, lead = _batch(x, "slogdet", square=True)

    def gradient(out: Tensor, g: Tensor) -> ComplexTensor:
        turned = m.conjugate(_pair(g, 0, 1)) * _pair(out, 0, 1)
        return ComplexTensor(g[:, 2:3], -turned.imag) * _h(inv(m, z))

    stacked = _stacked(m, z)
    out = Tensor(COMPLEX(stacked._node, what="slogdet"))
    out = custom_gradient(lambda x: (out, lambda g: _stacked(m, gradient(out, g))))(stacked)  # of singular ones it is 0 and -inf
    return _pair(out, 0, 1).reshape(lead), out[:, 2].reshape(lead)


def logdet(m: Any, x: Any) -> ComplexTensor:
    sign, size = slogdet(m, x)
    return ComplexTensor(size, m.arctan2(sign.imag, sign.real))


# ---- factors
def cholesky(m: Any, x: Any, upper: bool = False) -> ComplexTensor:
    z, lead = _batch(x, "cholesky", square=True)
    n = z.shape[-1]

    def gradient(out: Tensor, g: Tensor) -> ComplexTensor:
        factor = _pair(out, 0, n)
        inner = m.tril(m.matmul(_h(factor), _pair(g, 0, n)))
        below = m.tril(inner, -1)
        middle = (below + _h(below) + inner.real * m.eye(n)) * 0.5
        root = inv(m, factor)
        return m.matmul(m.matmul(_h(root), middle), root)

    problem = "a matrix is not positive definite, or holds NaN; add a little to its diagonal."
    factor = _pair(_found(m, "cholesky", z, gradient, problem), 0, n)
    return (_h(factor) if upper else factor).reshape((*lead, n, n))


def cholesky_inverse(m: Any, x: Any, upper: bool = False) -> ComplexTensor:
    factor = (m.triu if upper else m.tril)(as_complex(x))
    return inv(m, m.matmul(_h(factor), factor) if upper else m.matmul(factor, _h(factor)))


def lu_factor(m: Any, x: Any) -> tuple[ComplexTensor, Tensor]:
    z, lead = _batch(x, "lu_factor")
    rows, columns = z.shape[1:]
    k = min(rows, columns)

    def gradient(out: Tensor, g: Tensor) -> ComplexTensor:
        y, of = _pair(out, 0, rows), _pair(g, 0, rows)[:, :, :columns]
        low, up = m.tril(y[:, :k, :k], -1) + m.eye(k), m.triu(y[:, :k, :k])
        inner_l = m.matmul(_h(low), m.tril(of[:, :k, :k], -1))
        inner_u = m.matmul(m.triu(of[:, :k, :k]), _h(up))
        if rows > k:  # L2 = A2 U^-1
            inner_u = inner_u - m.matmul(_h(y[:, k:, :k]), of[:, k:])
        if columns > k:  # U2 = L^-1 A2
            inner_l = inner_l - m.matmul(of[:, :, k:], _h(y[:, :, k:columns]))
        divided = lambda right: _h(solve(m, up, _h(right)))  # by U^H, on the right
        found = divided(solve(m, _h(low), m.tril(inner_l, -1) + m.triu(inner_u)))
        if rows > k:
            found = m.concatenate([found, divided(of[:, k:])], axis=1)
        if columns > k:
            found = m.concatenate([found, solve(m, _h(low), of[:, :, k:])], axis=2)
        order = out[:, :rows, columns + 1 :]
        back = m.cast(m.equal(_swapped(order), m.cast(m.reshape(m.arange(rows), (1, rows, 1)), "float32")), "float32")
        return ComplexTensor(m.matmul(back, found.real), m.matmul(back, found.imag))

    stacked = _stacked(m, z)
    out = Tensor(COMPLEX(stacked._node, what="lu_factor"))
    out = custom_gradient(lambda x: (out, lambda g: _stacked(m, gradient(out, g))))(stacked)  # of singular ones too
    pivots = m.cast(out[:, :k, columns], "int32").reshape((*lead, k))
    return _pair(out, 0, rows)[:, :, :columns].reshape((*lead, rows, columns)), pivots


def qr(m: Any, x: Any, mode: str = "reduced") -> tuple[ComplexTensor, ComplexTensor]:
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete'. Received: mode={mode!r}")
    z, lead = _batch(x, "qr")
    rows, columns = z.shape[1:]
    k = min(rows, columns)
    if mode == "complete" and rows > k:
        sentence = f"qr: the complete Q of a matrix with more rows than columns has no gradient. Received: {(rows, columns)}"
        z = _pair(_refused(sentence, _stacked(m, z)), 0, rows)
    tall = z[:, :, :k]

    def gradient(out: Tensor, g: Tensor) -> ComplexTensor:
        q, r = _pair(out, 0, rows), _h(m.conjugate(_pair(out, 2 * rows, k)))
        gq, gr = _pair(g, 0, rows), _h(m.conjugate(_pair(g, 2 * rows, k)))
        inner = m.triu(m.matmul(gr, _h(r)) - m.matmul(_h(q), gq))
        whole = inner + _h(inner) - inner.real * m.eye(k)
        return _h(solve(m, r, _h(gq + m.matmul(q, whole))))

    out = _found(m, "qr", tall, gradient)
    q, r = _pair(out, 0, rows), _h(m.conjugate(_pair(out, 2 * rows, k)))
    if columns > k:
        r = m.concatenate([r, m.matmul(_h(q), z[:, :, k:])], axis=2)
    if mode == "complete" and rows > k:
        q = _completed(m, q)
        r = m.concatenate([r, as_complex(m.zeros((r.shape[0], rows - k, columns)))], axis=1)
    return q.reshape((*lead, *q.shape[1:])), r.reshape((*lead, *r.shape[1:]))


def _completed(m: Any, u: ComplexTensor) -> ComplexTensor:
    """A basis that begins with these columns; the others are constants to gradients, as in PyTorch."""
    more = Tensor(COMPLEX(prims.stop_gradient(_stacked(m, u)._node), what="complete"))
    return m.concatenate([u, _pair(more, 0, u.shape[1])], axis=2)


# ---- spectra
def eigh(m: Any, x: Any) -> tuple[Tensor, ComplexTensor]:
    z, lead = _batch(x, "eigh", square=True)
    n = z.shape[-1]

    def gradient(out: Tensor, g: Tensor) -> ComplexTensor:
        v, w, gv, gw = _pair(out, 0, n), out[:, 2 * n :], _pair(g, 0, n), g[:, 2 * n :]
        inner = m.matmul(_h(v), gv) * _over(m, w - _swapped(w)) + _diagonal(m, gw)
        found = m.matmul(m.matmul(v, inner), _h(v))
        return (found + _h(found)) * 0.5

    out = _found(m, "eigh", z, gradient)
    return out[:, 2 * n].reshape((*lead, n)), _pair(out, 0, n).reshape((*lead, n, n))


def eig(m: Any, x: Any) -> tuple[ComplexTensor, ComplexTensor]:
    z, lead = _batch(x, "eig", square=True)
    n = z.shape[-1]

    def gradient(out: Tensor, g: Tensor) -> ComplexTensor:
        v, w, gv, gw = _pair(out, 0, n), _pair(out, 2 * n, 1), _pair(g, 0, n), _pair(g, 2 * n, 1)
        inner: Any = m.matmul(_h(v), gv)
        lengths = m.sum(inner.real * m.eye(n), axis=1, keepdims=True)
        along: Any = m.matmul(_h(v), v * lengths)
        inner = inner - along
        gaps = w - ComplexTensor(_swapped(w.real), _swapped(w.imag))
        size = _over(m, gaps.real * gaps.real + gaps.imag * gaps.imag)
        inner = inner * gaps * size + _diagonal(m, gw)  # divided by the conjugates
        return solve(m, _h(v), m.matmul(inner, _h(v)))

    out = _found(m, "eig", z, gradient)
    return _pair(out, 2 * n, 1).reshape((*lead, n)), _pair(out, 0, n).reshape((*lead, n, n))


def svd(m: Any, x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    z, lead = _batch(x, "svd")
    rows, columns = z.shape[1:]
    k = min(rows, columns)
    cut = lambda of: (_pair(of, 0, rows), _pair(of, 2 * rows, columns), of[:, 2 * (rows + columns) :])

    def gradient(out: Tensor, g: Tensor) -> ComplexTensor:
        (u, v, s), (gu, gv, gs) = cut(out), cut(g)
        uu, vv = (m.matmul(_h(a), b) for a, b in ((u, gu), (v, gv)))
        f = _over(m, s * s - _swapped(s * s))
        inner = (uu - _h(uu)) * f * s + (vv - _h(vv)) * f * _swapped(s) + _diagonal(m, gs)
        inverse = _over(m, s)
        turn = uu.imag * m.eye(k) * inverse
        inner = ComplexTensor(inner.real, inner.imag + turn)
        found = m.matmul(m.matmul(u, inner), _h(v))
        if rows > k:
            scaled = gu * inverse
            found = found + m.matmul(scaled - m.matmul(u, m.matmul(_h(u), scaled)), _h(v))
        if columns > k:
            scaled = gv * inverse
            found = found + m.matmul(u, _h(scaled - m.matmul(v, m.matmul(_h(v), scaled))))
        return found

    u, v, s = cut(_found(m, "svd", z, gradient))
    values = s[:, 0].reshape((*lead, k))
    if not compute_uv:
        return values
    if full_matrices:
        u, v = (_completed(m, side) if side.shape[1] > k else side for side in (u, v))
    return u.reshape((*lead, *u.shape[1:])), values, _h(v).reshape((*lead, v.shape[2], v.shape[1]))


def pinv(m: Any, x: Any, rcond: float | None = None) -> ComplexTensor:
    z = as_complex(x)
    u, s, vh = svd(m, z, full_matrices=False)
    ratio = 1.1920929e-07 * max(z.shape[-2:]) if rcond is None else rcond
    kept = m.greater(s, ratio * m.max(s, axis=-1, keepdims=True))
    inverses = m.where(kept, m.divide(1.0, m.where(kept, s, 1.0)), 0.0)
    return m.matmul(_h(vh) * m.expand_dims(inverses, -2), _h(u))


def lstsq(m: Any, a: Any, b: Any, rcond: float | None = None) -> ComplexTensor:
    return m.matmul(pinv(m, a, rcond), as_complex(b))


def matrix_rank(m: Any, x: Any, tol: float | None = None) -> Tensor:
    s = svd(m, x, compute_uv=False)
    least = m.max(s, axis=-1, keepdims=True) * (1.1920929e-07 * max(as_complex(x).shape[-2:])) if tol is None else tol
    return m.sum(m.cast(m.greater(s, least), "int32"), axis=-1)


def norm(m: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    z = as_complex(x)
    axes = tuple(range(z.ndim)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if ord not in (2, -2, "nuc") or len(axes) != 2:
        return m.norm(m.absolute(z), ord, axis, keepdims)
    values = svd(m, m.moveaxis(z, axes, (-2, -1)), compute_uv=False)
    found = m.sum(values, axis=-1) if ord == "nuc" else (m.max if ord == 2 else m.min)(values, axis=-1)
    places = {a % z.ndim for a in axes}
    return m.reshape(found, [1 if a in places else n for a, n in enumerate(z.shape)]) if keepdims else found
