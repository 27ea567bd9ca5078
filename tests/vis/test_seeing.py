"""What `pyml.vis` shows of networks, beside what numpy and scikit-learn say."""

from itertools import pairwise

import numpy as np
import pytest

import pyml
from pyml import layers, vis

PICTURE = np.random.default_rng(0).random((12, 12, 1), dtype="float32")


@pytest.fixture(scope="module")
def bright_corner():
    """A convnet whose output 1 is the mean of what a 3 x 3 mean filter sees, and 0 its negative."""
    model = pyml.Sequential([
        pyml.Input((12, 12, 1)), layers.Conv2D(2, 3, name="conv"), layers.Activation("relu"),
        layers.GlobalAveragePooling2D(), layers.Dense(2, name="out"),
    ])  # fmt: skip
    kernel = np.zeros((3, 3, 1, 2), "float32")
    kernel[..., 0], kernel[1, 1, 0, 1] = 1 / 9, -1
    model.get_layer("conv").set_weights([kernel, np.array([0.0, 0.5])])
    model.get_layer("out").set_weights([np.array([[-1.0, 1.0], [0.0, 0.0]]), np.zeros(2)])
    return model


def test_activations_are_the_output_of_the_layer(bright_corner):
    figure = vis.activations(bright_corner, PICTURE, "conv")
    wanted = np.array([[PICTURE[i : i + 3, j : j + 3].mean() for j in range(10)] for i in range(10)])
    assert np.allclose(figure.values[..., 0], wanted, atol=1e-5) and len(figure.rows()) == 2
    assert vis.activations(bright_corner, PICTURE[None], -1).values.shape == (2,)


def test_gradients_fall_on_the_pixels_that_count(bright_corner):
    wanted = np.zeros((12, 12))
    for i in range(10):
        for j in range(10):
            wanted[i : i + 3, j : j + 3] += 1 / 900
    assert np.allclose(vis.saliency(bright_corner, PICTURE, 1).values, wanted, atol=1e-6)
    found = vis.integrated_gradients(bright_corner, PICTURE, 1, steps=20).values
    score = bright_corner(PICTURE[None]).numpy()[0, 1]
    assert np.allclose(found[..., 0], wanted * PICTURE[..., 0], atol=1e-6) and np.isclose(found.sum(), score, atol=1e-5)


def test_occlusion_and_grad_cam_find_the_spot(bright_corner):
    picture = np.zeros((12, 12, 1), "float32")
    picture[2:5, 7:10] = 1
    heat = vis.occlusion(bright_corner, picture, 1, patch=3, stride=1).values
    assert np.unravel_index(heat.argmax(), heat.shape) == (3, 8) and heat[9:, :4].max() == pytest.approx(0, abs=1e-6)
    cam = vis.grad_cam(bright_corner, picture, 1).values
    assert cam.shape == (12, 12) and cam[2:5, 7:10].mean() > 4 * cam.mean() and 0 <= cam.min() <= cam.max() <= 1.01


def test_filters_climb_towards_what_a_channel_answers_to(bright_corner):
    found = vis.filters(bright_corner, "conv", indices=[0, 1], steps=3, step_size=0.1).values
    assert found.shape == (2, 12, 12, 1) and found.min() >= 0 and found.max() <= 1
    again = vis.filters(bright_corner, "conv", indices=[1], steps=0).values
    assert found.std(axis=(1, 2, 3)).min() > 0 and again.shape == (1, 12, 12, 1)


def test_components_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits  # takes seconds to import
    from sklearn.decomposition import PCA

    x = load_digits().data[:200]
    ours, theirs = vis.pca(x, components=3).values, PCA(3, svd_solver="full").fit_transform(x)
    assert np.allclose(np.abs(ours), np.abs(theirs), atol=1e-6)


def test_tsne_keeps_neighbours_together():
    from sklearn.datasets import load_digits
    from sklearn.manifold import trustworthiness

    x, y = load_digits(return_X_y=True)
    x, y = x[:250], y[:250]
    figure = vis.tsne(x, y, perplexity=15, iterations=250)
    assert trustworthiness(x, figure.values, n_neighbors=7) > 0.95
    assert {row["series"] for row in figure.rows()} == {str(i) for i in range(10)}


def test_tsne_is_drawn_while_it_runs_and_ends_where_it_would_have():
    x, y = np.random.default_rng(2).normal(size=(40, 3)), np.arange(40) % 2
    seen = []
    before = vis.draw_with(lambda name, tab, figure: seen.append((name, figure.values.copy())))
    try:
        found = vis.tsne(x, y, perplexity=5, iterations=35, every=10, title="Islands").values
    finally:
        vis.draw_with(before)
    assert [name for name, _ in seen] == ["Islands"] * 3
    assert all(np.abs(a - b).max() > 0 for (_, a), (_, b) in pairwise(seen))
    np.testing.assert_array_equal(found, vis.tsne(x, y, perplexity=5, iterations=35).values)
    vis.tsne(x, perplexity=5, iterations=5, every=1)   # nobody to see it: only the end counts
    with pytest.raises(ValueError, match="every must be a positive integer"):
        vis.tsne(x, perplexity=5, every=0)


def softmax(scores):
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def test_attention_shows_where_each_head_looks():
    a, b = pyml.Input((3, 4)), pyml.Input((5, 4))
    heads = layers.MultiHeadAttention(2, 3, use_bias=False, name="heads")
    mixed = heads(a, b)
    plain = layers.Attention(name="plain")([mixed, b])
    model = pyml.Model([a, b], layers.GlobalAveragePooling1D()(plain))
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=(5, 4)).astype("float32")
    query, key = heads.get_weights()[:2]
    wanted = softmax(np.einsum("thk,shk->hts", np.einsum("td,dhk->thk", x, query), np.einsum("sd,dhk->shk", z, key)) / np.sqrt(3))
    for _ in range(7):                                 # a model that is called often replays what it recorded
        before = model([x[None], z[None]]).numpy()
    figure = vis.attention(model, [x, z], "heads", target_labels="abc")
    np.testing.assert_allclose(figure.values, wanted, atol=1e-5)
    assert len(figure.spec["vconcat"]) == 2 and [row["y"] for row in figure.spec["vconcat"][0]["data"]["values"][::5]] == list("abc")
    told = pyml.Model([a, b], mixed)([x[None], z[None]]).numpy()[0]
    last = vis.attention(model, [x, z])                # the last layer that attends, unless one is named
    np.testing.assert_allclose(last.values, softmax(told @ z.T)[None], atol=1e-5)
    assert last.spec["encoding"]["x"]["title"] == "looked at" and last.title == "Where plain looks"
    np.testing.assert_array_equal(model([x[None], z[None]]).numpy(), before)


def test_attention_is_found_inside_other_layers():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.look = layers.MultiHeadAttention(1, 2, name="inside")

        def call(self, x):
            return x + self.look(x, x, use_causal_mask=True)

    model = pyml.Sequential([pyml.Input((4,), dtype="int32"), layers.Embedding(9, 6), Block(), layers.Flatten(), layers.Dense(1)])
    values = vis.attention(model, [1, 2, 3, 4]).values
    assert values.shape == (1, 4, 4) and np.allclose(values.sum(-1), 1) and np.all(np.triu(values[0], 1) == 0)


@pytest.mark.parametrize(("kind", "arguments", "heads"), [("AdditiveAttention", (), 1), ("GroupQueryAttention", (3, 4, 2), 4)])
def test_every_kind_of_attention_layer_is_looked_at(kind, arguments, heads):
    layer = getattr(layers, kind)(*arguments)
    a, b = pyml.Input((3, 4)), pyml.Input((5, 4))
    mixed = layer([a, b]) if kind == "AdditiveAttention" else layer(a, b)
    model = pyml.Model([a, b], layers.GlobalAveragePooling1D()(mixed))
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=(5, 4)).astype("float32")
    values = vis.attention(model, [x, z]).values
    given = ([x[None], z[None]],) if kind == "AdditiveAttention" else (x[None], z[None])
    _, shares = layer(*given, return_attention_scores=True)
    np.testing.assert_allclose(values, np.reshape(shares.numpy(), (heads, 3, 5)), atol=1e-6)
    np.testing.assert_allclose(values.sum(-1), 1, atol=1e-5)


def test_rows_of_neighbour_probabilities_have_the_perplexity():
    from pyml.vis.projections import neighbours

    x = np.random.default_rng(1).normal(size=(60, 4))
    p = neighbours(np.concatenate([x, x[:3]]), 10)     # also with points that coincide
    assert np.isfinite(p).all() and np.allclose(p, p.T) and np.isclose(p.sum(), 1, atol=1e-5) and np.diag(p).max() == 0


def test_boundaries_lie_where_the_model_changes_its_mind():
    model = pyml.Sequential([pyml.Input((2,)), layers.Dense(1)])
    model.set_weights([np.array([[1.0], [0.0]]), np.array([-0.5])])
    x = np.array([[0.0, 0], [1, 1], [1, 0], [0, 1]])
    figure = vis.decision_boundary(model, x, [0, 1, 1, 0], resolution=20)
    assert (figure.values[:, :10] == 0).all() and (figure.values[:, 10:] == 1).all()
    named = vis.decision_boundary(model, x, [0, 1, 1, 0], resolution=20, class_names=["low", "high"])
    assert [{row["class"] for row in layer["data"]["values"]} for layer in named.spec["layer"]] == [{"low", "high"}] * 2
    with pytest.raises(ValueError, match=r"class_names must name 2 classes\. Received: low"):
        vis.decision_boundary(model, x, [0, 1, 1, 0], class_names=["low"])


def test_grad_cam_takes_no_layer_whose_maps_are_of_one_place():
    model = pyml.Sequential([pyml.Input((12, 12, 1)), layers.Conv2D(3, 3, name="maps"), layers.GlobalAveragePooling2D(keepdims=True),
                             layers.Conv2D(2, 1, name="answer"), layers.Flatten()])  # fmt: skip
    np.testing.assert_array_equal(vis.grad_cam(model, PICTURE).values, vis.grad_cam(model, PICTURE, layer="maps").values)


def test_units_are_drawn_with_what_they_answer_all_over_the_plane_and_the_weights_between():
    model = pyml.Sequential([pyml.Input((2,)), layers.Dense(20), layers.LayerNormalization(), layers.Activation("tanh"),
                             layers.Dropout(0.5), layers.Dense(1, "sigmoid")])  # fmt: skip
    figure = vis.neurons(model, [[0.0, 0], [1, 2]], resolution=6)
    hidden, output = figure.values
    assert hidden.shape == (20, 6, 6) and output.shape == (1, 6, 6)
    a, b = np.meshgrid(-0.08 + 1.16 * (np.arange(6) + 0.5) / 6, -0.16 + 2.32 * (np.arange(6) + 0.5) / 6)
    kernel, _, _, _, last, _ = model.get_weights()
    z = np.stack([a, b], -1) @ kernel
    z = np.tanh((z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-3))
    np.testing.assert_allclose(hidden, np.moveaxis(z, -1, 0), atol=1e-5)
    np.testing.assert_allclose(output[0], 1 / (1 + np.exp(-(z @ last)[..., 0])), atol=1e-5)
    lines, pictures, names = (layer["data"]["values"] for layer in figure.spec["layer"])
    assert len(lines) == 2 * 8 + 8 and len(pictures) == 2 + 8 + 1
    assert [name["text"] for name in names] == ["inputs", "8 of 20", "output"]
    kept = np.sort(np.abs(last[:, 0]).argsort()[-8:])              # those that the output hears most of
    assert [picture["unit"].rsplit(" ", 1)[1] for picture in pictures[2:-1]] == [str(i) for i in kept]
    assert {line["sign"] for line in lines[-8:] if line["weight"] < 0} <= {"low"} and max(line["size"] for line in lines) == 1


def test_a_search_for_the_learning_rate_leaves_the_model_as_it_was():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(128, 3)).astype("float32")
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(pyml.optimizers.SGD(0.25), "mse")
    figure = vis.find_learning_rate(model, x, x @ np.array([[1.0], [2], [3]]), start=1e-4, stop=10.0, steps=60)
    assert {row["series"] for row in figure.rows()} == {"Series 1"} and figure.rows()[0]["x"] == pytest.approx(1e-4)  # one curve
    assert np.all(model.get_weights()[0] == 0) and float(model.optimizer.learning_rate) == 0.25 and int(model.optimizer.iterations) == 0
    assert 1e-3 < figure.values < 1 and figure.spec["encoding"]["x"]["scale"]["type"] == "log"


def looks():
    x = pyml.Input((2, 4))
    return pyml.Model(x, layers.MultiHeadAttention(1, 2, name="look")(x, x))


REFUSED = {
    "vis.activations(m, PICTURE, 'cnov')": "no layer 'cnov'; there are conv",
    "vis.activations(m, PICTURE, 9)": "has 4 layers",
    "vis.attention(m, PICTURE)": "there is no attention layer; the model has none",
    "vis.attention(looks(), np.ones((2, 4)), 'lok')": "there is no attention layer 'lok'; there are look",
    "vis.attention(looks(), np.ones((3, 4)))": "expected one input of shape (2, 4). Received shape (3, 4)",
    "vis.filters(m, 'cnov')": "no layer 'cnov'; there are conv",
    "vis.grad_cam(m, PICTURE, layer='cnov')": "no layer 'cnov'; there are conv",
    "vis.filters(pyml.Sequential([pyml.Input((2,)), layers.Dense(1, name='d')]), 'd')": "must be a picture of a known size",
    "vis.saliency(m, PICTURE[:3])": "expected one input of shape (12, 12, 1). Received shape (3, 12, 1)",
    "vis.saliency(m, PICTURE, 7)": "2 outputs. Received: class_index=7",
    "vis.grad_cam(m, PICTURE, layer='out')": "choose one that gives feature maps",
    "vis.occlusion(m, PICTURE, patch=0)": "patch must be a positive integer",
    "vis.filters(m, 'conv', indices=[5])": "channels 0 to 1. Received: 5",
    "vis.integrated_gradients(m, PICTURE, steps=0)": "steps must be a positive integer",
    "vis.pca([[1.0, np.nan], [1, 2]])": "not finite",
    "vis.pca([1, 2, 3])": "Received shape (3,)",
    "vis.tsne(np.zeros((6000, 2)))": "6,000 points are more than the 5,000",
    "vis.tsne(np.zeros((9, 2)))": "below a third of the 9 points",
    "vis.decision_boundary(m, [[1, 2, 3]], [0])": "expected points (n, 2)",
    "vis.neurons(m, [[1, 2]])": "a built chain of Dense layers on two inputs",
    "vis.neurons(pyml.Sequential([pyml.Input((2,)), layers.Dense(4), layers.Reshape((2, 2))]), [[1, 2]])": "The model has 'reshape",
    "vis.neurons(pyml.Sequential([pyml.Input((2,)), layers.Dense(4)]), [1, 2])": "neurons: expected points (n, 2)",
    "vis.find_learning_rate(m, PICTURE, PICTURE, start=2)": "expected 0 < start < stop",
    "vis.find_learning_rate(m, PICTURE, PICTURE)": "no optimizer and no loss yet; call model.compile(...) first",
    "vis.saliency(m, [PICTURE, PICTURE[:3]])": "expected one input of shape (12, 12, 1). Received a list that is no array of it",
    "vis.saliency(m, {'pixels': PICTURE})": "the model's inputs are input_layer",
    "vis.saliency(pyml.Sequential([layers.Dense(1)]), [1.0])": "must be a built",
}  # fmt: skip


@pytest.mark.parametrize("source", REFUSED)
def test_what_cannot_be_seen_is_said_in_one_sentence(source, bright_corner):
    with pytest.raises(ValueError) as caught:
        eval(source, {**globals(), "m": bright_corner})
    assert REFUSED[source] in str(caught.value)


def test_a_network_within_a_model_is_looked_at_as_one_of_its_layers():
    """As in transfer learning, whose base is a model of its own with an input of its own."""
    base = pyml.Sequential([pyml.Input((8, 8, 3)), pyml.layers.Conv2D(4, 3, name="edges")], name="base")
    model = pyml.Sequential([pyml.Input((8, 8, 3)), base, pyml.layers.GlobalAveragePooling2D(), pyml.layers.Dense(2)])
    x = np.random.default_rng(0).random((8, 8, 3)).astype("float32")
    np.testing.assert_allclose(vis.activations(model, x, "base").values, base(x[None]).numpy()[0], rtol=1e-6)
    assert vis.grad_cam(model, x, 1).values.shape == (8, 8) and vis.filters(model, "base", [0], steps=1).values.shape == (1, 8, 8, 3)
    for layer in ("edges", base.get_layer("edges")):   # and what it holds, by its name or itself
        np.testing.assert_allclose(vis.activations(model, x, layer).values, base(x[None]).numpy()[0], rtol=1e-6)
    assert vis.filters(model, "edges", [0], steps=1).values.shape == (1, 8, 8, 3)
    with pytest.raises(ValueError, match=r"activations: there is no layer 'egdes'; there are base \(of edges\), global"):
        vis.activations(model, x, "egdes")
    with pytest.raises(ValueError, match="activations: 'other' is not a layer of the model; there are base "):
        vis.activations(model, x, layers.Dense(2, name="other"))


def test_a_network_within_a_model_of_several_inputs_is_explained_as_one_in_a_row_would_be():
    """Weights of the second input are zero for the map, whose explanations are then those of the picture's way alone."""
    row = pyml.Sequential([
        pyml.Input((12, 12, 1)), layers.Conv2D(3, 3, activation="tanh"), layers.GlobalAveragePooling2D(), layers.Dense(2)])  # fmt: skip
    base = pyml.Sequential([pyml.Input((12, 12, 1)), *row.layers[:2]], name="base")
    picture, facts = pyml.Input((12, 12, 1), name="picture"), pyml.Input((2,), dtype="int32", name="facts")
    table = layers.Embedding(4, 2, embeddings_initializer="zeros")
    model = pyml.Model([facts, picture], layers.Add()([row.layers[2](base(picture)), layers.GlobalAveragePooling1D()(table(facts))]))
    given = {"picture": PICTURE, "facts": [1, 3]}
    for look in (vis.saliency, vis.integrated_gradients, vis.occlusion, vis.grad_cam):
        alone = look(row, PICTURE, 1).values
        np.testing.assert_allclose(look(model, given, 1).values, alone, atol=1e-5, err_msg=look.__name__)
        np.testing.assert_array_equal(look(model, [[1, 3], PICTURE], 1).values, look(model, given, 1).values)
    np.testing.assert_allclose(vis.activations(model, given, table).values, np.zeros((2, 2)))


def test_a_model_of_a_class_of_ones_own_is_looked_at_once_it_has_an_input(bright_corner):
    class Own(pyml.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.rest = bright_corner.layers[0], pyml.Sequential(bright_corner.layers[1:])

        def call(self, x):
            return self.rest(self.conv(x))

    own, x = Own(), pyml.Input((12, 12, 1))
    own(PICTURE[None])
    with pytest.raises(ValueError, match=r"Of a class of your own: x = pyml\.Input\(shape\), then pyml\.Model\(x, model\(x\)\)"):
        vis.saliency(own, PICTURE)
    model = pyml.Model(x, own(x))
    for look, more in ((vis.saliency, {}), (vis.grad_cam, {"layer": "conv"})):
        np.testing.assert_allclose(look(model, PICTURE, 1, **more).values, look(bright_corner, PICTURE, 1, **more).values, atol=1e-6)


def test_losses_of_models_of_several_inputs_and_outputs_are_looked_at():
    rng = np.random.default_rng(0)
    a, b = pyml.Input((2,), name="a"), pyml.Input((1,), name="b")
    model = pyml.Model([a, b], [layers.Dense(1, name="u")(layers.Concatenate()([a, b])), layers.Dense(1, name="v")(b)])
    model.compile("sgd", "mse")
    x, y = [rng.normal(size=(9, 2)), rng.normal(size=(9, 1))], [np.ones((9, 1)), np.zeros((9, 1))]
    middle = vis.loss_slice(model, x, y, resolution=3).values[1]
    assert middle == pytest.approx(model.evaluate(x, y, verbose=0, return_dict=True)["loss"], rel=1e-5)
    named = {"a": x[0], "b": x[1]}
    assert vis.loss_slice(model, named, y, resolution=3).values[1] == pytest.approx(middle, rel=1e-6)
    assert 0 < vis.find_learning_rate(model, named, y, steps=6, batch_size=4).values < 1


def test_a_model_of_several_outputs_is_explained_by_one_of_them():
    x = pyml.Input((5,))
    model = pyml.Model(x, [pyml.layers.Dense(2, name="a")(x), pyml.layers.Dense(1, name="b")(x)])
    with pytest.raises(ValueError, match=r"saliency: the model has 2 outputs, a, b; make one of a single"):
        vis.saliency(model, np.ones(5), 0)
    assert vis.saliency(pyml.Model(x, model.outputs[0]), np.ones(5), 0).values.shape == (5,)
