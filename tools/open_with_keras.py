"""Opens files of pyml with Keras and files of Keras with pyml, and says which models come back with the same outputs.

    .venv/bin/python tools/open_with_keras.py --keras PATH_OF_A_PYTHON_WITH_KERAS [CASE ...]

Each library writes every model of `MODELS` as `.keras`, `.weights.h5`, sharded weights, `.h5` and as the JSON of its config; the other
opens them all. What was trained goes on with equal losses.
A line is one file: `ok`, or the error; the exit status is the number of lines that are not `ok`. Keras is not a dependency of pyml.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def shared(K: Any) -> Any:
    """One layer at two places, and operations between layers."""
    a, b = K.Input((4,), name="a"), K.Input((4,), name="b")
    layer = K.layers.Dense(3, "relu", name="both")
    return K.Model([a, b], K.layers.Dense(2, name="out")(K.ops.abs(layer(a) - layer(b)) * 2.0 + 1.0))


def nested(K: Any) -> Any:
    """A model in a model, with batch normalization."""
    inner = K.Sequential([K.Input((4,)), K.layers.Dense(5, "tanh"), K.layers.BatchNormalization()], name="inner")
    x = K.Input((4,))
    return K.Model(x, [K.layers.Dense(2, name="one")(inner(x)), K.layers.Dense(1, name="two")(inner(x * 0.5))])


def recurrent(K: Any) -> Any:
    """Recurrent layers over words, with a mask, and an LSTM that starts from states."""
    words = K.Input((6,), dtype="int32")
    x = K.layers.Embedding(9, 4, mask_zero=True)(words)
    x, h, c = K.layers.LSTM(3, return_sequences=True, return_state=True)(x)
    x = K.layers.Bidirectional(K.layers.GRU(2, return_sequences=True))(x)
    return K.Model(words, K.layers.Dense(2)(K.layers.Concatenate()([K.layers.SimpleRNN(3)(x), h, c])))


def pictures(K: Any) -> Any:
    """Convolutions of several kinds."""
    L = K.layers
    return K.Sequential([K.Input((8, 8, 3)), L.Conv2D(4, 3, padding="same", activation="gelu"), L.SeparableConv2D(4, 3),
                         L.Conv2DTranspose(3, 2, strides=2), L.GroupNormalization(3), L.GlobalAveragePooling2D(), L.Dense(2)])  # fmt: skip


def attentive(K: Any) -> Any:
    """Attention and layer normalization."""
    x = K.Input((5, 8))
    y = K.layers.MultiHeadAttention(2, 4)(x, x)
    return K.Model(x, K.layers.Dense(2)(K.layers.Flatten()(K.layers.LayerNormalization()(x + y))))


def trained(K: Any) -> Any:
    """Compiled and trained, so that the file has a compile config and the state of an optimizer."""
    model = K.Sequential([K.Input((4,)), K.layers.Dense(3, "relu", kernel_regularizer="l2"), K.layers.Dropout(0.0), K.layers.Dense(2)])
    model.compile(K.optimizers.AdamW(K.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)), K.losses.Huber(), metrics=["mae"])
    x = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4)
    model.fit(x, x[:, :2], epochs=2, verbose=0)
    return model


def quantized(K: Any, mode: str = "int8") -> Any:
    """Weights of eight bits."""
    model = K.Sequential([K.Input((8,)), K.layers.Dense(6), K.layers.Dense(2)])
    fill(model)
    model.quantize(mode)
    return model


def adapted(K: Any) -> Any:
    """LoRA."""
    layer = K.layers.Dense(6)
    model = K.Sequential([K.Input((8,)), layer, K.layers.Dense(2)])
    layer.enable_lora(2)
    return model


def both(K: Any) -> Any:
    """Weights of eight bits and LoRA, in an EinsumDense and a Dense."""
    layer = K.layers.EinsumDense("ab,bc->ac", 6)
    model = K.Sequential([K.Input((8,)), layer, K.layers.Dense(2)])
    fill(model)
    model.quantize("int8")
    layer.enable_lora(2)
    return model


def four_bits(K: Any) -> Any:
    """Weights of four bits, in blocks."""
    return quantized(K, "int4")


def own(K: Any) -> Any:
    """A registered layer with a layer and a weight of its own, a registered function, and a subclass of a built-in layer."""

    @K.saving.register_keras_serializable("open_with_keras")
    class Scaled(K.layers.Layer):  # type: ignore[misc, unused-ignore]
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units, self.dense = units, K.layers.Dense(units)

        def build(self, shape: Any) -> None:
            self.dense.build(shape)
            self.factor = self.add_weight(shape=(self.units,), initializer="ones", name="factor")

        def call(self, x: Any) -> Any:
            return self.dense(x) * self.factor

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    @K.saving.register_keras_serializable("open_with_keras")
    def doubled(x: Any) -> Any:
        return x * 2.0

    @K.saving.register_keras_serializable("open_with_keras")
    class Loud(K.layers.Dense):  # type: ignore[misc, unused-ignore]
        def call(self, x: Any) -> Any:
            return super().call(x) + 1.0

    return K.Sequential([K.Input((4,)), Scaled(5), K.layers.Dense(4, activation=doubled), Loud(2)])


def grouped(K: Any) -> Any:
    """Attention whose heads share keys, and recurrent convolutions."""
    x, frames = K.Input((5, 8)), K.Input((3, 6, 6, 2))
    y = K.layers.GroupQueryAttention(4, 4, 2)(x, x)
    z = K.layers.ConvLSTM2D(2, 3)(frames)
    return K.Model([x, frames], [K.layers.Dense(2)(y), K.layers.Flatten()(z)])


def sounds(K: Any) -> Any:
    """Spectrograms as layers."""
    x = K.Input((128, 1))
    y = K.layers.STFTSpectrogram(mode="log", frame_length=16, frame_step=8, fft_length=32, padding="same")(x)
    mel = K.layers.MelSpectrogram(fft_length=32, sequence_stride=8, sampling_rate=800, num_mel_bins=6)(K.layers.Flatten()(x))
    return K.Model(x, [K.layers.Conv1D(2, 3)(y), K.layers.Flatten()(mel)])


def computed(K: Any) -> Any:
    """Losses, norms without weights and an activation with a ceiling between the layers."""
    a, b = K.Input((4,)), K.Input((4,))
    x = K.ops.layer_normalization(K.ops.rms_normalization(K.ops.convert_to_tensor(a)))
    spaced = K.ops.linspace(a, b, 3)
    return K.Model([a, b], [K.losses.mean_squared_error(x, b), K.activations.relu(x, max_value=1.0, threshold=0.2), spaced])


_ALL: tuple[Any, ...] = (
    shared, nested, recurrent, pictures, attentive, trained, quantized, adapted, both, four_bits, own, grouped, sounds, computed)
MODELS: dict[str, Callable[[Any], Any]] = {f.__name__: f for f in _ALL}
FILLED = ("trained", "quantized", "both", "four_bits")  # they have their weights before
UNFIT = {(name, "h5") for name in ("quantized", "adapted", "both", "four_bits")}  # the old format has neither
LOST = ("shared", "nested", "recurrent", "attentive", "grouped", "computed")  # ops between layers: Keras itself cannot open its `.h5`


def fill(model: Any) -> None:
    """Weights by a rule."""
    random = np.random.RandomState(6)
    for v in model.weights:
        if "float" in str(v.dtype) and "seed" not in v.path:
            v.assign(random.uniform(0.2, 0.9, tuple(v.shape)).astype("float32"))


def given(model: Any) -> Any:
    """Inputs by a rule."""
    random = np.random.RandomState(8)
    made = [random.randint(0, 9, (3, *x.shape[1:])).astype("int32") if "int" in str(x.dtype) else
            random.uniform(-1, 1, (3, *x.shape[1:])).astype("float32") for x in model.inputs]  # fmt: skip
    return made if len(made) > 1 else made[0]


def said(K: Any, model: Any) -> np.ndarray:
    """All outputs in one row."""
    return np.concatenate([np.ravel(np.asarray(part)) for part in K.tree.flatten(model.predict(given(model), verbose=0))])


def write(K: Any, folder: Path, names: list[str]) -> None:
    """Every model in every format, with what it says."""
    for name in names:
        K.utils.clear_session()
        model = MODELS[name](K)
        if name not in FILLED:
            fill(model)
        np.save(folder / f"{name}.npy", said(K, model))
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        model.save_weights(folder / f"{name}.weights.json", max_shard_size=1.5e-6)
        (folder / f"{name}.json").write_text(model.to_json(), encoding="utf-8")
        if (name, "h5") not in UNFIT:
            model.save(folder / f"{name}.h5")
        if name == "trained":
            np.save(folder / "losses.npy", goes_on(model))


def goes_on(model: Any) -> np.ndarray:
    """The losses of three more steps."""
    x = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4)
    return np.array([np.ravel(model.train_on_batch(x, x[:, :2]))[0] for _ in range(3)])


def check(K: Any, folder: Path, names: list[str]) -> int:
    """Opens what is there; prints a line for each file, and returns how many are wrong."""
    wrong = 0

    def weighted(name: str, model: Any, ending: str = "h5") -> Any:
        model.load_weights(folder / f"{name}.weights.{ending}")
        return model

    for name in names:
        ways = {
            "keras": lambda name=name: K.models.load_model(folder / f"{name}.keras"),
            "weights.h5": lambda name=name: weighted(name, MODELS[name](K)),
            "weights.json": lambda name=name: weighted(name, MODELS[name](K), "json"),
            "json": lambda name=name: weighted(name, K.models.model_from_json((folder / f"{name}.json").read_text(encoding="utf-8"))),
            "h5": lambda name=name: K.models.load_model(folder / f"{name}.h5"),
        }
        for way, opened in ways.items():
            if (name, way) in UNFIT or (way == "h5" and name in LOST and K.__name__ == "pyml"):
                continue
            K.utils.clear_session()
            try:
                MODELS[name](K) if name == "own" else None  # registers what is its own
                K.utils.clear_session()
                model = opened()
                off = float(np.abs(said(K, model) - np.load(folder / f"{name}.npy")).max())
                if (name, way) == ("trained", "keras"):
                    off = max(off, float(np.abs(goes_on(model) - np.load(folder / "losses.npy")).max()))
                line = "ok" if off < 1e-4 else f"outputs are off by {off:.3g}"
            except Exception as error:  # whatever it is, the line tells it
                line = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            wrong += line != "ok"
            print(f"{K.__name__:5} opens {name}.{way}: {line}", flush=True)
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="models of MODELS; all by default")
    parser.add_argument("--keras", help="a Python that has Keras")
    parser.add_argument("--role", choices=("write", "check"), help="what to do with Keras, in --folder; used by the tool itself")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    names = options.cases or list(MODELS)
    if options.role:
        import keras

        if options.role == "write":
            write(keras, options.folder, names)
            return
        sys.exit(check(keras, options.folder, names))
    if not options.keras:
        parser.error("--keras is missing: the path of a Python that has Keras")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import pyml

    environment = {"KERAS_BACKEND": "torch", **os.environ}
    with tempfile.TemporaryDirectory() as ours, tempfile.TemporaryDirectory() as theirs:
        write(pyml, Path(ours), names)
        call = [options.keras, __file__, *names]
        wrong = subprocess.run([*call, "--role", "check", "--folder", ours], env=environment, check=False).returncode
        subprocess.run([*call, "--role", "write", "--folder", theirs], env=environment, check=True)
        wrong += check(pyml, Path(theirs), names)
    print(f"{wrong} wrong")
    sys.exit(min(wrong, 100))


if __name__ == "__main__":
    main()
