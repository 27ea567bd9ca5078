"""A user's program with the fifty commonest names; `mypy --strict` must find nothing in it (see test_types.py)."""

from typing import Any

import numpy as np

import pyml
from pyml import (
    Input,
    Model,
    Sequential,
    Tensor,
    Variable,
    activations,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)


class Gain(layers.Layer):
    """A layer of one's own."""

    def __init__(self, most: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.gain = self.add_weight(name="gain", shape=(input_shape[-1],), initializer="zeros")

    def call(self, x: Tensor) -> Tensor:
        return x * (1 + ops.clip(self.gain, -self.most, self.most))


class Twice(Model):
    """A model whose `call` takes what it needs, without a mask."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        return self.dense(inputs) if training else self.dense(inputs) * 2.0

    def train_step(self, data: tuple[Tensor, Tensor]) -> dict[str, Any]:
        x, y = data
        with pyml.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


class Distance(losses.Loss):
    """A loss of one's own, which says that it takes tensors."""

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)


class Spread(metrics.Metric):
    """A metric of one's own."""

    def __init__(self, name: str = "spread", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        self.total.assign_add(ops.sum(ops.abs(y_true - y_pred)))
        self.count.assign_add(ops.cast(ops.size(y_true), "float32"))

    def result(self) -> Tensor:
        return self.total / self.count


class Largest(regularizers.Regularizer):
    """A penalty of one's own."""

    def __call__(self, x: Tensor) -> Tensor:
        return 0.1 * ops.max(ops.abs(x))


class Halves(initializers.Initializer):
    """First values of one's own."""

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Tensor:
        return ops.full(shape, 0.5, dtype=dtype)


class AtMostOne(constraints.Constraint):
    """A constraint of one's own."""

    def __call__(self, w: Tensor) -> Tensor:
        return ops.minimum(w, 1.0)


class Falling(optimizers.schedules.LearningRateSchedule):
    """A schedule of one's own."""

    def __call__(self, step: Tensor) -> Tensor:
        return 0.1 / (ops.cast(step, "float32") + 1.0)


class Heavy(optimizers.Optimizer):
    """An optimizer of one's own."""

    def build(self, variables: list[Variable]) -> None:
        super().build(variables)
        self.moments = self.add_optimizer_variables(variables, "moment")

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        moment = self.moments[self._get_variable_index(variable)]
        self.assign(moment, 0.9 * moment + gradient)
        self.assign_sub(variable, learning_rate * moment)


class Ends(callbacks.Callback):
    """A callback of one's own."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.stop_training = bool(logs) and epoch > 0


def of_parts_of_ones_own(x: np.ndarray) -> dict[str, list[Any]]:
    dense = layers.Dense(2, kernel_initializer=Halves(), kernel_regularizer=Largest(), kernel_constraint=AtMostOne())
    model = Sequential([Input((3,)), Gain(), dense])
    model.compile(Heavy(Falling()), Distance(), metrics=[Spread()])
    return model.fit(x, x[:, :2], epochs=3, verbose=0, callbacks=[Ends()]).history


def classifier() -> Sequential:
    return Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu", kernel_initializer=initializers.HeNormal()),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(32, activation=activations.relu, kernel_regularizer=regularizers.L2(1e-4)),
            layers.Dense(10, activation="softmax"),
        ]
    )


def functional() -> Model:
    words = Input((12,), dtype="int32")
    numbers = Input((4,))
    x = layers.Embedding(100, 8)(words)
    x = layers.LSTM(8)(x)
    x = layers.Concatenate()([x, numbers])
    x = layers.LayerNormalization()(x)
    return Model(inputs=[words, numbers], outputs=layers.Dense(1)(x))


def train() -> float:
    x, y = np.ones((8, 28, 28, 1), np.float32), np.zeros(8, np.int32)
    model = classifier()
    model.compile(
        optimizer=optimizers.Adam(learning_rate=1e-3),
        loss=losses.SparseCategoricalCrossentropy(),
        metrics=[metrics.SparseCategoricalAccuracy()],
    )
    history = model.fit(x, y, batch_size=4, epochs=1, verbose=0, callbacks=[callbacks.EarlyStopping(patience=2)])
    model.evaluate(x, y, verbose=0)
    best: int = int(ops.argmax(model.predict(x, verbose=0), axis=-1)[0])
    model.summary()
    return float(history.history["loss"][-1]) + best


def own_loop() -> np.ndarray:
    w = Variable(np.zeros(3, np.float32), name="w")
    optimizer = optimizers.SGD(learning_rate=0.1)

    def loss(w: Tensor) -> Tensor:
        return ops.mean(ops.square(w - 1.0))

    gradient: Tensor = pyml.grad(loss)(w)
    optimizer.apply([gradient], [w])
    return w.numpy()


def operators(a: Tensor, b: Tensor, v: Variable) -> list[Tensor]:
    total: Tensor = a + b
    product: Tensor = a @ b
    mask: Tensor = (a > 0) & (b != 1.0)
    mixed: Tensor = 2.0 * v - a / 3
    chosen: Tensor = ops.where(mask, total, product)
    first: Tensor = chosen[0]
    flat: Tensor = chosen.reshape(-1).astype("float32").T
    stacked: Tensor = ops.stack([first, ops.concatenate([flat, mixed.sum(axis=0)])])
    parts: list[Tensor] = ops.split(ops.softmax(stacked), 2)
    return [*parts, ops.exp(a), ops.max(b, axis=1), ops.matmul(a, b), ops.expand_dims(a, 0), ops.zeros((2, 3))]


def loss_of(model: Model, x: Tensor, y: Tensor) -> Tensor:
    return losses.MeanSquaredError()(y, model(x))


def backbone() -> Model:
    return pyml.applications.ResNet50(weights=None)


def loops(x: Tensor) -> Tensor:
    def halved(i: Tensor, value: Tensor) -> Tensor:
        return value / 2

    rows = ops.zeros((ops.shape(x)[0] * 2,))
    (total, _) = ops.scan(lambda carry, row: (carry + row, row), 0.0, rows)
    return ops.cond(total > 0, lambda: x, lambda: ops.fori_loop(0, 3, halved, ops.map(ops.relu, x)))


@pyml.program
def step(x: Tensor) -> Tensor:
    return ops.sum(x * 2)
