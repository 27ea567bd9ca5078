"""Students that learn from teachers, written once and run with Keras and with pyml."""

import numpy as np


def network(K, units, seed, outputs=1):
    """A network with weights by a rule, and one output or two."""
    random = np.random.RandomState(seed)
    x = K.Input((4,))
    h = K.layers.Dense(units, "tanh", name="hidden")(x)
    h = K.layers.Dense(5, "tanh", name="features")(h)
    y = [K.layers.Dense(3, name=f"out{i}")(h) for i in range(outputs)]
    model = K.Model(x, y if outputs > 1 else y[0])
    model.set_weights([random.uniform(-1, 1, w.shape).astype("float32") for w in model.weights])
    return model


def trained(K, losses, weights=None, share=0.5, outputs=1, loss="mse"):
    """The history of three epochs and what the student then says."""
    random = np.random.RandomState(1)
    x, y = random.uniform(-1, 1, (12, 4)).astype("float32"), random.uniform(-1, 1, (12, 3)).astype("float32")
    distiller = K.distillation.Distiller(network(K, 8, 2, outputs), network(K, 6, 3, outputs), losses, weights, share)
    distiller.compile(K.optimizers.SGD(0.1), loss=loss if outputs == 1 else [loss] * outputs, metrics=["mae"] if outputs == 1 else None)
    history = distiller.fit(x, y if outputs == 1 else [y] * outputs, batch_size=4, epochs=3, shuffle=False, verbose=0).history
    said = K.tree.flatten(distiller.predict(x, verbose=0))
    return {"history": {name: [float(v) for v in history[name]] for name in sorted(history)},
            "said": [float(v) for v in np.concatenate([np.ravel(part) for part in said])[::7]]}  # fmt: skip


CASES = {
    "logits": lambda K: trained(K, K.distillation.LogitsDistillation()),
    "hot crossentropy": lambda K: trained(K, K.distillation.LogitsDistillation(
        6.0, K.losses.CategoricalCrossentropy(from_logits=True)), share=0.25),
    "features": lambda K: trained(K, [K.distillation.LogitsDistillation(2.0), K.distillation.FeatureDistillation(
        "mse", "features", "features"), K.distillation.FeatureDistillation("mae")], [1.0, 3.0, 0.5], 0.1),
    "student alone": lambda K: trained(K, K.distillation.LogitsDistillation(), share=1.0),
    "probabilities": lambda K: trained(K, K.distillation.LogitsDistillation(3.0, K.losses.KLDivergence())),
}  # fmt: skip
