"""Blocks of images, sparse activations, normalizations, and how alike signals are."""

import numpy as np
from golden_cases import labels, uniform
from op_calls import call

FIRST = {"data_format": "channels_first"}

CASES = {
    "depth_to_space": call("ops.depth_to_space", uniform(1, (2, 3, 2, 12)), 2),
    "depth_to_space_first": call("ops.depth_to_space", uniform(2, (1, 18, 2, 3)), 3, **FIRST),
    "depth_to_space_int": call("ops.depth_to_space", labels(3, 24, 9).reshape(1, 2, 3, 4), 2),
    "space_to_depth": call("ops.space_to_depth", uniform(4, (2, 4, 6, 3)), 2),
    "space_to_depth_first": call("ops.space_to_depth", uniform(5, (1, 2, 6, 3)), 3, **FIRST),
    "unfold": call("ops.unfold", uniform(6, (2, 3, 5, 6)), (2, 3)),
    "unfold_everything": call("ops.unfold", uniform(7, (1, 2, 7, 6)), (3, 2), dilation=(2, 1), padding=(1, 2), stride=(2, 3)),
    "fold": call("ops.fold", uniform(8, (2, 12, 20)), (5, 6), 2),
    "fold_everything": call("ops.fold", uniform(9, (1, 12, 9)), (7, 6), (3, 2), dilation=(2, 1), padding=(1, 2), stride=(2, 4)),
    "fold_gaps": call("ops.fold", uniform(10, (1, 8, 4)), (5, 5), 2, stride=3),
    "rearrange": call("ops.rearrange", uniform(50, (2, 4, 6, 3)), "b (y h) (x w) c -> (b y x) c (h w)", h=2, x=3),
    "rearrange_axis_of_1": call("ops.rearrange", uniform(51, (2, 3)), "a b -> b a"),
    "cdist": call("ops.cdist", uniform(52, (3, 4)), uniform(53, (5, 4))),
    "cdist_batches": call("ops.cdist", uniform(54, (2, 1, 3, 2)), uniform(55, (4, 2, 2))),
    "psnr": call("ops.psnr", uniform(11, (3, 5)), uniform(12, (3, 5)), 2.5),
    "sparse_plus": call("ops.sparse_plus", uniform(13, (3, 5), 2.0)),
    "sparse_sigmoid": call("ops.sparse_sigmoid", uniform(14, (3, 5), 2.0)),
    # Keras adds up running sums where more than one number is left, so that its answers do not sum to 1; ops/sparse_activation.py
    # holds the projection of the paper against numpy. With one number left both agree.
    "sparsemax_one": call("ops.sparsemax", np.array([[-1, -0.5, 1, -3], [4, 1, 1, 2]], "float32")),
    "sparsemax_one_axis": call("ops.sparsemax", uniform(16, (2, 3, 2)) + np.array([[0], [3], [6]], "float32"), axis=-2),
    "activation_sparse_plus": call("activations.sparse_plus", uniform(17, (2, 3), 2.0)),
    "activation_sparse_sigmoid": call("activations.sparse_sigmoid", uniform(18, (2, 3), 2.0)),
    "activation_sparsemax": call("activations.sparsemax", np.array([[4, 1], [1, -1]], "float32"), axis=0),
    "moments": call("ops.moments", uniform(20, (3, 4, 5)), axes=[0, -1]),
    "moments_keepdims": call("ops.moments", uniform(21, (3, 4, 5)), axes=1, keepdims=True),
    "batch_normalization_first": call(
        "ops.batch_normalization", uniform(22, (2, 3, 4)), uniform(23, (3,)), uniform(24, (3,)) + 2, axis=1,
        offset=uniform(25, (3,)), scale=uniform(26, (3,)), epsilon=0.01),
    "layer_normalization": call("ops.layer_normalization", uniform(27, (3, 5)), uniform(28, (5,)), uniform(29, (5,)), epsilon=1e-3),
    "layer_normalization_axes": call("ops.layer_normalization", uniform(30, (3, 4, 5)), axis=(-2, -1)),
    "rms_normalization": call("ops.rms_normalization", uniform(31, (3, 5)), uniform(32, (5,))),
    "normalize": call("ops.normalize", uniform(34, (3, 5))),
    "normalize_order_1": call("ops.normalize", uniform(35, (3, 5)), axis=0, order=1),
    "normalize_order_3": call("ops.normalize", uniform(36, (3, 5)), order=3),
    "one_hot_negative": call("ops.one_hot", np.array([0, 2, -1, 1], "int32"), 3),
    "one_hot_axis": call("ops.one_hot", np.array([[0, 2], [1, 1]], "int32"), 3, axis=1, dtype="int32"),
    "multi_hot": call("ops.multi_hot", np.array([[0, 2], [1, 1]], "int32"), 4),
    "glu_axis": call("ops.glu", uniform(37, (4, 3)), axis=0),
    "softmax_axis": call("ops.softmax", uniform(38, (4, 3, 2)), axis=1),
    "softmax_none": call("ops.softmax", uniform(39, (4, 3)), axis=None),
    "log_softmax_axis": call("ops.log_softmax", uniform(40, (4, 3)), axis=0),
    "relu_int": call("ops.relu", np.array([-1, 2], "int32")),
    "leaky_relu": call("ops.leaky_relu", uniform(41, (5,)), negative_slope=0.1),
    "threshold": call("ops.threshold", uniform(42, (7,)), 0.2, 5.0),
    "squareplus": call("ops.squareplus", uniform(43, (7,)), b=2),
    "gelu_exact": call("ops.gelu", uniform(44, (7,), 3.0), approximate=False),
    "binary_crossentropy": call("ops.binary_crossentropy", uniform(45, (3, 2)) * 0.5 + 0.5, uniform(46, (3, 2)) * 0.4 + 0.5),
    "categorical_crossentropy": call(
        "ops.categorical_crossentropy", np.eye(4, dtype="float32")[[0, 3, 1]], uniform(47, (3, 4)), from_logits=True),
    "sparse_categorical_crossentropy": call(
        "ops.sparse_categorical_crossentropy", np.array([0, 3, 1], "int32"), uniform(48, (3, 4)), from_logits=True),
}
