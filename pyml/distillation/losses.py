"""How far a student's outputs, or what a layer of it finds, are from the teacher's."""

from __future__ import annotations

from typing import Any

from pyml import losses, ops, tree
from pyml.objects.registry import register_keras_serializable
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object


def loss_functions(loss: Any) -> Any:
    """The losses of names in a structure; None stays."""
    return tree.map_structure(lambda item: losses.get(item) if isinstance(item, str) else item, loss)


def _several(loss: Any, message: str) -> Any:
    found = loss_functions(loss)
    if all(item is None for item in tree.flatten(found)):
        raise ValueError(message)
    return found


def _sum_of(loss: Any, apply: Any, teacher: Any, student: Any) -> Any:
    """The sum of what `apply(loss, teacher's, student's)` gives for each output that has a loss."""
    if not isinstance(loss, (list, tuple, dict)):
        return apply(loss, teacher, student)
    values = tree.map_structure(lambda *one: 0.0 if one[0] is None else apply(*one), loss, teacher, student)
    return ops.sum(ops.stack([ops.cast(value, "float32") for value in tree.flatten(values)]))


class DistillationLoss:
    """A loss between the outputs of a teacher and of a student; subclasses write `compute_loss`.

    Example:
        >>> class Distance(pyml.distillation.DistillationLoss):
        ...     def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        ...         return pyml.ops.mean(abs(teacher_outputs - student_outputs))
    """

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The loss as a scalar tensor.

        Args:
            teacher_outputs: A tensor or structure of tensors `(batch, ...)`.
            student_outputs: The same of the student.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement compute_loss(teacher_outputs, student_outputs).")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raises ValueError unless `teacher_outputs` and `student_outputs` are of the same structure."""
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Raises ValueError where this loss cannot be between these models; by default it can."""


@register_keras_serializable("keras.distillation")
class FeatureDistillation(DistillationLoss):
    """A loss between what a layer of the teacher and a layer of the student find.

    Args:
        loss: Name or object of a loss, or a structure as the outputs have it; None in it leaves an output out.
        teacher_layer_name: The teacher's layer; None for its outputs.
        student_layer_name: The student's layer; None for its outputs.

    Raises:
        ValueError: There is no loss at all.

    Example:
        >>> pyml.distillation.FeatureDistillation("mse", "dense_1", "dense_1").teacher_layer_name
        'dense_1'
    """

    def __init__(self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None) -> None:
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name
        self.loss = _several(loss, "The `loss` argument in `FeatureDistillation` must contain at least one non-`None` value.")

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Raises ValueError unless both have the named layers, and a graph that leads to them."""
        if self.teacher_layer_name is None and self.student_layer_name is None:
            return
        without = [role for role, model in (("teacher", teacher), ("student", student)) if getattr(model, "inputs", None) is None]
        if without:
            raise ValueError(
                "FeatureDistillation with specific layer names requires Functional or Sequential models. The "
                f"{' and '.join(without)} model(s) appear to be subclassed (no symbolic inputs/outputs). Either use Functional/Sequential "
                "models, or use FeatureDistillation without layer names (to distill final outputs only), or use LogitsDistillation instead."
            )
        for role, model, name in (("teacher", teacher, self.teacher_layer_name), ("student", student, self.student_layer_name)):
            try:
                if name is not None:
                    model.get_layer(name=name)
            except ValueError as error:
                raise ValueError(f"In {role} model: {error}") from None

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raises ValueError unless `teacher_outputs` and `student_outputs` are of the structure of the losses."""
        super().validate_outputs(teacher_outputs, student_outputs)
        try:
            tree.assert_same_structure(self.loss, teacher_outputs)
        except ValueError as error:
            raise ValueError(f"Loss structure mismatch: the losses and the outputs must have the same structure. {error}") from None

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The sum over the outputs of the mean of their losses."""
        return _sum_of(self.loss, lambda loss, teacher, student: ops.mean(loss(teacher, student)), teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"loss": serialize_keras_object(self.loss), "teacher_layer_name": self.teacher_layer_name,
                "student_layer_name": self.student_layer_name}  # fmt: skip

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FeatureDistillation:
        """The loss of such a config."""
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})


@register_keras_serializable("keras.distillation")
class LogitsDistillation(DistillationLoss):
    """A loss between the logits of teacher and student, both divided by a temperature.

    With a `KLDivergence()` object these become probabilities, and the loss is multiplied by the temperature squared. A name, the
    default too, is the bare function on the logits themselves: so it is in Keras 3.15, whose numbers these are. Of logits below 0 it
    makes little sense; pass the object.

    Args:
        temperature: A positive number; larger ones show more of what the teacher holds for unlikely.
        loss: Name or object of a loss, or a structure as the outputs have it; None in it leaves an output out.

    Raises:
        ValueError: There is no loss at all, or the temperature is not a positive number.

    Source: Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network".

    Example:
        >>> pyml.distillation.LogitsDistillation(temperature=4.0, loss=pyml.losses.KLDivergence()).temperature
        4.0
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        self.loss = _several(loss, "At least one loss must be non-`None`.")
        if not isinstance(temperature, (int, float)):
            raise ValueError(f"temperature must be a number, got {type(temperature)}")
        if temperature <= 0.0:
            raise ValueError(f"temperature must be positive. Received: temperature={temperature}")
        self.temperature = temperature

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The sum over the outputs of the mean of their losses."""

        def apply(loss: Any, teacher: Any, student: Any) -> Any:
            teacher, student = teacher / self.temperature, student / self.temperature
            if not isinstance(loss, losses.KLDivergence):
                return ops.mean(loss(teacher, student))
            value = ops.mean(loss(ops.softmax(teacher, axis=-1), ops.softmax(student, axis=-1)))
            return value * self.temperature**2

        return _sum_of(self.loss, apply, teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"temperature": self.temperature, "loss": serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LogitsDistillation:
        """The loss of such a config."""
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})
