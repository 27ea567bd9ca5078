"""What no op can take is refused in one sentence that names the op, before anything runs on the device."""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import pyml
from pyml.ops.declare import DECLARED

X = np.ones((2, 3), "float32")
GIVEN = {
    "indices": np.zeros((2, 3), "int32"), "indices_or_sections": 1, "repeats": 2, "shift": 1, "k": 1, "kth": 1, "n": 2, "num": 4, "q": 0.5,
    "start": 0.0, "stop": 1.0, "num_classes": 3, "xs": [X, X], "arrays": [X, X], "mean": np.ones(3), "variance": np.ones(3),
    "axis1": 0, "axis2": 1, "source": 0, "destination": 0, "N": 2, "f": lambda c, x: c, "shape": (2, 3), "num_segments": 2,
    "segment_ids": np.array([0, 1]), "values": X, "sections": 1, "obj": 0,
}  # fmt: skip
AXES = ("axis", "axes", "axis1", "axis2", "source", "destination")


def calls(names):
    """(op, argument, the other arguments it needs) of every op that has one of these arguments."""
    for _, file, _ in pkgutil.iter_modules(pyml.ops.__path__):  # those too that load when first touched
        importlib.import_module(f"pyml.ops.{file}")
    for name, op in sorted(DECLARED.items()):
        takes = inspect.signature(op.function).parameters
        for argument in takes:
            if argument in names:
                needed = [p.name for p in takes.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
                yield name, op.function, argument, {n: GIVEN.get(n, X) for n in needed if n != argument}


def refusals(names, value):
    """What each op says of a value; "taken" where it takes it."""
    for name, function, argument, others in calls(names):
        try:
            function(**others, **{argument: value})
        except (TypeError, ValueError) as error:
            yield name, argument, error
        else:
            yield name, argument, "taken"


def test_an_axis_out_of_range_is_refused_by_the_op_that_was_called(cpu):
    said = list(refusals(AXES, 99))
    assert len(said) > 70
    wrong = [(name, error) for name, _, error in said if not str(error).startswith(f"{name}: ")]
    assert wrong == []
    assert [(name, error) for name, _, error in said if "out of range" in str(error) and not isinstance(error, IndexError)] == []
    without_number = {name for name, _, error in said if "99" not in str(error)}
    assert without_number <= {"categorical_crossentropy", "multi_hot"}  # something else is missing in the call of this test


def test_a_dtype_that_does_not_exist_is_refused_by_the_op_that_was_called(cpu):
    said = list(refusals(("dtype",), "floaty32"))
    assert len(said) > 20
    assert [(name, error) for name, _, error in said if not str(error).startswith(f"{name}: ") and name != "convert_to_tensor"] == []


@pytest.mark.parametrize(("call", "valid"), [
    (lambda v: pyml.ops.pad(X, 1, mode=v), "'constant', 'reflect' or 'symmetric'"),
    (lambda v: pyml.ops.correlate([1.0], [1.0], mode=v), "'valid', 'same' or 'full'"),
    (lambda v: pyml.ops.quantile(X, 0.5, method=v), "'linear', 'lower', 'higher', 'midpoint', 'nearest'"),
    (lambda v: pyml.ops.searchsorted([1.0], [1.0], side=v), "'left' or 'right'"),
    (lambda v: pyml.ops.meshgrid([1.0], indexing=v), "'xy' or 'ij'"),
    (lambda v: pyml.ops.qr(X, mode=v), "'reduced' or 'complete'"),
    (lambda v: pyml.ops.norm(X, ord=v), "'fro', 'nuc'"),
    (lambda v: pyml.ops.normalize(X, order=v), "a number above 0"),
    (lambda v: pyml.ops.max_pool(np.ones((1, 4, 4, 1)), 2, padding=v), "'valid' or 'same'"),
    (lambda v: pyml.ops.conv(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), padding=v), "'valid' or 'same'"),
    (lambda v: pyml.ops.conv(np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1)), data_format=v), "'channels_last' or 'channels_first'"),
    (lambda v: pyml.ops.stft(np.ones(8, "float32"), 4, 2, 4, window=v), "'hann'"),
    (lambda v: pyml.ops.ctc_decode(np.ones((1, 2, 3)), [2], strategy=v), "'greedy'"),
    (lambda v: pyml.ops.image.resize(np.ones((4, 4, 1)), (2, 2), interpolation=v), "'bilinear'"),
    (lambda v: pyml.ops.image.resize(np.ones((4, 4, 1)), (2, 2), data_format=v), "'channels_last' or 'channels_first'"),
    (lambda v: pyml.ops.image.affine_transform(np.ones((4, 4, 1)), np.ones(8), interpolation=v), "'bilinear'"),
    (lambda v: pyml.ops.image.affine_transform(np.ones((4, 4, 1)), np.ones(8), fill_mode=v), "'constant'"),
    (lambda v: pyml.ops.image.map_coordinates(np.ones((4, 4)), np.ones((2, 1)), 1, fill_mode=v), "'constant'"),
    (lambda v: pyml.ops.image.extract_patches(np.ones((4, 4, 1)), 2, padding=v), "'valid' or 'same'"),
    (lambda v: pyml.layers.Conv2D(1, 2, padding=v), "'valid' or 'same'"),
    (lambda v: pyml.layers.Conv1D(1, 2, padding=v), "'causal'"),
    (lambda v: pyml.layers.Conv2D(1, 2, data_format=v), "'channels_last' or 'channels_first'"),
    (lambda v: pyml.layers.MaxPooling2D(2, padding=v), "'valid' or 'same'"),
    (lambda v: pyml.layers.UpSampling2D(2, interpolation=v), "'nearest', 'bilinear'"),
    (lambda v: pyml.layers.Resizing(2, 2, interpolation=v), "'bilinear'"),
    (lambda v: pyml.layers.Bidirectional(pyml.layers.LSTM(2), merge_mode=v), "'concat'"),
    (lambda v: pyml.layers.Attention(score_mode=v), "'dot' or 'concat'"),
    (lambda v: pyml.layers.Dense(1, activation=v), "relu"),
    (lambda v: pyml.layers.Dense(1, kernel_initializer=v), "glorot_uniform"),
    (lambda v: pyml.losses.MeanSquaredError(reduction=v), "'sum_over_batch_size'"),
    (lambda v: pyml.metrics.AUC(curve=v), "'ROC'"),
    (lambda v: pyml.metrics.F1Score(average=v), "'micro'"),
    (lambda v: pyml.initializers.VarianceScaling(mode=v), "'fan_in'"),
    (lambda v: pyml.initializers.VarianceScaling(distribution=v), "'truncated_normal'"),
])  # fmt: skip
def test_a_word_that_is_none_of_the_valid_ones_is_refused_with_these(call, valid, cpu):
    with pytest.raises(ValueError) as caught:
        call("nonsense")
    assert "nonsense" in str(caught.value) and valid in str(caught.value)


@pytest.mark.parametrize(("lengths", "message"), [
    (([3], [2]), r"ctc_loss: target_length must be from 0 to 2, the labels that there are. Received: \[3\]"),
    (([2], [5]), r"ctc_loss: output_length must be from 0 to 4, the steps that there are. Received: \[5\]"),
    (([-1], [2]), "ctc_loss: target_length must be from 0 to 2"),
])  # fmt: skip
def test_lengths_beyond_what_is_there_are_refused_and_not_cut(lengths, message, cpu):
    with pytest.raises(ValueError, match=message):
        pyml.ops.ctc_loss(np.array([[1, 2]]), np.zeros((1, 4, 3), np.float32), *lengths)
