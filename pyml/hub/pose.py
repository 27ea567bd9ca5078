"""Key points of a person: what PoseNet and MoveNet find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, overload

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.errors import ShapeError
from pyml.hub.graph import GraphNetwork
from pyml.hub.pictures import Fit, PerShape, pixels
from pyml.hub.registry import Entry

KEYPOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
EDGES = (
    ("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear"),
    ("left_shoulder", "right_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"), ("right_elbow", "right_wrist"), ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"), ("left_hip", "right_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"), ("right_knee", "right_ankle"),
)  # fmt: skip


class Keypoint(NamedTuple):
    """A point of the body: its `name`, its place `x` and `y` in pixels of the picture, and its `score`: how sure the network is, 0 to 1."""

    name: str
    x: float
    y: float
    score: float


class Pose(Sequence[Keypoint]):
    """The 17 key points of a person, in the order of `pyml.hub.pose.KEYPOINTS`; left is the person's left.

    `pose["nose"]` and `pose[0]` give a `Keypoint`; `pose.score` is the mean of all scores.
    """

    def __init__(self, points: Sequence[Keypoint]):
        self.points = tuple(points)
        self.score = float(np.mean([p.score for p in self.points]))

    def __len__(self) -> int:
        return len(self.points)

    @overload
    def __getitem__(self, key: str | int) -> Keypoint: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[Keypoint, ...]: ...

    def __getitem__(self, key: str | int | slice) -> Keypoint | tuple[Keypoint, ...]:
        if isinstance(key, str):
            for point in self.points:
                if point.name == key:
                    return point
            raise KeyError(f"a pose has no {key!r}; its key points are {', '.join(KEYPOINTS)}.")
        return self.points[key]

    def __repr__(self) -> str:
        return f"<Pose: score {self.score:.2f}, {sum(p.score >= 0.3 for p in self.points)} of {len(self)} points above 0.3>"

    def edges(self, min_score: float = 0.3) -> list[tuple[Keypoint, Keypoint]]:
        """The bones whose two ends have a score of at least `min_score`."""
        found = [(self[a], self[b]) for a, b in EDGES]
        return [(a, b) for a, b in found if min(a.score, b.score) >= min_score]

    def as_array(self) -> np.ndarray:
        """float32 `(17, 3)`: x, y and score of each point."""
        return np.array([p[1:] for p in self.points], np.float32)


class PoseEstimator(GraphNetwork):
    """A trained network that finds the key points of one person; `pyml.hub.posenet` and `pyml.hub.movenet` return one.

    Attributes:
        graph: The network as a `GraphModel`.
        name, licence, source: What it is, who made it, and on which terms.

    Pictures are those of `ImageClassifier`; they are scaled to fit into the network's square, with black around them.
    """

    def __init__(self, entry: Entry, files: dict[str, bytes]):
        super().__init__(entry, files)
        self._scaled = PerShape(self._square)

    def estimate(self, image: Any) -> Pose:
        """The key points of the person in a picture.

        Args:
            image: One picture; with several people, points may come from different ones.

        Raises:
            ShapeError: The picture has another shape, or no pixels.
            SyncReadError: This browser cannot wait; write `await model.estimate_async(image)`.

        Example:
            pyml.hub.movenet().estimate("person.jpg")["nose"]     # Keypoint(name='nose', x=221.8, y=121.2, score=0.6)
        """
        inputs, back = self._prepared(image)
        found = self.graph.execute(inputs, self.outputs)
        return self._pose([t.numpy() for t in (found if isinstance(found, list) else [found])], back)

    async def estimate_async(self, image: Any) -> Pose:
        """`estimate` that works in every browser and lets the page go on."""
        inputs, back = self._prepared(image)
        found = await self.graph.execute_async(inputs, self.outputs)
        return self._pose([await t.data() for t in (found if isinstance(found, list) else [found])], back)

    def _prepared(self, image: Any) -> tuple[Tensor, Callable]:
        found = pixels(image, f"{self.name}.estimate")
        if found.ndim == 4:
            raise ShapeError(f"{self.name}.estimate: expected one picture (height, width, 3). Received: {found.shape}")
        fit = Fit(self.side, *found.shape[:2])
        return self._scaled(found, fit), fit.back

    def _square(self, image: Tensor, fit: Fit) -> Tensor:
        return self._inputs(fit.square(image)[None])

    def _pose(self, values: list[np.ndarray], back: Callable) -> Pose:
        ys, xs, scores = self._points(values)
        places = [back(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
        return Pose([Keypoint(n, x, y, float(s)) for n, (x, y), s in zip(KEYPOINTS, places, scores, strict=True)])

    def _points(self, values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        raise TypeError(f"{type(self).__name__} must define _points(values)")


class PoseNet(PoseEstimator):
    """Heat maps of 25 x 25 cells and offsets within them. Source: Papandreou et al. 2018, "PersonLab".

    Args:
        entry, files: What the network is, and its files; `pyml.hub.posenet` loads them.
    """

    side, stride = 385, 16
    outputs = ["MobilenetV1/heatmap_2/BiasAdd", "MobilenetV1/offset_2/BiasAdd"]

    def _inputs(self, square: Tensor) -> Tensor:
        return square / 127.5 - 1.0

    def _points(self, values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        heat, offsets = values
        cells = heat[0].reshape(-1, len(KEYPOINTS))
        best = cells.argmax(0)
        rows, columns = np.divmod(best, heat.shape[2])
        which = np.arange(len(KEYPOINTS))
        moved = offsets[0, rows, columns]              # (17, 34): first all y, then all x
        ys = rows * self.stride + moved[which, which]
        xs = columns * self.stride + moved[which, which + len(KEYPOINTS)]
        return ys, xs, 1 / (1 + np.exp(-cells[best, which]))


class MoveNet(PoseEstimator):
    """The points come out of the graph as parts of the square: y, x and score. Source: Google, MoveNet, 2021.

    Args:
        entry, files: What the network is, and its files; `pyml.hub.movenet` loads them.
    """

    side = 192

    def _inputs(self, square: Tensor) -> Tensor:
        return ops.cast(ops.round(square), "int32")

    def _points(self, values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ys, xs, scores = values[0].reshape(len(KEYPOINTS), 3).T
        return ys * self.side, xs * self.side, scores
