"""`Distiller`: a student that is trained on labels and on what a frozen teacher says, in one `fit`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml import metrics, ops, tree
from pyml.distillation.losses import loss_functions
from pyml.models.model import Model
from pyml.models.sequential import Sequential
from pyml.objects.registry import register_keras_serializable
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object

_FINAL = "final_output"


@register_keras_serializable("keras.distillation")
class Distiller(Model):
    """Trains a student with `student_loss_weight` times its own loss and the rest of the distance to a teacher.

    Called, it is the student. The teacher's weights are frozen; `fit` reports `student_loss`, `distillation_loss` and `total_loss`.

    Args:
        teacher: A trained model.
        student: A model with inputs and outputs of the teacher's shapes.
        distillation_losses: One `DistillationLoss`, or a list of them.
        distillation_loss_weights: As many numbers, 1 each by default.
        student_loss_weight: A number from 0 to 1.
        name: Name of the model.

    Raises:
        ValueError: The models do not fit each other or a loss, or a number is out of range.

    Example:
        >>> teacher = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(16, "relu"), pyml.layers.Dense(3)])
        >>> student = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
        >>> distiller = pyml.distillation.Distiller(teacher, student, pyml.distillation.LogitsDistillation())
        >>> distiller.compile("adam", loss=pyml.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> sorted(distiller.fit(np.ones((8, 4)), np.ones(8), verbose=0).history)
        ['distillation_loss', 'loss', 'student_loss', 'total_loss']
    """

    def __init__(self, teacher: Any, student: Any, distillation_losses: Any, distillation_loss_weights: Any = None,
                 student_loss_weight: float = 0.5, name: str | None = "distiller", **kwargs: Any) -> None:  # fmt: skip
        super().__init__(name=name, **kwargs)
        for role, model in (("Teacher", teacher), ("Student", student)):
            if not isinstance(model, Model):
                raise ValueError(f"{role} must be a keras.Model, got {type(model)}")
        for part in ("inputs", "outputs"):
            _check_fit(part.removesuffix("s"), getattr(teacher, part, None), getattr(student, part, None))
        if not isinstance(student_loss_weight, (int, float)):
            raise ValueError(f"student_loss_weight must be a number, got {type(student_loss_weight)}")
        if not 0.0 <= student_loss_weight <= 1.0:
            raise ValueError(f"student_loss_weight must be between 0.0 and 1.0, got {student_loss_weight}")
        if distillation_losses is None:
            raise ValueError("'distillation_losses' cannot be `None`. Provide a distillation loss (e.g., LogitsDistillation or "
                             "FeatureDistillation) or a list of distillation losses.")  # fmt: skip
        several = isinstance(distillation_losses, (list, tuple))
        self.distillation_losses = list(distillation_losses) if several else [distillation_losses]
        weights = distillation_loss_weights if several and distillation_loss_weights is not None else [1.0] * len(self.distillation_losses)
        if len(weights) != len(self.distillation_losses):
            raise ValueError(f"Number of distillation_loss_weights ({len(weights)}) must match number of distillation_losses "
                             f"({len(self.distillation_losses)})")  # fmt: skip
        self.distillation_loss_weights = list(weights)
        self.student_loss_weight = student_loss_weight
        for loss in self.distillation_losses:
            loss.validate_model_compatibility(teacher, student)
        self.teacher = teacher
        self.student = student
        self._teacher_feature_extractor = _extractor(teacher, self.distillation_losses, "teacher_layer_name")
        self._student_feature_extractor = _extractor(student, self.distillation_losses, "student_layer_name")
        self.teacher.trainable = False
        self.student_loss_tracker = metrics.Mean(name="student_loss")
        self.distillation_loss_tracker = metrics.Mean(name="distillation_loss")
        self.total_loss_tracker = metrics.Mean(name="total_loss")

    def compile(  # type: ignore[override]  # Keras' order of arguments
        self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """As `Model.compile`, for the student; `loss` is a name, an object, or a structure of them as the outputs have it.

        Raises:
            ValueError: There is no `loss`, or `metrics` is not a list.
        """
        if loss is None:
            raise ValueError("'loss' cannot be `None`.")
        if metrics is not None and not isinstance(metrics, (list, tuple)):
            raise ValueError(f"metrics must be a list or tuple, got {type(metrics)}")
        self._student_loss = loss_functions(loss)
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """What the student says."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> Any:
        """Both losses, each times its weight; `sample_weight` is not used, as in Keras.

        Raises:
            ValueError: A distillation loss does not fit the outputs, or gives more than one number.
        """
        if y_pred is None:
            y_pred = self(x, training=training)
        own: Any = ops.convert_to_tensor(0.0)
        if self.student_loss_weight > 0.0 and y is not None:
            own = self._own_loss(y, y_pred)
        distance: Any = ops.convert_to_tensor(0.0)
        if self.student_loss_weight < 1.0:
            distance = self._distance(x, y_pred)
        total = self.student_loss_weight * own + (1.0 - self.student_loss_weight) * distance
        self.student_loss_tracker.update_state(own)
        self.distillation_loss_tracker.update_state(distance)
        self.total_loss_tracker.update_state(total)
        return total

    def _own_loss(self, y: Any, y_pred: Any) -> Any:
        if not isinstance(self._student_loss, (list, tuple, dict)):
            return ops.mean(self._student_loss(y, y_pred))
        values = tree.flatten(tree.map_structure(lambda loss, true, found: loss(true, found), self._student_loss, y, y_pred))
        return ops.mean(ops.sum(ops.stack(values), axis=0))

    def _distance(self, x: Any, y_pred: Any) -> Any:
        """The weighted sum of the distillation losses."""
        teacher, student = self._teacher_feature_extractor, self._student_feature_extractor
        wanted = teacher(x, training=False) if teacher is not None else {_FINAL: self.teacher(x, training=False)}
        found = student(x, training=True) if student is not None else {_FINAL: y_pred}
        total: Any = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            goal, given = wanted[_FINAL], y_pred
            if getattr(loss, "teacher_layer_name", None) is not None:
                goal, given = wanted[loss.teacher_layer_name], found[loss.student_layer_name or _FINAL]
            loss.validate_outputs(goal, given)
            value = loss.compute_loss(goal, given)
            if len(getattr(value, "shape", ())) > 0:
                raise ValueError(f"Distillation loss {type(loss).__name__} returned a non-scalar loss with shape {value.shape}. "
                                 "The compute_loss method must return a scalar tensor.")  # fmt: skip
            total = total + weight * value
        return total

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor; models and losses as their configs."""
        config = super().get_config()
        config.update({
            "teacher": serialize_keras_object(self.teacher),
            "student": serialize_keras_object(self.student),
            "distillation_losses": [serialize_keras_object(loss) for loss in self.distillation_losses],
            "distillation_loss_weights": list(self.distillation_loss_weights),
            "student_loss_weight": self.student_loss_weight,
        })  # fmt: skip
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Any:
        """The distiller of such a config."""
        config = dict(config)
        for key in ("teacher", "student"):
            config[key] = deserialize_keras_object(config[key], custom_objects)
        config["distillation_losses"] = [deserialize_keras_object(loss, custom_objects) for loss in config["distillation_losses"]]
        return cls(**config)


def _check_fit(what: str, teacher: Any, student: Any) -> None:
    if teacher is None or student is None:
        return
    tree.assert_same_structure(teacher, student)
    for one, other in zip(tree.flatten(teacher), tree.flatten(student), strict=True):
        if len(one.shape) != len(other.shape):
            raise ValueError(f"Teacher and student {what} shapes have different dimensions. Teacher: {one.shape}, Student: {other.shape}.")
        if any(a is not None and b is not None and a != b for a, b in zip(one.shape, other.shape, strict=True)):
            raise ValueError(f"Teacher and student {what} shapes are incompatible. Teacher: {one.shape}, Student: {other.shape}. "
                             "All dimensions must match.")  # fmt: skip
        if one.dtype != other.dtype:
            raise ValueError(f"Teacher and student {what} dtypes must match. Teacher: {one.dtype}, Student: {other.dtype}.")


def _extractor(model: Any, losses: list[Any], attribute: str) -> Any:
    """A model that gives the outputs of the layers that losses name, and its own; None where they name none."""
    names = dict.fromkeys(name for loss in losses if (name := getattr(loss, attribute, None)))
    if not names:
        return None
    final = model.layers[-1].output if isinstance(model, Sequential) else model.output
    outputs = {_FINAL: final, **{name: model.get_layer(name=name).output for name in names}}
    return Model(inputs=model.inputs, outputs=outputs, name=f"{model.name}_multi_feature_extractor")
