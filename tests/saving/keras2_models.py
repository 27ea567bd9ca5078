"""Models that Keras 2 and pyml make alike, for files in both directions (`tools/make_keras2_files.py`)."""

import zlib

import numpy as np


def dense(K):
    L = K.layers
    model = K.Sequential([L.InputLayer((4,)), L.Dense(3, "tanh"), L.Dropout(0.0), L.Dense(2)])
    model.compile(K.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def momentum(K):
    L = K.layers
    x = K.Input((4,), name="left")
    y = L.Dense(3, kernel_regularizer="l2", kernel_constraint="max_norm")(x)
    model = K.Model(x, [L.Dense(2, name="one")(y), L.Dense(1, "sigmoid", name="two")(L.LeakyReLU()(y))])
    model.compile(K.optimizers.SGD(0.05, momentum=0.9, nesterov=True), ["mse", "binary_crossentropy"], loss_weights=[1.0, 0.5])
    return model


def shared(K):
    L = K.layers
    a, b, both = K.Input((6,), name="left"), K.Input((6,), name="right"), L.Dense(4, "relu", name="both")
    p, q = both(a), both(b)
    return K.Model([a, b], [L.Add()([p, q]), L.Concatenate()([p, L.Multiply()([p, q])]), L.Dot(axes=1)([p, q])])


def nested(K):
    L = K.layers
    i, x = K.Input((4,)), K.Input((4,))
    inner = K.Model(i, L.BatchNormalization()(L.Dense(5)(i)), name="inner")
    row = K.Sequential([L.InputLayer((4,)), L.Dense(5), L.PReLU()], name="row")
    return K.Model(x, L.Dense(2)(L.Add()([row(x), inner(x)])))


def pictures(K):
    L = K.layers
    return K.Sequential([L.InputLayer((9, 8, 3)), L.Rescaling(0.5, 0.1), L.ZeroPadding2D(1), L.Conv2D(4, 3, strides=2),
                         L.BatchNormalization(), L.ReLU(6.0), L.DepthwiseConv2D(3, padding="same"), L.SeparableConv2D(3, 2),
                         L.UpSampling2D(2), L.MaxPooling2D(2), L.Conv2DTranspose(2, 3),
                         L.GlobalAveragePooling2D(), L.Dense(2)])  # fmt: skip


def recurrent(K):
    L = K.layers
    words = K.Input((5,), dtype="int32")
    x = L.Embedding(8, 3, mask_zero=True)(words)
    x, h, c = L.LSTM(3, return_sequences=True, return_state=True)(x)
    y = L.Bidirectional(L.GRU(2, return_sequences=True))(x)
    y = L.RNN(L.StackedRNNCells([L.LSTMCell(2), L.GRUCell(2, reset_after=False)]))(y)
    return K.Model(words, [L.Concatenate()([y, h, c]), L.TimeDistributed(L.Dense(1))(x), L.SimpleRNN(2)(x)])


def rows(K):
    L = K.layers
    x = K.Input((6, 4))
    y = L.Conv1D(4, 3, padding="causal", dilation_rate=2)(x)
    y = L.ConvLSTM1D(2, 2, recurrent_activation="sigmoid")(L.Reshape((3, 2, 4))(y))
    return K.Model(x, [L.Flatten()(y), L.GlobalMaxPooling1D()(L.Permute((2, 1))(x)), L.Cropping1D(1)(x)])


def attentive(K):
    L = K.layers
    x = K.Input((5, 8))
    y = L.LayerNormalization()(L.Add()([L.MultiHeadAttention(2, 4)(x, x), x]))
    y = L.Attention(use_scale=True)([y, L.EinsumDense("abc,cd->abd", (None, 8), bias_axes="d")(y)])
    return K.Model(x, L.Dense(2)(L.GlobalAveragePooling1D()(L.UnitNormalization()(y))))


def numbers(K):
    L = K.layers
    scale = L.Normalization()
    scale.adapt(np.arange(12, dtype="float32").reshape(3, 4))
    x = K.Input((4,))
    return K.Model(x, [scale(x), L.Discretization(bin_boundaries=[-0.5, 0.0, 0.5])(x)])


def words(K):
    L = K.layers
    look = L.IntegerLookup(vocabulary=[3, 1, 2], output_mode="multi_hot")
    x = K.Input((3,), dtype="int64")
    return K.Model(x, look(x))


CASES = {make.__name__: make for make in (dense, momentum, shared, nested, pictures, recurrent, rows, attentive, numbers, words)}
compiled = ("dense", "momentum")


def inputs_of(model):
    """Inputs that depend on their shapes only."""
    made = []
    for number, tensor in enumerate(model.inputs):
        shape = (3, *(int(n) for n in tuple(tensor.shape)[1:]))
        random = np.random.RandomState(zlib.crc32(f"{number} {shape}".encode()))
        kind = getattr(tensor.dtype, "name", str(tensor.dtype))
        made.append(random.randint(0, 5, shape).astype(kind) if "int" in kind else random.uniform(-1, 1, shape).astype("float32"))
    return made if len(made) > 1 else made[0]


def train(K, model, x):
    """The losses of two epochs on the same rows."""
    count = len(model.outputs)
    y = [np.linspace(0, 1, 3 * n, dtype="float32").reshape(3, n) for n in (2, 1)[:count]]
    return model.fit(x, y if count > 1 else y[0], epochs=2, shuffle=False, verbose=0).history["loss"]
