"""Wrong input raises before anything runs, with the shapes and the layer's name."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from helpers import blobs, classifier

import pyml
from pyml.errors import ShapeError

L = pyml.layers


def test_features_that_do_not_fit_a_layer_name_it():
    layer = L.Dense(2, name="hidden")
    layer(np.ones((3, 4)))
    with pytest.raises(ShapeError, match=r'layer "hidden".*axis -1.*value 4.*\(3, 5\)'):
        layer(np.ones((3, 5)))


def test_data_that_does_not_fit_the_model_names_the_input():
    model = classifier()
    with pytest.raises(ShapeError, match=r"expected \(None, 6\), received \(\d+, 5\)"):
        model.fit(np.ones((10, 5)), np.zeros(10), verbose=0)
    with pytest.raises(ShapeError, match=r"expected \(None, 6\)"):
        model.predict(np.ones((10, 2, 3)), verbose=0)


def test_nothing_has_run_when_labels_do_not_fit(monkeypatch):
    x, _ = blobs(10)
    model = classifier()
    before = model.get_weights()
    with pytest.raises(ShapeError, match=r"target \(\d+, 4\), output \(\d+, 3\)"):
        model.fit(x, np.zeros((10, 4)), verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("label", [-1, 3, 250])
def test_labels_out_of_range(label):
    x, y = blobs(10)
    y[4] = label
    for call in (lambda m: m.fit(x, y, verbose=0), lambda m: m.evaluate(x, y, verbose=0),
                 lambda m: m.train_on_batch(x, y)):
        with pytest.raises(ValueError, match=r"from 0 to 2.*3 outputs"):
            call(classifier())


def test_labels_are_looked_at_by_what_the_loss_computes_and_not_by_its_name():
    sparse = pyml.losses.SparseCategoricalCrossentropy
    fits = {"x": np.zeros((4, 3, 2)), "y": np.full((4, 2), 2), "verbose": 0}  # class 2 of the three along axis 1, where axis 2 has two

    class FromOne(sparse):
        def call(self, y_true, y_pred):
            return super().call(y_true - 1, y_pred)

    class Other(pyml.losses.Loss):
        def call(self, y_true, y_pred):
            return pyml.ops.mean(y_pred, axis=1)

    ours, others = [sparse(axis=1, name="mine")], [FromOne(axis=1), Other(name="sparse_categorical_crossentropy")]
    for loss in ours + others:
        model = pyml.Sequential([pyml.Input((3, 2)), L.Softmax(axis=1)])
        model.compile("sgd", loss)
        assert model.evaluate(**fits) > 0
        if loss in others:
            assert model.evaluate(**{**fits, "y": fits["y"] + 1}) > 0
            continue
        with pytest.raises(ValueError, match="class numbers from 0 to 2, one for each of its 3 outputs"):
            model.evaluate(**{**fits, "y": fits["y"] + 1})


@pytest.mark.parametrize("by_layer", [False, True], ids=["by key", "by the layer's name"])
def test_labels_by_name_are_checked_too(by_layer):
    i = pyml.Input((2,))
    a, b = L.Dense(1, name="first")(i), L.Dense(3, "softmax", name="second")(i)
    model = pyml.Model(i, [a, b] if by_layer else {"a": a, "b": b})
    names = ("first", "second") if by_layer else ("a", "b")
    model.compile("sgd", dict(zip(names, ("mse", "sparse_categorical_crossentropy"), strict=True)))
    x, labels = np.zeros((4, 2)), np.array([0, 1, 2, 3])
    for call in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=f"labels of output '{names[1]}' must be class numbers from 0 to 2"):
            call(x, dict(zip(names, (np.zeros(4), labels), strict=True)), verbose=0)
    assert model.evaluate(x, dict(zip(names, (np.zeros(4), labels % 3), strict=True)), verbose=0)[0] > 0


def test_lengths_that_differ():
    x, y = blobs(10)
    with pytest.raises(ShapeError, match=r"same number of samples.*x: 10, y: 9"):
        classifier().fit(x, y[:9], verbose=0)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: L.Dense(0), "units must be a positive integer"),
    (lambda: L.Dense(2.5), "units must be a positive integer"),
    (lambda: L.Conv2D(4, (3, 0)), "kernel_size must be one or two positive integers"),
    (lambda: L.Conv2D(4, (2.5, 3)), "kernel_size must be one or two positive integers"),
    (lambda: pyml.ops.max_pool(np.ones((1, 4, 4, 1)), (2.5, 2)), "pool_size: expected 2 positive integers"),
    (lambda: L.Conv2D(4, 3, padding="full"), "padding must be 'valid' or 'same'"),
    (lambda: L.Conv2D(4, 3, data_format="NCHW"), "data_format must be 'channels_last' or 'channels_first'"),
    (lambda: L.MaxPooling2D(2, data_format="rows_first"), "data_format must be 'channels_last' or 'channels_first'"),
    (lambda: L.Conv2D(4, 3, strides=2, dilation_rate=2), "cannot both be above 1"),
    (lambda: L.Conv2D(4, 3, groups=3), "groups must divide filters"),
    (lambda: L.Dropout(1.5), "rate must be a number in"),
    (lambda: L.Dense(1, activation="rlu"), "Could not interpret activation function: 'rlu'"),
    (lambda: L.Dense(1, unknown=3), "Unrecognized keyword arguments passed to Dense: {'unknown': 3}."),
    (lambda: pyml.optimizers.SGD(momentum=2), "momentum must be a number in"),
    (lambda: pyml.optimizers.get("adm"), "Could not interpret optimizer identifier: 'adm'"),
    (lambda: pyml.optimizers.Adam(clipnorm=1.0, clipvalue=1.0), "only one of clipnorm"),
    (lambda: pyml.optimizers.Adam(name=3), "Adam: name must be a string without '/'"),
    (lambda: pyml.optimizers.SGD(name="a/b"), "SGD: name must be a string without '/'"),
    (lambda: pyml.metrics.IoU("2", [0]), "IoU: num_classes must be an integer of at least 1"),
    (lambda: pyml.metrics.MeanIoU(2.5), "MeanIoU: num_classes must be an integer of at least 1"),
    (lambda: pyml.losses.get("mean_square_error"), "Could not interpret loss identifier"),
    (lambda: pyml.losses.MeanSquaredError(reduction="avg"), "reduction must be one of"),
    (lambda: pyml.initializers.get("glorot"), "Could not interpret initializer"),
    (lambda: pyml.regularizers.L2(-1.0), "must be a finite number >= 0"),
    (lambda: pyml.Input(), "give shape"),
    (lambda: pyml.Sequential([print]), "only layers can be added"),
    (lambda: pyml.Model(None, None), r"expected Model\(inputs, outputs\)"),
    (lambda: pyml.utils.to_categorical([-1], num_classes=3), r"must lie in \[0, 3\)"),
])
def test_arguments_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("given", "name", "kept"), [
    (L.Dropout(np.float32(0.5)), "rate", 0.5), (L.GaussianDropout(np.float16(0.25)), "rate", 0.25),
    (L.Attention(dropout=np.float32(0.5)), "dropout", 0.5), (L.Conv2D(4, np.array([3, 2])), "kernel_size", (3, 2)),
    (L.MaxPooling2D(np.array([2, 3])), "pool_size", (2, 3)), (L.UpSampling3D(np.array([2, 1, 3])), "size", (2, 1, 3)),
    (L.ZeroPadding1D(np.array([1, 2])), "padding", (1, 2)), (L.Cropping2D(np.array([[1, 0], [0, 1]])), "cropping", ((1, 0), (0, 1))),
], ids=lambda part: type(part).__name__)  # fmt: skip
def test_numbers_and_arrays_of_numpy_are_arguments_as_those_of_python(given, name, kept):
    assert getattr(given, name) == kept
    assert json.loads(json.dumps(given.get_config()))[name] == json.loads(json.dumps(kept))


def test_windows_of_ops_are_arrays_of_numpy_too(cpu):
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(pyml.ops.max_pool(x, np.array([2, 2])).numpy()[0, :, :, 0], [[5, 7], [13, 15]])
    resized = pyml.ops.image.resize(x, np.array(x.shape[1:3]) // 2)
    np.testing.assert_allclose(resized.numpy()[0, :, :, 0], [[2.5, 4.5], [10.5, 12.5]], rtol=1e-6)


def test_a_class_that_is_not_there_has_no_column():
    with pytest.raises(IndexError, match=r"must lie in \[0, 3\)"):
        pyml.utils.to_categorical([3], num_classes=3)


@pytest.mark.parametrize("layer", [L.Dense(1), L.LSTM(1), L.Conv2D(1, 3), L.BatchNormalization()], ids=lambda layer: type(layer).__name__)
def test_none_is_no_input_of_a_layer(layer):
    with pytest.raises(ValueError, match=r"must be tensors\. Received: None"):
        layer(None)
    with pytest.raises(TypeError, match="missing a required argument"):
        layer()


@pytest.mark.parametrize("layer", [
    L.Resizing(4, 4), L.Embedding(4, 2), L.CategoryEncoding(5), L.Reshape((-1,)), L.MelSpectrogram(),
    L.Discretization(bin_boundaries=[1.0]), L.Normalization(), L.EinsumDense("ab,bc->ac", output_shape=3),
], ids=lambda layer: type(layer).__name__)  # fmt: skip
def test_a_list_of_tensors_for_a_layer_of_one_is_refused_in_words(layer):
    with pytest.raises(ShapeError, match=r"expects one tensor, but it received a list of 2, with the shapes \(None, 8\), \(None, 8\)"):
        layer([pyml.Input((8,)), pyml.Input((8,))])


def test_a_structure_for_a_layer_of_one_tensor_is_refused_and_errors_of_functions_of_ones_own_are_left():
    x = pyml.ops.ones((2, 3))
    with pytest.raises(ShapeError, match=r'"flat" \(Reshape\) expects one tensor, but it received a dict of 2'):
        L.Reshape((-1,), name="flat")({"a": x, "b": x})
    with pytest.raises(ShapeError, match="expects one tensor, but it received a dict of 1"):
        L.LayerNormalization()({"a": x})
    with pytest.raises(AttributeError, match="'list' object has no attribute 'shape'"):
        L.Lambda(lambda x: x.shape)([x, x])


def test_lists_where_arrays_are_expected_say_so_and_a_list_of_numpy_numbers_is_an_array(cpu):
    a, b = pyml.Input((2,), name="a"), pyml.Input((1,), name="b")
    model = pyml.Model({"a": a, "b": b}, L.Concatenate()([a, b]))
    with pytest.raises(ShapeError, match=r"a single number in a list or dict; make one array of each input first"):
        model.predict({"a": [[1.0, 2.0]], "b": [[3.0]]}, verbose=0)
    word = pyml.Input((1,), name="word", dtype="string")
    text = pyml.Model({"word": word, "a": a}, L.Concatenate()([L.StringLookup(vocabulary=["x"], output_mode="one_hot")(word), a]))
    with pytest.raises(ShapeError, match=r"but it received 3\. Make one array of each input first"):
        text.predict({"word": ["x"], "a": [[1.0, 2.0]]}, verbose=0)
    x, y = blobs(10)
    losses = [classifier().evaluate(x, labels, verbose=0, return_dict=True) for labels in (y, list(y))]
    assert losses[0] == losses[1]


def test_a_model_that_returns_nothing_and_variables_in_the_place_of_gradients_are_told(cpu):
    class Silent(pyml.Model):
        def call(self, x):
            pass

    model = Silent()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"y_pred is None.*end its call\(\) with `return`"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    w = pyml.Variable([1.0, 2.0])
    with pytest.raises(ValueError, match=r"gradients come first, then Variables\. Received Tensor"):
        pyml.optimizers.SGD().apply_gradients([(w, pyml.ops.ones(2))])


def test_a_constructor_that_forgets_the_base_is_told_so_wherever_it_is_used_first():
    class Own(pyml.layers.Layer):
        def __init__(self):
            self.units = 3

    class Net(pyml.Model):
        def __init__(self):
            self.units = 3

    for use in (lambda: pyml.Sequential([pyml.Input((3,)), Own()]), lambda: Own()(np.ones((1, 3))), lambda: Net().compile("sgd", "mse")):
        with pytest.raises(RuntimeError, match=r"(Own|Net): call super\(\).__init__\(\) first"):
            use()


def test_a_single_sample_is_told_of_the_axis_for_the_batch(cpu):
    for given in (np.ones(6), [1.0] * 6):
        with pytest.raises(ShapeError, match=r"expected \(None, 6\), received \(6,\)\. A single sample needs an axis"):
            classifier().predict(given, verbose=0)
    with pytest.raises(ShapeError, match=r"received \(5,\)\.$"):
        classifier().predict(np.ones(5), verbose=0)
    picture = pyml.Sequential([pyml.Input((8, 8, 1)), L.Conv2D(1, 3), L.Flatten(), L.Dense(1)])
    for shape in ((8, 8, 1), (8, 8)):  # though a last axis of 1 is added by itself
        with pytest.raises(ShapeError, match=rf"received {re.escape(str(shape))}\. A single sample needs an axis.*x\[None\]"):
            picture.predict(np.ones(shape), verbose=0)


@pytest.mark.parametrize(("loss", "output", "cure"), [
    ("binary_crossentropy", (4, 3), "use sparse_categorical_crossentropy"), ("categorical_crossentropy", (4, 3), "use sparse_categorical"),
    ("sparse_categorical_crossentropy", (4, 6, 6, 3), "Put layers.Flatten or a global pooling before"),
])  # fmt: skip
def test_class_numbers_that_do_not_fit_the_output_are_told_with_the_cure(loss, output, cure):
    with pytest.raises(ShapeError, match=rf"{loss}: target must|{loss}: target and output") as told:
        pyml.losses.get(loss)(np.zeros(4), np.ones(output))
    assert cure in str(told.value)


def test_only_a_variable_of_one_element_becomes_a_number():
    assert float(pyml.Variable(2.5)) == 2.5 and int(pyml.Variable(3)) == 3
    for ask in (float, int):
        with pytest.raises(TypeError, match=r"shape=\(3,\).*is not one number"):
            ask(pyml.Variable(np.ones(3)))


def test_windows_larger_than_the_image():
    with pytest.raises(ShapeError, match=r'Layer "conv".*window of \(5, 5\).*\(3, 3\)'):
        L.Conv2D(2, 5, name="conv")(pyml.Input((3, 3, 1)))


def test_reshape_to_another_number_of_values():
    with pytest.raises(ShapeError, match=r"samples of shape \(6,\) \(6 values\)"):
        L.Reshape((4, 2))(pyml.Input((6,)))


def test_model_of_tensors_that_are_not_connected():
    a, b = pyml.Input((2,)), pyml.Input((2,))
    with pytest.raises(ValueError, match="cannot be computed from the model's"):
        pyml.Model(a, L.Dense(1)(L.Add()([a, b])))


def test_calls_before_compile_say_so():
    model = pyml.Sequential([pyml.Input((2,)), L.Dense(1)])
    with pytest.raises(ValueError, match=r"compile\(\)"):
        model.fit(np.ones((2, 2)), np.ones((2, 1)))


def test_symbolic_tensors_say_that_they_have_no_values():
    x = pyml.Input((2,))
    for ask in (np.asarray, np.sum, float, int, complex):
        with pytest.raises(ValueError, match="has no values"):
            ask(x)
    with pytest.raises(TypeError, match="Python branch"):
        bool(x > 0)
    for ask in (list, lambda x: dict(zip("ab", x, strict=True))):
        with pytest.raises(NotImplementedError, match=r"cannot be iterated over; use ops\.unstack"):
            ask(x)


def test_symbolic_tensors_are_found_in_lists():
    a, b, c = pyml.Input((2,)), pyml.Input((2,)), pyml.Input((2,))
    assert b in [a, b] and c not in [a, b] and [a, b].index(b) == 1
    with pytest.raises(TypeError, match="Python branch"):
        bool(a == 0)


def test_a_variable_is_no_truth():
    for value in (0.0, [1.0, 2.0]):
        with pytest.raises(TypeError, match="cannot decide a Python branch"):
            bool(pyml.Variable(value))


def test_a_class_without_its_method_names_it_as_keras_does():
    class Bare(L.Layer):
        pass

    class Net(pyml.Model):
        pass

    class Off(pyml.losses.Loss):
        pass

    class Score(pyml.metrics.Metric):
        pass

    class Nothing(pyml.Operation):
        pass

    class Start(pyml.initializers.Initializer):
        pass

    x, v = np.ones((2, 3), "float32"), pyml.Variable([1.0])
    for ask in (lambda: Bare()(x), lambda: Bare()(pyml.Input((3,))), lambda: Net()(x), lambda: Off()(x, x), lambda: Score().update_state(x),
                lambda: Score().result(), lambda: Nothing()(x), lambda: Start()((2, 3)),
                lambda: pyml.optimizers.Optimizer(0.1).apply([x[0, :1]], [v]),
                lambda: pyml.optimizers.schedules.LearningRateSchedule()(0)):  # fmt: skip
        with pytest.raises(NotImplementedError, match="must define"):
            ask()


def test_an_operation_of_ones_own_takes_tensors_and_symbolic_ones():
    class Shifted(pyml.Operation):
        def call(self, x, by=1.0):
            return x + by

    x = pyml.Input((3,))
    model = pyml.Model(x, Shifted()(x, by=2.0))
    np.testing.assert_array_equal(model.predict(np.ones((2, 3)), verbose=0), np.full((2, 3), 3.0))
    np.testing.assert_array_equal(Shifted()(pyml.convert_to_tensor([1.0])), [2.0])


def test_an_operation_of_ones_own_has_a_config_and_is_kept_in_files(tmp_path):
    class Line(pyml.Operation):
        def __init__(self, slope, start=2, name=None):
            super().__init__(name=name)
            self.slope, self.start = slope, start

        def call(self, x):
            return x * self.slope + self.start

    made = Line(3, start=4, name="mine")
    assert made.get_config() == {"name": "mine", "slope": 3, "start": 4} and Line.from_config(made.get_config()).start == 4
    x = pyml.Input((3,))
    model = pyml.Model(x, Line(3)(x))
    model.save(tmp_path / "line.keras")
    for again in (pyml.models.clone_model(model), pyml.models.load_model(tmp_path / "line.keras", custom_objects={"Line": Line})):
        np.testing.assert_array_equal(again.predict(np.ones((1, 3)), verbose=0), np.full((1, 3), 5.0))


def test_round_is_an_operator_of_tensors_variables_and_symbolic_tensors():
    assert float(round(pyml.convert_to_tensor(1.26), 1)) == pytest.approx(1.3)
    assert round(pyml.Variable([1.6])).numpy().tolist() == [2.0]
    assert round(pyml.Input((3,))).shape == (None, 3)


def test_set_weights_of_another_shape():
    model = classifier()
    weights = model.get_weights()
    with pytest.raises(ShapeError, match="has 4 weights"):
        model.set_weights(weights[:-1])
    weights[0] = weights[0].T
    with pytest.raises(ShapeError, match=r"kernel has shape \(6, 8\), the given array \(8, 6\)"):
        model.set_weights(weights)


def test_a_batch_has_weights_of_classes_in_a_dict():
    model = pyml.Sequential([pyml.Input((2,)), L.Dense(1)])
    model.compile("sgd", "mse")
    for call in (model.train_on_batch, model.fit):
        with pytest.raises(TypeError, match=r"class_weight must be a dict of class to weight. Received: \[1, 2\]"):
            call(np.ones((2, 2)), np.ones((2, 1)), class_weight=[1, 2])


def test_unbuilt_optimizer_and_unknown_variables():
    optimizer = pyml.optimizers.SGD()
    a, b = pyml.Variable(1.0, name="a"), pyml.Variable(1.0, name="b")
    optimizer.apply([pyml.convert_to_tensor(1.0)], [a])
    with pytest.raises(ValueError, match="does not know 'b'"):
        optimizer.apply([pyml.convert_to_tensor(1.0)], [b])


def test_text_is_no_data():
    with pytest.raises(TypeError, match="must hold numbers"):
        classifier().fit(np.array([["a"] * 6] * 3), np.zeros(3), verbose=0)


def test_a_model_without_weights_is_fitted_with_a_warning(cpu):
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Activation("relu")])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        history = model.fit(np.ones((4, 3), "float32"), np.zeros((4, 3), "float32"), verbose=0)
    assert history.history["loss"] == [1.0]


@pytest.mark.parametrize("given", [{"loss": ["mse", "mae"]}, {"loss": []}, {"loss": "mse", "loss_weights": [1.0, 2.0]}])
def test_a_list_for_more_outputs_than_the_model_has_is_refused_in_words(given):
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
    model.compile("sgd", **given)
    with pytest.raises(ValueError, match=r"(loss|loss_weights) has \d entries, the model 1 outputs"):
        model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)


def compiled(loss):
    model = pyml.Sequential([pyml.Input((3,)), L.Dense(1)])
    model.compile("sgd", loss)
    return model


def nothing(y_true, y_pred):
    pass


def adapted(data):
    layer = L.Normalization(name="n")
    layer.adapt(data)
    return layer


class Headless(pyml.layers.Layer):
    def __init__(self):
        self.size = 3

    def call(self, x):
        return x


class Forgetful(pyml.layers.Layer):
    def call(self, x):
        x * 2


@pytest.mark.parametrize(("error", "call", "message"), [
    (RuntimeError, lambda: Headless()(np.ones((1, 2))), r"Headless: call super\(\).__init__\(\) first"),
    (TypeError, lambda: Forgetful(name="f")(pyml.Input((2,))), r'"f" \(Forgetful\).*end it with `return`'),
    (TypeError, lambda: L.MultiHeadAttention(1, 2, name="m")(pyml.Input((3, 4))), '"m": missing a required argument: \'value\''),
    (ValueError, lambda: pyml.optimizers.SGD().apply([None], [pyml.Variable(1.0, name="w")]), "No gradients provided"),
    (ShapeError, lambda: pyml.losses.categorical_crossentropy([0, 1], np.ones((2, 3))), "use sparse_categorical_crossentropy"),
    (ShapeError, lambda: pyml.losses.sparse_categorical_crossentropy(np.eye(3), np.ones((3, 3))), "use categorical_crossentropy"),
    (ShapeError, lambda: pyml.losses.MeanSquaredError(name="m")(np.ones(2), np.ones(3)), r"m: targets of shape \(2,\) do not"),
    (ShapeError, lambda: pyml.metrics.MeanSquaredError(name="m").update_state(np.ones((1, 2)), np.ones((1, 3))), "m: targets of shape"),
    (TypeError, lambda: compiled(nothing).fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0), "nothing: the loss returned None"),
    (ValueError, lambda: L.Bidirectional(L.Dense(2)), "expected a recurrent layer"),
    (ValueError, lambda: pyml.Model(x := pyml.Input((2,)), L.Dense(2, name="d")(L.Dense(2, name="d")(x))), "'d' belongs to two"),
    (ShapeError, lambda: L.Conv2D(2, 3)(pyml.Input((8, 8))), r"expected ndim=4, found ndim=3.*x\[\.\.\., None\] a last one of size 1$"),
    (ShapeError, lambda: L.LSTM(2)(L.LSTM(2)(pyml.Input((8, 3)))), "return_sequences=True of a recurrent layer before"),
    (ShapeError, lambda: L.TimeDistributed(L.Conv2D(2, 3, name="c"))(pyml.Input((8, 8, 1))), r'"c": a window of \(3, 3\) needs inputs'),
    (ShapeError, lambda: L.MaxPooling2D(name="p").compute_output_shape((2, 8, 8)), '"p": a window of .* needs inputs of 2 axes'),
    (ValueError, lambda: L.Flatten(pyml.Input((4, 4))), r"Flatten: a tensor was passed .* write Flatten\(\.\.\.\)\(x\)"),
    (ValueError, lambda: L.Dense(2, pyml.Input((4,))), r"Dense: a tensor was passed .* write Dense\(\.\.\.\)\(x\)"),
    (ValueError, lambda: L.Dense(2)(L.Flatten(name="f")), 'Received: the layer "f"; call that on its own input'),
    (ShapeError, lambda: pyml.metrics.Precision(name="p")([0, 1, 2], np.ones((3, 3))), r"p: targets of shape \(3,\).*to_categorical"),
    (ShapeError, lambda: compiled("mse").fit([np.ones(3)] * 4, np.ones(4), verbose=0), r"x: 3 in each of 4, y: 4\. .*np\.stack\(x\)"),
    (TypeError, lambda: compiled("mse").fit(np.array([[1, 2], [3]], object), np.ones(2), verbose=0), "a list of 2 first; .*pad_sequences"),
    (TypeError, lambda: compiled("mse").fit(np.ones((2, 3)), np.array([None, None]), verbose=0), "y must hold numbers.*None first"),
    (ValueError, lambda: compiled("sparse_categorical_crossentropy").fit(np.ones((2, 3)), [0, 1], verbose=0), "use binary_crossentropy"),
    (TypeError, lambda: pyml.Sequential(L.Dense(2), L.Dense(3)), r"expected a list of layers.*; write Sequential\(\["),
    (ValueError, lambda: pyml.Sequential([L.Flatten]), r"make a layer of the class, Flatten\(\.\.\.\)"),
    (ValueError, lambda: pyml.utils.pad_sequences(["abc"]), "must hold values of dtype='int32'. Received: 'abc'; layers.TextVectorization"),
    (TypeError, lambda: L.Conv1D(), r"^Conv1D\.__init__\(\) missing 2 required"),
    (ValueError, lambda: pyml.Input(), r"Input\(shape=\(28, 28, 1\)\)\. Received: "),
    (ValueError, lambda: L.Discretization(), r"`bin_boundaries`\. Received: no arguments$"),
    (ShapeError, lambda: adapted(np.ones((3, 4)))(np.ones((3, 2))), r'"n" is incompatible.*axis -1 .* value 4.*\(3, 2\)'),
    (TypeError, lambda: pyml.callbacks.LearningRateScheduler(0.1), "schedule must be a function .* Received: schedule=0.1"),
    (TypeError, lambda: L.Embedding(3, 2)(np.array([["a"]])), "cannot make a tensor from text"),
    (TypeError, lambda: L.Embedding(3, 2)(np.array([["a"]], object)), "cannot make a tensor from"),
    (AttributeError, lambda: pyml.ops.reduce_mean, "Did you mean 'mean'"),
    (AttributeError, lambda: pyml.layers.Densee, "Did you mean 'Dense'"),
])
def test_what_beginners_forget_is_told_with_the_cure(error, call, message):
    with pytest.raises(error, match=message):
        call()


def test_a_misspelt_name_is_guessed_once():
    """Uncaught, where Python itself adds a guess to an error that has none."""
    codes = ["pyml.layers.MaxPoling2D", "pyml.ops.maen", "pyml.Sequentail", "pyml.utils.Config(axis=1).axs"]
    script = f"""
import sys, pyml
for code in {codes}:
    try:
        eval(code)
    except AttributeError:
        sys.excepthook(*sys.exc_info())
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stderr
    told = [line for line in said.splitlines() if line.startswith("AttributeError: ")]
    assert [line.count("Did you mean") for line in told] == [1] * len(codes), said


def test_weights_that_the_loss_does_not_reach_are_named_and_left_alone(cpu):
    x = pyml.Input((2,))
    loose = L.Dense(1, name="loose")

    class Half(L.Layer):
        def __init__(self):
            super().__init__()
            self.used, self.unused = L.Dense(1), loose

        def call(self, x):
            self.unused(x)
            return self.used(x)

    model = pyml.Model(x, Half()(x))
    model.compile(pyml.optimizers.SGD(0.1, weight_decay=0.1), "mse")
    before = loose.get_weights()[0]
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['half/loose/kernel'"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    np.testing.assert_array_equal(loose.get_weights()[0], before)


@pytest.mark.parametrize("as_dict", [False, True])
def test_indices_that_an_embedding_has_no_rows_for_are_refused_before_the_first_step(cpu, as_dict):
    words, sizes = pyml.Input((3,), name="words", dtype="int32"), pyml.Input((1,), name="sizes")
    model = pyml.Model([sizes, words], L.Dense(1)(L.Concatenate()([L.Flatten()(L.Embedding(5, 2, name="e")(words)), sizes])))
    model.compile("sgd", "mse")
    y = np.zeros((2, 1))
    for index, message in ((5, "from 0 to 4 .*from 5 to 5 for input 'words'"), (-6, "from -6 to -6")):
        x = {"words": np.full((2, 3), index), "sizes": np.ones((2, 1))}
        x = x if as_dict else [x["sizes"], x["words"]]
        for call in (lambda x: model.fit(x, y, verbose=0), lambda x: model.evaluate(x, y, verbose=0), lambda x: model.predict(x, verbose=0),
                     lambda x: model.train_on_batch(x, y), model.predict_on_batch, lambda x: model.fit(iter([(x, y)]), verbose=0)):
            with pytest.raises(IndexError, match=f"Embedding 'e' has rows.*{message}"):
                call(x)
        with pytest.raises(IndexError, match="Embedding 'e' has rows"):
            model(x)
    model.fit({"words": np.full((2, 3), -5), "sizes": np.ones((2, 1))}, y, verbose=0)  # as in Keras they count from the end


def test_indices_without_a_row_are_refused_wherever_an_embedding_is_called(cpu):
    class Scores(pyml.Model):
        def __init__(self):
            super().__init__()
            self.users, self.films = L.Embedding(4, 2), L.Embedding(6, 2)

        def call(self, x):
            return pyml.ops.sum(self.users(x[:, 0]) * self.films(x[:, 1]), axis=-1, keepdims=True)

    model, good, bad = Scores(), np.array([[3, 5]] * 70), np.array([[3, 5]] * 69 + [[4, 0]])
    model.compile("sgd", "mse")
    y = np.zeros((70, 1))
    for call in (model, lambda x: model.predict(x, verbose=0), lambda x: model.fit(x, y, verbose=0)):
        call(good)
        with pytest.raises(IndexError, match=r"'embedding.*' has rows for indices from 0 to 3 .* Received indices from 3 to 4"):
            call(bad)
    layer = L.Embedding(3, 2)
    for given in ([[3]], [3.0], [[-4]]):
        with pytest.raises(IndexError, match="has rows"):
            layer(np.array(given))
    assert pyml.Sequential([layer])(np.array([2.9, -1.0])).shape == (2, 2)
    with pytest.raises(IndexError, match="take: an axis of size 3"):
        L.Lambda(lambda x: pyml.ops.take(pyml.ops.arange(3.0), x))(np.array([3]))


def test_errors_of_ops_name_the_innermost_layer():
    class Inner(L.Layer):
        def call(self, x):
            return pyml.ops.matmul(x, pyml.ops.ones((5, 3)))

    with pytest.raises(ShapeError) as caught:
        pyml.Sequential([pyml.Input((4,)), pyml.Sequential([Inner(name="l")], name="inside")])
    assert caught.value.__notes__ == ['In "l" (Inner) of "inside" (Sequential).']


def test_a_metric_of_an_output_without_targets_is_named():
    x = pyml.Input((2,))
    model = pyml.Model(x, {"a": L.Dense(1)(x), "b": L.Dense(1)(x)})
    model.compile("sgd", loss={"a": "mse"}, metrics={"a": ["mae"], "b": ["mae"]})
    with pytest.raises(ValueError, match=r"metric 'b_mae.*' needs targets y for its output"):
        model.fit(np.ones((4, 2)), {"a": np.ones((4, 1))}, verbose=0)


def test_a_folder_of_pictures_that_is_not_there_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        pyml.utils.image_dataset_from_directory(tmp_path / "none")


@pytest.mark.parametrize(("act", "told"), [
    (lambda: pyml.losses.MeanSquaredError(name=3), "name must be a string"),
    (lambda: setattr(pyml.Variable([1.0]), "constraint", "non_neg"), "constraint must be a function"),
    (lambda: setattr(pyml.Variable([1.0]), "regularizer", 1), "regularizer must be a function"),
    (lambda: pyml.layers.Dropout(0.5).quantize("int7"), "Invalid quantization mode"),
])
def test_what_keras_refuses_of_losses_variables_and_layers_is_refused(act, told):
    with pytest.raises(ValueError, match=told):
        act()


@pytest.mark.parametrize("third", [["accuracy"], [pyml.metrics.AUC()], {"a": "mae"}])
def test_metrics_as_the_third_argument_of_compile_are_told_where_they_go(third):
    with pytest.raises(ValueError, match=r"third argument, must be numbers; metrics go by name: .*metrics="):
        pyml.Sequential([pyml.layers.Dense(1)]).compile("sgd", "mse", third)
