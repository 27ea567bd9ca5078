"""`pyml.models.KNNClassifier`: the nearest examples by cosine similarity, on every device."""

import asyncio

import numpy as np
import pytest

import pyml
from pyml.errors import ShapeError
from pyml.models import KNNClassifier

RNG = np.random.default_rng(0)


def expected(examples, labels, x, k):
    """The definition, in float64."""
    rows = examples / np.linalg.norm(examples, axis=1, keepdims=True)
    nearest = np.argsort(-(rows @ (x / np.linalg.norm(x))), kind="stable")[:k]
    return [sum(labels[i] == label for i in nearest) / k for label in dict.fromkeys(labels)]


def taught(*pairs):
    knn = KNNClassifier()
    for example, label in pairs:
        knn.add_example(example, label)
    return knn


COMPASS = [([1.0, 0.0], "east"), ([0.0, 1.0], "north"), ([-1.0, 0.0], "west")]


def test_the_nearest_examples_vote(device):
    examples = RNG.normal(size=(150, 6)).astype("float32")  # more than there is room for at first
    labels = [int(i) for i in RNG.integers(0, 3, 150)]
    knn = taught(*zip(examples, labels, strict=True))
    for k in (1, 3, 10, 150):
        x = RNG.normal(size=6).astype("float32")
        found = knn.predict_class(x, k)
        np.testing.assert_allclose(list(found.confidences.values()), expected(examples, labels, x, k))
        assert list(found.confidences) == list(dict.fromkeys(labels))
        assert found.confidences[found.label] == max(found.confidences.values())
        assert list(found.confidences)[found.class_index] == found.label


def test_length_does_not_count_and_tensors_are_examples(device):
    knn = taught((pyml.convert_to_tensor([[3e25, 0.0]]), "a"), (pyml.convert_to_tensor([[0.0, 1e-25]]), "b"))
    assert knn.predict_class(np.array([[5, 1]]), k=1).label == "a"
    assert knn.predict_class(pyml.convert_to_tensor([[1e-6, 2e-6]]), k=1).label == "b"


def test_of_equally_many_votes_the_nearest_example_decides():
    found = taught(*COMPASS).predict_class([-0.9, 0.5])
    assert found.label == "west" and found.class_index == 2
    assert list(found.confidences.values()) == pytest.approx([1 / 3] * 3)


def test_async_prediction_is_the_same():
    knn = taught(*COMPASS)
    assert asyncio.run(knn.predict_class_async([0.2, 0.9], k=2)) == knn.predict_class([0.2, 0.9], k=2)


def test_one_program_serves_all_examples_and_predictions():
    knn = taught(*COMPASS)
    for i in range(20):
        knn.add_example([1.0, i], i % 2)
        knn.predict_class([1.0, i + 1])
    assert len(knn._put.captures) == len(knn._compare.captures) == 1


def test_cleared_classes_do_not_vote_and_their_memory_is_taken_again(device):
    knn = taught(*COMPASS)
    knn.clear_class("east")
    assert knn.predict_class([1.0, 0.1], k=1).label == "north"
    assert knn.get_class_example_count() == {"north": 1, "west": 1} and knn.get_num_classes() == 2
    for _ in range(200):
        knn.add_example([1.0, 0.0], "east")
        knn.clear_class("east")
    assert knn._rows.shape[0] == 64 and knn.num_examples == 2
    knn.clear_all_classes()
    knn.add_example(np.ones((2, 2)), 5)
    assert knn.predict_class(np.ones((2, 2))).label == 5


@pytest.mark.parametrize("asynchronous", [False, True])
def test_saved_classifiers_predict_the_same(tmp_path, asynchronous, device):
    knn = taught(*[(RNG.normal(size=(2, 3)), label) for label in ("a", 1, "a", "1")])
    if asynchronous:
        asyncio.run(knn.save_async(tmp_path / "my.knn"))
    else:
        knn.save(tmp_path / "my.knn")
    again = KNNClassifier.load(tmp_path / "my.knn")
    x = RNG.normal(size=(2, 3))
    assert again.predict_class(x) == knn.predict_class(x)
    assert again.get_class_example_count() == {"a": 2, 1: 1, "1": 1}
    again.add_example(x, "new")
    assert again.predict_class(x, k=1).label == "new"


def test_an_empty_classifier_may_be_saved(tmp_path):
    KNNClassifier().save(tmp_path / "none.knn")
    assert KNNClassifier.load(tmp_path / "none.knn").num_examples == 0


def test_examples_by_class_come_out_and_go_in():
    knn = taught(*COMPASS)
    data = knn.get_classifier_dataset()
    assert data["west"].tolist() == [[-1, 0]]
    other = KNNClassifier()
    other.set_classifier_dataset({**data, "south": [[0, -2], [0, -3]]})
    assert other.predict_class([0.1, -1], k=2) == ("south", 3, {"east": 0, "north": 0, "west": 0, "south": 1})


def test_an_example_that_no_device_took_leaves_no_trace(cpu, monkeypatch):
    """Neither a first one, after which another shape may come, nor one for which there was no more room."""
    knn, failing = KNNClassifier(), monkeypatch.context
    with failing() as m, pytest.raises(MemoryError):
        m.setattr(pyml.models.knn.Program, "__call__", lambda program, *args: (_ for _ in ()).throw(MemoryError()))
        knn.add_example([1.0, 2.0, 3.0], "wide")
    for i in range(pyml.models.knn.FIRST):
        knn.add_example([1.0, i], i % 2)
    with failing() as m, pytest.raises(MemoryError):
        m.setattr(pyml.models.knn.Variable, "__init__", lambda *args, **kwargs: (_ for _ in ()).throw(MemoryError()))
        knn.add_example([1.0, -1.0], "more")
    knn.add_example([-1.0, 0.0], "more")
    assert knn.num_examples == pyml.models.knn.FIRST + 1 and knn.predict_class([-1.0, 0.1], k=1).label == "more"


def test_disposing_gives_the_memory_back(gpu):
    before = gpu.usage.live
    knn = taught(*COMPASS)
    knn.predict_class([1.0, 0.0])
    assert gpu.usage.live > before
    knn.dispose()
    assert gpu.usage.live <= before
    with pytest.raises(RuntimeError, match="predict_class: this KNNClassifier was disposed"):
        knn.predict_class([1.0, 0.0])


@pytest.mark.parametrize(
    "wrong, error, message",
    [
        (lambda knn: KNNClassifier().predict_class([1.0]), ValueError, "there are no examples yet; call add_example"),
        (lambda knn: knn.predict_class([1.0, 2.0, 3.0]), ShapeError, "all examples have the shape (2,). Received (3,)."),
        (lambda knn: knn.add_example([[1.0, 2.0]], "east"), ShapeError, "all examples have the shape (2,). Received (1, 2)."),
        (lambda knn: knn.add_example([], "east"), ShapeError, "the example is empty; its shape is (0,)"),
        (lambda knn: knn.add_example(["a", "b"], "east"), TypeError, "array of numbers"),
        (lambda knn: knn.add_example([1.0, 2.0], 1.5), TypeError, "a label must be an integer or a string. Received: 1.5"),
        (lambda knn: knn.predict_class([1.0, 2.0], k=0), ValueError, "k must be a positive integer. Received: k=0"),
        (lambda knn: knn.predict_class([np.nan, 2.0]), ValueError, "holds NaN or infinity"),
        (lambda knn: knn.clear_class("up"), ValueError, "no class 'up' with examples. The classes are: 'east', 'north', 'west'."),
        (lambda knn: knn.set_classifier_dataset({"a": np.zeros((0, 2))}), ShapeError, "class 'a' has no examples; leave it out"),
        (lambda knn: knn.set_classifier_dataset({"a": [[1]], "b": [[1, 2]]}), ShapeError, "Received [1, 2]"),
        (lambda knn: knn.set_classifier_dataset({"a": [1, 2]}), ShapeError, "of shape (count, features)"),
    ],
)
def test_bad_input_changes_nothing(wrong, error, message):
    knn = taught(*COMPASS)
    with pytest.raises(error) as caught:
        wrong(knn)
    assert message in str(caught.value)
    assert knn.num_examples == 3 and knn.predict_class([0.0, 1.0], k=1).label == "north"


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[: len(b) // 2],
        lambda b: b"",
        lambda b: b"not a file",
        lambda b: b.replace(b"head", b"tail"),
        lambda b: b[:60] + bytes(20) + b[80:],
    ],
)
def test_damaged_files_are_refused(tmp_path, damage):
    path = tmp_path / "my.knn"
    taught(*COMPASS).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"my\.knn is not a file that KNNClassifier\.save wrote"):
        KNNClassifier.load(path)


def test_files_that_contradict_themselves_are_refused(tmp_path):
    path = tmp_path / "my.knn"
    head = '{"format": "pyml-knn", "shape": [2], "classes": [["a", 5]]}'
    with path.open("wb") as file:
        np.savez(file, head=np.array(head), examples=np.zeros((3, 2), "float32"))
    with pytest.raises(ValueError, match=r"1 classes of 5 examples, but an array \(3, 2\)"):
        KNNClassifier.load(path)
