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


def plain(value):
    """Numbers or text as nested lists."""
    value = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    return value.tolist() if value.dtype.kind != "O" else [plain(v) for v in value] if value.ndim else text(value.item())


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def called(layers, x):
    return {name: plain(layer(x)) for name, layer in layers.items()}


def lookups(K):
    S, I = K.layers.StringLookup, K.layers.IntegerLookup
    words, found = [["a", "c", "ä"], ["d", "zebra", "c"], ["", "d", "c"]], {}
    for name, layer in {"plain": S(), "mask": S(mask_token="", num_oov_indices=2), "few": S(max_tokens=3),
                        "tf_idf": S(output_mode="tf_idf"), "count": S(output_mode="count", mask_token="d"),
                        "tf_idf wide": S(output_mode="tf_idf", max_tokens=9, pad_to_max_tokens=True)}.items():  # fmt: skip
        layer.adapt(words)
        found[name] = {"vocabulary": [text(v) for v in layer.get_vocabulary()], "size": layer.vocabulary_size(),
                       "own": [text(v) for v in layer.get_vocabulary(include_special_tokens=False)], "values": plain(layer(words)),
                       "others": plain(layer([["q", "a"], ["zz", "ä"]]))}
    vocabulary = ["a", "b", "zebra"]
    found["given"] = called({
        **{mode: S(vocabulary=vocabulary, output_mode=mode) for mode in ("int", "one_hot", "multi_hot", "count")},
        "oov": S(vocabulary=vocabulary, num_oov_indices=5), "salt": S(vocabulary=vocabulary, num_oov_indices=5, salt=(3, 2**40)),
        "special": S(vocabulary=["", "[UNK]", *vocabulary], mask_token=""),
        "wide": S(5, vocabulary=vocabulary, output_mode="count", pad_to_max_tokens=True),
        "tf_idf": S(vocabulary=vocabulary, idf_weights=[0.5, 1.5, 2.5], output_mode="tf_idf"),
        "tf_idf special": S(vocabulary=["[UNK]", *vocabulary], idf_weights=[9.0, 0.5, 1.5, 2.5], output_mode="tf_idf"),
    }, words)  # fmt: skip
    back = {"back": S(vocabulary=vocabulary, invert=True),
            "back mask": S(vocabulary=vocabulary, invert=True, mask_token="-", oov_token="?")}
    found["back"] = called(back, np.array([[0, 1, 2], [3, 4, 9]]))
    numbers, own = np.array([[12, 5, 7, 12], [2**40, -3, 7, 12]]), [5, 7, 12, 2**40]
    learnt = I(mask_token=5, num_oov_indices=2)
    learnt.adapt(numbers)
    found["integers"] = {"vocabulary": [int(v) for v in learnt.get_vocabulary()], "values": plain(learnt(numbers)), **called({
        **{mode: I(vocabulary=own[:2], output_mode=mode, mask_token=12) for mode in ("int", "one_hot", "multi_hot", "count")},
        "oov": I(vocabulary=own[:1], num_oov_indices=3), "farmhash": I(vocabulary=own[:1], num_oov_indices=3, oov_method="farmhash"),
        "salt": I(vocabulary=own[:1], num_oov_indices=3, oov_method="farmhash", salt=4),
        "tf_idf": I(vocabulary=own, idf_weights=[1.0, 2.0, 3.0, 4.0], output_mode="tf_idf"),
    }, numbers), "back": plain(I(vocabulary=own, invert=True)(np.array([0, 1, 4, 7])))}  # fmt: skip
    return found


def hashes(K):
    H, X = K.layers.Hashing, K.layers.HashedCrossing
    lengths = (0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 128, 129, 200)
    words = [["".join(chr(97 + (i * j) % 26) for j in range(i))] for i in lengths]
    numbers = np.array([[1, -20], [10**12, 0], [7, 7]])
    one, two, three = np.array(["a", "bcd", "ä"]), np.array([3, -4, 10**10]), np.array(["x", "", "zz"])
    return {
        "text": called({"farm": H(10**9), "sip": H(10**9, salt=[133, 137]), "mask": H(50, mask_value="aa", salt=5)}, words),
        "numbers": called({"int": H(1000), "mask": H(3, mask_value=7),
                           **{mode: H(4, output_mode=mode) for mode in ("one_hot", "multi_hot", "count")}}, numbers),
        "floats": plain(H(100)(np.array([1.7, -2.5, 0.0], "float32"))),
        "crosses": {"two": plain(X(10**6)((one, two))), "three": plain(X(10**6)((one, two, three))),
                    "one_hot": plain(X(4, output_mode="one_hot")((one, three))), "columns": plain(X(9)((one[:, None], two[:, None])))},
    }  # fmt: skip


TEXTS = ["The quick, brown FOX jumps!", "over the lazy dog's back...", "THE dog; the fox", "Été à l'ÉCOLE\tthe_end", "", "a  b\n\na"]


def texts(K):
    T, found = K.layers.TextVectorization, {}
    for name, options in {
        "plain": {}, "few": {"max_tokens": 5, "output_sequence_length": 4}, "lower": {"standardize": "lower"},
        "as is": {"standardize": None},
        "marks": {"standardize": "strip_punctuation"}, "characters": {"split": "character"}, "pairs": {"ngrams": 2},
        "only pairs": {"ngrams": (2, 3)}, "multi_hot": {"output_mode": "multi_hot"}, "count": {"output_mode": "count", "ngrams": 2},
        "tf_idf": {"output_mode": "tf_idf"}, "tf_idf wide": {"output_mode": "tf_idf", "max_tokens": 40, "pad_to_max_tokens": True},
        "count few": {"output_mode": "count", "max_tokens": 4},
    }.items():
        layer = T(**options)
        layer.adapt(TEXTS)
        found[name] = {"vocabulary": [text(v) for v in layer.get_vocabulary()], "values": plain(layer(TEXTS)),
                       "columns": plain(layer([["the unknown"], ["a fox"]])), "one": plain(layer("the fox"))}
    whole = T(split=None, standardize="lower", output_mode="int")
    whole.adapt(["A b", "a B", "c"])
    found["whole"] = {"vocabulary": [text(v) for v in whole.get_vocabulary()], "values": plain(whole(["a b", "C", "d"]))}
    found["given"] = plain(T(vocabulary=["fox", "dog"])(TEXTS))
    batches = T()
    batches.adapt(TEXTS[i : i + 2] for i in range(0, 6, 2))
    found["batches"] = [text(v) for v in batches.get_vocabulary()]
    return found


CASES = [normalization, categories, discretization, pictures, spectrograms, lookups, hashes, texts]
