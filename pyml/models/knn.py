"""`KNNClassifier`: classes by the most similar examples, for teaching a page in seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from pyml import ops
from pyml.core import Program, Tensor, Variable
from pyml.errors import ShapeError
from pyml.saving.npz import read_npz, write_npz

FIRST = 64                                             # examples there is room for at first; doubled when full
_LARGEST = 1 << 31                                     # numbers in a file: more is not believed


class Prediction(NamedTuple):
    """What `predict_class` found.

    `label` as it was given to `add_example`, `class_index` its number among the classes, `confidences` the share of
    the nearest examples by label; they add up to 1.
    """

    label: Any
    class_index: int
    confidences: dict[Any, float]


class KNNClassifier:
    """Classes of the k most similar examples, by cosine similarity. Nothing is trained: examples count at once.

    Examples are usually embeddings: outputs of a pretrained network. They lie in device memory at length one, so that
    a prediction is a single Program: one product of the examples and the input.

    Source: TensorFlow.js `@tensorflow-models/knn-classifier`.

    Example:
        >>> knn = pyml.models.KNNClassifier()
        >>> knn.add_example([1.0, 0.0], "left")
        >>> knn.add_example([0.0, 1.0], "right")
        >>> knn.predict_class([0.9, 0.2], k=1).label
        'left'
    """

    def __init__(self) -> None:
        self._clear()
        self._disposed = False

    def _clear(self) -> None:
        self._rows: Variable | None = None
        self._put: Any = None                          # programs that write and compare rows, made with their memory
        self._compare: Any = None
        self._shape: tuple[int, ...] | None = None     # of an example
        self._slots: dict[Any, list[int]] = {}         # label -> its rows, classes in the order of their first example
        self._free: list[int] = []                     # rows without an example, the next one last

    # ---- examples
    def add_example(self, example: Any, label: int | str) -> None:
        """Adds an example of a class.

        Args:
            example: Tensor or array of numbers, of any shape; all examples have the same.
            label: Integer or string that names the class; a new one begins a class.

        Raises:
            ShapeError: The example is empty, or of another shape than those before.
            TypeError: The label is neither an integer nor a string, or the example holds no numbers.
        """
        self._check_alive("add_example")
        label = _label(label, "add_example")
        example = self._like_others(example, "add_example")
        try:
            if self._shape is None:
                self._shape = tuple(example.shape)
            if not self._free:
                self._grow()
            self._put(example, np.array([self._free[-1]], np.int32))
        except BaseException:
            if not self._slots:
                self._clear()  # an example that no device took says nothing about the next ones
            raise
        self._slots.setdefault(label, []).append(self._free.pop())

    def clear_class(self, label: int | str) -> None:
        """Forgets the class `label` and its examples; their memory takes the next ones.

        Raises:
            ValueError: There is no such class.
        """
        self._check_alive("clear_class")
        if label not in self._slots:
            known = ", ".join(map(repr, self._slots)) or "none"
            raise ValueError(f"clear_class: there is no class {label!r} with examples. The classes are: {known}.")
        self._free += reversed(self._slots.pop(label))
        if not self._slots:
            self._clear()

    def clear_all_classes(self) -> None:
        """Forgets all examples; the next may have another shape."""
        self._check_alive("clear_all_classes")
        self._clear()

    def dispose(self) -> None:
        """Gives the device memory back; the classifier cannot be used any more."""
        self._clear()
        self._disposed = True

    @property
    def num_examples(self) -> int:
        """How many examples there are in all classes."""
        return sum(map(len, self._slots.values()))

    def get_class_example_count(self) -> dict[Any, int]:
        """How many examples each class has, by label."""
        return {label: len(slots) for label, slots in self._slots.items()}

    def get_num_classes(self) -> int:
        """How many classes have examples."""
        return len(self._slots)

    # ---- prediction
    def predict_class(self, input: Any, k: int = 3) -> Prediction:
        """The class that most of the `k` most similar examples have; of equally many, that of the nearest example.

        Args:
            input: Tensor or array in the shape of the examples.
            k: How many examples vote; all of them where there are fewer.

        Returns:
            A Prediction: `label`, `class_index` and `confidences`.

        Raises:
            ValueError: There are no examples, `k` is not a positive integer, or numbers are NaN or infinite.
            ShapeError: `input` has another shape than the examples.
            SyncReadError: This browser cannot wait; write `await knn.predict_class_async(...)`.
        """
        similarities = self._similarities(input, k)
        return self._vote(similarities.numpy(), k)

    async def predict_class_async(self, input: Any, k: int = 3) -> Prediction:
        """`predict_class` that lets the event loop run while it waits; works in every browser."""
        similarities = self._similarities(input, k)
        return self._vote(await similarities.data(), k)

    def _similarities(self, input: Any, k: int) -> Tensor:
        self._check_alive("predict_class")
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise ValueError(f"predict_class: k must be a positive integer. Received: k={k!r}")
        if not self._slots:
            raise ValueError("predict_class: there are no examples yet; call add_example(example, label) first.")
        return self._compare(self._like_others(input, "predict_class"))

    def _vote(self, similarities: np.ndarray, k: int) -> Prediction:
        labels = [label for label, slots in self._slots.items() for _ in slots]
        found = similarities[[slot for slots in self._slots.values() for slot in slots]]
        if not np.isfinite(found).all():
            raise ValueError("predict_class: the input or an example holds NaN or infinity; look at what made it.")
        k = min(int(k), len(labels))
        nearest = [labels[i] for i in np.argsort(-found, kind="stable")[:k]]
        votes = dict.fromkeys(self._slots, 0)
        for label in nearest:
            votes[label] += 1
        best = max(nearest, key=votes.__getitem__)     # the first of several, which is nearer
        return Prediction(best, list(votes).index(best), {label: count / k for label, count in votes.items()})

    # ---- taking it along
    def get_classifier_dataset(self) -> dict[Any, np.ndarray]:
        """The examples by label, each `(count, features)`, scaled to length one; waits for the device."""
        self._check_alive("get_classifier_dataset")
        return self._by_class(None if self._rows is None else self._rows.numpy())

    async def get_classifier_dataset_async(self) -> dict[Any, np.ndarray]:
        """`get_classifier_dataset` that works in every browser."""
        self._check_alive("get_classifier_dataset")
        return self._by_class(None if self._rows is None else await self._rows.data())

    def _by_class(self, rows: Any) -> dict[Any, np.ndarray]:
        return {label: rows[slots] for label, slots in self._slots.items()}

    def set_classifier_dataset(self, dataset: Mapping[Any, Any]) -> None:
        """Replaces all examples.

        Args:
            dataset: Dict of label to an array `(count, features)`.

        Raises:
            ShapeError: A class has no examples, or the arrays do not fit together; the examples stay as they were.
        """
        self._check_alive("set_classifier_dataset")
        self._set(dataset, None, "set_classifier_dataset")

    def _set(self, dataset: Mapping[Any, Any], shape: Any, what: str) -> None:
        """Replaces all examples by `{label: (count, features)}`; everything is checked before anything changes."""
        matrices = {}
        for label, matrix in dataset.items():
            matrix = np.asarray(matrix.numpy() if isinstance(matrix, (Tensor, Variable)) else matrix)
            if matrix.ndim != 2 or matrix.dtype.kind not in "biuf":
                raise ShapeError(
                    f"{what}: the examples of class {label!r} must be numbers of shape (count, features). "
                    f"Received {matrix.dtype} of shape {matrix.shape}."
                )
            if 0 in matrix.shape:
                raise ShapeError(f"{what}: class {label!r} has no examples; leave it out.")
            matrices[_label(label, what)] = matrix.astype(np.float32)
        widths = {matrix.shape[1] for matrix in matrices.values()}
        if len(widths) > 1:
            raise ShapeError(f"{what}: all examples must have the same number of features. Received {sorted(widths)}.")
        self._clear()
        if not matrices:
            return
        self._shape = shape or (widths.pop(),)
        slot = 0
        for label, matrix in matrices.items():
            self._slots[label] = list(range(slot, slot + len(matrix)))
            slot += len(matrix)
        capacity = max(FIRST, 1 << (slot - 1).bit_length())
        rows = np.zeros((capacity, prod(self._shape or ())), np.float32)
        rows[:slot] = _units(np.concatenate(list(matrices.values())))
        self._free = list(range(capacity - 1, slot - 1, -1))
        self._keep(Variable(rows, trainable=False, name="knn_examples"))

    def save(self, path: str | PathLike) -> None:
        """Writes the examples to a file, which `KNNClassifier.load(path)` reads; waits for the device."""
        self._write(path, self.get_classifier_dataset())

    async def save_async(self, path: str | PathLike) -> None:
        """`save` that works in every browser."""
        self._write(path, await self.get_classifier_dataset_async())

    def _write(self, path: str | PathLike, dataset: Mapping[Any, np.ndarray]) -> None:
        head = {"format": "pyml-knn", "version": 1, "shape": self._shape, "classes": [[k, len(v)] for k, v in dataset.items()]}
        examples = np.concatenate(list(dataset.values())) if dataset else np.zeros((0, 0), np.float32)
        write_npz(path, {"head": np.array(json.dumps(head)), "examples": examples}, compressed=True)

    @classmethod
    def load(cls, path: str | PathLike) -> KNNClassifier:
        """The classifier that `save` wrote.

        Raises:
            ValueError: The file is not one of these, or is damaged.
        """
        try:
            arrays = read_npz(path, "KNNClassifier.load")
            head, examples = json.loads(str(arrays["head"])), arrays["examples"]
            counts = [(label, count) for label, count in head["classes"]]
            shape = tuple(int(size) for size in head["shape"] or ())
            total = sum(count for _, count in counts)
            whole = head["format"] == "pyml-knn" and min([count for _, count in counts], default=1) > 0
            if not whole or examples.shape != (total, prod(shape) if counts else 0) or examples.size > _LARGEST:
                raise ValueError(f"{len(counts)} classes of {total} examples, but an array {examples.shape}")
        except FileNotFoundError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, MemoryError, RecursionError) as error:
            raise ValueError(f"KNNClassifier.load: {path} is not a file that KNNClassifier.save wrote ({error}).") from None
        ends = np.cumsum([count for _, count in counts])
        found = cls()
        found._set({label: examples[end - count : end] for (label, count), end in zip(counts, ends, strict=True)}, shape,
                   "KNNClassifier.load")
        return found

    # ---- memory
    def _grow(self) -> None:
        """Room for more examples: the first, or twice as many."""
        features = prod(self._shape or ())
        if self._rows is None:
            start, capacity = 0, FIRST
            rows: Any = np.zeros((capacity, features), np.float32)
        else:
            start = self._rows.shape[0]
            capacity = 2 * start
            rows = ops.concatenate([self._rows, ops.zeros((start, features))])
        self._keep(Variable(rows, trainable=False, name="knn_examples"))
        self._free = list(range(capacity - 1, start - 1, -1))

    def _keep(self, rows: Variable) -> None:
        """Takes `rows` as the memory of examples, and makes the programs that write and compare them."""
        capacity, features = rows.shape

        def put(example: Tensor, slot: Tensor) -> None:
            here = ops.reshape(ops.equal(ops.arange(capacity, dtype="int32"), slot), (capacity, 1))
            rows.assign(ops.where(here, ops.reshape(_unit(example), (1, features)), rows))

        def compare(input: Tensor) -> Tensor:
            return ops.reshape(ops.matmul(rows, ops.reshape(_unit(input), (features, 1))), (capacity,))

        self._rows, self._put, self._compare = rows, Program(put, "knn_put"), Program(compare, "knn_compare")

    # ---- checks
    def _check_alive(self, what: str) -> None:
        if self._disposed:
            raise RuntimeError(f"{what}: this KNNClassifier was disposed; make a new one.")

    def _like_others(self, value: Any, what: str) -> Any:
        """The value as a tensor or array in the shape of the other examples."""
        if not isinstance(value, (Tensor, Variable)):
            value = np.asarray(value)
            if value.dtype.kind not in "biuf":
                raise TypeError(f"{what}: expected a tensor or array of numbers. Received {value.dtype} data.")
            value = value.astype(np.float32)
        shape = tuple(value.shape)
        if prod(shape) == 0:
            raise ShapeError(f"{what}: the {'example' if what == 'add_example' else 'input'} is empty; its shape is {shape}.")
        if self._shape is not None and shape != self._shape:
            raise ShapeError(f"{what}: all examples have the shape {self._shape}. Received {shape}.")
        return value


def _label(label: Any, what: str) -> int | str:
    if isinstance(label, np.generic):
        label = label.item()
    if isinstance(label, bool) or not isinstance(label, (int, str)):
        raise TypeError(f"{what}: a label must be an integer or a string. Received: {label!r}")
    return label


def _unit(x: Any) -> Tensor:
    """`x` at length one; zeros stay zeros. Scaled by its largest part first, so that squares do not overflow."""
    x = ops.reshape(ops.cast(x, "float32"), (-1,))
    x = x / ops.maximum(ops.max(ops.abs(x)), 1e-30)
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x)), 1e-30))


def _units(rows: np.ndarray) -> np.ndarray:
    """The same for the rows of an array on the host."""
    rows = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-30)
    return rows / np.sqrt(np.maximum(np.square(rows).sum(axis=1, keepdims=True), 1e-30))
