"""Weights of a layer: made, listed, frozen, read and set, and kept in files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from pyml import constraints, initializers, regularizers
from pyml.core import Tensor, Variable, changes
from pyml.core.memory import check_room
from pyml.core.naming import auto_name
from pyml.core.trace import tracing
from pyml.dtypes import FLOATS
from pyml.errors import ShapeError
from pyml.initializers.base import first_value
from pyml.layers import allowance
from pyml.layers.in_dtypes import InDtypes
from pyml.layers.signature import dtype_name
from pyml.layers.types import ConstraintLike, InitializerLike, RegularizerLike


class KeptWeights(InDtypes):
    """Part of Layer: the Variables that it and the layers inside own."""

    _trainable: bool

    def add_weight(self, *args: Any, shape: Any = None, initializer: InitializerLike = None, dtype: Any = None, trainable: bool = True,
                   autocast: bool = True, regularizer: RegularizerLike = None, constraint: ConstraintLike = None,
                   aggregation: str = "none", overwrite_with_gradient: bool = False, name: str | None = None) -> Variable:
        """Makes a weight that the layer owns.

        Args:
            *args: `shape`, `initializer` and `dtype` may be given by place.
            shape: Tuple of sizes; a scalar by default.
            initializer: Name or object; by default Glorot uniform, zeros for a dtype that is not a float.
            dtype: Name of the dtype.
            trainable: Whether training changes it.
            regularizer: Penalty of the weight, added to the loss.
            constraint: Function applied to the weight after each update.
            name: Name of the weight.
            overwrite_with_gradient: Whether an optimizer makes the gradient its value.
            autocast, aggregation: Kept for Keras' signature.

        Returns:
            A Variable.

        Raises:
            TypeError: There are more than three arguments by place.
            ValueError: The first one is a name, or one is given by place and by name.
        """
        if args:
            shape, initializer, dtype = _by_place(args, {"shape": shape, "initializer": initializer, "dtype": dtype})
        shape = () if shape is None else (shape,) if isinstance(shape, Integral) else tuple(shape)
        if any(size is None for size in shape):
            raise ShapeError(
                f'Layer "{self.name}": weight {name!r} has an unknown size in its shape {shape}; '
                "give the model an Input with all sizes but the batch."
            )
        if any(isinstance(size, Real) and (not isinstance(size, Integral) or int(size) < 0) for size in shape):
            raise ShapeError(f'Layer "{self.name}": the sizes of weight {name!r} must be integers from 0 on. Received: shape={shape}')
        allowance.take(shape, what := f'Layer "{self.name}": weight {name!r}')
        check_room(shape, what)
        dtype = dtype_name(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtype in FLOATS else "zeros"
        initializer = initializers.get(initializer)
        name = name or auto_name("variable")
        with tracing(None):
            variable = Variable(first_value(initializer, shape, dtype), shape=shape, dtype=dtype, trainable=trainable,
                                autocast=autocast, aggregation=aggregation, name=name)  # fmt: skip
        variable.path = f"{self.path}/{name}"
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        if overwrite_with_gradient:
            variable.overwrite_with_gradient = overwrite_with_gradient
        self._track_variable(variable)
        return variable

    def add_variable(self, shape: Any, initializer: InitializerLike, dtype: Any = None, trainable: bool = True, autocast: bool = True,
                     regularizer: RegularizerLike = None, constraint: ConstraintLike = None, name: str | None = None) -> Variable:
        """The same as `add_weight`."""
        return self.add_weight(shape=shape, initializer=initializer, dtype=dtype, trainable=trainable, autocast=autocast,
                               regularizer=regularizer, constraint=constraint, name=name)

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets it for all layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        changes.froze()
        for layer in self._flatten_layers():
            layer._trainable = value
            for variable in layer._trainable_variables:
                variable.trainable = value

    @property
    def variables(self) -> list[Variable]:
        """All Variables, random states included."""
        return self._collect_variables(with_seeds=True)

    @property
    def weights(self) -> list[Variable]:
        """All Variables but random states."""
        return self._collect_variables(with_seeds=False)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes: none of a frozen layer, inside this one or not."""
        if not self.trainable:
            return []
        frozen = {id(v) for layer in self._flatten_layers() if not layer.trainable for v in layer._own_variables()}
        return [v for v in self.weights if v.trainable and id(v) not in frozen]

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The Variables that training leaves alone, random states included."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    @property
    def metrics(self) -> Any:
        """The metrics of this layer and of all layers inside."""
        return [metric for layer in self._flatten_layers() for metric in layer._metrics_of()]

    @property
    def metrics_variables(self) -> list[Variable]:
        """The Variables of the metrics."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`, as numpy arrays; in a browser that cannot wait, `[await w.data() for w in layer.weights]`.

        Example:
            >>> layer = pyml.layers.Dense(3)
            >>> layer.build((None, 4))
            >>> [array.shape for array in layer.get_weights()]
            [(4, 3), (3,)]
        """
        return [variable.numpy() for variable in self.weights]

    def copy_weights(self) -> list[Tensor]:
        """The values of `weights` as tensors: they stay on the device and do not change when training goes on."""
        return [variable.value for variable in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Sets `weights` from a list of arrays.

        Args:
            weights: One array for each of `weights`, in their order and shapes.

        Raises:
            ShapeError: The number of arrays or a shape differs.

        Example:
            >>> layer = pyml.layers.Dense(3)
            >>> layer.build((None, 4))
            >>> layer.set_weights([np.ones((4, 3)), np.zeros(3)])
        """
        weights, own = list(weights), self.weights
        if len(weights) != len(own):
            raise ShapeError(
                f'Layer "{self.name}" has {len(own)} weights; set_weights() received {len(weights)} arrays.'
            )
        for variable, value in zip(own, weights, strict=True):
            shape = tuple(np.shape(value)) if not hasattr(value, "shape") else tuple(value.shape)
            if shape != tuple(variable.shape):
                raise ShapeError(
                    f'Layer "{self.name}": weight {variable.path} has shape {tuple(variable.shape)}, '
                    f"the given array {shape}."
                )
        for variable, value in zip(own, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            ValueError: The layer is not built yet.
        """
        if not self.built:
            raise ValueError(f'Layer "{self.name}" has no weights yet; build it or call it first.')
        return sum(math.prod(variable.shape) for variable in self.weights)

    def save_own_variables(self, store: Any) -> None:
        """Writes the layer's own Variables into a dict, `store`, under their position."""
        for i, variable in enumerate(self._kept_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Reads from `store` what `save_own_variables` wrote.

        Raises:
            ShapeError: There is another number of Variables, or one of another shape.
        """
        self._load_variables(self._kept_variables(), store)

    def _load_variables(self, own: Sequence[Variable], store: Any) -> None:
        """Gives the Variables the arrays under their positions, all or none of them."""
        if len(store.keys()) != len(own):
            names = [variable.name for variable in own]
            raise ShapeError(
                f"Layer '{self.name}' expected {len(own)} variables {names}, but {len(store.keys())} are stored"
                + ("." if self.built else "; it is not built yet.")
            )
        for i, variable in enumerate(own):
            mine, stored = tuple(variable.shape), tuple(np.shape(store[str(i)]))
            if mine != stored:
                raise ShapeError(f"Layer '{self.name}': {variable.name!r} has shape {mine}; an array of {stored} is stored.")
        for i, variable in enumerate(own):
            variable.assign(store[str(i)])

    def _kept_variables(self) -> list[Variable]:
        """The layer's own Variables, each once."""
        return list({id(variable): variable for variable in self._own_variables()}.values())


def _by_place(args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """`shape`, `initializer` and `dtype` of `add_weight`, the first of which may be given by place."""
    if len(args) > len(named):
        raise TypeError(f"add_weight() takes at most 3 arguments by place: shape, initializer, dtype. Received: {len(args)}")
    if isinstance(args[0], str):
        raise ValueError(
            f"`name` must be passed as a keyword argument. Received: add_weight({args[0]!r}, ...). "
            f"Use: add_weight(shape=..., name={args[0]!r})."
        )
    for name, value in zip(named, args, strict=False):
        if named[name] is not None:
            raise ValueError(f"add_weight(): {name!r} was given by place and by name. Received: {value!r} and {named[name]!r}")
        named[name] = value
    return named.values()
