"""The cases behind the goldens, written once against the Keras 3 API.

`tests/goldens/make_with_keras.py` runs them with Keras itself and freezes the numbers in this folder;
`tests/test_goldens.py` runs the same functions with pyml and compares. `K` is the namespace, `keras` or
`pyml`. Weights and data come from `uniform`, an integer hash, so no weight file is needed.
"""

import re

import numpy as np


def uniform(seed, shape, bound=1.0):
    """float32 numbers in [-bound, bound), the murmur3 finaliser of (seed, index): the same everywhere.

    Args:
        seed: Any small integer; another seed is another stream.
        shape: An int or a tuple.
        bound: Largest magnitude.
    """
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        x = np.arange(n, dtype=np.uint32) * np.uint32(2654435761)
        x += np.uint32(seed) * np.uint32(40503) + np.uint32(12345)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return ((x / 4294967296.0 * 2 - 1) * bound).astype(np.float32).reshape(shape)


def labels(seed, n, classes):
    """n int32 class numbers below `classes`, hashed from `seed`."""
    return np.floor((uniform(seed, n) + 1) / 2 * classes).astype(np.int32).clip(0, classes - 1)


def one_hot(y, classes):
    return np.eye(classes, dtype=np.float32)[y]


def numpy_of(K, value):
    return np.asarray(K.ops.convert_to_numpy(value))


def set_hashed_weights(model, seed=100):
    """Kernels uniform within sqrt(6 / fan_in), vectors within 0.05; one stream per weight."""
    fresh = []
    for i, w in enumerate(model.weights):
        shape = tuple(w.shape)
        bound = (6 / np.prod(shape[:-1])) ** 0.5 if len(shape) > 1 else 0.05
        fresh.append(uniform(seed + i, shape, bound))
    model.set_weights(fresh)


def digits(n, seed=218, classes=10):
    """Noisy copies of ten fixed patterns in [0, 1), 28 x 28 x 1: learnable, so the loss has somewhere to go.

    The seed is one for which no maximum of a pooling window is within rounding of another one in 50 steps
    (`tests/goldens/make_with_keras.py --sensitivity`); where one flips, histories part by more than 1e-4.
    """
    y = labels(seed, n, classes)
    patterns = uniform(seed + 1, (classes, 28, 28, 1), 0.5) + np.float32(0.5)
    noise = uniform(seed + 2, (n, 28, 28, 1), 0.5) + np.float32(0.5)
    return np.float32(0.7) * patterns[y] + np.float32(0.3) * noise, y


# ---------------------------------------------------------------- models


def book_convnet(K):
    """The convnet of the book's first chapter, 5,994 parameters."""
    return K.Sequential([
        K.Input((28, 28, 1)),
        K.layers.Conv2D(8, 5, activation="relu"),
        K.layers.MaxPooling2D(),
        K.layers.Conv2D(16, 5, activation="relu"),
        K.layers.MaxPooling2D(),
        K.layers.Flatten(),
        K.layers.Dense(10, activation="softmax"),
    ])


def strided_convnet(K):
    """Same padding, strides, groups and average pooling, logits at the end, built functionally."""
    inputs = K.Input((12, 12, 2))
    x = K.layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(inputs)
    x = K.layers.Conv2D(6, 3, padding="same", groups=2, activation="tanh")(x)
    x = K.layers.AveragePooling2D(3, strides=1, padding="same")(x)
    x = K.layers.Conv2D(8, 3, dilation_rate=2, use_bias=False)(x)
    x = K.layers.Reshape((-1,))(x)
    return K.Model(inputs, K.layers.Dense(4)(x))


def dense_net(K, features, outputs, activation):
    return K.Sequential([
        K.Input((features,)),
        K.layers.Dense(16, activation="tanh"),
        K.layers.Dense(8, activation="relu"),
        K.layers.Dense(outputs, activation=activation),
    ])


def train(model, x, y, batch, steps):
    """Losses of `steps` calls of train_on_batch, walking over the data in order."""
    batches = len(x) // batch
    out = []
    for i in range(steps):
        at = slice(i % batches * batch, (i % batches + 1) * batch)
        logs = model.train_on_batch(x[at], y[at], return_dict=True)
        out.append(float(logs["loss"]))
    return out


def run_training(K, model, optimizer, loss, x, y, batch, steps):
    set_hashed_weights(model)
    model.compile(optimizer=optimizer, loss=loss)
    losses = train(model, x, y, batch, steps)
    return {"losses": losses, "predictions": np.asarray(model.predict(x[:4], verbose=0))}


def convnet_case(make_optimizer, steps):
    def run(K):
        x, y = digits(256)
        loss = "sparse_categorical_crossentropy"
        return run_training(K, book_convnet(K), make_optimizer(K), loss, x, y, batch=32, steps=steps)
    return run


def run_strided(K):
    x, y = uniform(3, (48, 12, 12, 2)), one_hot(labels(4, 48, 4), 4)
    loss = K.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    return run_training(K, strided_convnet(K), K.optimizers.Adam(3e-3), loss, x, y, batch=16, steps=24)


def run_binary(K):
    x = uniform(5, (96, 20))
    y = (x[:, :5].sum(1, keepdims=True) > 0).astype(np.float32)
    net = dense_net(K, 20, 1, "sigmoid")
    return run_training(K, net, K.optimizers.Adam(1e-2), "binary_crossentropy", x, y, batch=24, steps=50)


def run_regression(K):
    x = uniform(6, (96, 20))
    y = x[:, :3] * x[:, 3:6] + x[:, 6:9]
    optimizer = K.optimizers.SGD(0.05, momentum=0.9, nesterov=True)
    return run_training(K, dense_net(K, 20, 3, None), optimizer, "mse", x, y, batch=24, steps=50)


TRAINING = {
    "convnet_adam": convnet_case(lambda K: K.optimizers.Adam(1e-3), 50),
    "convnet_momentum": convnet_case(lambda K: K.optimizers.SGD(0.01, momentum=0.9), 20),
    "convnet_nesterov": convnet_case(lambda K: K.optimizers.SGD(0.01, momentum=0.9, nesterov=True), 20),
    "strided_convnet_adam": run_strided,
    "dense_binary_crossentropy": run_binary,
    "dense_mean_squared_error": run_regression,
}

# ---------------------------------------------------------------- one layer at a time


def conv(filters, kernel, **kwargs):
    return lambda K: K.layers.Conv2D(filters, kernel, **kwargs)


def pool(kind, size, **kwargs):
    return lambda K: getattr(K.layers, kind)(size, **kwargs)


LAYERS = {   # name -> (input shape without the batch, maker)
    "conv_valid": ((7, 6, 3), conv(4, 3)),
    "conv_same": ((7, 6, 3), conv(4, 3, padding="same", activation="relu")),
    "conv_even_kernel_same": ((7, 6, 3), conv(4, (2, 4), padding="same")),
    "conv_stride_2_same_odd": ((7, 9, 3), conv(4, 3, strides=2, padding="same")),
    "conv_stride_2_same_even": ((8, 6, 3), conv(4, 3, strides=2, padding="same")),
    "conv_stride_2_valid": ((8, 7, 3), conv(5, 3, strides=(2, 1))),
    "conv_dilated": ((9, 8, 3), conv(4, 3, dilation_rate=2)),
    "conv_dilated_same": ((9, 8, 2), conv(4, 3, dilation_rate=(1, 2), padding="same")),
    "conv_groups": ((6, 6, 4), conv(6, 3, groups=2, padding="same")),
    "conv_depthwise": ((6, 6, 4), conv(8, 3, groups=4)),
    "conv_1x1_no_bias": ((5, 4, 3), conv(7, 1, use_bias=False)),
    "dense": ((9,), lambda K: K.layers.Dense(5, activation="sigmoid")),
    "dense_on_rank_3": ((4, 6), lambda K: K.layers.Dense(5, activation="relu")),
    "dense_softmax": ((9,), lambda K: K.layers.Dense(5, activation="softmax")),
    "max_pool": ((6, 8, 3), pool("MaxPooling2D", 2)),
    "max_pool_odd_valid": ((7, 5, 3), pool("MaxPooling2D", 2)),
    "max_pool_overlap_same": ((7, 6, 3), pool("MaxPooling2D", 3, strides=2, padding="same")),
    "average_pool": ((6, 8, 3), pool("AveragePooling2D", 2)),
    # Keras on PyTorch repeats the edge where padding is uneven, its other backends do not: even padding here.
    "average_pool_overlap_same": ((7, 5, 3), pool("AveragePooling2D", 3, strides=2, padding="same")),
    "average_pool_rectangle": ((6, 8, 3), pool("AveragePooling2D", (3, 2), strides=(1, 2))),
    "flatten": ((3, 4, 2), lambda K: K.layers.Flatten()),
    "reshape": ((3, 4, 2), lambda K: K.layers.Reshape((2, -1, 3))),
    **{f"activation_{name}": ((6,), lambda K, name=name: K.layers.Activation(name))
       for name in ("relu", "sigmoid", "tanh", "softmax", "linear")},
}


def run_layer(K, shape, make, seed=40):
    """Forward of one layer, then its weights and those of a layer below after one gradient step.

    The layer below shows the gradient with respect to the input, the layer itself that of its weights.
    """
    below = K.layers.Dense(shape[-1], use_bias=False)
    model = K.Sequential([K.Input(shape), below, make(K)])
    set_hashed_weights(model, seed)
    x = uniform(seed + 20, (3, *shape), 1.5)
    forward = np.asarray(model.predict(x, verbose=0))
    model.compile(optimizer=K.optimizers.SGD(0.5), loss="mse")
    loss = model.train_on_batch(x, uniform(seed + 21, forward.shape), return_dict=True)["loss"]
    out = {"forward": forward, "loss": float(loss)}
    for i, w in enumerate(model.get_weights()):
        out[f"weight_{i}"] = np.asarray(w)
    return out


# ---------------------------------------------------------------- losses and metrics


def probabilities(seed, shape):
    p = np.exp(uniform(seed, shape, 2.0))
    return (p / p.sum(-1, keepdims=True)).astype(np.float32)


def loss_cases():
    """name -> (class name, options, y_true, y_pred)."""
    logits, p, classes = uniform(11, (6, 5), 3.0), probabilities(12, (6, 5)), labels(13, 6, 5)
    bits, chances = (uniform(14, (6, 4)) > 0).astype(np.float32), (uniform(15, (6, 4)) + 1) / 2
    logit = {"from_logits": True}
    scores, targets = uniform(16, (6, 4), 4.0), uniform(17, (6, 4))
    sharp = np.array([[0.0, 1.0], [1.0, 0.0], [0.3, 0.7]], np.float32)   # clipped by the epsilon
    return {
        "categorical": ("CategoricalCrossentropy", {}, one_hot(classes, 5), p),
        "categorical_unnormalised": ("CategoricalCrossentropy", {}, one_hot(classes, 5), p * 3),
        "categorical_logits": ("CategoricalCrossentropy", logit, one_hot(classes, 5), logits),
        "categorical_smoothed": ("CategoricalCrossentropy", {"label_smoothing": 0.2}, one_hot(classes, 5), p),
        "categorical_sharp": ("CategoricalCrossentropy", {}, one_hot([0, 0, 1], 2), sharp),
        "sparse": ("SparseCategoricalCrossentropy", {}, classes, p),
        "sparse_column": ("SparseCategoricalCrossentropy", {}, classes[:, None], p),
        "sparse_logits": ("SparseCategoricalCrossentropy", logit, classes, logits),
        "sparse_large_logits": ("SparseCategoricalCrossentropy", logit, classes, logits * 100),
        "binary": ("BinaryCrossentropy", {}, bits, chances),
        "binary_logits": ("BinaryCrossentropy", logit, bits, scores),
        "binary_large_logits": ("BinaryCrossentropy", logit, bits, scores * 50),
        "binary_smoothed": ("BinaryCrossentropy", {"label_smoothing": 0.1}, bits, chances),
        "binary_sharp": ("BinaryCrossentropy", {}, bits, (chances > 0.5).astype(np.float32)),
        "mse": ("MeanSquaredError", {}, targets, scores),
        "mse_rank_3": ("MeanSquaredError", {}, targets.reshape(3, 2, 4), scores.reshape(3, 2, 4)),
        **more_loss_cases(bits, chances, scores, classes, p),
    }


def more_loss_cases(bits, chances, scores, classes, p):
    """Losses beyond the common ones, and axes and classes that are left out, in the same form."""
    logit = {"from_logits": True}
    hot = one_hot(classes, 5)
    image, flat = probabilities(41, (24, 5)), labels(42, 24, 5)
    unit = uniform(43, (7, 4))
    unit /= np.linalg.norm(unit, axis=-1, keepdims=True)
    words, steps = np.array([[1, 2, 2, 0], [3, 0, 0, 0], [1, 3, 1, 2]], np.int32), uniform(44, (3, 7, 5), 2.0)
    return {
        "sparse_ignored": ("SparseCategoricalCrossentropy", {"ignore_class": 2}, flat, image),
        "sparse_ignored_negative": ("SparseCategoricalCrossentropy", {"ignore_class": -1, **logit},
                                    np.where(flat == 1, -1, flat), image),
        "sparse_axis": ("SparseCategoricalCrossentropy", {"axis": 1}, flat[None], image.T[None].copy()),
        "binary_focal": ("BinaryFocalCrossentropy", {}, bits, chances),
        "binary_focal_balanced": ("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}, bits, chances),
        "binary_focal_logits": ("BinaryFocalCrossentropy", {"label_smoothing": 0.1, **logit}, bits, scores),
        "categorical_focal": ("CategoricalFocalCrossentropy", {}, hot, p),
        "categorical_focal_logits": ("CategoricalFocalCrossentropy", {"label_smoothing": 0.2, "gamma": 3.0, **logit}, hot, p * 3),
        "generalized": ("CategoricalGeneralizedCrossEntropy", {}, classes, p),
        "generalized_q": ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, classes, p),
        "circle": ("Circle", {}, labels(45, 7, 3), unit),
        "circle_diagonal": ("Circle", {"gamma": 20.0, "margin": 0.2, "remove_diagonal": False}, labels(45, 7, 3), unit),
        "circle_alone": ("Circle", {}, np.array([0, 0, 1, 2, 3, 3, 0], np.int32), unit),
        "dice_axis": ("Dice", {"axis": -1}, bits, chances),
        "tversky_axis": ("Tversky", {"alpha": 0.2, "beta": 0.7, "axis": -1}, bits, chances),
        "ctc": ("CTC", {}, words, steps),
        "ctc_tight": ("CTC", {}, words[:, :2], steps[:, :3]),
    }


def run_loss(K, kind, options, y_true, y_pred):
    weights = uniform(18, (len(y_true),) + (1,) * (y_true.ndim - 2)) + 1
    make = lambda **more: getattr(K.losses, kind)(**options, **more)
    call = lambda *args, **more: numpy_of(K, make(**more)(*args))
    return {
        "default": call(y_true, y_pred),
        "weighted": call(y_true, y_pred, weights),
        "sum": call(y_true, y_pred, reduction="sum"),
        "each": call(y_true, y_pred, reduction=None),
        "each_weighted": call(y_true, y_pred, weights, reduction=None),
    }


def metric_cases():
    """name -> (class name, options, three batches of arguments)."""
    p = [probabilities(20 + i, (5, 4)) for i in range(3)]
    classes = [labels(24 + i, 5, 4) for i in range(3)]
    bits = [(uniform(28 + i, (5, 3)) > 0).astype(np.float32) for i in range(3)]
    chances = [(uniform(32 + i, (5, 3)) + 1) / 2 for i in range(3)]
    weights = [uniform(36 + i, 5) + 1 for i in range(3)]
    picked = [q.argmax(-1).astype(np.float32) for q in p]
    hot = [one_hot(c, 4) for c in classes]
    cols = [c[:, None] for c in classes]
    return {
        "accuracy": ("Accuracy", {}, list(zip(classes, picked))),
        "binary": ("BinaryAccuracy", {}, list(zip(bits, chances))),
        "binary_threshold": ("BinaryAccuracy", {"threshold": 0.3}, list(zip(bits, chances))),
        "binary_weighted": ("BinaryAccuracy", {}, list(zip(bits, chances, weights))),
        "categorical": ("CategoricalAccuracy", {}, list(zip(hot, p))),
        "categorical_weighted": ("CategoricalAccuracy", {}, list(zip(hot, p, weights))),
        "sparse": ("SparseCategoricalAccuracy", {}, list(zip(classes, p))),
        "sparse_column": ("SparseCategoricalAccuracy", {}, list(zip(cols, p))),
        "sparse_weighted": ("SparseCategoricalAccuracy", {}, list(zip(classes, p, weights))),
        "mean": ("Mean", {}, [(c,) for c in chances]),
        "binary_threshold_0": ("BinaryAccuracy", {"threshold": 0.0}, [(b, c - 0.5) for b, c in zip(bits, chances)]),
        **more_metric_cases(bits, chances, weights, hot, classes, p),
    }


def more_metric_cases(bits, chances, weights, hot, classes, p):
    """Metrics beyond the common ones, in the same form."""
    plain, weighted = list(zip(bits, chances)), list(zip(bits, chances, weights))
    numbers = [(uniform(46 + i, (5, 3)), uniform(49 + i, (5, 3))) for i in range(3)]
    positive = [(abs(a) + 0.1, abs(b) + 0.1) for a, b in numbers]
    said = [labels(52 + i, 5, 4) for i in range(3)]
    four, five = [0.0, 0.3, 0.5, 1.0], [0.0, 0.25, 0.5, 0.75, 1.0]
    cases = {
        name: (name, {}, plain) for name in ("TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives", "Precision",
                                             "Recall", "AUC", "F1Score", "BinaryIoU", "Hinge", "SquaredHinge")
    } | {f"{name}_weighted": (name, {"thresholds": limits}, weighted)
         for name, limits in (("TruePositives", four), ("FalseNegatives", five), ("Precision", four), ("Recall", five))}
    cases |= {name: (name, {}, numbers) for name in ("CosineSimilarity", "LogCoshError", "MeanAbsolutePercentageError",
                                                     "PearsonCorrelation", "ConcordanceCorrelation", "R2Score")}
    cases |= {name: (name, {}, positive) for name in ("MeanSquaredLogarithmicError", "Poisson", "KLDivergence")}
    cases |= {f"AUC_{curve}_{method}": ("AUC", {"num_thresholds": 20, "curve": curve, "summation_method": method}, weighted)
              for curve in ("ROC", "PR", "PRGAIN") for method in ("interpolation", "majoring", "minoring")}
    for name, option in (("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
                         ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision")):
        cases[name] = (name, {option: 0.6}, plain)
        cases[f"{name}_class"] = (name, {option: 0.4, "num_thresholds": 7, "class_id": 1}, plain)
    return cases | {
        "AUC_labels": ("AUC", {"multi_label": True}, plain),
        "AUC_label_weights": ("AUC", {"multi_label": True, "num_labels": 3, "label_weights": [0.2, 0.5, 0.3]}, plain),
        "AUC_thresholds": ("AUC", {"thresholds": [0.2, 0.3, 0.9]}, plain),
        "AUC_logits": ("AUC", {"from_logits": True}, [(b, n[0]) for b, n in zip(bits, numbers)]),
        "precision_top_k": ("Precision", {"top_k": 2}, plain),
        "recall_class": ("Recall", {"class_id": 1, "thresholds": 0.3}, weighted),
        "fbeta_macro": ("FBetaScore", {"beta": 2.0, "average": "macro", "threshold": 0.4}, weighted),
        "fbeta_micro": ("FBetaScore", {"beta": 0.5, "average": "micro"}, plain),
        "f1_weighted": ("F1Score", {"average": "weighted", "threshold": 0.5}, plain),
        "iou": ("IoU", {"num_classes": 4, "target_class_ids": [0, 3]}, list(zip(classes, said))),
        "mean_iou": ("MeanIoU", {"num_classes": 4, "ignore_class": 1}, list(zip(classes, said))),
        "mean_iou_float": ("MeanIoU", {"num_classes": 5, "dtype": "float32"}, list(zip(classes, said, weights))),
        "one_hot_iou": ("OneHotIoU", {"num_classes": 4, "target_class_ids": [1, 2]}, list(zip(hot, p))),
        "one_hot_mean_iou": ("OneHotMeanIoU", {"num_classes": 4}, list(zip(hot, p))),
        "r2_adjusted": ("R2Score", {"class_aggregation": None, "num_regressors": 3}, numbers),
        "r2_variance": ("R2Score", {"class_aggregation": "variance_weighted_average"}, [(*n, w) for n, w in zip(numbers, weights)]),
        "cosine_axis": ("CosineSimilarity", {"axis": 0}, numbers),
        "pearson_axis": ("PearsonCorrelation", {"axis": 0}, numbers),
        "CategoricalHinge": ("CategoricalHinge", {}, list(zip(hot, p))),
        "top_2": ("TopKCategoricalAccuracy", {"k": 2}, list(zip(hot, p, weights))),
        "sparse_top_2": ("SparseTopKCategoricalAccuracy", {"k": 2}, list(zip(classes, p))),
    }


def run_metric(K, kind, options, batches):
    metric = getattr(K.metrics, kind)(**options)
    out = []
    for args in batches:
        metric.update_state(*args)
        out.append(numpy_of(K, metric.result()).tolist())
    metric.reset_state()
    metric.update_state(*batches[-1])
    return {"running": out, "after_reset": numpy_of(K, metric.result()).tolist(), "name": re.sub(r"_\d+$", "", metric.name)}


SIXTEEN_BITS = (
    "accuracy", "binary_weighted", "sparse_weighted", "mean", "TruePositives_weighted", "Precision_weighted", "AUC_ROC_interpolation",
    "AUC_label_weights", "PrecisionAtRecall_class", "fbeta_macro", "BinaryIoU", "mean_iou_float", "R2Score", "CosineSimilarity",
    "LogCoshError", "ConcordanceCorrelation", "SquaredHinge", "KLDivergence", "CategoricalHinge", "top_2",
)  # fmt: skip


def run_metric_in(K, dtype, kind, options, batches):
    """A metric that computes in `dtype`: numbers, and the dtypes of its result, its variables and its config."""
    metric = getattr(K.metrics, kind)(**options | {"dtype": dtype})
    for args in batches:
        metric.update_state(*args)
    found = metric.result()
    dtypes = [K.backend.standardize_dtype(value.dtype) for value in (found, *metric.variables)]
    dtypes += [metric.dtype, metric.get_config()["dtype"]]
    return {"result": np.asarray(numpy_of(K, found), np.float64).tolist(), "dtypes": " ".join(dtypes)}


# ---------------------------------------------------------------- optimizers


EVERY_OPTIMIZER = ("Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam", "RMSprop", "SGD")


# Of ScheduleFreeAdamW the goldens are those of Keras on JAX: on PyTorch it changes in place the momentum that it means to keep.
OPTIMIZERS = {
    "sgd": ("SGD", {}),
    "sgd_momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    "sgd_nesterov": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "sgd_weight_decay": ("SGD", {"learning_rate": 0.1, "weight_decay": 0.05}),
    "sgd_clipnorm": ("SGD", {"learning_rate": 0.1, "clipnorm": 0.5}),
    "sgd_clipvalue": ("SGD", {"learning_rate": 0.1, "clipvalue": 0.3}),
    "sgd_global_clipnorm": ("SGD", {"learning_rate": 0.1, "momentum": 0.5, "global_clipnorm": 0.7}),
    "adam": ("Adam", {}),
    "adam_options": ("Adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    "adam_amsgrad": ("Adam", {"learning_rate": 0.05, "amsgrad": True, "beta_2": 0.7}),
    "adam_weight_decay": ("Adam", {"learning_rate": 0.05, "weight_decay": 0.02}),
    "adam_clipnorm": ("Adam", {"learning_rate": 0.05, "clipnorm": 0.5}),
    **{name: (name, {"learning_rate": 0.05}) for name in ("Adadelta", "Adafactor", "Adagrad", "Adamax", "Ftrl", "Lamb", "Lion", "Nadam",
                                                          "ScheduleFreeAdamW")},
    **{f"{name}_decay": (name, {"learning_rate": 0.05, "weight_decay": 0.02, "clipnorm": 0.8})
       for name in ("Adadelta", "Adagrad", "Adamax", "Lamb", "Lion", "Nadam", "ScheduleFreeAdamW", "Adafactor")},
    **{f"{name}_ema": (name, {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 4})
       for name in ("Adagrad", "Nadam", "Lamb", "RMSprop")},
    **{f"{name}_accumulated": (name, {"learning_rate": 0.05, "gradient_accumulation_steps": 3})
       for name in ("Adagrad", "Adamax", "Lion", "Ftrl")},
    "adadelta_options": ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}),
    "adafactor_options": ("Adafactor", {"learning_rate": 0.4, "beta_2_decay": -0.6, "epsilon_2": 0.02, "clip_threshold": 0.7,
                                        "relative_step": False}),
    "adagrad_options": ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.5, "epsilon": 1e-2}),
    "adamax_options": ("Adamax", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.8, "epsilon": 1e-2}),
    "ftrl_options": ("Ftrl", {"learning_rate": 0.3, "learning_rate_power": -0.7, "initial_accumulator_value": 0.3, "beta": 0.2,
                              "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2,
                              "l2_shrinkage_regularization_strength": 0.05}),
    "muon": ("Muon", {"learning_rate": 0.02}),
    "muon_options": ("Muon", {"learning_rate": 0.05, "adam_beta_1": 0.8, "adam_beta_2": 0.9, "weight_decay": 0.1, "adam_weight_decay": None,
                              "adam_lr_ratio": 0.5, "momentum": 0.8, "ns_steps": 3, "nesterov": False, "rms_rate": None}),
    "nadam_options": ("Nadam", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.8, "epsilon": 1e-2}),
    # each option alone, and for every optimizer two mixtures that have all of them
    **{f"{kind}_{name}".lower(): (kind, {"learning_rate": 0.05, **options}) for kind in ("SGD", "Adam") for name, options in {
        "clipnorm_alone": {"clipnorm": 0.4}, "global_clipnorm_alone": {"global_clipnorm": 0.6}, "clipvalue_alone": {"clipvalue": 0.2},
        "ema": {"use_ema": True, "ema_momentum": 0.8},
        "ema_overwritten": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
        "excluded": {"weight_decay": 0.3, "exclude": True}, "accumulated": {"gradient_accumulation_steps": 3},
        "loss_scale": {"loss_scale_factor": 4.0}}.items()},
    **{f"{kind}_mixed".lower(): (kind, {"learning_rate": 0.05, "weight_decay": 0.3, "exclude": True, "global_clipnorm": 0.6,
                                        "use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 4, "loss_scale_factor": 2.0})
       for kind in EVERY_OPTIMIZER},
    **{f"{kind}_accumulated_mixed".lower(): (kind, {"learning_rate": 0.05, "clipvalue": 0.3, "gradient_accumulation_steps": 2,
                                                    "loss_scale_factor": 8.0})
       for kind in EVERY_OPTIMIZER},
    "schedule_free_options": ("ScheduleFreeAdamW", {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "warmup_steps": 5}),
}


def run_optimizer(K, kind, options, steps=12):
    """The path of a matrix and a vector under gradients that shrink and change sign."""
    variables = [K.Variable(uniform(50, (2, 3))), K.Variable(uniform(51, (4,)))]
    options = dict(options)
    exclude = options.pop("exclude", False)
    optimizer = getattr(K.optimizers, kind)(**options)
    if exclude:
        optimizer.exclude_from_weight_decay(var_list=variables[1:])
    path = []
    for i in range(steps):
        grads = [uniform(60 + i, (2, 3), 2 / (1 + i)), uniform(80 + i, (4,), 2 / (1 + i))]
        grads = [K.ops.convert_to_tensor(g) for g in grads]
        optimizer.apply_gradients(zip(grads, variables))
        path.append(np.concatenate([numpy_of(K, v).ravel() for v in variables]))
    return {"path": np.array(path), "iterations": int(numpy_of(K, optimizer.iterations))}


# ---------------------------------------------------------------- initializers, summary


INITIALIZERS = {
    "glorot_uniform": ("GlorotUniform", {}),
    "glorot_normal": ("GlorotNormal", {}),
    "he_uniform": ("HeUniform", {}),
    "he_normal": ("HeNormal", {}),
    "scaling_fan_out": ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "uniform"}),
    "scaling_untruncated": ("VarianceScaling", {"distribution": "untruncated_normal"}),
    "zeros": ("Zeros", {}),
    "ones": ("Ones", {}),
}
INITIALIZER_SHAPES = {"dense": (300, 200), "conv": (3, 3, 80, 60)}


def run_initializer(K, kind, options, shape):
    random = kind not in ("Zeros", "Ones")
    value = numpy_of(K, getattr(K.initializers, kind)(**options, **({"seed": 1} if random else {}))(shape))
    moments = {"mean": value.mean(), "std": value.std(), "min": value.min(), "max": value.max()}
    return {k: float(v) for k, v in moments.items()}


# Kernels of short-time Fourier transforms have no randomness: all their numbers are compared.
SPECTRAL = {
    "stft_real": ({}, (8, 1, 5)),
    "stft_imag": ({"side": "imag", "window": "hamming", "scaling": "spectrum"}, (7, 1, 6)),
    "stft_periodic": ({"window": "blackman", "scaling": None, "periodic": True}, (9, 1, 3)),
    "stft_weights": ({"side": "imag", "window": [0.5, 1.0, 0.25, 0.75], "scaling": "density"}, (4, 1, 3)),
    "stft_plain": ({"window": None}, (5, 1, 4)),
    **{f"stft_{name}": ({"window": name, "periodic": i % 2 == 0}, (6, 1, 2))
       for i, name in enumerate(("boxcar", "bartlett", "nuttall", "blackmanharris", "flattop"))},
}


def run_spectral(K, options, shape):
    return {"value": numpy_of(K, K.initializers.STFT(**options)(shape))}


REGULARIZERS = {
    "l1": ("L1", {"l1": 0.3}),
    "l2": ("L2", {"l2": 0.3}),
    "l1_l2": ("L1L2", {"l1": 0.2, "l2": 0.3}),
    "orthogonal": ("OrthogonalRegularizer", {}),
    "orthogonal_columns": ("OrthogonalRegularizer", {"factor": 0.4, "mode": "columns"}),
}


def run_regularizer(K, kind, options):
    """The penalty of a matrix with a row of zeros, and of one weight after a step against the gradient of it."""
    matrix = uniform(70, (5, 3))
    matrix[2] = 0
    regularizer = getattr(K.regularizers, kind)(**options)
    layer = K.layers.Dense(4, use_bias=False, kernel_regularizer=regularizer)
    model = K.Sequential([K.Input((3,)), layer])
    layer.set_weights([uniform(71, (3, 4))])
    model.compile(K.optimizers.SGD(0.5), "mse")
    model.train_on_batch(np.zeros((2, 3), "float32"), np.zeros((2, 4), "float32"))
    return {"penalty": float(numpy_of(K, regularizer(K.ops.convert_to_tensor(matrix)))), "kernel": numpy_of(K, layer.kernel)}


def run_summary(K):
    lines = []
    model = K.Sequential([
        K.Input((28, 28, 1), name="image"),
        K.layers.Conv2D(8, 5, activation="relu", name="edges"),
        K.layers.MaxPooling2D(name="shrink"),
        K.layers.Conv2D(16, 5, activation="relu", name="shapes"),
        K.layers.MaxPooling2D(name="shrink_again"),
        K.layers.Flatten(name="flatten"),
        K.layers.Dropout(0.5, name="dropout"),
        K.layers.Dense(10, activation="softmax", name="digit"),
    ], name="book_convnet")
    model.summary(line_length=76, print_fn=lines.append)
    text = "\n".join(line.rstrip() for line in "\n".join(lines).splitlines()).strip("\n")
    return {"text": text, "parameters": int(model.count_params())}


def all_cases():
    """group -> name -> function of K that returns a dict of numbers, arrays or strings."""
    layer = lambda spec: lambda K: run_layer(K, *spec)
    loss = lambda spec: lambda K: run_loss(K, *spec)
    metric = lambda spec: lambda K: run_metric(K, *spec)
    optimizer = lambda spec: lambda K: run_optimizer(K, *spec)
    initializer = lambda spec, shape: lambda K: run_initializer(K, *spec, shape)
    return {
        "training": TRAINING,
        "layers": {n: layer(s) for n, s in LAYERS.items()},
        "losses": {n: loss(s) for n, s in loss_cases().items()},
        "metrics": {n: metric(s) for n, s in metric_cases().items()},
        "metrics_of_16_bits": {f"{n}_{d}": (lambda K, n=n, d=d: run_metric_in(K, d, *metric_cases()[n]))
                               for n in SIXTEEN_BITS for d in ("float16", "bfloat16")},
        "optimizers": {n: optimizer(s) for n, s in OPTIMIZERS.items()},
        "initializers": {f"{n}_{k}": initializer(s, shape) for n, s in INITIALIZERS.items()
                         for k, shape in INITIALIZER_SHAPES.items()},
        "kernels": {n: (lambda K, s=s: run_spectral(K, *s)) for n, s in SPECTRAL.items()},
        "regularizers": {n: (lambda K, s=s: run_regularizer(K, *s)) for n, s in REGULARIZERS.items()},
        "summary": {"book_convnet": run_summary},
    }
