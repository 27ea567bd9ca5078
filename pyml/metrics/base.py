"""The base of metrics: numbers that gather over batches in device memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml import dtype_policies, initializers, settings
from pyml.core import StatelessScope, Variable, changes, trace
from pyml.core.naming import auto_name
from pyml.core.narrow import in_32_bits, rounded
from pyml.core.tree import map_structure
from pyml.core.variable import gathering
from pyml.dtypes import FLOATS, LARGEST, narrow, result_type, standardize
from pyml.errors import Forgotten, Undefined
from pyml.initializers.base import first_value
from pyml.objects.common_part import CommonOfFunctions, CommonPart
from pyml.objects.configured import Configured
from pyml.objects.registry import METRICS
from pyml.settings import floatx
from pyml.tracebacks import is_ours

if TYPE_CHECKING:
    from pyml.layers.types import InitializerLike

__all__ = ["Metric"]

METRICS.common_of_functions = CommonOfFunctions(
    "keras.metrics",
    arguments={"y_true": "Targets `(batch, ...)`.", "y_pred": "Predictions, of the shape of the targets."},
    returns="float32 tensor `(batch, ...)`, without the axis of the classes.",
    errors={"": "ShapeError: The shapes do not fit each other."},
)


def _within(value: Any) -> Iterator[Variable | Metric]:
    """The Variables and metrics in lists and dicts."""
    if isinstance(value, (Variable, Metric)):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _within(item)


def _in_32_bits(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a metric whose own numbers are float32 whatever floatx is, and that returns what its state says that it is."""

    updates = method.__name__ == "update_state"

    @wraps(method)
    def called(self: Metric, *args: Any, **kwargs: Any) -> Any:
        if updates and (scope := trace.stateless_here()) is not None and scope.only_looks:
            return None                                # what it is given may be symbolic, and is forgotten
        found = in_32_bits(method, (self, *args), kwargs) if settings.halved else method(self, *args, **kwargs)
        label = None if found is None else self._state_dtype()
        return found if label is None else map_structure(lambda x: rounded(x, label), found)

    return called


class Metric(Configured, Forgotten, kind=METRICS, abstract=True):
    """Base: make Variables in `__init__`, write `update_state(...)` and `result()`.

    Args:
        dtype: Dtype of the computation, that of floatx by default. As in Keras, means and sums say that their state has it too, and
            `add_variable` makes what is of floatx where none is named. Of 16 bits state is kept in 32, as float16 counts to 2,048
            only; 64 bits are 32 here.
        name: Name in logs.

    Raises:
        ValueError: `dtype` is none.
        Undefined: A subclass defines no `update_state` or `result`.

    Source: `keras.metrics.Metric`.

    Example:
        >>> class Largest(pyml.metrics.Metric):
        ...     def __init__(self, name="largest"):
        ...         super().__init__(name=name)
        ...         self.value = self.add_variable(shape=(), initializer="zeros", name="value")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.value.assign(pyml.ops.maximum(self.value, pyml.ops.max(y_pred)))
        ...     def result(self):
        ...         return self.value
        >>> metric = Largest()
        >>> metric.update_state([0.0, 1.0], [0.5, 3.0])
        >>> float(metric.result())
        3.0
    """

    _common_part = CommonPart(
        "keras.metrics",
        "`update_state(y_true, y_pred, sample_weight=None)` takes targets and predictions `(batch, ...)` and weights `(batch,)`;\n"
        "`result()` is a tensor, `()` where nothing else is said, of all that was given since `reset_state()`.",
        method=("update_state", "y_true"),
        arguments={
            "threshold": "What a score must be above to mean yes.",
            "thresholds": "One threshold or several, from 0 to 1, that a score must be above to mean yes; 0.5 by default.",
            "num_thresholds": "How many thresholds, spread evenly from 0 to 1, are tried.",
            "class_id": "The one class that is looked at; all by default.",
            "top_k": "Only the so many largest scores of a sample mean yes.",
            "recall": "The least recall, from 0 to 1.",
            "precision": "The least precision, from 0 to 1.",
            "sensitivity": "The least sensitivity, from 0 to 1.",
            "num_classes": "Number of classes.",
            "target_class_ids": "Classes that count.",
            "ignore_class": "A class of the targets that does not count, for example 255.",
            "sparse_y_true": "False where targets are one-hot along `axis`.",
            "sparse_y_pred": "False where predictions are scores along `axis`.",
            "axis": "Axis of the scores.",
            "average": "`\"micro\"`, `\"macro\"`, `\"weighted\"`, or None for a number for each class.",
            "name": "What logs and configs call it.",
            "dtype": "Of the result and of what is gathered, that of floatx by default.",
        },
        errors={"": "ShapeError: `update_state` is called with shapes that do not fit each other."},
    )
    _result_shape: Any = None  # once training has asked; of a result that is a dict by its keys
    _made_by = "_held_in_attributes"
    _direction: str | None = None  # "up" where more is better, "down" where less is: what callbacks with mode="auto" ask

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        if name and not isinstance(name, str):
            raise ValueError(f"{type(self).__name__}: name must be a string. Received: name={name!r}")
        self.name = name or auto_name(type(self).__name__)
        of_policy = floatx() if dtype is None else dtype_policies.get(dtype).compute_dtype
        self._dtype = narrow(of_policy) or standardize(of_policy)
        self._variables: list[Variable] = []
        self._held_in_attributes: dict[str, Any] = {}                # attributes that are Variables or metrics, or that may hold some

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("update_state", "result") if is_ours(cls) else ():
            if name in cls.__dict__:
                setattr(cls, name, _in_32_bits(cls.__dict__[name]))

    def __setattr__(self, name: str, value: Any) -> None:
        if "_held_in_attributes" in self.__dict__:
            self._held_in_attributes.pop(name, None)
            if isinstance(value, (Variable, Metric, list, tuple, dict)):
                self._held_in_attributes[name] = value
        object.__setattr__(self, name, value)

    @property
    def dtype(self) -> str:
        """Dtype of the result."""
        return self._dtype

    @property
    def _computing_dtype(self) -> str:
        """Dtype of what is computed on the way: 32 bits of a float of 16."""
        return "float32" if self._dtype in LARGEST else self._dtype

    def _state_dtype(self) -> str | None:
        """The dtype of 16 bits that the state says it is of, if it does."""
        said = {v.dtype for v in self.variables if v.dtype in FLOATS}
        return narrow(result_type(*said)) if said and not said.isdisjoint(LARGEST) else None

    @property
    def variables(self) -> list[Variable]:
        """The Variables of this metric, then those of metrics it holds, be it in lists or dicts."""
        held = list(_within(self._held_in_attributes))
        every = [*self._variables, *(x for x in held if isinstance(x, Variable))]
        every += [v for x in held if isinstance(x, Metric) for v in x.variables]
        return list({id(v): v for v in every}.values())

    def add_variable(self, shape: Any = (), initializer: InitializerLike = None, dtype: str | None = None, aggregation: str = "sum",
                     name: str | None = None) -> Variable:
        """A Variable that belongs to this metric.

        Args:
            shape: Its shape.
            initializer: Name or object: its first value; zeros by default.
            dtype: Its dtype; `pyml.config.floatx()` by default.
            aggregation: Kept for Keras' signature.
            name: Its name.
        """
        initializer = initializers.get("zeros" if initializer is None else initializer)
        dtype = dtype or floatx()
        value = first_value(initializer, () if shape is None else tuple(shape), dtype)
        variable = gathering(value, dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        if trace.current() is not None:  # made by the first batch: what resets and reads this metric was traced without it
            changes.changed()
        return variable

    def add_weight(self, shape: Any = (), initializer: InitializerLike = None, dtype: str | None = None,
                   name: str | None = None) -> Variable:
        """The older name of `add_variable`."""
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    def reset_state(self) -> None:
        """Sets every Variable back to zeros."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, standardize(variable.dtype)))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes one more batch into account; every subclass writes its own."""
        raise Undefined(f"{type(self).__name__} must define update_state(...).")

    def result(self) -> Any:
        """The value so far, as a Tensor; every subclass writes its own."""
        raise Undefined(f"{type(self).__name__} must define result().")

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """The values that `update_state(*args)` would give the `variables`, which have the values `metric_variables`."""
        with StatelessScope(self._values_of_variables(metric_variables)) as scope:
            self.update_state(*args, **kwargs)
        return [scope.get_current_value(v) for v in self.variables]

    def stateless_result(self, metric_variables: Any) -> Any:
        """`result()` where the `variables` have the values `metric_variables`."""
        with StatelessScope(self._values_of_variables(metric_variables)):
            result = self.result()
            return result.value if isinstance(result, Variable) else result

    def stateless_reset_state(self) -> list[Any]:
        """The values of the `variables` after `reset_state()`."""
        with StatelessScope() as scope:
            self.reset_state()
        return [scope.get_current_value(v) for v in self.variables]

    def _values_of_variables(self, values: Any) -> list[tuple[Variable, Any]]:
        own = self.variables
        if len(values) != len(own):
            raise ValueError(
                "Argument `metric_variables` must be a list of tensors corresponding 1:1 to "
                f"{type(self).__name__}().variables. Received list with length {len(values)}, but expected {len(own)} variables."
            )
        return list(zip(own, values, strict=True))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`update_state(...)`, then `result()`."""
        self.update_state(*args, **kwargs)
        return self.result()

    def _base_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
