"""ConvLSTM layers inside a small model, and their states, written once and run with Keras and with pyml."""

import numpy as np
from keras_cases import floats, numbers
from layer_cases import all_trained, trained


def images(K):
    L = K.layers
    return all_trained(K, {
        "ConvLSTM2D": L.ConvLSTM2D(2, 2, return_sequences=True),
        "ConvLSTM2D options": L.ConvLSTM2D(2, (2, 3), strides=(2, 1), padding="same", activation="relu", recurrent_activation="tanh",
                                           unit_forget_bias=False, go_backwards=True, kernel_regularizer="l2"),
        "ConvLSTM2D dilation": L.ConvLSTM2D(1, 2, dilation_rate=(1, 2), use_bias=False),
    }, floats(90, 2, 3, 4, 5, 2))


def other_ranks(K):
    L = K.layers
    first = L.ConvLSTM2D(2, 2, data_format="channels_first", padding="same", return_sequences=True)
    return {"ConvLSTM1D": trained(K, L.ConvLSTM1D(2, 3, padding="same"), floats(92, 2, 3, 4, 2)),
            "ConvLSTM2D first": trained(K, first, floats(91, 1, 2, 2, 3, 3)),
            "ConvLSTM3D": trained(K, L.ConvLSTM3D(1, 2), floats(93, 1, 2, 2, 3, 3, 1))}


def states(K):
    """States given and given back, masks of steps, and states kept between batches."""
    L = K.layers
    number = lambda v: numbers(K.ops.convert_to_numpy(v))
    x, h, c = floats(94, 2, 3, 4, 4, 2), floats(95, 2, 3, 3, 2), floats(96, 2, 3, 3, 2)
    found = {}
    for name, kwargs in (("sequences", {"return_sequences": True}), ("last", {}), ("back", {"go_backwards": True})):
        layer = L.ConvLSTM2D(2, 2, return_state=True, **kwargs)
        layer.build(x.shape)
        layer.set_weights([floats(97 + i, *w.shape) for i, w in enumerate(layer.weights)])
        found[name] = [number(v) for v in layer(x, initial_state=[K.ops.convert_to_tensor(h), K.ops.convert_to_tensor(c)])]
        mask = np.array([[True, False, True], [False, True, False]])
        found[f"{name} masked"] = [number(v) for v in layer(x, mask=K.ops.convert_to_tensor(mask))]
    layer = L.ConvLSTM2D(2, 2, stateful=True)
    layer.build(x.shape)
    layer.set_weights([floats(97 + i, *w.shape) for i, w in enumerate(layer.weights)])
    found["stateful"] = [number(layer(x)), number(layer(x))]
    layer.reset_state()
    found["reset"] = number(layer(x))
    return found


CASES = [images, other_ranks, states]
