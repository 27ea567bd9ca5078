"""Layers that prepare data, written once and run with Keras and with pyml: numbers with Keras on PyTorch, and text, which
Keras computes with TensorFlow alone, with Keras on TensorFlow (`make_with_tensorflow.py`).
"""

import warnings

import numpy as np
from keras_cases import floats, numbers, rng


def given(K, layers, x):
    """What each layer gives for `x`."""
    return {name: numbers(K.ops.convert_to_numpy(layer(x))) for name, layer in layers.items()}


def normalization(K):
    N = K.layers.Normalization
    x, found = floats(1, 6, 3, 4) * 3 + 1, {}
    for axis in (-1, None, 1, (1, 2)):
        for invert in (False, True):
            layer = N(axis=axis, invert=invert)
            layer.adapt(x)
            found[f"{axis} {invert}"] = numbers(K.ops.convert_to_numpy(layer(x[:2])))
            found[f"{axis} {invert} weights"] = [numbers(w) for w in layer.get_weights()]
    batches = N(axis=-1)
    batches.adapt(x[i : i + 4] for i in range(0, 6, 4))
    found["batches"] = [numbers(w) for w in batches.get_weights()]
    pairs = N(axis=1)
    pairs.adapt([(x[:4], 0), (x[4:], 1)])
    found["pairs"] = [numbers(w) for w in pairs.get_weights()]
    flat = N()
    flat.adapt(np.ones((4, 2), "float32"))
    found["no variance"] = numbers(K.ops.convert_to_numpy(flat(np.array([[0, 2]]))))
    return {**found, **given(K, {
        "given": N(mean=[1.0, 2, 3, 4], variance=[1.0, 4, 9, 16]), "given whole": N(None, mean=1.5, variance=2.0, invert=True),
        "given two": N((1, 2), mean=np.arange(12.0).reshape(3, 4), variance=np.arange(12.0).reshape(3, 4) + 1),
        "given last": N((1, 2), mean=[1.0, 2, 3, 4], variance=[1.0, 4, 9, 16]),
    }, x[:2])}  # fmt: skip


def categories(K):
    C = K.layers.CategoryEncoding
    x = rng(2).randint(0, 5, (3, 4))
    found = {f"{mode} {v.shape}": numbers(K.ops.convert_to_numpy(C(5, mode)(v)))
             for mode in ("one_hot", "multi_hot", "count") for v in (x, x[0], x[:, :1])}
    return {**found, "weights": numbers(K.ops.convert_to_numpy(C(5, "count")(x, count_weights=floats(3, 3, 4))))}


def discretization(K):
    D = K.layers.Discretization
    x, found = floats(4, 40, 3), {}
    for bins, tolerance in ((4, 0.01), (7, 0.1), (3, 0.3)):
        layer = D(num_bins=bins, epsilon=tolerance)
        layer.adapt(x)
        found[f"{bins} {tolerance}"] = layer.bin_boundaries
        layer.adapt(x[i : i + 16] for i in range(0, 40, 16))
        found[f"{bins} {tolerance} batches"] = layer.bin_boundaries
    edges = [-0.5, 0.0, 1.25]
    modes = {mode: D(edges, output_mode=mode) for mode in ("int", "one_hot", "multi_hot", "count")}
    return {**found, **given(K, modes, np.array([[-0.5, 0.0, 5.0], [-9.0, 1.25, 1.0]], "float32"))}


def pictures(K):
    L = K.layers
    x, byte = floats(5, 2, 5, 6, 2), rng(6).randint(0, 256, (2, 4, 6, 3)).astype("uint8")
    crops = {f"CenterCrop {size}": L.CenterCrop(*size) for size in ((3, 4), (2, 3), (7, 3), (6, 9))}
    resized = {
        "cut": L.Resizing(3, 5, crop_to_aspect_ratio=True), "filled": L.Resizing(4, 3, pad_to_aspect_ratio=True, fill_value=2),
        "bicubic": L.Resizing(3, 4, "bicubic", antialias=True), "lanczos3": L.Resizing(7, 8, "lanczos3"),
        "nearest": L.Resizing(3, 4, "nearest"),
    }
    first = {"CenterCrop first": L.CenterCrop(3, 2, data_format="channels_first"),
             "Resizing first": L.Resizing(3, 2, data_format="channels_first")}
    return {
        **given(K, crops | resized, x), **given(K, first, x.transpose(0, 3, 1, 2)),
        "one": given(K, crops, x[0]), "bytes": given(K, resized | {"Rescaling": L.Rescaling([1, 2, 0.5], [0.0, 1.0, 2.0])}, byte),
    }


def spectrograms(K):
    S, M = K.layers.STFTSpectrogram, K.layers.MelSpectrogram
    x, found = floats(7, 2, 60, 2), {}
    for mode in ("log", "magnitude", "psd", "real", "imag", "stft"):
        found[mode] = numbers(K.ops.convert_to_numpy(S(mode, 16, 5)(x)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layers = {
            "same": S("magnitude", 12, fft_length=20, padding="same", window="hamming", scaling="spectrum", periodic=True),
            "images": S("psd", 16, expand_dims=True, scaling=None, window=np.linspace(0, 1, 16).tolist()),
        }
        found |= given(K, layers, x)
    options = {"fft_length": 32, "sequence_stride": 10, "sampling_rate": 1000, "num_mel_bins": 6}
    mel = {
        "mel": M(**options), "mel power": M(power_to_db=False, max_freq=300, mag_exp=1.5, **options),
        "mel options": M(sequence_length=20, window="hamming", top_db=5.0, ref_power=3.0, min_freq=50.0, **options),
    }
    matrix = M().linear_to_mel_weight_matrix(5, 17, 1000, 20.0, 400.0)
    one = given(K, mel, x[0, :, 0])["mel"]
    return {**found, **given(K, mel, x[..., 0]), "mel one": one, "matrix": numbers(K.ops.convert_to_numpy(matrix))}


CASES = [normalization, categories, discretization, pictures, spectrograms]
