"""Trained networks in one line: names for pictures, key points of people, masks, features of speech.

Each function returns a ready network with its `licence` and `source`; each has a variant with `_async` that works in every
browser. On a desktop a network that is not here yet is downloaded first; see `pyml hub` and docs/hub.md.

Example:
    model = pyml.hub.mobilenet_v1()
    model.classify("cat.jpg")               # [('Egyptian cat', 0.53), ('tabby, tabby cat', 0.29), ('tiger cat', 0.16)]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyml.errors import HubError as HubError
from pyml.hub import store
from pyml.hub.opening import Files, network
from pyml.hub.registry import NETWORKS, PHOTOS, Entry
from pyml.lazily import parts as _parts

if TYPE_CHECKING:
    from pyml.hub.classifier import ImageClassifier as ImageClassifier
    from pyml.hub.drawing import draw_pose as draw_pose
    from pyml.hub.drawing import pose_shapes as pose_shapes
    from pyml.hub.efficientnet import build_efficientnet_lite0 as build_efficientnet_lite0
    from pyml.hub.mobilenet import build_mobilenet_v1 as build_mobilenet_v1
    from pyml.hub.pose import Keypoint as Keypoint
    from pyml.hub.pose import MoveNet as MoveNet
    from pyml.hub.pose import Pose as Pose
    from pyml.hub.pose import PoseNet as PoseNet
    from pyml.hub.segmentation import SelfieSegmentation as SelfieSegmentation
    from pyml.hub.speech import SpeechEmbedding as SpeechEmbedding
    from pyml.hub.speech import build_speech_embedding as build_speech_embedding

# What loads the layers, and so is loaded when it is first used.
_NAMES = {
    "build_mobilenet_v1": "mobilenet", "build_efficientnet_lite0": "efficientnet", "build_speech_embedding": "speech",
    "ImageClassifier": "classifier", "Keypoint": "pose", "Pose": "pose", "PoseNet": "pose", "MoveNet": "pose",
    "SelfieSegmentation": "segmentation", "SpeechEmbedding": "speech", "draw_pose": "drawing", "pose_shapes": "drawing",
}  # fmt: skip

__all__ = [
    "HubError", "available", "efficientnet_lite0", "efficientnet_lite0_async", "mobilenet_v1", "mobilenet_v1_async", "movenet",
    "movenet_async", "photo", "posenet", "posenet_async", "selfie_segmentation", "selfie_segmentation_async", "speech_embedding",
    "speech_embedding_async", *_NAMES,
]  # fmt: skip
__getattr__, __dir__ = _parts(__name__, _NAMES)


def _classifier(entry: Entry, files: Files) -> ImageClassifier:
    from pyml.hub.classifier import ImageClassifier

    return ImageClassifier(entry, files)


def _posenet(entry: Entry, files: Files) -> PoseNet:
    from pyml.hub.pose import PoseNet

    return PoseNet(entry, files)


def _movenet(entry: Entry, files: Files) -> MoveNet:
    from pyml.hub.pose import MoveNet

    return MoveNet(entry, files)


def _segmentation(entry: Entry, files: Files) -> SelfieSegmentation:
    from pyml.hub.segmentation import SelfieSegmentation

    return SelfieSegmentation(entry, files)


def _speech(entry: Entry, files: Files) -> SpeechEmbedding:
    from pyml.hub.speech import SpeechEmbedding

    return SpeechEmbedding(entry, files)


mobilenet_v1, mobilenet_v1_async = network("mobilenet_v1", _classifier)
efficientnet_lite0, efficientnet_lite0_async = network("efficientnet_lite0", _classifier)
posenet, posenet_async = network("posenet", _posenet)
movenet, movenet_async = network("movenet", _movenet)
selfie_segmentation, selfie_segmentation_async = network("selfie_segmentation", _segmentation)
speech_embedding, speech_embedding_async = network("speech_embedding", _speech)


def available() -> dict[str, str]:
    """The names of all networks and what each does, with its licence."""
    return {entry.name: f"{entry.task}; {entry.licence}" for entry in NETWORKS}


def photo(name: str) -> Path:
    """The path of a photo that `pyml hub fetch photos` brought, for examples on the desktop: astronaut, chelsea, coffee, rocket.

    Raises:
        ValueError: There is no such photo.
        HubError: It was not fetched, and cannot be; or this is a page, which loads `models/photos/NAME` from its own site.
    """
    if store.IN_BROWSER:
        raise HubError(f"hub: photos are files of the desktop; a page loads models/photos/ from its own site. Received: {name!r}")
    for entry in PHOTOS:
        for file in entry.files:
            if name in (file.path, Path(file.path).stem):
                store.read(entry.name)
                folder = store.folder_of(entry.name)
                if folder is not None:
                    return folder / file.path
    raise ValueError(f"hub: there is no photo {name!r}; there are astronaut, chelsea, coffee and rocket.")
