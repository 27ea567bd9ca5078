"""The functions behind losses and metrics, sample by sample."""

import numpy as np
from golden_cases import labels, one_hot, probabilities, uniform
from op_calls import call

TRUE, PRED = uniform(1, (5, 3)), uniform(2, (5, 3), 2.0)
BITS, CHANCES = (uniform(3, (5, 3)) > 0).astype("float32"), (uniform(4, (5, 3)) + 1) / 2
CLASSES, P = labels(5, 5, 3), probabilities(6, (5, 3))
HOT, LOGITS = one_hot(CLASSES, 3), {"from_logits": True}
POSITIVE = (abs(TRUE) + 0.1, abs(PRED) + 0.1)
SIGNS = np.sign(TRUE)
RANKED = np.argsort(-P, axis=-1).astype("int32")


def both(name, *args, grad=True, **options):
    """The function under `losses` and under `metrics`, where it is the same one."""
    return {f"{name}-{home}": call(f"{home}.{name}", *args, grad=grad, **options) for home in ("losses", "metrics")}


CASES = {
    **both("binary_crossentropy", BITS, CHANCES, label_smoothing=0.1),
    "binary_crossentropy-axis": call("losses.binary_crossentropy", BITS, PRED, axis=0, **LOGITS),
    **both("binary_focal_crossentropy", BITS, CHANCES, apply_class_balancing=True, alpha=0.4, gamma=1.5),
    "binary_focal_crossentropy-logits": call("losses.binary_focal_crossentropy", BITS, PRED, label_smoothing=0.2, axis=0, **LOGITS),
    **both("categorical_crossentropy", HOT, P, label_smoothing=0.1),
    "categorical_crossentropy-axis": call("losses.categorical_crossentropy", HOT.T.copy(), PRED.T.copy(), axis=0, **LOGITS),
    **both("categorical_focal_crossentropy", HOT, P, alpha=0.4, gamma=1.0),
    "categorical_focal_crossentropy-axis": call("losses.categorical_focal_crossentropy", HOT.T.copy(), PRED.T.copy(), axis=0, **LOGITS),
    "categorical_generalized_cross_entropy": call(
        "losses.categorical_generalized_cross_entropy", CLASSES, P, 0.7, tensors=True, grad=False),
    **both("categorical_hinge", HOT, P),
    "circle": call("losses.circle", labels(7, 5, 2), PRED / np.linalg.norm(PRED, axis=-1, keepdims=True), gamma=8, margin=0.3),
    "cosine_similarity": call("losses.cosine_similarity", TRUE, PRED, axis=0),
    "ctc": call("losses.ctc", np.array([[1, 2], [2, 0]], "int32"), uniform(8, (2, 5, 3))),
    "dice": call("losses.dice", BITS, CHANCES),
    "dice-axis": call("losses.dice", BITS, CHANCES, axis=(-1,)),
    **both("hinge", SIGNS, PRED),
    **both("huber", TRUE, PRED, delta=0.7),
    **both("kl_divergence", P, probabilities(9, (5, 3))),
    **both("log_cosh", TRUE, PRED * 9),
    **both("mean_absolute_error", TRUE, PRED),
    **both("mean_absolute_percentage_error", TRUE, PRED),
    **both("mean_squared_error", TRUE, PRED),
    **both("mean_squared_logarithmic_error", *POSITIVE),
    **both("poisson", *POSITIVE),
    **both("sparse_categorical_crossentropy", CLASSES, P, ignore_class=1),
    "sparse_categorical_crossentropy-axis": call("losses.sparse_categorical_crossentropy", CLASSES, PRED.T.copy(), axis=0, **LOGITS),
    **both("squared_hinge", SIGNS, PRED),
    "tversky": call("losses.tversky", BITS, CHANCES, alpha=0.3, beta=0.6),
    "tversky-axis": call("losses.tversky", BITS, CHANCES, axis=(-1,)),
    "binary_accuracy": call("metrics.binary_accuracy", BITS, CHANCES, threshold=0.3, grad=False),
    "categorical_accuracy": call("metrics.categorical_accuracy", HOT, P, grad=False),
    "sparse_categorical_accuracy": call("metrics.sparse_categorical_accuracy", CLASSES, P, grad=False),
    "sparse_categorical_accuracy-column": call("metrics.sparse_categorical_accuracy", CLASSES[:, None], P, grad=False),
    "top_k_categorical_accuracy": call("metrics.top_k_categorical_accuracy", HOT, P, k=2, grad=False),
    "sparse_top_k_categorical_accuracy": call("metrics.sparse_top_k_categorical_accuracy", CLASSES, P, k=2, grad=False),
    "sparse_top_k_categorical_accuracy-sorted": call(
        "metrics.sparse_top_k_categorical_accuracy", CLASSES, RANKED, k=2, from_sorted_ids=True, grad=False),
    "concordance_correlation": call("metrics.concordance_correlation", TRUE, PRED, grad=False),
    "pearson_correlation": call("metrics.pearson_correlation", TRUE, PRED, axis=0, grad=False),
}  # fmt: skip
