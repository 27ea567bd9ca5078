"""The two ways of transfer learning of the books, on pieces of four photos: what is the piece from?"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from networks import need, network
from PIL import Image

import pyml
from pyml import layers
from pyml.hub import photo

SIDE = 96
CLASSES = ("astronaut", "chelsea", "coffee", "rocket")


@cache
def pieces(count: int, seed: int):
    """Random pieces of the photos, turned, mirrored and of other brightness; values from 0 to 255, and their classes."""
    random = np.random.default_rng(seed)
    images, labels = [], []
    photos = [Image.open(photo(name)).convert("RGB") for name in CLASSES]
    for i in range(count):
        label = i % len(CLASSES)
        whole = photos[label]
        side = int(min(whole.size) * random.uniform(0.6, 1.0))
        left, top = (int(random.integers(0, n - side + 1)) for n in whole.size)
        piece = whole.crop((left, top, left + side, top + side)).rotate(random.uniform(-15, 15)).resize((SIDE, SIDE))
        values = np.asarray(piece, "float32") * random.uniform(0.7, 1.2)
        images.append(np.clip(values[:, ::-1] if random.random() < 0.5 else values, 0, 255))
        labels.append(label)
    return np.stack(images), np.array(labels)


def small_base():
    """MobileNetV1 for pictures of 96 x 96: the weights of convolutions fit pictures of any size."""
    model = network("mobilenet_v1", "photos")
    base = pyml.hub.build_mobilenet_v1((SIDE, SIDE, 3), initializer="zeros")
    base.set_weights(model.keras.get_weights())
    return base


def counts(model):
    """Trainable and frozen parameters, as the summary prints them."""
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    number = lambda word: int(text.split(f"{word} params: ")[1].split(" ")[0].replace(",", ""))
    return number(" Trainable"), number("Non-trainable")


def copies(model):
    return {v.path: v.numpy().copy() for v in model.weights}


def changed(model, before):
    return {path for path, array in copies(model).items() if not np.array_equal(array, before[path])}


def test_a_head_on_collected_embeddings_learns_four_photos():
    base = small_base()
    truncated = pyml.Model(base.input, base.get_layer("conv_pw_13_relu").output)
    assert truncated.output_shape == (None, 3, 3, 1024)
    x, y = pieces(48, seed=1)
    before = copies(base)
    embeddings = truncated.predict(x, batch_size=16, verbose=0)

    head = pyml.Sequential([
        pyml.Input((3, 3, 1024)), layers.GlobalAveragePooling2D(), layers.Dense(32, activation="relu"),
        layers.Dense(len(CLASSES), activation="softmax"),
    ])
    head.compile(optimizer=pyml.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    head.fit(embeddings, y, batch_size=16, epochs=15, verbose=0)

    x_test, y_test = pieces(24, seed=2)
    found = head.predict(truncated.predict(x_test, batch_size=16, verbose=0), verbose=0).argmax(1)
    assert (found == y_test).mean() >= 0.9
    assert not changed(base, before)


def test_nearest_neighbours_of_embeddings_learn_from_three_examples_each():
    base = small_base()
    truncated = pyml.Model(base.input, base.get_layer("global_average_pooling2d").output)
    knn = pyml.models.KNNClassifier()
    x, y = pieces(12, seed=3)
    for embedding, label in zip(truncated.predict(x, batch_size=12, verbose=0), y, strict=True):
        knn.add_example(embedding.ravel(), CLASSES[label])
    x_test, y_test = pieces(24, seed=2)
    found = [knn.predict_class(e.ravel(), k=3).label for e in truncated.predict(x_test, batch_size=12, verbose=0)]
    assert np.mean([a == CLASSES[b] for a, b in zip(found, y_test, strict=True)]) >= 0.9


@pytest.mark.slow
def test_one_model_with_a_frozen_base_learns_and_is_then_fine_tuned():
    pyml.utils.set_random_seed(1)
    base = small_base()
    base_output = base.get_layer("conv_pw_13_relu").output
    head = pyml.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(len(CLASSES), activation="softmax")], name="head")
    model = pyml.Model(base.input, head(base_output))
    base.trainable = False
    assert counts(model) == (1024 * 4 + 4, 3_228_864)  # MobileNet without its top, as keras.applications counts it

    x, y = pieces(32, seed=1)
    model.compile(optimizer=pyml.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    before = copies(model)
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    head_weights = {v.path for v in head.weights}
    assert changed(model, before) == head_weights      # bit for bit, moving averages of normalization too

    last = ["conv_pw_13", "conv_pw_13_bn"]
    for name in last:
        base.get_layer(name).trainable = True
    assert counts(model)[0] == 1024 * 4 + 4 + 1024 * 1024 + 2 * 1024
    before = copies(model)
    model.fit(x[:8], y[:8], batch_size=8, epochs=1, verbose=0)
    trained = {p for p in changed(model, before) if "moving" not in p}
    assert trained == head_weights                     # not before `compile`

    model.compile(optimizer=pyml.optimizers.Adam(1e-4), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    before = copies(model)
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0).history["loss"]
    unfrozen = {v.path for name in last for v in base.get_layer(name).weights}
    assert changed(model, before) == head_weights | unfrozen
    assert history[-1] < history[0]
    x_test, y_test = pieces(24, seed=2)
    assert (model.predict(x_test, batch_size=8, verbose=0).argmax(1) == y_test).mean() >= 0.9


def test_what_the_model_learned_counts_for_its_answers():
    need("mobilenet_v1", "photos")
    own = pyml.hub.mobilenet_v1()                      # not the one that other tests share
    picture = pieces(4, seed=5)[0][2]
    quick, features = own.classify(picture, top=5), own.embed(picture).numpy()
    bias = own.keras.get_layer("conv_preds").bias
    same = own.classify(picture, top=5)
    assert [name for name, _ in same] == [name for name, _ in quick]
    np.testing.assert_allclose([p for _, p in same], [p for _, p in quick], atol=1e-4)  # normalization folded, and not
    np.testing.assert_allclose(own.embed(picture).numpy(), features, atol=1e-3)
    bias.assign(np.eye(1000, dtype="float32")[7] * 100)
    assert own.classify(picture, top=1)[0] == ("cock", pytest.approx(1.0))
