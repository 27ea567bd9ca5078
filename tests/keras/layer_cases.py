"""Every layer inside a small model, written once and run with Keras and with pyml; see cases.py.

Each case gives the outputs, two losses of training and the weights after it, so it holds the forward pass, the gradients
of inputs and weights, what training mode changes, and the order of the weights.
"""

import numpy as np
from cases import fill, floats, numbers


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


CASES = [normalization, convolutions, pooling_and_shapes, merging]
