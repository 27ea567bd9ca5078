"""ResNet50 under the name of its own that Keras keeps."""

from pyml.applications.imagenet_utils import decode_predictions
from pyml.applications.resnet import ResNet50, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
