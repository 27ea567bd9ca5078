"""FeatureSpace, and models that begin with text."""

import copy

import numpy as np
import pytest

import pyml
from pyml.export import ExportError

FeatureSpace = pyml.utils.FeatureSpace
TABLE = {"size": [1.0, 2.0, 4.0, 5.0], "kind": ["tea", "milk", "tea", "water"], "number": [7, 7, 8, 9]}


def spaces():
    return FeatureSpace({"size": "float_normalized", "kind": "string_categorical", "number": "integer_categorical"},
                        crosses=[FeatureSpace.cross(("kind", "number"), 5)])  # fmt: skip


def adapted(space, data=TABLE):
    space.adapt(data)
    return space


def test_columns_become_one_vector_in_the_order_of_their_names(cpu):
    space = adapted(spaces())
    rows = space(TABLE).numpy()
    assert rows.shape == (4, 4 + 4 + 1 + 5)
    np.testing.assert_array_equal(rows[:, :4].argmax(1), [1, 3, 1, 2])             # tea, water, milk: the most frequent first
    np.testing.assert_array_equal(rows[:, 4:8].argmax(1), [1, 1, 3, 2])
    np.testing.assert_allclose(rows[:, 8], (np.array(TABLE["size"]) - 3) / np.sqrt(2.5), rtol=1e-5)
    crossed = pyml.layers.HashedCrossing(5)((np.array([1, 3, 1, 2]), np.array([1, 1, 3, 2]))).numpy()
    np.testing.assert_array_equal(rows[:, 9:].argmax(1), crossed)
    np.testing.assert_array_equal(space({name: column[2] for name, column in TABLE.items()}).numpy(), rows[2])


def test_all_kinds_of_features_come_as_a_dict(cpu):
    kinds = {
        "a": "float", "b": FeatureSpace.float_rescaled(2.0, 1.0), "c": FeatureSpace.float_discretized(3, output_mode="int"),
        "d": "float_discretized", "e": FeatureSpace.integer_hashed(4), "f": FeatureSpace.string_hashed(6, output_mode="int"),
        "g": FeatureSpace.string_categorical(3, output_mode="int"),
        "h": FeatureSpace.feature("string", pyml.layers.TextVectorization(output_mode="tf_idf"), "float"),
    }  # fmt: skip
    source = {"float": TABLE["size"], "int": TABLE["number"], "text": TABLE["kind"]}
    table = {name: source["float" if name in "abcd" else "int" if name == "e" else "text"] for name in kinds}
    found = adapted(FeatureSpace(kinds, output_mode="dict", num_discretization_bins=2), table)(table)
    shapes = {name: value.shape[1] for name, value in found.items()}
    assert shapes == {"a": 1, "b": 1, "c": 1, "d": 2, "e": 4, "f": 1, "g": 1, "h": 4}
    assert found["b"].numpy()[:, 0].tolist() == [3.0, 5.0, 9.0, 11.0]
    assert found["g"].numpy()[:, 0].tolist() == [1, 0, 1, 2]


def test_rows_and_batches_of_a_dataset_teach_what_a_dict_of_columns_does(cpu):
    rows = pyml.data.Dataset.from_tensor_slices({name: np.array(column) for name, column in TABLE.items()})
    wanted = adapted(spaces())(TABLE).numpy()
    for data in (rows, rows.batch(3)):
        np.testing.assert_allclose(adapted(spaces(), data)(TABLE).numpy(), wanted, rtol=1e-5)
    space = adapted(spaces())
    mapped = list(rows.batch(2).map(space))
    np.testing.assert_array_equal(np.concatenate([batch.numpy() for batch in mapped]), space(TABLE).numpy())


def test_a_feature_space_comes_back_from_its_config(cpu):
    space = adapted(spaces())
    again = FeatureSpace.from_config(space.get_config())
    again.build_from_config(space.get_build_config())
    again.preprocessors["size"].set_weights(space.preprocessors["size"].get_weights())
    np.testing.assert_array_equal(again(TABLE).numpy(), space(TABLE).numpy())


def test_a_feature_space_comes_back_from_its_file(cpu, tmp_path):
    space = adapted(spaces())
    space.save(tmp_path / "space.keras")
    again = pyml.saving.load_model(tmp_path / "space.keras")
    np.testing.assert_array_equal(again(TABLE).numpy(), space(TABLE).numpy())


def test_a_model_of_encoded_features_and_one_of_raw_columns_share_their_weights(cpu):
    space = adapted(spaces())
    encoded = space.get_encoded_features()
    outputs = pyml.layers.Dense(1)(encoded)
    trained, whole = pyml.Model(encoded, outputs), pyml.Model(space.get_inputs(), outputs)
    trained.compile("sgd", "mse")
    columns = {name: np.array(column) for name, column in TABLE.items()}
    batches = pyml.data.Dataset.from_tensor_slices((columns, np.ones(4))).batch(2).map(lambda x, y: (space(x), y))
    trained.fit(batches, verbose=0)
    wanted = trained.predict(space(TABLE).numpy(), verbose=0)
    np.testing.assert_allclose(whole.predict(columns, verbose=0), wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(whole(columns).numpy(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("call", "told"), [
    (lambda: FeatureSpace({}), "empty"),
    (lambda: FeatureSpace({"a": "floats"}), "Invalid feature type"),
    (lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]), "unknown features"),
    (lambda: FeatureSpace({"a": "float"}, output_mode="list"), "output_mode"),
    (lambda: FeatureSpace({"a": "float_normalized"})({"a": [1.0]}), r"call `.adapt\(dataset\)`"),
    (lambda: FeatureSpace({"a": "float"})({"b": [1.0]}), "column.* a are missing"),
    (lambda: FeatureSpace({"a": "float"})([1.0]), "dict"),
    (lambda: FeatureSpace({"a": "float_normalized"}).adapt([1.0]), "Dataset or a dict"),
    (lambda: FeatureSpace({"a": FeatureSpace.string_hashed(3, output_mode="int")})({"a": ["b"]}), "has not been encoded"),
    (lambda: FeatureSpace({"a": FeatureSpace.feature("float32", pyml.layers.Identity(), "one_hot")})({"a": [1.0]}), "integer dtype"),
])  # fmt: skip
def test_a_feature_space_says_what_is_missing(call, told, cpu):
    with pytest.raises(ValueError, match=told):
        call()


# ---- models that begin with text
TEXTS = np.array(["the cat sat", "a dog ran", "the dog", "cat cat"] * 4)
LABELS = np.array([1, 0, 0, 1] * 4)


def text_model():
    vectorize = pyml.layers.TextVectorization(output_sequence_length=4)
    vectorize.adapt(TEXTS)
    inputs = pyml.Input((1,), dtype="string", name="text")
    x = pyml.layers.Embedding(vectorize.vocabulary_size(), 3, mask_zero=True)(vectorize(inputs))
    model = pyml.Model(inputs, pyml.layers.Dense(1, activation="sigmoid")(pyml.layers.GlobalAveragePooling1D()(x)))
    model.compile(pyml.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    return model


def test_a_model_that_begins_with_text_trains_and_predicts_from_text(wasm):
    model = text_model()
    history = model.fit(TEXTS, LABELS, epochs=20, verbose=0, validation_data=(TEXTS, LABELS)).history
    assert history["loss"][-1] < 0.5 * history["loss"][0] and history["val_accuracy"][-1] == 1
    found = model.predict(TEXTS[:4], verbose=0)
    np.testing.assert_allclose(model(TEXTS[:4]).numpy(), found, rtol=1e-4, atol=1e-5)


def test_text_comes_as_arrays_lists_datasets_generators_and_single_batches(cpu):
    model = text_model()
    wanted = model.predict(TEXTS, verbose=0)
    batches = pyml.data.Dataset.from_tensor_slices((TEXTS, LABELS)).batch(8)
    forms = (TEXTS[:, None], TEXTS.tolist(), {"text": TEXTS}, batches, ((TEXTS[i : i + 8],) for i in (0, 8)))
    for form in forms:
        np.testing.assert_allclose(model.predict(form, verbose=0), wanted, rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(TEXTS), wanted, rtol=1e-5)
    loss = model.evaluate(batches, verbose=0)
    np.testing.assert_allclose(model.test_on_batch(TEXTS, LABELS), loss, rtol=1e-4)
    model.fit(((TEXTS, LABELS) for _ in range(2)), steps_per_epoch=2, verbose=0)
    model.train_on_batch(TEXTS, LABELS)
    assert not np.allclose(model.predict(TEXTS, verbose=0), wanted)


def test_a_model_that_begins_with_text_comes_back_from_json(cpu):
    model = text_model()
    again = pyml.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(TEXTS, verbose=0), model.predict(TEXTS, verbose=0))


def test_a_sequential_may_begin_with_text(cpu):
    model = pyml.Sequential([
        pyml.Input((1,), dtype="string"), pyml.layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot"), pyml.layers.Dense(1),
    ])  # fmt: skip
    kernel, bias = model.get_weights()
    late = pyml.Sequential(model.layers)
    np.testing.assert_allclose(late.predict(np.array(["b", "z"]), verbose=0), kernel[[2, 0]] + bias, rtol=1e-5)
    np.testing.assert_allclose(model.predict(np.array(["b", "z"]), verbose=0), kernel[[2, 0]] + bias, rtol=1e-5)


# ---- layers of text inside layers and models with a `call` of the user's own
class Words(pyml.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.places = pyml.layers.StringLookup(vocabulary=["the", "cat"])
        self.vectors = pyml.layers.Embedding(3, 2)

    def call(self, x):
        return self.vectors(self.places(x[:, 0]))


class Towers(pyml.Model):
    """One lookup for two inputs, a text layer whose width is that of the batch, and a branch on `training`."""

    def __init__(self):
        super().__init__()
        self.words, self.texts = Words(), pyml.layers.TextVectorization(vocabulary=["the", "cat"])
        self.hashes, self.vectors, self.score = pyml.layers.Hashing(4), pyml.layers.Embedding(4, 2), pyml.layers.Dense(1)

    def call(self, x, training=False):
        text = pyml.ops.mean(self.vectors(self.texts(x["text"])), axis=1)
        parts = [self.words(x["user"]), self.words(x["film"]), self.vectors(self.hashes(x["user"][:, 0])), text, x["age"]]
        return self.score(pyml.ops.concatenate(parts, axis=-1)) * (2.0 if training else 1.0)


class Pairs(pyml.Model):
    """Towers that are built by their first call."""

    def __init__(self):
        super().__init__()
        tower = lambda: pyml.Sequential([pyml.layers.StringLookup(vocabulary=["the", "cat"]), pyml.layers.Embedding(3, 2)])
        self.users, self.films, self.score = tower(), tower(), pyml.layers.Dense(1)

    def call(self, x):
        return self.score(pyml.ops.concatenate([self.users(x["user"][:, 0]), self.films(x["film"][:, 0])], axis=-1))


class Made(pyml.Model):
    """Layers that `build` makes, a count of calls, random numbers and a penalty."""

    def build(self, shape):
        self.calls, self.middle = (self.add_weight(shape=(), initializer="zeros", trainable=False) for _ in range(2))
        self.average = pyml.metrics.Mean(name="average")
        self.words, self.score = Words(), pyml.layers.Dense(1, activity_regularizer="l2")
        self.tower = pyml.Sequential([pyml.layers.StringLookup(vocabulary=["the"]), pyml.layers.Embedding(2, 2), pyml.layers.Dropout(0.5)])
        self.built = True

    def call(self, x, training=False):
        self.calls.assign_add(1.0)
        found = self.tower(x[:, 0]) + self.words(x)
        self.middle.assign(pyml.ops.mean(found))
        self.average.update_state(found)
        return self.score(found)


class Placed(pyml.Model):
    """As many positions as there are words."""

    def __init__(self):
        super().__init__()
        self.texts, self.vectors = pyml.layers.TextVectorization(vocabulary=["the", "cat"]), pyml.layers.Embedding(4, 2)
        self.places, self.score = pyml.layers.Embedding(9, 2), pyml.layers.Dense(1)

    def call(self, x):
        found = self.texts(x)
        rows, words = pyml.ops.shape(found)
        places = pyml.ops.broadcast_to(self.places(pyml.ops.arange(words)), (rows, words, 2))
        return self.score(pyml.ops.max(self.vectors(found) + places, axis=1))


TOWERS = {"user": np.array([["the"], ["dog"], ["cat"], ["the"]]), "film": np.array([[b"cat"], [b"cat"], [b"the"], [b"x"]], object),
          "text": np.array(["the cat the", "cat", "dog cat x", "the"]), "age": np.ones((4, 1), "float32")}  # fmt: skip
SCORES = np.arange(4.0)[:, None]


def as_pieces(x, y):
    for i in range(0, 4, 2):
        yield pyml.tree.map_structure(lambda part: part[i : i + 2], (x, y))  # noqa: B023


def inner_models():
    word, age = pyml.Input((1,), dtype="string", name="word"), pyml.Input((1,), name="age")
    both = {"word": TOWERS["user"], "age": TOWERS["age"]}
    inner = pyml.Model(word, Words()(word))
    yield Towers(), TOWERS
    yield Pairs(), TOWERS
    yield pyml.Model([word, age], pyml.layers.Dense(1)(pyml.ops.concatenate([Words()(word), age], axis=-1))), both
    yield pyml.Model([word, age], pyml.layers.Dense(1)(pyml.layers.Concatenate()([inner(word), age]))), both
    yield pyml.Sequential([Words(), pyml.layers.Dense(1)]), TOWERS["user"]
    yield pyml.Sequential([pyml.Input((1,), dtype="string"), Words(), pyml.layers.Dense(1)]), TOWERS["user"]
    yield pyml.Model(word, pyml.layers.Dense(1)(pyml.layers.Embedding(3, 2)(
        pyml.layers.StringLookup(vocabulary=["the", "cat"])(word[:, 0])))), TOWERS["user"]  # fmt: skip
    yield Placed(), TOWERS["text"]
    pairs = pyml.Input((2, 1), dtype="string")
    for each in (Words(), pyml.Sequential([pyml.layers.StringLookup(vocabulary=["the"]), pyml.layers.Embedding(2, 2)])):
        yield pyml.Model(pairs, pyml.layers.Dense(1)(pyml.layers.Flatten()(pyml.layers.TimeDistributed(each)(pairs)))), np.stack(
            [TOWERS["user"], TOWERS["film"]], axis=1)  # fmt: skip


@pytest.mark.parametrize("which", range(10))
def test_layers_of_text_may_be_inside_calls_of_ones_own(which, device):
    model, x = list(inner_models())[which]
    model.compile(pyml.optimizers.SGD(0.01), "mse")
    found = model.predict(x, batch_size=3, verbose=0)
    np.testing.assert_allclose(found, model(x).numpy(), rtol=1e-5, atol=1e-6)  # called by itself, the layers look up for themselves
    trained = np.mean((model(x, training=True).numpy() - SCORES) ** 2)
    history = model.fit(x, SCORES, batch_size=4, verbose=0, validation_data=(x, SCORES)).history
    np.testing.assert_allclose(history["loss"][0], trained, rtol=1e-4)
    np.testing.assert_allclose(history["val_loss"][0], np.mean((model(x).numpy() - SCORES) ** 2), rtol=1e-4)
    np.testing.assert_allclose(model.evaluate(as_pieces(x, SCORES), steps=2, verbose=0), history["val_loss"][0], rtol=1e-4)
    before = model.predict(x, verbose=0)
    model.train_on_batch(x, SCORES)
    assert np.abs(model.predict(x, verbose=0) - before).max() > 1e-6
    assert all(len(layer._inbound_nodes) <= 1 for layer in model.layers)


def test_looking_into_a_call_changes_no_state(cpu):
    model = Made()
    model.compile("sgd", "mse")
    model.fit(TOWERS["user"], SCORES, batch_size=2, epochs=2, verbose=0)
    assert float(model.calls) == 4 and float(model.average.count) == 4 and float(model.middle) and not model.losses
    seed = model.tower.layers[-1].seed_generator.state
    drawn = seed.numpy()
    model._text_stage = None                           # what was seen is forgotten: another look
    assert model.predict(TOWERS["user"], verbose=0).shape == (4, 1) and float(model.calls) == 5
    np.testing.assert_array_equal(seed.numpy(), drawn)
    assert [len(layer._inbound_nodes) for layer in (model, model.score, model.words, model.tower)] == [0] * 4
    assert [layer.output.shape for layer in model.tower.layers] == [(None,), (None, 2), (None, 2)]


@pytest.mark.parametrize("how", ["call", "fit"])
@pytest.mark.parametrize("kind", [Towers, Pairs])
def test_models_with_text_in_a_call_of_ones_own_come_back_from_files(kind, how, cpu, tmp_path):
    model = kind()
    model.compile("sgd", "mse")
    if how == "fit":
        model.fit(TOWERS, SCORES, verbose=0)
    want = model(TOWERS).numpy()
    model.save(tmp_path / "towers.keras")
    again = pyml.saving.load_model(tmp_path / "towers.keras", custom_objects={kind.__name__: kind, "Words": Words})
    np.testing.assert_allclose(again.predict(TOWERS, verbose=0), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(copy.deepcopy(again)(TOWERS).numpy(), want, rtol=1e-5, atol=1e-6)


def test_a_call_with_text_may_ask_for_the_number_of_rows(cpu):
    class Summed(pyml.Model):
        def __init__(self):
            super().__init__()
            self.words, self.score = Words(), pyml.layers.Dense(1)

        def call(self, x):
            found = self.words(x)
            return self.score(pyml.ops.zeros((pyml.ops.shape(found)[0], 2)) + found)

    model = Summed()
    model.compile("sgd", "mse")
    found = model.predict(TOWERS["user"], batch_size=3, verbose=0)  # 3 rows, then 1
    np.testing.assert_allclose(found, model(TOWERS["user"]).numpy(), rtol=1e-5, atol=1e-6)
    model.fit(as_pieces(TOWERS["user"], SCORES), verbose=0)


@pytest.mark.parametrize("built", [False, True])
def test_a_model_with_text_in_its_call_is_not_exported_and_says_why(built, cpu, tmp_path):
    class Own(pyml.Model):
        def __init__(self):
            super().__init__()
            self.words = Words()

        def call(self, x):
            return self.words(x)

    model = Own()
    if built:
        model(TOWERS["user"])
    with pytest.raises(ExportError, match=r"model 'own\w*' uses '\w+' \(StringLookup\), on which Python works"):
        pyml.export(model, tmp_path / "own", input_shapes=[(1,)])


def test_text_under_other_names_than_before_is_looked_up_anew(cpu):
    class Either(pyml.Model):
        def __init__(self):
            super().__init__()
            self.words, self.score = Words(), pyml.layers.Dense(1)

        def call(self, x):
            found = [self.words(x[name]) for name in ("user", "film") if name in x]
            return self.score(found[0] if found else pyml.ops.tile(x["age"], (1, 2)))

    model, film, user, age = Either(), TOWERS["film"], TOWERS["user"], TOWERS["age"]
    for given in ({"age": age}, {"user": user}, {"film": film}, {"age": age, "film": film}, {"age": age, "user": user}, {"user": film}):
        np.testing.assert_allclose(model.predict(given, verbose=0), model(given).numpy(), rtol=1e-5, atol=1e-6)


def test_text_looked_up_in_one_branch_alone_is_refused(cpu):
    class Sometimes(pyml.Model):
        def __init__(self):
            super().__init__()
            self.words, self.score = Words(), pyml.layers.Dense(1)

        def call(self, x, training=False):
            once = self.words(x)
            return self.score(once + self.words(x) if training else once)

    model = Sometimes()
    model.compile("sgd", "mse")
    assert model.predict(TOWERS["user"], verbose=0).shape == (4, 1)
    with pytest.raises(RuntimeError, match="called more often than in the first, symbolic call"):
        model.fit(TOWERS["user"], SCORES, verbose=0)


@pytest.mark.parametrize("values_are_read", [False, True])
def test_a_layer_of_text_that_a_call_does_not_use_changes_nothing(values_are_read, cpu):
    class Kept(pyml.Model):
        def __init__(self):
            super().__init__()
            self.vectorize, self.score = pyml.layers.TextVectorization(vocabulary=["the", "cat"]), pyml.layers.Dense(1)

        def call(self, x):
            return self.score(x) * (float(pyml.ops.max(x)) if values_are_read else 1.0)

    model = Kept()
    model.compile("sgd", "mse", run_eagerly=values_are_read)
    x = np.asarray(model.vectorize(TOWERS["text"]), "float32")
    assert model.predict(x.tolist(), verbose=0).shape == (4, 1)
    assert np.isfinite(model.fit(x, SCORES, verbose=0).history["loss"][0]) and model.evaluate(x, SCORES, verbose=0) > 0


def test_a_train_step_of_ones_own_gets_the_inputs_by_their_names(cpu):
    class Weighed(Pairs):
        def train_step(self, data):
            x, y = data
            with pyml.GradientTape() as tape:
                loss = pyml.ops.mean((self(x, training=True) - y) ** 2 * x["age"]) + 0 * pyml.ops.mean(self(x))
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss}

    weights = {**TOWERS, "age": np.array([[1.0], [2.0], [0.0], [3.0]], "float32")}
    model = Weighed()
    model.compile(pyml.optimizers.SGD(0.01), "mse")
    want = np.mean((model(weights).numpy() - SCORES) ** 2 * weights["age"])
    history = model.fit(weights, SCORES, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(history[0], want, rtol=1e-4)
    assert history[1] < history[0]


def test_one_row_gives_features_without_a_batch_in_either_form(cpu):
    columns = {"size": [1.0, 3.0, 5.0], "kind": ["a", "b", "a"]}
    for output_mode, coded in (("concat", "one_hot"), ("dict", "int"), ("dict", "one_hot")):
        kind = FeatureSpace.string_categorical(output_mode=coded)
        space = FeatureSpace({"size": "float_normalized", "kind": kind}, output_mode=output_mode)
        space.adapt(columns)
        whole, one = space(columns), space({name: column[1] for name, column in columns.items()})
        for many, single in [(whole, one)] if output_mode == "concat" else [(whole[name], one[name]) for name in columns]:
            np.testing.assert_array_equal(single.numpy(), many.numpy()[1])


def test_words_of_output_modes_are_those_of_the_kind_of_feature():
    for mode, made in (("float", lambda: FeatureSpace.cross(("a", "b"), 3, output_mode="float")),
                       ("word", lambda: FeatureSpace.feature("float32", pyml.layers.Identity(), "word"))):  # fmt: skip
        with pytest.raises(ValueError, match=f"Invalid value for argument `output_mode`.*output_mode={mode}"):
            made()
