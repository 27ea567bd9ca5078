"""A small model that learns from a large one, by Keras' names."""

from pyml.distillation.distiller import Distiller
from pyml.distillation.losses import DistillationLoss, FeatureDistillation, LogitsDistillation

__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
