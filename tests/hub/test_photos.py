"""The photos get the right names, and the people in them their key points, as the catalogued networks found them."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network

import pyml
from pyml.errors import ShapeError
from pyml.hub import photo

MOBILENET = {
    "chelsea": [("Egyptian cat", 0.53), ("tabby, tabby cat", 0.29), ("tiger cat", 0.16)],
    "coffee": [("espresso", 0.97)],
    "rocket": [("missile", 0.53)],
    "motorcycle_left": [("moped", 0.63)],
}
EFFICIENTNET = {
    "chelsea": [("Egyptian cat", 0.40), ("tiger cat", 0.33), ("tabby, tabby cat", 0.17)],
    "coffee": [("espresso", 0.94)],
    "rocket": [("missile", 0.27)],
    "motorcycle_left": [("moped", 0.72)],
    "flower": [("daisy", 0.21)],
    "china": [("palace", 0.32)],
}
ENTRY = {"motorcycle_left": "photo_for_tests", "flower": "more_photos_for_tests", "china": "more_photos_for_tests"}
CASES = [(n, p, e) for n, table in (("mobilenet_v1", MOBILENET), ("efficientnet_lite0", EFFICIENTNET)) for p, e in table.items()]


@pytest.mark.parametrize(("name", "picture", "expected"), CASES)
def test_photos_get_the_names_that_the_published_network_gives_them(name, picture, expected):
    model = network(name, ENTRY.get(picture, "photos"))
    found = model.classify(photo(picture), top=len(expected))
    assert [label for label, _ in found] == [label for label, _ in expected]
    # Half-precision kernels, and values that are not rounded to integers when the photo shrinks.
    np.testing.assert_allclose([p for _, p in found], [p for _, p in expected], atol=0.05)


@pytest.mark.parametrize("name", ["mobilenet_v1", "efficientnet_lite0"])
def test_a_page_without_jspi_gets_the_same_names(name):
    import asyncio

    model = network(name, "photos")
    assert asyncio.run(model.classify_async(photo("coffee"), top=2)) == model.classify(photo("coffee"), top=2)


@pytest.mark.parametrize(("name", "features"), [("mobilenet_v1", 1024), ("efficientnet_lite0", 1280)])
def test_embeddings_of_alike_photos_are_alike(name, features):
    from PIL import Image

    model = network(name, "photos")
    cat, coffee = (Image.open(photo(p)).convert("RGB") for p in ("chelsea", "coffee"))
    a, b, c = (model.embed(x).numpy() for x in (cat, cat.transpose(Image.Transpose.FLIP_LEFT_RIGHT), coffee))
    alike = lambda u, v: float(u @ v / np.linalg.norm(u) / np.linalg.norm(v))
    assert a.shape == (features,)
    assert alike(a, b) > 0.8 > 0.6 > alike(a, c)


def test_several_pictures_are_embedded_at_once():
    model = network("mobilenet_v1", "photos")
    from PIL import Image

    pictures = np.stack([np.asarray(Image.open(photo(p)).convert("RGB").resize((256, 256))) for p in ("chelsea", "coffee")])
    together = model.embed(pictures.astype("float32")).numpy()
    assert together.shape == (2, 1024)
    np.testing.assert_allclose(together[1], model.embed(pictures[1]).numpy(), atol=1e-3)


def test_a_picture_of_the_networks_size_is_taken_as_it_is(rng):
    model = network("mobilenet_v1")
    picture = rng.integers(0, 256, (224, 224, 3)).astype("uint8")
    np.testing.assert_array_equal(model.prepare(picture).numpy()[0], picture)


@pytest.mark.parametrize(("wrong", "error", "words"), [
    (np.zeros((0, 5, 3), "uint8"), ShapeError, "no pixels"),
    (np.zeros((8, 8, 2), "float32"), ShapeError, "height, width, 3"),
    (np.full((8, 8, 3), 0.5, "float32"), ValueError, "Multiply by 255"),
    (np.zeros((8, 8, 3), "complex64"), TypeError, "complex64"),
    ("nowhere.png", FileNotFoundError, "nowhere.png"),
])  # fmt: skip
def test_what_is_no_picture_is_refused_in_a_sentence(wrong, error, words):
    with pytest.raises(error, match=words):
        network("mobilenet_v1").classify(wrong)


@pytest.mark.parametrize("top", [0, 1001, 2.5, True])
def test_a_top_that_cannot_be_is_refused(top):
    with pytest.raises(ValueError, match="top must be 1 to 1000"):
        network("mobilenet_v1").classify(np.zeros((224, 224, 3), "uint8"), top=top)


# x and y as parts of the picture, and the score, as the published networks give them for the astronaut.
POSENET = {"nose": (0.434, 0.247, 1.0), "left_eye": (0.479, 0.202, 1.0), "left_shoulder": (0.627, 0.531, 0.96)}
MOVENET = {"nose": (0.433, 0.236, 0.56), "left_eye": (0.481, 0.197, 0.72), "right_shoulder": (0.213, 0.5, 0.64)}


@pytest.mark.parametrize(("name", "expected"), [("posenet", POSENET), ("movenet", MOVENET)])
def test_the_astronauts_key_points_are_where_they_should_be(name, expected):
    pose = network(name, "photos").estimate(photo("astronaut"))
    assert [p.name for p in pose] == list(pyml.hub.pose.KEYPOINTS)
    for point, (x, y, score) in expected.items():
        assert abs(pose[point].x / 512 - x) < 0.01 and abs(pose[point].y / 512 - y) < 0.01, pose[point]
        assert abs(pose[point].score - score) < 0.05
    assert pose["left_knee"].score < 0.1               # it is not in the picture


@pytest.mark.parametrize("name", ["posenet", "movenet"])
def test_key_points_are_in_pixels_of_a_picture_of_any_shape(name):
    from PIL import Image

    model = network(name, "photos")
    astronaut = Image.open(photo("astronaut")).convert("RGB")
    wide = Image.new("RGB", (768, 512))
    wide.paste(astronaut, (200, 0))
    square, moved = model.estimate(astronaut)["nose"], model.estimate(wide)["nose"]
    assert abs(moved.x - 200 - square.x) < 12 and abs(moved.y - square.y) < 12


def test_the_astronaut_is_told_from_the_background():
    model = network("selfie_segmentation", "photos")
    mask = model.segment(photo("astronaut")).numpy()
    assert mask.shape == (512, 512) and mask.min() >= 0 and mask.max() <= 1
    assert abs((mask > 0.5).mean() - 0.545) < 0.02
    assert mask[150, 220] > 0.9 and mask[40, 40] < 0.1  # the face, and the flag behind


def test_the_astronaut_gets_another_background():
    model = network("selfie_segmentation", "photos")
    picture = model.cut_out(photo("astronaut"), background=(0, 200, 0)).numpy()
    np.testing.assert_allclose(picture[40, 40], [0, 200 / 255, 0], atol=0.02)
    with pytest.raises(ShapeError, match="background"):
        model.cut_out(photo("astronaut"), background=np.zeros((5, 5, 3)))
