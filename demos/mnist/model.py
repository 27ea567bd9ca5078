"""A small convolutional network for 28x28 handwritten digits. The page and the terminal train this same file."""

from pyml import Input, Sequential, layers, optimizers, utils


def build_model():
    utils.set_random_seed(1)  # the same first weights and the same batches every time
    model = Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(8, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.25),
            layers.Dense(10, activation="softmax"),
        ]
    )
    # 133 steps are one pass over the 8,500 training digits in batches of 64
    rate = optimizers.schedules.ExponentialDecay(0.01, decay_steps=133, decay_rate=0.7)
    model.compile(optimizer=optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
