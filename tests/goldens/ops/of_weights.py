"""What is done to single weights: constraints, regularizers, initializers without chance; and every activation by its name."""

import numpy as np
from golden_cases import uniform
from op_calls import call

W = uniform(1, (4, 3), 3.0)
KERNEL = uniform(2, (2, 3, 2, 4), 2.0)
X = np.concatenate([uniform(3, (3, 4), 6.0).ravel(), [0.0, -0.5, 0.5, 3.0, -3.0, 1e-4]]).astype("float32")
NEAR = np.array([[-2.5, -1.0, -0.2, 0.0, 0.3, 1.5]], "float32")


def of(path, *args, **kwargs):
    """An object of the library's, made and called."""

    def function(K):
        found = K
        for part in path.split("."):
            found = getattr(found, part)
        return found(*args, **kwargs)

    return function


CONSTRAINTS = {
    "MaxNorm": ((2.0,), {}), "MaxNorm-axis": ((1.5,), {"axis": 1}), "MinMaxNorm": ((0.5, 1.0), {"rate": 0.7}),
    "MinMaxNorm-axes": ((1.0, 2.0), {"axis": [0, 1]}), "NonNeg": ((), {}), "UnitNorm": ((), {}), "UnitNorm-axis": ((), {"axis": -1}),
    "max_norm": ((0.5,), {}), "min_max_norm": ((), {}), "non_neg": ((), {}), "unit_norm": ((), {}),
}  # fmt: skip
REGULARIZERS = {
    "L1": ((0.1,), {}), "L2": ((0.2,), {}), "L1L2": ((0.1, 0.2), {}), "OrthogonalRegularizer": ((0.3,), {}),
    "OrthogonalRegularizer-columns": ((0.3, "columns"), {}), "l1": ((), {}), "l2": ((), {}), "l1_l2": ((0.3, 0.1), {}),
    "orthogonal_regularizer": ((0.2, "columns"), {}),
}  # fmt: skip
INITIALIZERS = {
    "Constant": ((1.5,), (2, 3)), "Zeros": ((), (3,)), "Ones": ((), (2, 1)), "Identity": ((2.0,), (3, 4)),
    "IdentityInitializer": ((), (2, 2)), "STFT": ((), (8, 1, 5)),
    "STFTInitializer": (("imag", "hamming", "spectrum", True), (8, 1, 5)), "constant": ((-1.0,), (2,)),
    "zeros": ((), (2,)), "ones": ((), (2,)), "identity": ((), (3, 3)), "stft": (("imag",), (4, 1, 3)),
}  # fmt: skip
ACTIVATIONS = {
    **{name: {} for name in ("elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
                             "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
                             "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "swish",
                             "tanh", "tanh_shrink", "celu")},
    "celu-alpha": {"alpha": 0.7}, "elu-alpha": {"alpha": 0.5}, "gelu-approximate": {"approximate": True},
    "hard_shrink-at": {"threshold": 1.0},
    "leaky_relu-slope": {"negative_slope": 0.01}, "relu-general": {"negative_slope": 0.3, "max_value": 2.0, "threshold": 0.5},
    "soft_shrink-at": {"threshold": 1.0}, "squareplus-b": {"b": 1}, "threshold": {"threshold": 0.4, "default_value": -2.0},
}  # fmt: skip

CASES = {
    **{f"constraint {name}": call(of(f"constraints.{name.partition('-')[0]}", *args, **kwargs), W, grad=False)
       for name, (args, kwargs) in CONSTRAINTS.items()},
    "constraint MaxNorm-kernel": call(of("constraints.MaxNorm", 1.0, axis=[0, 1, 2]), KERNEL, grad=False),
    **{f"regularizer {name}": call(of(f"regularizers.{name.partition('-')[0]}", *args, **kwargs), W, tensors=True)
       for name, (args, kwargs) in REGULARIZERS.items()},
    **{f"initializer {name}": call(of(f"initializers.{name}", *args), shape, grad=False) for name, (args, shape) in INITIALIZERS.items()},
    **{f"activation {name}": call(f"activations.{name.partition('-')[0]}", X, **kwargs) for name, kwargs in ACTIVATIONS.items()},
    "activation sparsemax": call("activations.sparsemax", np.array([[4, 1, 0], [1, -1, 5]], "float32")),
    "activation softmax-axis": call("activations.softmax", W, axis=0),
    "activation log_softmax-axis": call("activations.log_softmax", KERNEL, axis=1),
    "activation glu-axis": call("activations.glu", KERNEL, axis=0),
    "activation relu-near": call("activations.relu", NEAR, max_value=1.0),
}  # fmt: skip
