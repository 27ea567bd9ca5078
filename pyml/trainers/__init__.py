"""The training loop behind `Model.fit`, `evaluate` and `predict`."""

from pyml.trainers.trainer import Trainer

__all__ = ["Trainer"]
