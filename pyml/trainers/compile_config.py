"""What `compile` was given, in configs and back."""

from __future__ import annotations

from typing import Any

from pyml.objects.registry import LOSSES, METRICS, OPTIMIZERS, Kind
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.tracebacks import warn

_KINDS: dict[str, Kind] = {"optimizer": OPTIMIZERS, "loss": LOSSES, "metrics": METRICS, "weighted_metrics": METRICS}


def written(model: Any) -> dict[str, Any]:
    """The arguments of `compile` as plain values; empty where the model is not compiled."""
    if not model.compiled or model._compilation is None:
        return {}
    config = {"optimizer": given_optimizer(model), **model._compilation.given, **model._compiled_with}
    return {name: serialize_keras_object(value) for name, value in config.items()}


def copied(model: Any) -> dict[str, Any]:
    """The arguments of `compile` for another model: new optimizers, losses and metrics, the same functions."""
    return {name: _copied(value) for name, value in
            {"optimizer": given_optimizer(model), **model._compilation.given, **model._compiled_with}.items()}  # fmt: skip


def given_optimizer(model: Any) -> Any:
    """The optimizer that `compile` was given: it scales the loss by itself where the policy asks for that."""
    optimizer = model.optimizer
    return optimizer.inner_optimizer if model._loss_scaled and hasattr(optimizer, "inner_optimizer") else optimizer


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(item) for item in value]
    return type(value).from_config(value.get_config()) if hasattr(value, "get_config") and not isinstance(value, type) else value


def compile_from(model: Any, config: dict[str, Any], own: bool) -> None:
    """Compiles a model as it was; one with a `compile` of its `own` is left for its user to compile."""
    if own:
        warn(
            f"model '{model.name}' has a compile() of its own, so it is not compiled now; compile it, or write compile_from_config().")
        return
    arguments = {name: _read(value, _KINDS.get(name)) for name, value in config.items()}
    model.compile(**arguments)
    if model.built and getattr(model, "optimizer", None) is not None:
        model.optimizer.build(model.trainable_variables)


def _read(value: Any, kind: Kind | None) -> Any:
    """Objects where there are configs of them; names stay names."""
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str):
            return deserialize_keras_object(value, kind=kind)
        return {key: _read(item, kind) for key, item in value.items()}
    return [_read(item, kind) for item in value] if isinstance(value, (list, tuple)) else value
