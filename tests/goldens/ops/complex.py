"""Complex numbers: made, taken apart, computed with. Gradients go through real values, as a training loss is one."""

import numpy as np
from golden_cases import uniform
from op_calls import call


def complex_(seed, *shape):
    return (uniform(seed, shape) + 1j * uniform(seed + 50, shape)).astype("complex64")


def real_parts(compute):
    """`compute` of complex numbers whose parts are given as pairs of reals; the answer again as pairs."""

    def of_library(K):
        def of(*pairs):
            z = [K.ops.view_as_complex(K.ops.convert_to_tensor(p)) for p in pairs]
            return K.ops.view_as_real(compute(K.ops, *z))

        return of

    return of_library


def eigen_function(K):
    """The exponential of a real matrix by its complex eigenvectors."""

    def of(x):
        w, v = K.ops.eig(K.ops.convert_to_tensor(x))
        left = K.ops.matmul(v * K.ops.expand_dims(K.ops.exp(w), -2), inverse(K, v))
        return K.ops.real(left), K.ops.sum(K.ops.real(w)), K.ops.sum(K.ops.real(w * w))

    return of


def inverse(K, v):
    """Of complex matrices: (A + iB)^-1 by the inverse of the real matrix [[A, -B], [B, A]]."""
    a, b = K.ops.real(v), K.ops.imag(v)
    whole = K.ops.concatenate([K.ops.concatenate([a, -b], -1), K.ops.concatenate([b, a], -1)], -2)
    found, n = K.ops.inv(whole), a.shape[-1]
    parts = K.ops.stack([found[..., :n, :n], found[..., n:, :n]], axis=-1)
    return K.ops.view_as_complex(parts)


PAIRS, MORE = uniform(1, (3, 4, 2)), uniform(2, (3, 4, 2))
CASES = {
    "view_as_complex": call("ops.view_as_complex", PAIRS, grad=False),
    "real": call("ops.real", complex_(3, 2, 3), grad=False),
    "imag": call("ops.imag", complex_(4, 2, 3), grad=False),
    "conj": call("ops.conj", complex_(5, 2, 3), grad=False),
    "conjugate": call("ops.numpy.conjugate", complex_(6, 3), grad=False),
    "angle": call("ops.angle", complex_(7, 2, 3), grad=False),
    "angle_of_real": call("ops.numpy.angle", uniform(8, (5,)), grad=False),
    "absolute": call(lambda K: lambda x: K.ops.absolute(K.ops.view_as_complex(K.ops.convert_to_tensor(x))), PAIRS),
    "direction": call(lambda K: lambda x: K.ops.angle(K.ops.view_as_complex(K.ops.convert_to_tensor(x))), PAIRS),
    "polar": call("ops.polar", np.abs(uniform(9, (2, 3))) + 0.5, uniform(10, (2, 3)) * 4, grad=False),
    "polar_gradient": call(
        lambda K: lambda r, a: K.ops.view_as_real(K.ops.nn.polar(K.ops.convert_to_tensor(r), K.ops.convert_to_tensor(a))),
        np.abs(uniform(11, (4,))) + 0.5, uniform(12, (4,)) * 4,
    ),
    "arithmetic": call(real_parts(lambda ops, z, w: (z + w) * z - w / (z + 2.0) + z * z), PAIRS, MORE),
    "powers": call(real_parts(lambda ops, z: z**3), PAIRS),
    "exponential": call(real_parts(lambda ops, z: ops.exp(z) + ops.log(z + 2.0) + ops.sqrt(z + 2.0)), PAIRS),
    "matmul": call(real_parts(lambda ops, z, w: ops.matmul(z, ops.transpose(ops.conj(w)))), PAIRS, MORE),
    "moved": call(
        real_parts(lambda ops, z, w: ops.concatenate([ops.reshape(z, (4, 3)), ops.transpose(w)], axis=1)[1:, ::2]), PAIRS, MORE
    ),
    "sums": call(real_parts(lambda ops, z: ops.sum(z, axis=1) * ops.mean(z)), PAIRS),
    "eig": call(eigen_function, np.array([[0.2, 1.0, 0.3], [-1.1, 0.1, 0.2], [0.4, 0.3, 0.9]], "float32"), tol=1e-3),
    "eig_batch": call(eigen_function, np.stack([uniform(13, (3, 3)), uniform(14, (3, 3))]), tol=2e-3),
    "eig_empty": call(lambda K: lambda x: K.ops.eig(x)[0], np.zeros((2, 0, 0), "float32"), grad=False),
    "view": call("ops.view", np.array([0.5, -1.0, 3.0], "float32"), "int32", grad=False),
    "view_back": call("ops.numpy.view", np.array([1, 1078530011, -1082130432], "int32"), "float32", grad=False),
    "nextafter": call("ops.nextafter", np.array([1.0, -2.0, 3.5], "float32"), np.array([2.0, -3.0, 3.5], "float32"), grad=False),
}
