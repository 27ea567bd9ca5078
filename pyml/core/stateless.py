"""`StatelessScope`: Variables have given values inside it and are not changed; `SymbolicScope`: only shapes are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from ..errors import ShapeError
from . import trace
from .tensor import Tensor, convert_to_tensor
from .variable import Variable


class StatelessScope:
    """Inside of `with StatelessScope(...)`, Variables have the values given here, and what is assigned to them stays in the scope.

    Layers, metrics and random generators become functions of their state that way; programs, gradients, loops and branches work
    inside. Of scopes inside each other the innermost has a value: what it does not know is as it is outside of all.

    Args:
        state_mapping: Pairs `(variable, value)`; a value is a tensor, an array, a number or a Variable.
        collect_losses: Whether `losses` gets what layers add by `add_loss`; without it that is dropped.
        initialize_variables: Without effect: a Variable that is made inside has its first value at once.

    Raises:
        ValueError: A key is not a Variable, or a value has not the shape of its Variable.

    Source: `keras.StatelessScope`.

    Example:
        >>> v = pyml.Variable([1., 2.])
        >>> with pyml.StatelessScope([(v, [3., 4.])]) as scope:
        ...     _ = v.assign_add([1., 1.])
        >>> scope.get_current_value(v).tolist(), v.value.tolist()
        ([4.0, 5.0], [1.0, 2.0])
    """

    only_looks = False  # whether symbolic values may be assigned too, which change nothing

    def __init__(
        self, state_mapping: Iterable[tuple[Variable, Any]] | None = None, collect_losses: bool = False, initialize_variables: bool = True
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state_mapping: dict[int, Tensor] = {}
        self._variables: dict[int, Variable] = {}  # of those ids, which are theirs as long as they live
        self._added: dict[int, list[Any]] = {}  # id of a layer -> its losses
        self._around: list[tuple[StatelessScope | None, trace.Trace | None]] = []
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ValueError(f"StatelessScope: state_mapping holds pairs (variable, value). Received: {variable!r} for a variable")
            tensor = convert_to_tensor(value.value if isinstance(value, Variable) else value, dtype=variable.dtype)
            if tensor.shape != variable.shape:
                raise ShapeError(f"StatelessScope: Variable {variable.path!r} has shape {variable.shape}, the given value {tensor.shape}.")
            self.add_update((variable, tensor))

    def __enter__(self) -> StatelessScope:
        self._around.append((trace.stateless(), trace.current()))
        trace.set_stateless(self)
        return self

    def __exit__(self, *failure: object) -> None:
        trace.set_stateless(self._around.pop()[0])

    @property
    def here(self) -> bool:
        """Whether the scope was entered where we are: a step of a loop that began inside has values of its own until it ends."""
        return bool(self._around) and trace.current() is self._around[-1][1]

    def add_loss(self, loss: Any, layer: Any = None) -> None:
        """Notes a loss, and the layer that it is of."""
        self.losses.append(loss)
        self._added.setdefault(id(layer), []).append(loss)

    def losses_of(self, layer: Any) -> list[Any]:
        """What `layer` added in the scope."""
        return self._added.get(id(layer), [])

    def clear_losses(self, layer: Any) -> None:
        """Forgets what `layer` added."""
        gone = {id(loss) for loss in self._added.pop(id(layer), ())}
        self.losses[:] = [loss for loss in self.losses if id(loss) not in gone]

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Gives a Variable another value in the scope; `update` is `(variable, tensor)`."""
        variable, value = update
        self._variables[id(variable)] = variable
        self.state_mapping[id(variable)] = value

    def get_current_value(self, variable: Variable) -> Tensor | None:
        """The value that a Variable has in the scope, or had when it ended; None if the scope has none of it."""
        return self.state_mapping.get(id(variable))


class SymbolicScope:
    """Inside of `with SymbolicScope():` `in_symbolic_scope()` holds: a layer may ask whether it computes shapes or values.

    Source: `keras.SymbolicScope`.

    Example:
        >>> with pyml.SymbolicScope():
        ...     pyml.core.stateless.in_symbolic_scope()
        True
    """

    def __enter__(self) -> SymbolicScope:
        self._around = _symbolic.get()
        _symbolic.set(self)
        return self

    def __exit__(self, *args: Any, **kwargs: Any) -> None:
        _symbolic.set(self._around)


_symbolic: ContextVar[SymbolicScope | None] = ContextVar("symbolic_scope", default=None)


def in_symbolic_scope() -> bool:
    """Whether a `SymbolicScope` is open."""
    return _symbolic.get() is not None


def in_stateless_scope() -> bool:
    """Whether a `StatelessScope` is open."""
    return trace.stateless() is not None


__all__ = ["StatelessScope", "SymbolicScope", "in_stateless_scope", "in_symbolic_scope"]
