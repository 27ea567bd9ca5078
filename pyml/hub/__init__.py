"""Trained networks in one line: names for pictures, key points of people, masks, features of speech.

Each function returns a ready network with its `licence` and `source`; each has a variant with `_async` that works in every
browser. On a desktop a network that is not here yet is downloaded first; see `pyml hub` and docs/hub.md.

Example:
    model = pyml.hub.mobilenet_v1()
    model.classify("cat.jpg")               # [('Egyptian cat', 0.53), ('tabby, tabby cat', 0.29), ('tiger cat', 0.16)]
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pyml.hub import store
from pyml.hub.registry import ENTRIES, REGISTRY

if TYPE_CHECKING:
    from pyml.hub.classifier import ImageClassifier
    from pyml.hub.pose import MoveNet, PoseNet
    from pyml.hub.segmentation import SelfieSegmentation
    from pyml.hub.speech import SpeechEmbedding

# Where the class of each network is, and other names that load when they are used.
_CLASSES = {
    "mobilenet_v1": "classifier.ImageClassifier", "efficientnet_lite0": "classifier.ImageClassifier",
    "posenet": "pose.PoseNet", "movenet": "pose.MoveNet",
    "selfie_segmentation": "segmentation.SelfieSegmentation", "speech_embedding": "speech.SpeechEmbedding",
}  # fmt: skip
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
HubError = store.HubError
Progress = Callable[[int, int], object]


def __getattr__(name: str):
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def available() -> dict[str, str]:
    """The names of all networks and what each does, with its licence."""
    return {name: f"{REGISTRY[name].task}; {REGISTRY[name].licence}" for name in _CLASSES}


def photo(name: str) -> Path:
    """The path of a photo that `pyml hub fetch photos` brought, for examples on the desktop: astronaut, chelsea, coffee, rocket.

    Raises:
        ValueError: There is no such photo.
        HubError: It was not fetched, and cannot be; or this is a page, which loads `models/photos/NAME` from its own site.
    """
    if store.IN_BROWSER:
        raise HubError(f"hub: photos are files of the desktop; a page loads models/photos/ from its own site. Received: {name!r}")
    for entry in ENTRIES:
        for file in entry.files:
            if "photo" in entry.name and name in (file.path, Path(file.path).stem):
                store.read(entry.name)
                folder = store.folder_of(entry.name)
                if folder is not None:
                    return folder / file.path
    raise ValueError(f"hub: there is no photo {name!r}; there are astronaut, chelsea, coffee and rocket.")


def _open(name: str, files: dict[str, bytes]):
    module, _, kind = _CLASSES[name].partition(".")
    return getattr(importlib.import_module(f"{__name__}.{module}"), kind)(REGISTRY[name], files)


def mobilenet_v1(progress: Progress | None = None) -> ImageClassifier:
    """MobileNetV1 1.0 224: names what a picture shows; the base of the transfer learning of the TensorFlow.js book.

    Args:
        progress: Called with the bytes received so far and the bytes in all.

    Returns:
        An `ImageClassifier`; `classify`, `embed` (1024 features) and `keras`, the Model.

    Raises:
        HubError: The files cannot be loaded.

    Source: Howard et al. 2017. Weights of 8.6 MB, Apache-2.0.
    """
    return _open("mobilenet_v1", store.read("mobilenet_v1", progress))


async def mobilenet_v1_async(progress: Progress | None = None) -> ImageClassifier:
    """`mobilenet_v1` that works in every browser and lets the page go on."""
    return _open("mobilenet_v1", await store.read_async("mobilenet_v1", progress))


def efficientnet_lite0(progress: Progress | None = None) -> ImageClassifier:
    """EfficientNet-Lite0: names what a picture shows, better than MobileNetV1 with fewer operations.

    Args:
        progress: Called with the bytes received so far and the bytes in all.

    Returns:
        An `ImageClassifier`; `classify`, `embed` (1280 features) and `keras`, the Model.

    Raises:
        HubError: The files cannot be loaded.

    Source: Tan and Le 2019. Weights of 9.6 MB, Apache-2.0.
    """
    return _open("efficientnet_lite0", store.read("efficientnet_lite0", progress))


async def efficientnet_lite0_async(progress: Progress | None = None) -> ImageClassifier:
    """`efficientnet_lite0` that works in every browser and lets the page go on."""
    return _open("efficientnet_lite0", await store.read_async("efficientnet_lite0", progress))


def posenet(progress: Progress | None = None) -> PoseNet:
    """PoseNet: the 17 key points of a person.

    Args:
        progress: Called with the bytes received so far and the bytes in all.

    Returns:
        A `PoseNet`; `estimate(image)` gives a `Pose`.

    Raises:
        HubError: The files cannot be loaded.

    Source: Papandreou et al. 2018. Weights of 5.1 MB, Apache-2.0.
    """
    return _open("posenet", store.read("posenet", progress))


async def posenet_async(progress: Progress | None = None) -> PoseNet:
    """`posenet` that works in every browser and lets the page go on."""
    return _open("posenet", await store.read_async("posenet", progress))


def movenet(progress: Progress | None = None) -> MoveNet:
    """MoveNet Lightning: the 17 key points of a person, for live video.

    Args:
        progress: Called with the bytes received so far and the bytes in all.

    Returns:
        A `MoveNet`; `estimate(image)` gives a `Pose`.

    Raises:
        HubError: The files cannot be loaded.

    Source: Google 2021. Weights of 4.8 MB, Apache-2.0.
    """
    return _open("movenet", store.read("movenet", progress))


async def movenet_async(progress: Progress | None = None) -> MoveNet:
    """`movenet` that works in every browser and lets the page go on."""
    return _open("movenet", await store.read_async("movenet", progress))


def selfie_segmentation(progress: Progress | None = None) -> SelfieSegmentation:
    """MediaPipe Selfie Segmentation: tells a person near the camera from the background.

    Args:
        progress: Called with the bytes received so far and the bytes in all.

    Returns:
        A `SelfieSegmentation`; `segment(image)` gives a mask, `cut_out(image)` the person.

    Raises:
        HubError: The files cannot be loaded.

    Source: Google 2021. Weights of 0.3 MB, Apache-2.0.
    """
    return _open("selfie_segmentation", store.read("selfie_segmentation", progress))


async def selfie_segmentation_async(progress: Progress | None = None) -> SelfieSegmentation:
    """`selfie_segmentation` that works in every browser and lets the page go on."""
    return _open("selfie_segmentation", await store.read_async("selfie_segmentation", progress))


def speech_embedding(progress: Progress | None = None) -> SpeechEmbedding:
    """Google's speech embedding: 96 features for every 80 ms of speech, from which words can be learned with few examples.

    Args:
        progress: Called with the bytes received so far and the bytes in all.

    Returns:
        A `SpeechEmbedding`; `embed(audio)`.

    Raises:
        HubError: The files cannot be loaded.

    Source: Lin et al. 2020. Weights of 0.7 MB, Apache-2.0.
    """
    return _open("speech_embedding", store.read("speech_embedding", progress))


async def speech_embedding_async(progress: Progress | None = None) -> SpeechEmbedding:
    """`speech_embedding` that works in every browser and lets the page go on."""
    return _open("speech_embedding", await store.read_async("speech_embedding", progress))
