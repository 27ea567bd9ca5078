"""Loss slices beside numpy, and the embedding projector by its specification."""

import numpy as np
import pytest

import pyml
from pyml import layers, vis
from pyml.vis.landscapes import along


def linear_model():
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2, name="out")])
    model.compile("sgd", "mse")
    model.get_layer("out").set_weights([np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]]), np.array([0.1, -0.2])])
    return model


def data(rows=6):
    draw = np.random.default_rng(1)
    return draw.normal(size=(rows, 3)).astype("float32"), draw.normal(size=(rows, 2)).astype("float32")


@pytest.mark.parametrize("dimensions", [1, 2])
def test_a_slice_is_the_loss_at_weights_moved_along_its_directions(dimensions):
    model, (x, y) = linear_model(), data()
    kernel, bias = model.get_layer("out").get_weights()
    draw = np.random.default_rng(4)
    ways = [along(kernel, draw) for _ in range(dimensions)]
    figure = vis.loss_slice(model, x, y, dimensions=dimensions, resolution=5, span=0.5, seed=4)
    places = np.linspace(-0.5, 0.5, 5)
    loss = lambda *steps: float(((x @ (kernel + sum(step * way for step, way in zip(steps, ways, strict=True))) + bias - y) ** 2).mean())
    wanted = [loss(a) for a in places] if dimensions == 1 else [[loss(a, b) for a in places] for b in places]
    np.testing.assert_allclose(figure.values, wanted, rtol=1e-4)
    if dimensions == 1:  # one curve
        assert [(row["series"], row["x"], row["y"]) for row in figure.rows()] == [("Series 1", *p) for p in zip(places, figure.values)]
    for found, before in zip(model.get_layer("out").get_weights(), (kernel, bias), strict=True):
        np.testing.assert_array_equal(found, before)


@pytest.mark.parametrize("shape", [(5, 4), (3, 3, 2, 6)])
def test_each_filter_of_a_direction_is_as_long_as_that_of_the_weights(shape):
    weights = np.random.default_rng(0).normal(size=shape).astype("float32")
    length = lambda values: np.sqrt((values.reshape(-1, shape[-1]) ** 2).sum(0))
    np.testing.assert_allclose(length(along(weights, np.random.default_rng(1))), length(weights), rtol=1e-5)


def test_a_slice_leaves_biases_statistics_and_the_optimizer_alone():
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(2)])
    model.compile("adam", "mse")
    x, y = data(8)
    model.fit(x, y, epochs=1, verbose=0)
    before = [v.numpy().copy() for v in [*model.variables, *model.optimizer.variables]]
    vis.loss_slice(model, x, y, resolution=3)
    for variable, value in zip([*model.variables, *model.optimizer.variables], before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"dimensions": 3}, "dimensions must be 1, a line, or 2, a plane"),
        ({"resolution": 4}, "resolution must be odd"),
        ({"y": np.zeros((5, 2))}, "the same number of rows"),
        ({"model": None}, "call model.compile"),
    ],
)
def test_what_makes_no_slice_is_said_in_a_sentence(given, sentence):
    x, y = data()
    if "model" in given:
        given = {"model": pyml.Sequential([pyml.Input((3,)), layers.Dense(2)])}
    with pytest.raises(ValueError, match=sentence):
        vis.loss_slice(**{"model": linear_model(), "x": x, "y": y, **given})


# ---- the projector


def test_the_projector_shows_pictures_texts_and_classes_and_thins_what_is_too_much():
    draw = np.random.default_rng(0)
    many = draw.normal(size=(1000, 5))
    pictures = draw.random((1000, 4, 4))
    figure = vis.projector(many, labels=np.arange(1000) % 3, images=pictures, texts=[f"n{i}" for i in range(1000)])
    rows = figure.rows()
    assert len(rows) == 400 and figure.spec["title"]["subtitle"].startswith("400 of 1,000 points are drawn; dots are ")
    assert rows[1]["image"].startswith("data:image/png;base64,") and rows[1]["text"] == "n3" and rows[1]["class"] == "0"
    assert max(abs(row["x"]) for row in rows) <= 1 and figure.values.shape == (1000, 2)
    assert [layer["mark"]["type"] for layer in figure.spec["layer"]] == ["point", "square", "image", "text"]


def test_pictures_that_others_would_hide_are_dots_until_they_are_searched_for():
    places = np.array([[0.0, 0.0], [0.01, 0.0], [1.0, 0.5], [-1.0, -0.5]])
    figure = vis.projector(places, images=np.zeros((4, 8, 8), "uint8"), labels=[0, 1, 0, 1], texts="abcd")
    assert [row["behind"] for row in figure.rows()] == [False, True, False, False]
    assert figure.spec["title"]["subtitle"] == "Dots are pictures that others would hide: a search shows them."
    dots, _, pictures, _ = (layer["transform"][0]["filter"] for layer in figure.spec["layer"])
    assert dots == "datum.behind" and pictures.startswith("!datum.behind || (search !== ''")
    space = vis.projector(np.eye(4) / 1e9, images=np.zeros((4, 8, 8), "uint8"), dimensions=3)
    assert not any(row["behind"] for row in space.rows())  # another turn uncovers them


def test_the_projector_turns_a_space_of_three_directions():
    draw = np.random.default_rng(0)
    figure = vis.projector(draw.normal(size=(40, 6)), dimensions=3)
    assert figure.values.shape == (40, 3) and {"turn", "tilt"} < {param["name"] for param in figure.spec["params"]}
    np.testing.assert_allclose(figure.values[:, :2], vis.pca(draw.__class__(np.random.PCG64(0)).normal(size=(40, 6))).values, rtol=1e-6)
    pytest.importorskip("vl_convert").vegalite_to_svg(figure.themed("light"), vl_version="5.20")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"texts": ["a"]}, "expected 4 texts"),
        ({"labels": [1]}, "expected 4 labels"),
        ({"method": "umap"}, "method must be 'pca' or 'tsne'"),
        ({"dimensions": 4}, "dimensions 2 or 3"),
        ({"labels": [0, 0, 1, 1], "class_names": ["one"]}, "class_names must name 2 classes"),
    ],
)
def test_what_cannot_be_projected_is_said_in_a_sentence(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        vis.projector(np.eye(4), **given)
