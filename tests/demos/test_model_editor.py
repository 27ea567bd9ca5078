"""The digits page says what is wrong with a model.py: the line of the layer itself, and a hint where there is one."""

import pytest

import pyml

BODY = """from pyml import Input, Sequential, layers

def build_model():
    model = Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(8, 5, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model
"""


@pytest.fixture(autouse=True)
def as_in_a_page():
    """Errors without pyml's own frames, which the other tests keep."""
    pyml.config.enable_traceback_filtering()
    yield
    pyml.config.disable_traceback_filtering()


@pytest.fixture(scope="module")
def explained(demo_module):
    module = demo_module("mnist", "lines")

    def explain(source):
        lines = module.Lines(source)
        try:
            lines.build()
        except Exception as error:
            return lines.explain(error)
        return pytest.fail("it was built")

    return explain


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("layers.Flatten", "layers.Flaten", 9, "Did you mean 'Flatten'?"),
        ("layers.MaxPooling2D(2)", "layers.MaxPooling2D(99)", 8, "ShapeError: "),  # found while Sequential( puts it on top
        ("layers.Dense(10, ", "layers.Dense(-10, ", 10, "Dense"),
        ("layers.Flatten()", "layers.Reshape((7, 7))", 9, "cannot reshape"),
        ("return model", "return modle", 14, "Did you mean: 'model'?"),
        ("return model", "return", None, "end it with `return model`"),
        ("return model", "return 3", None, "returned int"),
        ("def build_model", "def make_model", None, "must define build_model()"),
        ("    model.compile(", "    model.compile((", 13, "SyntaxError"),
        ("from pyml import", "from keras import", 1, "pyml has the API of Keras 3"),
        ("from pyml import", "import pandas\nfrom pyml import", 1, "No module named 'pandas'\nA page has Python's own modules, numpy"),
        ("from pyml import", "import tensorflow as tf\nfrom pyml import", 1, "pyml has the API of Keras 3"),
    ],
)
def test_a_mistake_is_told_with_its_own_line(explained, old, new, line, text):
    told = explained(BODY.replace(old, new))
    assert text in told["text"] and told["line"] == line


def test_the_line_of_the_users_own_layer_is_where_it_failed(explained):
    own = "class Own(layers.Layer):\n    def call(self, x):\n        return x @ missing\n\n"
    source = BODY.replace("def build_model", own + "def build_model").replace("layers.Flatten()", "Own()")
    assert explained(source)["line"] == 5


def test_a_good_model_is_built_and_layers_are_as_they_were(demo_module):
    before = pyml.Layer.__init__
    assert demo_module("mnist", "lines").Lines(BODY).build().count_params() == 8 * 25 + 8 + 12 * 12 * 8 * 10 + 10
    assert pyml.Layer.__init__ is before
