"""Every layer inside a small model, written once and run with Keras and with pyml; see cases.py.

Each case gives the outputs, two losses of training and the weights after it, so it holds the forward pass, the gradients
of inputs and weights, what training mode changes, and the order of the weights.
"""

import numpy as np
from keras_cases import fill, floats, numbers, rng


def trained(K, layer, x, before=True):
    """`layer` after a Dense (so that its input has a gradient), two steps of SGD on fixed targets."""
    inputs = K.Input(x.shape[1:], dtype=str(x.dtype))
    outputs = layer(K.layers.Dense(x.shape[-1])(inputs) if before else inputs)
    model = fill(K.Model(inputs, outputs), 70)
    for variable in model.non_trainable_weights:
        if variable.name == "moving_variance":
            variable.assign(np.abs(K.ops.convert_to_numpy(variable)) + 0.5)
    first = numbers(model.predict(x, verbose=0))
    y = floats(71, *np.shape(first))
    if not model.trainable_weights:
        return {"output": first}
    model.compile(K.optimizers.SGD(0.1), "mse")
    losses = [float(model.train_on_batch(x, y)) for _ in range(2)]
    return {"output": first, "losses": losses, "after": numbers(model.predict(x, verbose=0)),
            "weights": [numbers(w) for w in model.get_weights()], "names": [w.name for w in model.weights]}


def all_trained(K, layers, x, **kwargs):
    return {name: trained(K, layer, x, **kwargs) for name, layer in layers.items()}


def normalization(K):
    L = K.layers
    frozen = L.BatchNormalization()
    frozen.trainable = False
    return all_trained(K, {
        "BatchNormalization": L.BatchNormalization(), "BatchNormalization axis": L.BatchNormalization(axis=1, momentum=0.8),
        "BatchNormalization plain": L.BatchNormalization(center=False, scale=False, epsilon=0.1),
        "BatchNormalization frozen": frozen, "LayerNormalization": L.LayerNormalization(),
        "LayerNormalization axes": L.LayerNormalization(axis=[1, 3], epsilon=0.01, center=False),
        "GroupNormalization": L.GroupNormalization(groups=2), "GroupNormalization -1": L.GroupNormalization(groups=-1),
        "RMSNormalization": L.RMSNormalization(), "UnitNormalization": L.UnitNormalization(axis=[1, 2]),
    }, floats(72, 3, 3, 2, 4))


def convolutions(K):
    L = K.layers
    image = all_trained(K, {
        "DepthwiseConv2D": L.DepthwiseConv2D(3, activation="relu"),
        "DepthwiseConv2D multiplier": L.DepthwiseConv2D((2, 3), strides=2, padding="same", depth_multiplier=2),
        "DepthwiseConv2D dilation": L.DepthwiseConv2D(2, dilation_rate=(1, 2), use_bias=False),
        "SeparableConv2D": L.SeparableConv2D(3, 3, depth_multiplier=2, padding="same"),
    }, floats(73, 2, 5, 6, 4))
    sequence = all_trained(K, {
        "Conv1D": L.Conv1D(5, 3, strides=2, padding="same"), "Conv1D causal": L.Conv1D(3, 2, padding="causal", dilation_rate=2),
        "Conv1D groups": L.Conv1D(4, 2, groups=2, activation="tanh"), "DepthwiseConv1D": L.DepthwiseConv1D(3, padding="same"),
        "SeparableConv1D": L.SeparableConv1D(3, 2),
    }, floats(74, 2, 7, 4))
    return {**image, **sequence}


def pooling_and_shapes(K):
    L = K.layers
    image = all_trained(K, {
        "GlobalAveragePooling2D": L.GlobalAveragePooling2D(), "GlobalMaxPooling2D": L.GlobalMaxPooling2D(keepdims=True),
        "ZeroPadding2D": L.ZeroPadding2D(((1, 0), (2, 1))), "Cropping2D": L.Cropping2D(((1, 0), (1, 2))),
        "Permute": L.Permute((3, 1, 2)), "PReLU": L.PReLU(), "PReLU shared": L.PReLU(shared_axes=[1, 2]),
        "ReLU": L.ReLU(1.0, 0.1, 0.2), "LeakyReLU": L.LeakyReLU(), "ELU": L.ELU(0.5), "Softmax": L.Softmax(axis=[1, 2]),
    }, floats(75, 2, 4, 5, 3))
    sequence = all_trained(K, {
        "GlobalAveragePooling1D": L.GlobalAveragePooling1D(keepdims=True), "GlobalMaxPooling1D": L.GlobalMaxPooling1D(),
        "ZeroPadding1D": L.ZeroPadding1D((2, 1)), "Cropping1D": L.Cropping1D(1), "MaxPooling1D": L.MaxPooling1D(3, 2),
        "AveragePooling1D": L.AveragePooling1D(2, padding="same"),
    }, floats(76, 2, 5, 3))
    return {**image, **sequence, **all_trained(K, {"RepeatVector": L.RepeatVector(3)}, floats(77, 2, 4))}


def merging(K):
    """Two branches of one input, merged."""
    L = K.layers
    layers = {
        "Add": L.Add(), "Subtract": L.Subtract(), "Multiply": L.Multiply(), "Average": L.Average(), "Maximum": L.Maximum(),
        "Minimum": L.Minimum(), "Concatenate": L.Concatenate(axis=1), "Dot": L.Dot(axes=2),
        "Dot axes": L.Dot(axes=(1, 1), normalize=True),
    }
    out = {}
    for name, layer in layers.items():
        inputs = K.Input((3, 4))
        outputs = layer([L.Dense(4)(inputs), L.Dense(4)(inputs)])
        model = fill(K.Model(inputs, outputs), 78)
        model.compile(K.optimizers.SGD(0.1), "mse")
        x = floats(79, 2, 3, 4)
        first = numbers(model.predict(x, verbose=0))
        loss = float(model.train_on_batch(x, floats(80, *np.shape(first))))
        out[name] = {"output": first, "loss": loss, "weights": [numbers(w) for w in model.get_weights()]}
    out["Dot vectors"] = numbers(K.ops.convert_to_numpy(L.Dot(axes=-1)([floats(81, 3, 4), floats(82, 3, 4)])))
    return out


def recurrent(K):
    L = K.layers
    return all_trained(K, {
        "LSTM": L.LSTM(4), "LSTM sequences": L.LSTM(5, return_sequences=True, go_backwards=True),
        "LSTM relu": L.LSTM(3, activation="relu", recurrent_activation="hard_sigmoid", use_bias=False),
        "GRU": L.GRU(4, return_sequences=True), "GRU before": L.GRU(3, reset_after=False), "GRU relu": L.GRU(2, activation="relu"),
        "SimpleRNN": L.SimpleRNN(4, return_sequences=True, go_backwards=True),
        "RNN": L.RNN([L.LSTMCell(3), L.GRUCell(4), L.SimpleRNNCell(2)], return_sequences=True),
        "Bidirectional": L.Bidirectional(L.LSTM(3, return_sequences=True)),
        "Bidirectional sum": L.Bidirectional(L.GRU(3), merge_mode="sum"),
        "TimeDistributed": L.TimeDistributed(L.Dense(2, activation="tanh")),
    }, floats(83, 3, 4, 3))


def states(K):
    """Given and returned states, a stateful layer, first biases."""
    L = K.layers
    x, h, c = floats(84, 2, 3, 4), floats(85, 2, 5), floats(86, 2, 5)
    values = lambda result: [numbers(K.ops.convert_to_numpy(v)) for v in result]
    out = {}
    for name, layer, start in (("LSTM", L.LSTM(5, return_state=True, return_sequences=True), [h, c]),
                               ("GRU", L.GRU(5, return_state=True), [h]),
                               ("Bidirectional", L.Bidirectional(L.LSTM(5, return_state=True)), [h, c, c, h])):
        layer.build(x.shape)
        fill(layer, 87)
        start = [K.ops.convert_to_tensor(state) for state in start]
        out[name] = values(layer(x)) + values(layer(x, initial_state=start))
    layer = L.GRU(5, stateful=True)
    layer.build(x.shape)
    fill(layer, 88)
    out["stateful"] = [numbers(K.ops.convert_to_numpy(layer(x))) for _ in range(2)]
    layer.reset_state()
    out["reset"] = numbers(K.ops.convert_to_numpy(layer(x)))
    layer = L.LSTM(2)
    layer.build(x.shape)
    out["bias"] = numbers(layer.get_weights()[2])
    inputs, first = K.Input((3, 4)), K.Input((5,))
    model = K.Model([inputs, first], L.SimpleRNN(5)(inputs, initial_state=first))
    out["symbolic"] = numbers(fill(model, 89).predict([x, h], verbose=0))
    return out


def masked(K):
    """Sequences of different lengths: an Embedding or a Masking tells which steps count."""
    L = K.layers
    words = np.array([[1, 2, 3, 0], [4, 0, 0, 0], [0, 5, 1, 0]])
    out = {}
    for name, layers in {
        "LSTM": [L.LSTM(4)], "LSTM sequences": [L.LSTM(4, return_sequences=True), L.GRU(3)],
        "Bidirectional": [L.Bidirectional(L.LSTM(3, return_sequences=True))],
        "SimpleRNN": [L.Dense(3), L.Dropout(0.0), L.SimpleRNN(4, return_sequences=True)],
        "mean": [L.Activation("tanh"), L.GlobalAveragePooling1D()],
        "TimeDistributed": [L.TimeDistributed(L.Dense(3)), L.LSTM(2)],
    }.items():
        model = fill(K.Sequential([K.Input((4,), dtype="int32"), L.Embedding(6, 3, mask_zero=True), *layers]), 90)
        first = numbers(model.predict(words, verbose=0))
        model.add(L.Flatten() if len(np.shape(first)) > 2 else L.Identity())
        model.add(L.Dense(1))
        model.compile(K.optimizers.SGD(0.1), "mse")
        fill(model, 91)
        losses = [float(model.train_on_batch(words, floats(92, 3, 1))) for _ in range(2)]
        out[name] = {"output": first, "losses": losses, "weights": [numbers(w) for w in model.get_weights()]}
    x = floats(93, 2, 4, 3)
    x[0, 2:] = 7.0
    model = fill(K.Sequential([K.Input((4, 3)), L.Masking(7.0), L.GRU(3, return_sequences=True), L.GRU(2)]), 94)
    return {**out, "Masking": numbers(model.predict(x, verbose=0))}


def masked_losses(K):
    """Labels for every step: losses and metrics leave out the steps that a mask leaves out."""
    L = K.layers
    words = np.array([[1, 2, 3, 0], [4, 0, 0, 0], [5, 1, 2, 3]])
    labels = rng(106).randint(0, 3, (3, 4))
    out = {}
    for name, weight in {"plain": None, "steps": rng(107).rand(3, 4)}.items():
        model = fill(K.Sequential([
            K.Input((4,), dtype="int32"), L.Embedding(6, 3, mask_zero=True), L.LSTM(4, return_sequences=True),
            L.Dense(3, activation="softmax")]), 108)
        model.compile(K.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
        logs = [model.train_on_batch(words, labels, sample_weight=weight, return_dict=True) for _ in range(3)]
        out[name] = [{k: float(v) for k, v in sorted(log.items())} for log in logs]
        out[f"{name} weights"] = [numbers(w) for w in model.get_weights()]
    return out


def simple_attention(K):
    L = K.layers
    out = {}
    layers = {
        "Attention": L.Attention(), "scale": L.Attention(use_scale=True), "concat": L.Attention(score_mode="concat", use_scale=True),
        "AdditiveAttention": L.AdditiveAttention(), "AdditiveAttention plain": L.AdditiveAttention(use_scale=False),
    }
    for name, layer in layers.items():
        query, value = K.Input((3, 4)), K.Input((5, 4))
        outputs = L.Dense(1)(layer([L.Dense(4)(query), value, L.Dense(4)(value)], use_causal_mask=name == "scale"))
        model = fill(K.Model([query, value], outputs), 109)
        model.compile(K.optimizers.SGD(0.1), "mse")
        data = [floats(110, 2, 3, 4), floats(111, 2, 5, 4)]
        losses = [float(model.train_on_batch(data, floats(112, 2, 3, 1))) for _ in range(2)]
        out[name] = {"losses": losses, "weights": [numbers(w) for w in model.get_weights()]}
    masks = [np.array([[True, True, False]] * 2), np.array([[True, False, True, True, False]] * 2)]
    inputs = [K.ops.convert_to_tensor(a) for a in (floats(110, 2, 3, 4), floats(111, 2, 5, 4))]
    result = L.Attention()(inputs, mask=[K.ops.convert_to_tensor(m) for m in masks], return_attention_scores=True)
    out["masked"] = [numbers(K.ops.convert_to_numpy(v)) for v in result]
    return out


def attention(K):
    L = K.layers
    x, y = floats(95, 2, 3, 4), floats(96, 2, 5, 6)
    mask = rng(97).rand(2, 3, 5) > 0.4
    mask[:, :, 0] = True
    cases = {
        "self": (L.MultiHeadAttention(2, 3), (x, x), {}), "causal": (L.MultiHeadAttention(2, 3), (x, x), {"use_causal_mask": True}),
        "mask": (L.MultiHeadAttention(3, 2, value_dim=4), (x, y), {"attention_mask": mask}),
        "output_shape": (L.MultiHeadAttention(1, 2, output_shape=5, use_bias=False), (x, y), {}),
        "key": (L.MultiHeadAttention(2, 2), (x, y, floats(98, 2, 5, 3)), {}),
        "gate": (L.MultiHeadAttention(2, 3, use_gate=True), (x, x), {}),
        "window": (L.MultiHeadAttention(2, 3, sliding_window=2), (y, y), {"use_causal_mask": True}),
        "axes": (L.MultiHeadAttention(2, 3, attention_axes=2), (floats(99, 2, 3, 4, 5),) * 2, {}),
        "two axes": (L.MultiHeadAttention(2, 3), (floats(99, 2, 3, 4, 5),) * 2, {}),
        "masks": (L.MultiHeadAttention(2, 3), (x, y), {"value_mask": mask[:, 0], "key_mask": mask[:, 1]}),
    }
    out = {}
    for name, (layer, args, kwargs) in cases.items():
        layer.build(*(a.shape for a in args))
        fill(layer, 100)
        args = [K.ops.convert_to_tensor(a) for a in args]
        kwargs = {k: v if isinstance(v, bool) else K.ops.convert_to_tensor(v) for k, v in kwargs.items()}
        result = layer(*args, **kwargs)
        out[name] = {"output": numbers(K.ops.convert_to_numpy(result)), "names": [w.path.split("/", 1)[1] for w in layer.weights]}
        if name in ("self", "mask", "two axes"):
            scores = layer(*args, return_attention_scores=True, **kwargs)[1]
            out[name]["scores"] = numbers(K.ops.convert_to_numpy(scores))
    inputs = K.Input((3, 4))
    z = L.LayerNormalization()(inputs + L.MultiHeadAttention(2, 2)(inputs, inputs, use_causal_mask=True))
    model = fill(K.Model(inputs, L.Dense(1)(L.Flatten()(z))), 101)
    model.compile(K.optimizers.SGD(0.1), "mse")
    losses = [float(model.train_on_batch(x, floats(102, 2, 1))) for _ in range(3)]
    return {**out, "trained": losses, "weights": [numbers(w) for w in model.get_weights()]}


def sizes(K):
    L = K.layers
    image = all_trained(K, {
        "Conv2DTranspose": L.Conv2DTranspose(3, 3), "same": L.Conv2DTranspose(2, 3, strides=2, padding="same", activation="relu"),
        "even": L.Conv2DTranspose(2, (4, 2), strides=2, padding="same"), "wide strides": L.Conv2DTranspose(2, 2, strides=3),
        "narrow": L.Conv2DTranspose(2, 1, strides=2, padding="same"),
        "output_padding": L.Conv2DTranspose(2, 3, strides=2, padding="same", output_padding=1, use_bias=False),
        "output_padding valid": L.Conv2DTranspose(2, 3, strides=(2, 3), output_padding=(1, 2)),
        "dilation": L.Conv2DTranspose(2, 2, dilation_rate=2, padding="same"), "UpSampling2D": L.UpSampling2D((2, 3)),
        "UpSampling2D bilinear": L.UpSampling2D((2, 3), interpolation="bilinear"), "Resizing": L.Resizing(5, 7),
        "Resizing smaller": L.Resizing(2, 3), "Resizing nearest": L.Resizing(5, 2, interpolation="nearest"),
    }, floats(103, 2, 3, 4, 3))
    sequence = all_trained(K, {
        "Conv1DTranspose": L.Conv1DTranspose(3, 3, strides=2, padding="same"), "UpSampling1D": L.UpSampling1D(3),
        "Rescaling": L.Rescaling(0.5, offset=-1.0), "Identity": L.Identity(), "Lambda": L.Lambda(lambda x: x * x),
        "ActivityRegularization": L.ActivityRegularization(0.1, 0.2), "SpatialDropout1D": L.SpatialDropout1D(0.0),
    }, floats(104, 2, 4, 3))
    x, resize = floats(105, 2, 6, 9, 2), K.ops.image.resize
    kept = {"crop": {"crop_to_aspect_ratio": True}, "pad": {"pad_to_aspect_ratio": True, "fill_value": 2.0}}
    return {**image, **sequence, **{name: numbers(K.ops.convert_to_numpy(resize(K.ops.convert_to_tensor(x), (4, 4), **kwargs)))
                                    for name, kwargs in kept.items()}}


def chained(layers):
    """Layers one after another, as a function."""
    def chain(x):
        for layer in layers:
            x = layer(x)
        return x

    return chain


def channels_first(K):
    """Layers that take `(batch, channels, *sizes)`, several in a model."""
    L, first = K.layers, {"data_format": "channels_first"}
    images = {
        "convolutions": [
            L.Conv2D(4, 3, strides=2, padding="same", activation="relu", **first), L.BatchNormalization(axis=1),
            L.DepthwiseConv2D(2, depth_multiplier=2, dilation_rate=2, **first), L.Conv2DTranspose(3, 3, strides=2, padding="same", **first),
        ],
        "separable": [L.Conv2D(6, 2, groups=3, **first), L.SeparableConv2D(3, 3, depth_multiplier=2, padding="same", **first),
                      L.GroupNormalization(groups=3, axis=1), L.Flatten(**first)],
        "pools": [L.MaxPooling2D(3, 2, padding="same", **first), L.UpSampling2D((2, 1), **first), L.AveragePooling2D(2, 1, **first),
                  L.ZeroPadding2D(((1, 0), (0, 2)), **first), L.GlobalAveragePooling2D(keepdims=True, **first)],
        "adaptive": [L.AdaptiveAveragePooling2D((4, 3), **first), L.AdaptiveMaxPooling2D((3, 2), **first)],
    }
    sequence = {
        "sequence": [L.Conv1D(4, 2, padding="same", **first), L.SeparableConv1D(3, 2, **first), L.MaxPooling1D(2, 1, **first),
                     L.Conv1DTranspose(2, 3, **first), L.GlobalMaxPooling1D(**first)],
    }
    out = all_trained(K, {name: chained(layers) for name, layers in images.items()}, floats(110, 2, 3, 7, 5))
    return {**out, **all_trained(K, {name: chained(layers) for name, layers in sequence.items()}, floats(111, 2, 3, 6))}


def volumes(K):
    L, first = K.layers, {"data_format": "channels_first"}
    chains = {
        "convolutions": [L.Conv3D(4, (2, 3, 2), strides=(1, 2, 1), padding="same", activation="tanh"),
                         L.Conv3DTranspose(2, 2, strides=(1, 2, 2), output_padding=(0, 1, 0)), L.GlobalAveragePooling3D()],
        "pools": [L.ZeroPadding3D((1, 0, 1)), L.MaxPooling3D(2), L.UpSampling3D((1, 2, 1)), L.AveragePooling3D((1, 2, 2), 1),
                  L.Cropping3D(((0, 1), (1, 0), (0, 0))), L.SpatialDropout3D(0.0)],
        "first": [L.Conv3D(4, 2, groups=2, dilation_rate=(1, 2, 1), **first), L.MaxPooling3D((2, 1, 1), **first),
                  L.Conv3DTranspose(3, (1, 2, 2), padding="same", **first), L.GlobalMaxPooling3D(**first)],
        "adaptive": [L.AdaptiveMaxPooling3D((2, 3, 2)), L.AdaptiveAveragePooling3D((1, 2, 2))],
    }
    return all_trained(K, {name: chained(layers) for name, layers in chains.items()}, floats(112, 2, 4, 4, 3, 2))


def printed(K):
    """Names, weight paths and summaries."""
    K.utils.clear_session()
    L = K.layers
    texts = []

    def show(model):
        lines = []
        model.summary(print_fn=lines.append, line_length=100)
        texts.append("\n".join(lines).rstrip())
        return [w.path for w in model.weights]

    x = inputs = K.Input((16, 16, 3))
    for stride in (1, 2):
        y = L.ZeroPadding2D(1)(x)
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, strides=stride, use_bias=False)(y)))
        y = L.BatchNormalization()(L.SeparableConv2D(4, 3, padding="same")(y))
        x = L.Add()([y, L.Conv2D(4, 1, strides=stride)(x)])
    x = L.GlobalAveragePooling2D()(L.PReLU(shared_axes=[1, 2])(L.DepthwiseConv2D(3)(x)))
    paths = show(K.Model(inputs, L.Dense(10)(x), name="residual"))
    paths += show(K.Sequential([
        K.Input((12,), dtype="int32"), L.Embedding(50, 8), L.Bidirectional(L.LSTM(4, return_sequences=True)), L.GRU(3),
        L.LayerNormalization(), L.Dense(1)]))
    words = K.Input((6, 8))
    x = L.MultiHeadAttention(2, 4)(words, words)
    x = L.TimeDistributed(L.Dense(3))(L.LayerNormalization()(L.Add()([x, words])))
    paths += show(K.Model(words, L.SimpleRNN(2)(L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True)(x))))
    return {"summaries": texts, "paths": paths}


def einsum(K):
    L = K.layers
    layers = all_trained(K, {
        "dense": L.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d", activation="tanh"),
        "ellipsis": L.EinsumDense("...x,xy->...y", output_shape=2, bias_axes="y"),
        "heads": L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de"),
        "steps": L.EinsumDense("abc,bd->adc", output_shape=(6, 4), bias_axes="d"),
        "plain": L.EinsumDense("abc,bcd->ad", output_shape=3),
    }, floats(113, 2, 3, 4))
    a, b, c = floats(114, 2, 3, 4), floats(115, 2, 4, 5), floats(116, 5, 3)
    equations = {"bij,bjk->bik": (a, b), "bij,bjk": (a, b), "bij->ji": (a,), "bij,bjk,kl->bl": (a, b, c), "...ij,...jk->...ki": (a, b),
                 "ij,kl->ikjl": (c, c), "bij,bij->": (a, a), "kl,bij->kl": (c, a), "i...->...": (a,)}
    sums = {e: numbers(K.ops.convert_to_numpy(K.ops.einsum(e, *map(K.ops.convert_to_tensor, xs)))) for e, xs in equations.items()}
    return {**layers, **sums}


CASES = [einsum, normalization, convolutions, pooling_and_shapes, merging, sizes, recurrent, states, masked, masked_losses, attention,
         simple_attention, channels_first, volumes, printed]
