"""Small trainings in the styles of Keras' guides, written once and run twice: with Keras on PyTorch, whose histories are frozen in
`fit_cases.json`, and with pyml (`tests/keras/test_fit_histories.py`).

A case takes the library `K` and returns what `fit` and `evaluate` said. PyTorch's gradients come by `backward`, ours by a tape:
`gradients_of` is the only place where the two differ.
"""

import warnings

import numpy as np
from keras_cases import fill, floats, numbers, rng

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def gradients_of(K, function, variables):
    """The value of `function()` and its gradients."""
    if hasattr(K, "GradientTape"):
        with K.GradientTape() as tape:
            value = function()
        return value, tape.gradient(value, variables)
    for v in variables:
        v.value.grad = None
    value = function()
    value.backward()
    return value.detach(), [v.value.grad for v in variables]


def told(history):
    """A History, or logs, as plain numbers."""
    logs = getattr(history, "history", history)
    return {key: [float(v) for v in value] if isinstance(value, list) else float(value) for key, value in logs.items()}


def order(history):
    return list(history.history)


X, Y1, Y2 = floats(1, 12, 3), floats(2, 12, 2), floats(3, 12, 1)
W = np.abs(floats(4, 12)) + 0.5
FIT = {"batch_size": 5, "epochs": 2, "shuffle": False, "verbose": 0}


def pair(K, form="list"):
    """A model of two outputs, as a list, a tuple, a dict, or nested."""
    i = K.Input((3,), name="x")
    a, b = K.layers.Dense(2, name="first")(i), K.layers.Dense(1, name="second")(i)
    outputs = {"list": [a, b], "tuple": (a, b), "dict": {"p": a, "q": b}, "named": {"first": a, "second": b},
               "nested": {"u": [a, b], "v": b}, "backwards": {"z": a, "c": b}}[form]
    return fill(K.Model(i, outputs), 5)


def attempt(run):
    """What `run()` gives, or that it was refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run()
    except Exception:
        return "refused"


@case
def losses_and_metrics_per_output(K):
    """Losses, weights of losses and metrics as lists, dicts and single ones, for outputs in every structure."""
    found = {}

    def fit(name, form, y, sample_weight=None, **compiled):
        def run():
            model = pair(K, form)
            model.compile(K.optimizers.SGD(0.05), **compiled)
            return told(model.fit(X, y, sample_weight=sample_weight, **FIT))

        found[name] = attempt(run)

    two, by_key, by_name = [Y1, Y2], {"p": Y1, "q": Y2}, {"first": Y1, "second": Y2}
    fit("one loss", "list", two, loss="mse")
    fit("a loss object", "tuple", two, loss=K.losses.MeanSquaredError())
    fit("two losses", "list", two, loss=["mse", "mae"])
    fit("a tuple of losses", "tuple", (Y1, Y2), loss=("mse", "mae"))
    fit("losses by name", "list", two, loss={"first": "mse", "second": "mae"})
    fit("targets by name", "list", by_name, loss={"first": "mse", "second": "mae"})
    fit("only the first loss", "list", two, loss=["mse", None])
    fit("only the second loss", "list", [Y2], loss=[None, "mse"])
    fit("weights of losses", "list", two, loss=["mse", "mae"], loss_weights=[0.5, 2.0])
    fit("weights by name", "list", two, loss={"first": "mse", "second": "mae"}, loss_weights={"first": 0.5, "second": 2.0})
    fit("metrics by output", "list", two, loss="mse", metrics=[["mae"], ["mse", "mae"]])
    fit("a metric per output", "list", two, loss="mse", metrics=["mae", "mse"])
    fit("metrics by name", "list", two, loss="mse", metrics={"second": ["mae"]})
    fit("a metric by name", "list", two, loss="mse", metrics={"second": "mae"}, weighted_metrics={"first": ["mse"]})
    fit("weighted as well", "list", two, [W, W[::-1]], loss="mse", metrics=[["mae"], ["mae"]], weighted_metrics=[["mae"], ["mse"]])
    fit("one weight for both", "list", two, W, loss="mse", weighted_metrics=[["mae"], ["mse"]])
    fit("losses by key", "dict", by_key, loss={"p": "mse", "q": "mae"})
    fit("one loss for keys", "dict", by_key, loss="mse")
    fit("weights of losses by key", "dict", by_key, loss={"p": "mse", "q": "mae"}, loss_weights={"p": 0.5, "q": 2.0})
    fit("metrics by key", "dict", by_key, loss="mse", metrics={"q": ["mae"], "p": "mse"})
    fit("a loss of one key", "dict", by_key, loss={"q": "mse"})
    fit("no loss of one key", "dict", by_key, loss={"p": None, "q": "mse"})
    fit("weights by key", "dict", by_key, {"p": W, "q": W[::-1]}, loss="mse", weighted_metrics={"p": ["mae"]})
    fit("keys out of order", "backwards", {"z": Y1, "c": Y2}, loss={"z": "mse", "c": "mae"}, metrics={"z": ["mae"], "c": ["mse"]})
    fit("keys that are names", "named", by_name, loss="mse", metrics={"first": ["mae"]})
    fit("nested", "nested", {"u": [Y1, Y2], "v": Y2}, loss={"u": ["mse", "mae"], "v": "mse"})
    fit("nested with one loss", "nested", {"u": [Y1, Y2], "v": Y2}, loss="mse")
    fit("nested metrics", "nested", {"u": [Y1, Y2], "v": Y2}, loss="mse", metrics={"u": ["mae", "mse"], "v": "mae"})
    fit("too many losses", "list", two, loss=["mse", "mae", "mse"])
    fit("a wrong name", "list", two, loss={"first": "mse", "third": "mae"})
    fit("a wrong name of a metric", "list", two, loss="mse", metrics={"third": ["mae"]})
    fit("too few targets", "list", [Y1], loss="mse")
    return found


@case
def one_output(K):
    """Histories of models with one output: names of metrics, lists of one, weights, classes."""
    found = {}
    classes = rng(6).randint(0, 2, 12)

    def fit(name, y=Y1, listed=False, how=None, **compiled):
        def run():
            i = K.Input((3,))
            o = K.layers.Dense(y.shape[-1] if y.ndim > 1 else 2, name="only")(i)
            model = fill(K.Model([i], [o]) if listed else K.Model(i, o), 7)
            model.compile(K.optimizers.SGD(0.05), **compiled)
            history = model.fit(X, y, **{**FIT, **(how or {})})
            return [told(history), order(history)]

        found[name] = attempt(run)

    sparse = K.losses.SparseCategoricalCrossentropy(from_logits=True)
    fit("twice", loss="mse", metrics=["mae", "mae", K.metrics.MeanSquaredError(name="mae")])
    fit("weighted", loss="mse", metrics=["mae"], weighted_metrics=["mae", "mse"], how={"sample_weight": W})
    fit("a list of one", listed=True, loss="mse", metrics=["mae"])
    fit("a loss in a list", listed=True, loss=["mse"], loss_weights=[0.5])
    fit("by name", loss={"only": "mse"}, metrics={"only": ["mae"]})
    fit("a number of weight", loss="mse", loss_weights=0.5)
    fit("classes", y=classes, loss=sparse, metrics=["accuracy"], weighted_metrics=["acc"], how={"class_weight": {0: 0.5, 1: 3.0}})
    fit("classes and weights", y=classes, loss=sparse, how={"class_weight": {0: 0.5, 1: 3.0}, "sample_weight": W})
    fit("functions", loss=lambda t, p: K.ops.mean((t - p) ** 4, axis=-1), metrics=[lambda t, p: K.ops.abs(t - p)])
    fit("validation", loss="mse", metrics=["mae"], how={"validation_split": 0.25, "epochs": 4, "validation_freq": 2})
    fit("validation of some epochs", loss="mse",
        how={"validation_data": (X[:4], Y1[:4], W[:4]), "epochs": 4, "validation_freq": [1, 4]})
    fit("the last epochs", loss="mse", how={"epochs": 4, "initial_epoch": 2, "validation_split": 0.5, "validation_batch_size": 2})
    fit("some steps", loss="mse", how={"steps_per_epoch": 3, "validation_data": (X, Y1), "validation_steps": 3})
    return found


@case
def kinds_of_data(K):
    """The same numbers from arrays, dicts, generators, PyDatasets, lists and iterators."""
    found = {}

    def batches():
        for k in range(0, 12, 4):
            yield X[k:k + 4], Y1[k:k + 4]

    class Rows(K.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, k):
            return X[4 * k:4 * k + 4], Y1[4 * k:4 * k + 4], W[4 * k:4 * k + 4]

    def endless():
        while True:
            yield from batches()

    def model(loss):
        own = fill(K.Sequential([K.Input((3,)), K.layers.Dense(2, "softmax")]), 8)
        own.compile(K.optimizers.SGD(0.05), loss=loss, weighted_metrics=["mae"] if loss == "mse" else None)
        return own

    def run(name, *data, loss="mse", **how):
        found[name] = attempt(lambda: told(model(loss).fit(*data, epochs=3, verbose=0, shuffle=False, **how)))

    run("arrays", X, Y1, batch_size=4)
    run("an endless one", endless(), steps_per_epoch=3)
    run("an endless one, five steps", endless(), steps_per_epoch=5)
    run("a generator with validation", endless(), steps_per_epoch=3, validation_data=(X, Y1))
    run("a PyDataset", Rows())
    run("a PyDataset, one step", Rows(), steps_per_epoch=1)
    run("a PyDataset to validate with", X, Y1, batch_size=4, validation_data=Rows())
    Rows.__getitem__ = lambda self, k: (X[4 * k:4 * k + 4], rng(k).randint(0, 2, 4))
    run("a PyDataset and class weights", Rows(), loss="sparse_categorical_crossentropy", class_weight={0: 2.0, 1: 0.5})
    return found


@case
def steps_of_ones_own(K):
    """`train_step` and `test_step` of subclasses, with the losses and metrics of compile and with trackers of their own."""

    class Low(K.Model):
        def train_step(self, data):
            x, y = data
            loss, grads = gradients_of(K, lambda: self.compute_loss(y=y, y_pred=self(x, training=True)), self.trainable_variables)
            self.optimizer.apply(grads, self.trainable_variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, self(x, training=True))
            return {m.name: m.result() for m in self.metrics}

    class Lower(K.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = K.metrics.Mean(name="loss")
            self.mae_metric = K.metrics.MeanAbsoluteError(name="mae")
            self.loss_fn = K.losses.MeanSquaredError()

        def train_step(self, data):
            x, y = data
            loss, grads = gradients_of(K, lambda: self.loss_fn(y, self(x, training=True)), self.trainable_weights)
            self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
            self.loss_tracker.update_state(loss)
            self.mae_metric.update_state(y, self(x, training=True))
            return {"loss": self.loss_tracker.result(), "mae": self.mae_metric.result()}

        @property
        def metrics(self):
            return [self.loss_tracker, self.mae_metric]

    class Weighted(K.Model):
        def train_step(self, data):
            if len(data) == 3:
                x, y, sample_weight = data
            else:
                sample_weight = None
                x, y = data
            loss, grads = gradients_of(
                K, lambda: self.compute_loss(y=y, y_pred=self(x, training=True), sample_weight=sample_weight), self.trainable_variables)
            self.optimizer.apply(grads, self.trainable_variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, self(x, training=True), sample_weight=sample_weight)
            return {m.name: m.result() for m in self.metrics}

    class Tested(K.Model):
        def evaluated(self, data):
            x, y = data
            y_pred = self(x, training=False)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

        test_step = evaluated

    class Last(K.Model):
        """Logs that no metric has: those of the last step."""

        def train_step(self, data):
            x, y = data
            loss, grads = gradients_of(K, lambda: K.ops.mean((self(x) - y) ** 2), self.trainable_variables)
            self.optimizer.apply(grads, self.trainable_variables)
            return {"error": loss, "a": K.ops.max(y), "twice": loss * 2.0, "seven": 7}

        def evaluated(self, data):
            x, y = data
            return {"worst": K.ops.max(K.ops.abs(self(x) - y))}

        test_step = evaluated

    found = {}

    def run(name, cls, compiled, fitted=None, tested=True):
        def made():
            i = K.Input((3,))
            model = fill(cls(i, K.layers.Dense(2)(i)), 9)
            model.compile(optimizer=K.optimizers.Adam(0.01), **compiled)
            result = [told(model.fit(X, Y1, **FIT, **(fitted or {})))]
            return [*result, told(model.evaluate(X, Y1, batch_size=5, verbose=0, return_dict=True))] if tested else result

        found[name] = attempt(made)

    run("compute_loss", Low, {"loss": "mse", "metrics": ["mae"]}, {"validation_split": 0.25})
    run("own trackers", Lower, {}, tested=False)
    run("sample weights", Weighted, {"loss": "mse", "weighted_metrics": ["mae"]}, {"sample_weight": W})
    run("test_step", Tested, {"loss": "mse", "metrics": ["mae"]})
    run("of the last step", Last, {}, {"validation_data": (X, Y1)})
    return found


@case
def parts_of_steps(K):
    """Overridden `compute_loss`, `compute_metrics` and `predict_step`; `add_loss`; `evaluate` in every form."""

    class Loss(K.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.tracker = K.metrics.Mean(name="squares")

        def compute_loss(self, x, y, y_pred, sample_weight):
            loss = K.ops.mean((y_pred - y) ** 2) + 0.1 * K.ops.mean(x ** 2)
            self.tracker.update_state(loss)
            return loss

    class LossOfAll(K.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            loss = super().compute_loss(x, y, y_pred, sample_weight, training)
            return loss + (1.0 if training else 10.0)

    class Metrics(K.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            results["largest"] = K.ops.max(y_pred)
            return results

    class Added(K.layers.Layer):
        def call(self, inputs):
            self.add_loss(0.1 * K.ops.sum(inputs ** 2))
            return inputs

    class Doubled(K.Model):
        def predict_step(self, data):
            x = data[0] if isinstance(data, tuple) else data
            return self(x, training=False) * 2.0

    found = {}

    def run(name, cls, compiled, layers=()):
        def made():
            i = K.Input((3,))
            x = i
            for layer in layers:
                x = layer(x)
            model = fill(cls(i, K.layers.Dense(2)(x)), 10)
            model.compile(optimizer=K.optimizers.SGD(0.05), **compiled)
            history = told(model.fit(X, Y1, validation_data=(X, Y1), **FIT))
            return [history, [float(v) for v in np.ravel(model.evaluate(X, Y1, verbose=0))], numbers(model.predict(X[:2], verbose=0))]

        found[name] = attempt(made)

    run("compute_loss without training", Loss, {})
    run("compute_loss", LossOfAll, {"loss": "mse", "metrics": ["mae"]})
    run("compute_metrics", Metrics, {"loss": "mse", "metrics": ["mae"]})
    run("add_loss", K.Model, {"loss": "mse"}, [Added()])
    run("add_loss alone", K.Model, {}, [K.layers.Dense(3), Added()])
    run("predict_step", Doubled, {"loss": "mse"})
    run("penalties", K.Model, {"loss": "mse"}, [K.layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1")])
    return found


@case
def subclasses(K):
    """Subclassed models: outputs in structures, dicts as inputs, and none of `call` but a `train_step`."""

    class Two(K.Model):
        def __init__(self, form):
            super().__init__()
            self.form = form
            self.a, self.b = K.layers.Dense(2), K.layers.Dense(1)

        def call(self, inputs):
            x = inputs["x"] if isinstance(inputs, dict) else inputs
            a, b = self.a(x), self.b(x)
            return {"list": [a, b], "dict": {"p": a, "q": b}}[self.form]

    class Fits(K.Model):
        def __init__(self):
            super().__init__()
            self.inner = fill(K.Sequential([K.Input((3,)), K.layers.Dense(2)]), 12)
            self.tracker = K.metrics.Mean(name="loss")
            self.built = True

        @property
        def metrics(self):
            return [self.tracker]

        def train_step(self, x):
            loss, grads = gradients_of(K, lambda: K.ops.mean(self.inner(x) ** 2), self.inner.trainable_variables)
            self.optimizer.apply(grads, self.inner.trainable_variables)
            self.tracker.update_state(loss)
            return {"loss": self.tracker.result()}

    found = {}

    def run(name, form, x, y, **compiled):
        def made():
            model = Two(form)
            model({k: v[:1] for k, v in x.items()} if isinstance(x, dict) else x[:1])
            fill(model, 11)
            model.compile(optimizer=K.optimizers.SGD(0.05), **compiled)
            return told(model.fit(x, y, **FIT))

        found[name] = attempt(made)

    run("a dict", "dict", X, {"p": Y1, "q": Y2}, loss="mse", metrics={"p": ["mae"]})
    run("a dict of losses", "dict", {"x": X}, {"p": Y1, "q": Y2}, loss={"p": "mse", "q": "mae"}, loss_weights={"p": 1.0, "q": 0.5})

    def alone():
        model = Fits()
        model.compile(optimizer=K.optimizers.SGD(0.05))
        return told(model.fit(X, **FIT))

    found["no call"] = attempt(alone)
    return found


@case
def frozen(K):
    """Freezing, batch normalization of frozen networks, gradient accumulation, averages of weights, weights that none can train."""
    found = {}

    def positive(model):
        model.set_weights([np.abs(w) for w in model.get_weights()])  # variances are
        return model

    def network():
        return K.Sequential([K.Input((3,)), K.layers.Dense(4, activation="tanh"), K.layers.BatchNormalization()])

    def transfer():
        base = positive(fill(network(), 13))
        base.trainable = False
        i = K.Input((3,))
        model = K.Model(i, K.layers.Dense(2)(base(i)))
        positive(fill(model, 14))
        model.compile(optimizer=K.optimizers.Adam(0.01), loss="mse")
        history = told(model.fit(X, Y1, **FIT))
        base.trainable = True
        model.compile(optimizer=K.optimizers.Adam(0.001), loss="mse")
        tuned = told(model.fit(X, Y1, **FIT))
        return [history, tuned, [numbers(w) for w in model.get_weights()], len(model.trainable_weights)]

    def normalized(freeze):
        model = positive(fill(K.Sequential([K.Input((3,)), K.layers.BatchNormalization(), K.layers.Dense(2)]), 15))
        model.layers[0].trainable = not freeze
        model.compile(optimizer=K.optimizers.SGD(0.05), loss="mse")
        return [told(model.fit(X, Y1, **FIT)), [numbers(w) for w in model.get_weights()]]

    def options(**how):
        model = fill(K.Sequential([K.Input((3,)), K.layers.Dense(2)]), 16)
        model.compile(optimizer=K.optimizers.SGD(0.05, **how), loss="mse")
        history = told(model.fit(X, Y1, validation_data=(X, Y1), **FIT))
        return [history, [numbers(w) for w in model.get_weights()]]

    def nothing():
        model = K.Sequential([K.Input((3,)), K.layers.Dense(2, trainable=False)])
        fill(model, 17)
        model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
        return told(model.fit(X, Y1, **FIT))

    found["transfer"] = attempt(transfer)
    found["normalization"] = attempt(lambda: normalized(False))
    found["frozen normalization"] = attempt(lambda: normalized(True))
    found["accumulation"] = attempt(lambda: options(gradient_accumulation_steps=2))
    found["averages"] = attempt(lambda: options(use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2))
    found["nothing to train"] = attempt(nothing)
    return found


@case
def parts_of_the_data(K):
    """Steps that do not divide the batches, of arrays and PyDatasets, for training, validation, evaluation and prediction."""

    class Rows(K.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, k):
            return X[4 * k:4 * k + 4], Y1[4 * k:4 * k + 4]

    class Counter(K.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.trained, self.tested = [], []

        def on_epoch_begin(self, epoch, logs=None):
            self.trained.append(0)

        def on_test_begin(self, logs=None):
            self.tested.append(0)

        def on_train_batch_end(self, batch, logs=None):
            self.trained[-1] += 1

        def on_test_batch_end(self, batch, logs=None):
            self.tested[-1] += 1

    def network():
        model = fill(K.Sequential([K.Input((3,)), K.layers.Dense(2)]), 18)
        model.compile(K.optimizers.SGD(0.05), "mse")
        return model

    found = {}

    def fit(name, *data, **how):
        def made():
            counter = Counter()
            history = network().fit(*data, epochs=5, verbose=0, shuffle=False, callbacks=[counter], **how)
            return [told(history), counter.trained, counter.tested]

        found[name] = attempt(made)

    for steps in (1, 2, 3, 4, 7):
        fit(f"arrays, {steps}", X, Y1, batch_size=4, steps_per_epoch=steps)
        fit(f"a PyDataset, {steps}", Rows(), steps_per_epoch=steps)
        fit(f"validation, {steps}", X, Y1, batch_size=4, validation_data=(X, Y1), validation_steps=steps)
        fit(f"validation with a PyDataset, {steps}", X, Y1, batch_size=4, validation_data=Rows(), validation_steps=steps)
        found[f"evaluate, {steps}"] = attempt(lambda steps=steps: float(network().evaluate(X, Y1, batch_size=4, steps=steps, verbose=0)))
        found[f"predict, {steps}"] = attempt(lambda steps=steps: list(network().predict(X, batch_size=4, steps=steps, verbose=0).shape))
    fit("a short batch", X, Y1, batch_size=5, steps_per_epoch=2)
    fit("a split", X, Y1, batch_size=2, validation_split=0.5, validation_steps=2, steps_per_epoch=2)
    return found
