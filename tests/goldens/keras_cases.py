"""Small computations written once and run twice: with Keras, which gives the frozen numbers, and with pyml.

Every function takes the library `K` and returns nested lists of numbers (or text). `make_with_keras.py` stores what Keras
returns in `keras_cases.json`; `test_goldens_of_keras.py` compares.
"""

import contextlib
import io

import numpy as np


def rng(seed):
    """A generator whose numbers are the same in every numpy."""
    return np.random.RandomState(seed)


def floats(seed, *shape):
    return rng(seed).standard_normal(shape).astype("float32")


def fill(model, seed):
    """Sets the weights from a seed, small enough to train with."""
    generator = rng(seed)
    model.set_weights([np.float32(generator.standard_normal(w.shape) * (0.5 / max((1, *w.shape[:1])) ** 0.5))
                       for w in model.get_weights()])
    return model


def numbers(x):
    if hasattr(x, "detach"):
        x = x.detach()
    return np.asarray(x, dtype="float64").tolist()


# ---- losses of training
def convnet(K, optimizer, loss="sparse_categorical_crossentropy"):
    L = K.layers
    model = K.Sequential([
        K.Input((12, 12, 1)),
        L.Conv2D(4, 3, activation="relu"),
        L.MaxPooling2D(),
        L.Conv2D(6, 3, padding="same", activation="relu"),
        L.AveragePooling2D(2),
        L.Flatten(),
        L.Dense(16, activation="tanh"),
        L.Dense(10, activation="softmax"),
    ])
    fill(model, 1)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


def train(K, optimizer, steps=50):
    """Loss and accuracy of each of 50 steps on batches of 16."""
    model = convnet(K, optimizer)
    x, y = floats(2, steps * 16, 12, 12, 1), rng(3).randint(0, 10, steps * 16)
    x[np.arange(len(x)), y % 12, y % 12, 0] += 3       # something to learn
    history = []
    for i in range(steps):
        model.reset_metrics()
        rows = slice(16 * i, 16 * i + 16)
        history.append([float(v) for v in model.train_on_batch(x[rows], y[rows])])
    return history


def train_adam(K):
    return train(K, K.optimizers.Adam(learning_rate=0.003))


def train_sgd(K):
    return train(K, K.optimizers.SGD(learning_rate=0.05, momentum=0.9, nesterov=True))


def fit_history(K):
    """What fit records: a short last batch, sample weights, class weights, validation."""
    model = fill(K.Sequential([K.Input((5,)), K.layers.Dense(7, activation="relu", kernel_regularizer="l2"),
                               K.layers.Dense(3, activation="softmax", bias_regularizer=K.regularizers.L1(0.02))]), 4)
    model.compile(K.optimizers.SGD(0.1), "categorical_crossentropy", metrics=["accuracy", "mse"],
                  weighted_metrics=["accuracy"])
    x, labels = floats(5, 45, 5), rng(6).randint(0, 3, 45)
    y = np.eye(3, dtype="float32")[labels]
    weight = rng(7).rand(45).astype("float32")
    history = model.fit(x, y, epochs=3, batch_size=10, shuffle=False, verbose=0, sample_weight=weight,
                        validation_data=(x[:13], y[:13]))
    model.fit(x, y, epochs=2, batch_size=45, verbose=0, class_weight={0: 1.0, 1: 2.0, 2: 0.5})
    evaluated = model.evaluate(x, y, batch_size=7, verbose=0, return_dict=True)
    return {"keys": sorted(history.history), "history": {k: history.history[k] for k in sorted(history.history)},
            "evaluate": evaluated, "predict": numbers(model.predict(x[:5], verbose=0))}


def two_outputs(K):
    """A functional model with two inputs, two outputs and weighted losses."""
    a, b = K.Input((4,), name="a"), K.Input((3,), name="b")
    joined = K.layers.Concatenate()([K.layers.Dense(5, activation="relu")(a), b])
    first = K.layers.Dense(2, name="first")(joined)
    second = K.layers.Dense(1, activation="sigmoid", name="second")(joined + 1.0)
    model = fill(K.Model([a, b], [first, second]), 8)
    model.compile("sgd", loss=["mse", "binary_crossentropy"], loss_weights=[1.0, 0.5],
                  metrics=[["mae"], ["accuracy"]])
    x = [floats(9, 24, 4), floats(10, 24, 3)]
    y = [floats(11, 24, 2), rng(12).randint(0, 2, (24, 1)).astype("float32")]
    history = model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
    return {k: history.history[k] for k in sorted(history.history)}


# ---- losses and metrics
LOSSES = {
    "MeanSquaredError": {}, "MeanAbsoluteError": {}, "MeanAbsolutePercentageError": {}, "Huber": {"delta": 0.7},
    "MeanSquaredLogarithmicError": {}, "LogCosh": {}, "CosineSimilarity": {}, "Poisson": {}, "KLDivergence": {},
    "Hinge": {}, "SquaredHinge": {}, "CategoricalHinge": {},
}


def regression_losses(K):
    y, p = np.abs(floats(13, 6, 4)), np.abs(floats(14, 6, 4)) + 0.1
    weight = rng(15).rand(6).astype("float32")
    out = {}
    for name, kwargs in LOSSES.items():
        for reduction in ("sum_over_batch_size", "sum", "none", "mean_with_sample_weight"):
            loss = getattr(K.losses, name)(reduction=reduction, **kwargs)
            out[f"{name}/{reduction}"] = numbers(loss(y, p))
            out[f"{name}/{reduction}/weighted"] = numbers(loss(y, p, sample_weight=weight))
    return out


def crossentropies(K):
    logits = 3 * floats(16, 7, 5)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    labels = rng(17).randint(0, 5, 7)
    onehot = np.eye(5, dtype="float32")[labels]
    binary = rng(18).randint(0, 2, (7, 5)).astype("float32")
    sigmoid = 1 / (1 + np.exp(-logits))
    L = K.losses
    return {
        "sparse": numbers(L.sparse_categorical_crossentropy(labels, probabilities)),
        "sparse logits": numbers(L.sparse_categorical_crossentropy(labels, logits, from_logits=True)),
        "sparse column": numbers(L.SparseCategoricalCrossentropy()(labels[:, None], probabilities)),
        "sparse ignored": numbers(L.sparse_categorical_crossentropy(labels, probabilities, ignore_class=2)),
        "categorical": numbers(L.categorical_crossentropy(onehot, probabilities)),
        "categorical logits": numbers(L.categorical_crossentropy(onehot, logits, from_logits=True)),
        "categorical smooth": numbers(L.CategoricalCrossentropy(label_smoothing=0.1)(onehot, probabilities)),
        "binary": numbers(L.binary_crossentropy(binary, sigmoid)),
        "binary logits": numbers(L.binary_crossentropy(binary, logits, from_logits=True)),
        "binary smooth": numbers(L.BinaryCrossentropy(label_smoothing=0.2)(binary, sigmoid)),
        "certain": numbers(L.sparse_categorical_crossentropy(np.array([0, 1]), np.eye(2, dtype="float32")[[1, 1]])),
    }


def metrics(K):
    M = K.metrics
    scores, labels = floats(19, 9, 4), rng(20).randint(0, 4, 9)
    onehot = np.eye(4, dtype="float32")[labels]
    weight = rng(21).rand(9).astype("float32")
    halves = rng(22).rand(9, 1).astype("float32")
    truth = rng(23).randint(0, 2, (9, 1)).astype("float32")
    cases = {
        "SparseCategoricalAccuracy": (M.SparseCategoricalAccuracy(), labels, scores),
        "SparseCategoricalAccuracy column": (M.SparseCategoricalAccuracy(), labels[:, None], scores),
        "CategoricalAccuracy": (M.CategoricalAccuracy(), onehot, scores),
        "BinaryAccuracy": (M.BinaryAccuracy(threshold=0.4), truth, halves),
        "Accuracy": (M.Accuracy(), labels, (labels + (labels > 1)) % 4),
        "MeanSquaredError": (M.MeanSquaredError(), onehot, scores),
        "MeanAbsoluteError": (M.MeanAbsoluteError(), onehot, scores),
        "RootMeanSquaredError": (M.RootMeanSquaredError(), onehot, scores),
        "SparseCategoricalCrossentropy": (M.SparseCategoricalCrossentropy(from_logits=True), labels, scores),
    }
    out = {}
    for name, (metric, true, predicted) in cases.items():
        metric.update_state(true[:5], predicted[:5])
        metric.update_state(true[5:], predicted[5:])
        out[name] = numbers(metric.result())
        metric.reset_state()
        metric.update_state(true, predicted, sample_weight=weight)
        out[f"{name} weighted"] = numbers(metric.result())
    mean = M.Mean()
    mean.update_state([1.0, 2.0, 3.0], sample_weight=[1.0, 0.0, 2.0])
    total = M.Sum()
    total.update_state([[1.0, 2.0], [3.0, 4.0]])
    return {**out, "Mean": numbers(mean.result()), "Sum": numbers(total.result())}


# ---- optimizers
OPTIMIZERS = {
    "SGD": {"learning_rate": 0.1}, "SGD momentum": {"learning_rate": 0.1, "momentum": 0.9},
    "SGD nesterov": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "SGD decay": {"learning_rate": 0.1, "weight_decay": 0.1}, "SGD clipnorm": {"learning_rate": 0.1, "clipnorm": 0.5},
    "SGD clipvalue": {"learning_rate": 0.1, "clipvalue": 0.2},
    "SGD global_clipnorm": {"learning_rate": 0.1, "global_clipnorm": 0.5},
    "SGD ema": {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    "SGD accumulation": {"learning_rate": 0.1, "momentum": 0.5, "gradient_accumulation_steps": 3},
    "Adam": {"learning_rate": 0.05}, "Adam amsgrad": {"learning_rate": 0.05, "amsgrad": True},
    "Adam betas": {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    "AdamW": {"learning_rate": 0.05, "weight_decay": 0.05}, "RMSprop": {"learning_rate": 0.05},
    "RMSprop centered": {"learning_rate": 0.05, "centered": True, "momentum": 0.5},
}


def optimizers(K):
    """Two variables after 1, 2, ... 7 updates with fixed gradients."""
    out = {}
    for name, kwargs in OPTIMIZERS.items():
        optimizer = getattr(K.optimizers, name.split()[0])(**kwargs)
        variables = [K.Variable(floats(24, 3, 2)), K.Variable(floats(25, 4))]
        path = []
        for i in range(7):
            grads = [K.ops.convert_to_tensor(floats(26 + i, 3, 2)), K.ops.convert_to_tensor(floats(40 + i, 4))]
            optimizer.apply(grads, variables)
            path.append([numbers(K.ops.convert_to_numpy(v)) for v in variables])
        out[name] = path
    return out


def schedules(K):
    S = K.optimizers.schedules
    made = {
        "ExponentialDecay": S.ExponentialDecay(0.1, 10, 0.9), "staircase": S.ExponentialDecay(0.1, 10, 0.9, True),
        "PiecewiseConstantDecay": S.PiecewiseConstantDecay([5, 15], [1.0, 0.5, 0.1]),
        "CosineDecay": S.CosineDecay(0.1, 20, alpha=0.1),
        "CosineDecay warmup": S.CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=5),
        "PolynomialDecay": S.PolynomialDecay(0.1, 20, 0.01, power=2.0),
        "PolynomialDecay cycle": S.PolynomialDecay(0.1, 8, 0.01, cycle=True),
        "InverseTimeDecay": S.InverseTimeDecay(0.1, 10, 0.5),
    }
    return {name: [numbers(K.ops.convert_to_numpy(schedule(K.ops.convert_to_tensor(step, dtype="int32"))))
                   for step in (0, 1, 4, 5, 6, 15, 16, 30)] for name, schedule in made.items()}


# ---- layers and functions
def layers(K):
    L = K.layers
    image, flat = floats(50, 2, 7, 8, 4), floats(51, 3, 6)
    cases = {
        "Dense": (L.Dense(5, activation="gelu"), flat), "Dense 3-D": (L.Dense(2, use_bias=False), floats(52, 2, 3, 4)),
        "Conv2D": (L.Conv2D(3, 3), image), "Conv2D same strides": (L.Conv2D(3, (3, 2), strides=2, padding="same"), image),
        "Conv2D dilation": (L.Conv2D(2, 2, dilation_rate=(2, 3), activation="relu"), image),
        "Conv2D groups": (L.Conv2D(4, 3, groups=2, padding="same"), image),
        "MaxPooling2D": (L.MaxPooling2D(), image), "MaxPooling2D same": (L.MaxPooling2D(3, 2, padding="same"), image),
        "AveragePooling2D": (L.AveragePooling2D((2, 3)), image),
        "Flatten": (L.Flatten(), image), "Reshape": (L.Reshape((8, -1)), image), "ReLU": (L.ReLU(1.0, 0.1, 0.2), flat),
        "LeakyReLU": (L.LeakyReLU(0.2), flat), "ELU": (L.ELU(0.5), flat), "Softmax": (L.Softmax(axis=1), image),
        "Activation": (L.Activation("softplus"), flat), "Dropout": (L.Dropout(0.5), flat),
    }
    out = {}
    for name, (layer, x) in cases.items():
        layer.build(x.shape)
        if layer.weights:
            fill(layer, 53)
        out[name] = numbers(K.ops.convert_to_numpy(layer(x)))
    return out


ACTIVATIONS = ["celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "linear",
               "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus",
               "softsign", "tanh"]


def activations(K):
    x = np.concatenate([4 * floats(54, 3, 4), [[0.0, -30.0, 30.0, 1e-4]]]).astype("float32")
    out = {name: numbers(K.ops.convert_to_numpy(getattr(K.activations, name)(x))) for name in ACTIVATIONS}
    general = K.activations.relu(x, negative_slope=0.3, max_value=2.0, threshold=0.5)
    return {**out, "relu general": numbers(K.ops.convert_to_numpy(general))}


def nn_ops(K):
    x = floats(55, 4, 5)
    mean, variance = K.ops.moments(K.ops.convert_to_tensor(x), axes=[0])
    sequence, kernel = floats(56, 2, 9, 3), floats(57, 3, 3, 4)
    image, depthwise = floats(58, 2, 6, 6, 3), floats(59, 3, 3, 3, 2)
    values = {
        "mean": mean, "variance": variance, "normalize": K.ops.normalize(x, axis=0),
        "normalize 1": K.ops.normalize(x, order=1), "one_hot": K.ops.one_hot(np.array([0, 2, 1]), 4),
        "conv 1-D": K.ops.conv(sequence, kernel, strides=2, padding="same"),
        "depthwise": K.ops.depthwise_conv(image, depthwise, padding="same"),
        "max_pool 1-D": K.ops.max_pool(sequence, 2), "average_pool 1-D": K.ops.average_pool(sequence, 3, 1, "same"),
        "softmax axes": K.ops.softmax(x, axis=0), "soft_shrink": K.ops.soft_shrink(x), "glu": K.ops.glu(floats(60, 3, 4)),
        "hard_shrink": K.ops.hard_shrink(x), "tanh_shrink": K.ops.tanh_shrink(x), "squareplus": K.ops.squareplus(x),
        "threshold": K.ops.threshold(x, 0.1, -1.0), "gelu": K.ops.gelu(x),
        "batch_normalization": K.ops.batch_normalization(x, mean, variance, -1, offset=mean, scale=variance),
    }
    return {name: numbers(K.ops.convert_to_numpy(value)) for name, value in values.items()}


# ---- printed forms and names
def summaries(K):
    """Tables as printed for print_fn, with names counted from the start."""
    texts = []

    def show(model, **kwargs):
        lines = []
        model.summary(print_fn=lines.append, line_length=kwargs.pop("line_length", 84), **kwargs)
        texts.append("\n".join(lines).rstrip())

    K.utils.clear_session()
    L = K.layers
    model = K.Sequential([K.Input((28, 28, 1)), L.Conv2D(32, 3, activation="relu"), L.MaxPooling2D(), L.Dropout(0.3),
                          L.Conv2D(64, 3), L.AveragePooling2D(2), L.Flatten(), L.Dense(10)])
    show(model)
    model.layers[0].trainable = False
    show(model, show_trainable=True, line_length=96)
    a, b = K.Input((4,)), K.Input((3,), name="other")
    x = L.Concatenate()([L.Dense(5)(a), b])
    show(K.Model([a, b], [L.Dense(2, name="out")(x), L.Dense(1)(x)]), line_length=104)
    c = K.Input((4,))
    show(K.Model(c, L.Dense(3)(L.Activation("relu")(c)), name="chain"))
    show(K.Sequential([L.Dense(3), L.Dense(2)]))
    inner = K.Sequential([K.Input((4,)), L.Dense(3)], name="inner")
    show(K.Sequential([K.Input((4,)), inner, L.Dense(2)]), expand_nested=True)
    show(inner, positions=[0.3, 0.6, 0.7, 1.0])
    x = L.Add(name="sum")([L.Dense(2)(c), L.Dense(2)(c)])
    show(K.Model(c, x), positions=[0.4, 0.6, 0.7, 0.9], show_trainable=True, line_length=78)  # the titles take two lines

    class Around(K.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.chain = inner, K.Model(c, L.Dense(2)(c), name="uncalled")
            self.built_by_hand = L.Dense(3, name="by_hand")
            self.built_by_hand.build((None, 4))

        def call(self, x):
            return self.chain(self.inner(x))

    show(Around(), expand_nested=True)
    return texts


def names(K):
    """Automatic names, paths and shapes."""
    K.utils.clear_session()
    L = K.layers
    model = K.Sequential([K.Input((8, 8, 3)), L.Conv2D(2, 3), L.Conv2D(2, 3), L.Flatten(), L.Dense(4), L.Dense(2)])
    x = K.Input((4,))
    functional = K.Model(x, L.Dense(2)(L.Dense(3)(x)))
    return {
        "layers": [layer.name for layer in model.layers], "paths": [w.path for w in model.weights],
        "model": [model.name, functional.name], "functional": [layer.name for layer in functional.layers],
        "functional paths": [w.path for w in functional.weights],
        "shapes": [list(model.input_shape), list(model.output_shape)],
        "weights": [[w.name, list(w.shape), w.trainable] for w in model.weights],
        "other names": [L.MaxPooling2D().name, L.AveragePooling2D(2).name, L.ReLU().name, L.InputLayer((1,)).name],
    }


def progress(K):
    """What Progbar prints, times aside."""
    import re

    out = []
    for verbose in (1, 2):
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            bar = K.utils.Progbar(133, verbose=verbose, stateful_metrics=["loss", "accuracy"], interval=0)
            for step in (0, 1, 10, 66, 133):
                bar.update(step, [("accuracy", 0.5), ("loss", 2.25 / (step + 1)), ("tiny", 0.0004)])
            bar = K.utils.Progbar(None, verbose=verbose)
            bar.update(3, [("loss", 1.0)])
            bar.update(5, [("loss", 2.0)], finalize=True)
        text = stream.getvalue()
        text = re.sub(r"\b[\d:]+m?u?s\b", "T", text)
        text = text.replace("\b", "").replace("\r", "\n")
        out.append("\n".join(line.rstrip() for line in text.split("\n")))
    return out


# ---- small helpers
def structures(K):
    """`tree`: what every function of it makes of nested lists, tuples and dicts."""
    T = K.tree
    nested = {"a": {"c": [5], "z": 4}, "b": [1, (2, 3)]}   # keys in order: without optree Keras takes them as they come
    return {
        "flatten": T.flatten(nested), "paths": [[*map(str, path), leaf] for path, leaf in T.flatten_with_path(nested)],
        "map": T.map_structure(lambda a, b: a * b, nested, nested), "up_to": T.map_structure_up_to([0, 0], str, [[1], (2, 3)]),
        "shapes": T.map_shape_structure(lambda s: len(s), [(None, 3), {"a": [2, 2, 2]}]), "pack": T.pack_sequence_as(nested, list("vwxyz")),
        "tuples": repr(T.lists_to_tuples([1, [2, [3]]])), "nested": [T.is_nested(x) for x in (1, [1], (), {}, "ab", None)],
        "traverse": T.traverse(lambda x: x + 1 if isinstance(x, int) else None, nested),
        "to_none": T.traverse(lambda x: T.MAP_TO_NONE if x == 2 else None, [1, 2, [2, 3]]),
        "refused": [_refused(T.assert_same_structure, a, b) for a, b in (([1], (1,)), ([1], [2]), ({"a": 1}, {"b": 1}), ([[1]], [1]))],
        "other_paths": [_refused(T.assert_same_paths, a, b) for a, b in (([1], (1,)), ([1, 2], [1]), ({"a": 1}, {"a": 2}))],
    }


def _refused(function, *args):
    try:
        function(*args)
    except Exception as error:
        return type(error).__name__
    return "taken"


def utilities(K):
    """Functions of `utils` that compute, and what `set_random_seed` and its like refuse."""
    U = K.utils
    return {
        "to_categorical": numbers(U.to_categorical([0, 2, 1], 4)), "to_categorical column": numbers(U.to_categorical([[1], [0]])),
        "normalize": numbers(U.normalize(floats(70, 2, 3))), "normalize 1": numbers(U.normalize(floats(71, 2, 3), order=1)),
        "pad": numbers(U.pad_sequences([[1, 2, 3], [4]])),
        "pad post": numbers(U.pad_sequences([[1, 2, 3], [4]], maxlen=2, padding="post", truncating="post", value=-1.0, dtype="float32")),
        "pack": [len(U.pack_x_y_sample_weight(1, 2, 3)), U.pack_x_y_sample_weight(5)], "unpack": list(U.unpack_x_y_sample_weight((1, 2))),
        "dtypes": [U.standardize_dtype(d) for d in (None, "float32", int, float, np.float16, np.dtype("uint8"))],
        "symbolic": [U.is_keras_tensor(x) for x in (K.Input((2,)), np.ones(2))],
        "seeds": [_refused(U.set_random_seed, seed) for seed in (-1, 2**32, 7)],
    }


def policies(K):
    """`dtype_policies`: what a name says, configs, and what is refused."""
    D = K.dtype_policies
    found = {name: [p.name, p.compute_dtype, p.variable_dtype] for name in ("float32", "float16", "mixed_float16", "mixed_bfloat16")
             for p in [D.get(name)]}
    for made in (D.DTypePolicy("mixed_float16"), D.FloatDTypePolicy("bfloat16"), D.QuantizedDTypePolicy("int8", "float32"),
                 D.Int4DTypePolicy("int4/-1", "float32"), D.QuantizedFloat8DTypePolicy("float8", "float32")):
        config = D.serialize(made)
        found[type(made).__name__] = [config["class_name"], sorted(config["config"]), made.name, D.deserialize(config) == made]
    several = D.DTypePolicyMap(D.DTypePolicy("float32"), {"dense/.*": D.DTypePolicy("mixed_float16")})
    found["map"] = [several["dense/kernel"].name, several["other"].name, len(several)]
    found["refused"] = [_refused(D.get, name) for name in ("float33", "mixed_float64", 3)]
    return found


def settings(K):
    """`config`: what it says at first and after it was set; everything is set back."""
    C = K.config
    before = [C.epsilon(), C.floatx(), C.image_data_format(), C.dtype_policy().name]
    out = {"before": before}
    for name, read, values in (("set_epsilon", C.epsilon, (1e-4, before[0])), ("set_image_data_format", C.image_data_format,
                               ("channels_first", before[2])), ("set_dtype_policy", lambda: C.dtype_policy().name,
                               ("mixed_float16", before[3])), ("set_max_epochs", C.max_epochs, (3, None)),
                               ("set_max_steps_per_epoch", C.max_steps_per_epoch, (5, None))):
        out[name] = []
        for value in values:
            getattr(C, name)(value)
            out[name].append(read())
    for name in ("interactive_logging", "traceback_filtering"):
        out[name] = []
        for switch in ("disable", "enable"):
            getattr(C, f"{switch}_{name}")()
            out[name].append(getattr(C, f"is_{name}_enabled")())
    out["refused"] = [_refused(C.set_image_data_format, "rows_first"), _refused(C.set_floatx, "float99")]
    return out


def restarts(K):
    """Cosine decay with restarts, and schedules that come back from their configs."""
    S = K.optimizers.schedules
    made = [S.CosineDecayRestarts(0.1, 5), S.CosineDecayRestarts(0.1, 4, t_mul=1.5, m_mul=0.8, alpha=0.1)]
    again = [S.deserialize(S.serialize(one)) for one in made]
    return [[numbers(K.ops.convert_to_numpy(one(K.ops.convert_to_tensor(step, dtype="int32")))) for step in range(0, 20, 3)]
            for one in (*made, *again)]


CASES = [train_adam, train_sgd, fit_history, two_outputs, regression_losses, crossentropies, metrics, optimizers,
         schedules, layers, activations, nn_ops, summaries, names, progress,
         structures, utilities, policies, settings, restarts]
