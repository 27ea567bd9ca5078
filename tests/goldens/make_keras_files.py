"""Writes keras_files.json: files that Keras wrote, deflated and in base64, and what their models predict. Run with Keras 3 installed:

    KERAS_BACKEND=torch python tests/goldens/make_keras_files.py
"""

import base64
import json
import tempfile
import zlib
from pathlib import Path

import numpy as np

GOLDENS = Path(__file__).with_name("keras_files.json")
TOKENS = [[1, 2, 0, 0], [3, 4, 5, 0]]
ROWS = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
TARGETS = np.linspace(0, 1, 6, dtype="float32").reshape(3, 2)


def own_layer(keras):
    """A registered layer of a user, of either library."""

    @keras.saving.register_keras_serializable("keras_files")
    class Scaled(keras.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units, self.dense = units, keras.layers.Dense(units)

        def build(self, shape):
            self.dense.build(shape)
            self.factor = self.add_weight(shape=(self.units,), initializer="uniform", name="factor")

        def call(self, x):
            return self.dense(x) * self.factor

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return Scaled


def models(keras):
    from keras import Input, Model, Sequential
    from keras import layers as L

    dense = Sequential([Input((4,)), L.Dense(3, activation="tanh"), L.Dense(2)])
    dense.compile(keras.optimizers.Adam(0.01), "mse")
    dense.fit(ROWS, TARGETS, epochs=3, shuffle=False, verbose=0)
    yield "trained", dense, ROWS

    x = Input((4,))
    h = keras.ops.tanh(L.Dense(3)(x)[:, 1:]) * 2.0
    yield "op between layers", Model(x, [h, L.Dense(1)(h)]), ROWS

    yield "masked", Sequential([Input((4,), dtype="int32"), L.Embedding(6, 3, mask_zero=True), L.LSTM(2)]), np.array(TOKENS, "int32")

    yield "images", Sequential([Input((4, 4, 1)), L.Conv2D(2, 3), L.BatchNormalization(), L.Flatten(), L.Dense(1)]), (
        np.linspace(-1, 1, 32, dtype="float32").reshape(2, 4, 4, 1))

    i, x = Input((4,)), Input((4,))
    inner = Model(i, L.Dense(4, activation="relu")(i), name="inner")
    yield "nested", Model(x, L.Add()([Sequential([Input((4,)), L.Dense(4)], name="row")(x), inner(x)])), ROWS

    a, shared = Input((4,), name="a"), L.Dense(3, activation="relu", name="shared")
    b = L.Dense(4, name="between")(shared(a))
    yield "shared", Model(a, L.Add()([shared(a), shared(b)])), ROWS

    yield "own layer", Sequential([Input((4,)), own_layer(keras)(3), L.Dense(2)]), ROWS

    packed = Sequential([Input((4,)), L.EinsumDense("ab,bc->ac", 6), L.Dense(2)])
    packed.quantize("int8", filters=lambda layer: layer.weights)
    packed.layers[0].enable_lora(2)
    lora = packed.layers[0].lora_kernel_b
    lora.assign(np.linspace(-1, 1, int(np.prod(lora.shape)), dtype="float32").reshape(lora.shape))
    yield "quantized and adapted", packed, ROWS


def main():
    import keras

    keras.utils.set_random_seed(1)
    cases = {}
    for name, model, x in models(keras):
        outputs = model.predict(x, verbose=0)
        case = {"x": x.tolist(), "dtype": str(x.dtype), "files": {},
                "outputs": [o.tolist() for o in (outputs if isinstance(outputs, list) else [outputs])]}  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            for ending in (".keras", ".weights.h5") if name.startswith("quantized") else (".keras", ".weights.h5", ".h5"):
                (model.save_weights if ending == ".weights.h5" else model.save)(Path(folder) / f"m{ending}")
            if name == "trained":
                model.save_weights(Path(folder) / "m.weights.json", max_shard_size=1e-7)
            for path in sorted(Path(folder).iterdir()):
                case["files"][path.name[1:]] = base64.b64encode(zlib.compress(path.read_bytes(), 9)).decode()
            if name.startswith("quantized"):           # saving puts the adapter into the kernel, which is rounded again
                case["outputs"] = [keras.models.load_model(Path(folder) / "m.keras").predict(x, verbose=0).tolist()]
        if name == "trained":
            case |= {"y": TARGETS.tolist(), "loss": [float(model.train_on_batch(ROWS, TARGETS)) for _ in range(2)]}
        cases[name] = case
    GOLDENS.write_text(json.dumps({"keras_version": keras.__version__, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
