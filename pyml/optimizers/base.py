"""The base of optimizers: their arguments, and updates of the variables; subclasses write one update."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypedDict

import numpy as np

from pyml.core import StatelessScope, Tensor, Variable
from pyml.core.naming import auto_name
from pyml.core.narrow import in_32_bits, unlabelled
from pyml.core.step import end_of_step
from pyml.errors import Forgotten, ShapeError, Undefined, did_you_mean
from pyml.lazily import LeftOut
from pyml.objects.configured import Configured, argument_names, plain
from pyml.objects.registry import OPTIMIZERS
from pyml.optimizers.around import AroundUpdates
from pyml.optimizers.schedules import LearningRateSchedule
from pyml.settings import floatx
from pyml.tracebacks import shown, warn

__all__ = ["Optimizer"]

LearningRate = float | LearningRateSchedule | Callable[[], Any]

known_values: ContextVar[Mapping[int, Any]] = ContextVar("values of Variables that were read before a file is written", default={})  # noqa: B039  # never changed


class OtherArguments(TypedDict, total=False):
    """Arguments that every optimizer takes, but for its weight decay; see `Optimizer`."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    name: str | None


class OptimizerArguments(OtherArguments, total=False):
    """Arguments that every optimizer takes besides its own, in the order of `Optimizer`, which describes them."""

    weight_decay: float | None


class Optimizer(AroundUpdates, Configured, Forgotten, kind=OPTIMIZERS, abstract=True):
    """Base: make state in `build(variables)`, write `update_step(gradient, variable, learning_rate)`.

    Args:
        learning_rate: A float, a LearningRateSchedule, or a function without arguments.
        weight_decay: Share of each weight taken off per step, times the learning rate.
        clipnorm: Largest norm of each gradient.
        clipvalue: Largest absolute value in a gradient.
        global_clipnorm: Largest norm of all gradients together; give one of the three.
        use_ema: Keep a moving average of the weights, taken over at the end of `fit`.
        ema_momentum: Share of the old average kept per step.
        ema_overwrite_frequency: Also take the average over every so many steps.
        loss_scale_factor: The loss is multiplied, the gradients divided by it.
        gradient_accumulation_steps: Update only after so many steps, with their mean gradient.
        name: Name of the optimizer.

    Everything that changes while training is a Variable, so a replayed step needs no Python.

    Raises:
        ValueError: An argument is unknown or out of range, or gradients are clipped in more than one way.

    Example:
        >>> class Signs(pyml.optimizers.Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, learning_rate * pyml.ops.sign(gradient))
        >>> weight = pyml.Variable([1.0, 2.0])
        >>> Signs(0.1).apply([pyml.ops.convert_to_tensor([5.0, -3.0])], [weight])
        >>> weight.numpy()
        array([0.9, 2.1], dtype=float32)
    """

    _hints = ("decay",)
    lr = LeftOut("it is learning_rate")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [p for p in inspect.signature(cls.__init__).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        if any(p.kind is p.VAR_POSITIONAL for p in inspect.signature(cls.__init__).parameters.values()):   # hands them on
            names = {p.name for p in own}
            shared = [p for p in inspect.signature(Optimizer.__init__).parameters.values() if p.name not in names]
            cls.__signature__ = inspect.Signature([*own[1:], *shared])   # type: ignore[attr-defined]  # what help() shows

    _made_by = "_iterations"

    def __init__(self, learning_rate: LearningRate, weight_decay: float | None = None, clipnorm: float | None = None,
                 clipvalue: float | None = None, global_clipnorm: float | None = None, use_ema: bool = False,
                 ema_momentum: float = 0.99, ema_overwrite_frequency: int | None = None, loss_scale_factor: float | None = None,
                 gradient_accumulation_steps: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        owner = type(self).__name__
        if kwargs.pop("decay", None) is not None:
            warn("Argument `decay` is no longer supported and will be ignored; give a schedule as learning_rate.")
        if kwargs:
            given = next(iter(kwargs))
            hint = did_you_mean("learning_rate" if given == "lr" else given, argument_names(type(self)))
            raise ValueError(f"{owner}: argument(s) not recognized: {kwargs}.{hint}")
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"{owner}: name must be a string without '/'. Received: name={name!r}")
        self.name = name or auto_name(owner)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_options(owner)
        self.built = False
        self._variables: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._variable_index = {}
        self._without_decay = []
        self._no_decay_names = None
        self._numbers_of_step = None
        self._iterations = self._track_state(Variable(np.int32(0), dtype="int32", trainable=False, name="iteration"))
        if isinstance(learning_rate, LearningRateSchedule) or callable(learning_rate):
            self._learning_rate = learning_rate
        elif isinstance(learning_rate, (float, int, np.number)) and not isinstance(learning_rate, bool):
            rate = Variable(np.float32(learning_rate), dtype=floatx(), trainable=False, name="learning_rate")
            self._learning_rate = self._track_state(rate.remember(float(learning_rate)))
        else:
            raise ValueError(
                f"{owner}: learning_rate must be a float, a LearningRateSchedule or a function. "
                f"Received: learning_rate={learning_rate!r}"
            )

    def _check_options(self, owner: str) -> None:
        if sum(given is not None for given in (self.clipnorm, self.clipvalue, self.global_clipnorm)) > 1:
            raise ValueError(
                f"{owner}: give only one of clipnorm, clipvalue and global_clipnorm. Received: clipnorm={self.clipnorm}, "
                f"clipvalue={self.clipvalue}, global_clipnorm={self.global_clipnorm}"
            )
        often, steps = self.ema_overwrite_frequency, self.gradient_accumulation_steps
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(f"{owner}: ema_momentum must lie in [0, 1]. Received: ema_momentum={self.ema_momentum}")
        if self.use_ema and often and (not isinstance(often, int) or often < 1):
            raise ValueError(
                f"{owner}: ema_overwrite_frequency must be an integer from 1 on, or None. Received: ema_overwrite_frequency={often}"
            )
        if steps and not steps >= 2:  # NaN too
            raise ValueError(
                f"{owner}: gradient_accumulation_steps must be at least 2. Received: gradient_accumulation_steps={steps}"
            )

    def build(self, variables: list[Variable]) -> None:
        """Makes the state for `variables`; called with the first gradients."""
        variables = list(variables)
        if self.use_ema:
            self._averages = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulators = self.add_optimizer_variables(variables, "gradient_accumulator")
        self._variable_index = {id(variable): i for i, variable in enumerate(variables)}
        self._trainable_variables = variables
        self.built = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)                        # a copy, or one that was pickled: with Variables of its own
        self._variable_index = {id(variable): i for i, variable in enumerate(self._trainable_variables)}

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Any) -> None:
        """Moves one variable along its gradient; every subclass writes its own."""
        raise Undefined(f"{type(self).__name__} must define update_step(gradient, variable, learning_rate).")

    @shown
    def apply_gradients(self, grads_and_vars: Iterable[tuple[Tensor | None, Variable]]) -> Variable:
        """`apply` on pairs of gradient and variable; returns the iterations.

        Args:
            grads_and_vars: Pairs of a gradient, or None, and its variable.

        Raises:
            ValueError: The optimizer was built for other variables.

        Example:
            >>> v, sgd = pyml.Variable([1.0, 2.0]), pyml.optimizers.SGD(0.5)
            >>> steps = sgd.apply_gradients([(pyml.convert_to_tensor([2.0, 2.0]), v)])
            >>> v.numpy()
            array([0., 1.], dtype=float32)
        """
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self._iterations

    @shown
    def apply(self, grads: Iterable[Tensor | None], trainable_variables: Iterable[Variable] | None = None) -> None:
        """Updates the variables.

        Args:
            grads: One gradient tensor per variable; None leaves its variable alone.
            trainable_variables: The variables; may be left out once the optimizer is built.

        Raises:
            ValueError: The optimizer was built for other variables, the numbers differ, or all gradients are None.
            ShapeError: A gradient does not fit its variable.

        Warns:
            UserWarning: Some gradients are None.
        """
        grads = [unlabelled(g) for g in grads]             # of float16 too: they are squared, and their squares added up
        if not grads:
            return
        if trainable_variables is None:
            if not self.built:
                raise ValueError(f"{self.name}: pass the variables at the first call of apply, or build() it first.")
            trainable_variables = self._trainable_variables
        variables = list(trainable_variables)
        for other in (v for v in variables if not isinstance(v, Variable)):
            raise ValueError(f"{self.name}: gradients come first, then Variables. Received {type(other).__name__} as a variable.")
        if not self.built:
            self.build(variables)
        if len(grads) != len(variables):
            raise ValueError(f"{self.name}: received {len(grads)} gradients for {len(variables)} variables.")
        for variable in variables:
            if id(variable) not in self._variable_index:
                raise ValueError(
                    f"{self.name} was built for other variables and does not know {variable.name!r}; "
                    "create a new optimizer (compile the model again)."
                )
        pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        self._check_connected([v.path for g, v in zip(grads, variables, strict=True) if g is None], bool(pairs))
        for g, v in pairs:  # before anything moves
            if (shape := tuple(g.shape) if hasattr(g, "shape") else np.shape(g)) != v.shape and not _broadcasts(shape, v.shape):
                raise ShapeError(f"{self.name}: the gradient of {v.path!r} has the shape {shape}, the variable {v.shape}.")
        moved = [(g, v) for g, v in pairs if not v.overwrite_with_gradient]
        for gradient, variable in pairs if len(moved) < len(pairs) else ():
            if variable.overwrite_with_gradient:
                self._overwrite_value(gradient, variable)
        if moved:
            in_32_bits(self._apply_gradients, ([g for g, _ in moved], [v for _, v in moved]), {})
        self._iterations.assign_add(1)
        end_of_step([*variables, *self._variables])

    @staticmethod
    def _check_connected(missing: list[str], any_is: bool) -> None:
        """Says which variables have no gradient.

        Raises:
            ValueError: None has.
        """
        if not any_is:
            raise ValueError(
                f"No gradients provided for any variable: the loss does not depend on {missing}. Compute it from them within the "
                "tape, with ops of pyml; numpy and stop_gradient cut gradients off."
            )
        if missing:
            warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss, which does not depend on them. If using "
                "`model.compile()`, did you forget to provide a `loss` argument?",
            )  # fmt: skip

    def stateless_apply(self, optimizer_variables: Sequence[Any], grads: Sequence[Any], trainable_variables: Sequence[Any]) -> Any:
        """What `apply` would assign, as values; nothing is changed.

        Args:
            optimizer_variables: Values for `variables`, in their order.
            grads: One gradient for each of the variables the optimizer was built with.
            trainable_variables: Values of those variables.

        Returns:
            The new values: a list for the variables trained, and one for those of the optimizer.

        Raises:
            ValueError: The optimizer is not built yet, or numbers of values differ.

        Source: `keras.optimizers.Optimizer.stateless_apply`.

        Example:
            >>> w = pyml.Variable([1.])
            >>> optimizer = pyml.optimizers.SGD(0.5)
            >>> optimizer.build([w])
            >>> values = [v.value for v in optimizer.variables]
            >>> [new], _ = optimizer.stateless_apply(values, [pyml.ops.array([1.])], [w.value])
            >>> new.tolist(), w.value.tolist()
            ([0.5], [1.0])
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built (i.e. its variables must have been created). "
                "You can build it via `optimizer.build(trainable_variables)`."
            )
        own, trained = self.variables, list(self._trainable_variables)
        groups = (("optimizer_variables", optimizer_variables, own), ("trainable_variables", trainable_variables, trained))
        for name, values, variables in groups:
            if len(values) != len(variables):
                raise ValueError(
                    f"Argument `{name}` must be a list of tensors corresponding 1:1 to {type(self).__name__}().variables. Received list "
                    f"with length {len(values)}, but expected {len(variables)} variables."
                )
        mapping = [*zip(trained, trainable_variables, strict=True), *zip(own, optimizer_variables, strict=True)]
        with StatelessScope(mapping) as scope:
            self.apply(grads)
        return [scope.get_current_value(v) for v in trained], [scope.get_current_value(v) for v in own]

    def scale_loss(self, loss: Any) -> Any:
        """The loss to differentiate: multiplied by `loss_scale_factor` where one is set."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def _base_config(self) -> dict[str, Any]:
        rate = self._learning_rate
        if isinstance(rate, Variable):
            known = known_values.get().get(id(rate))
            rate = float(rate.numpy() if known is None else known)
        else:
            rate = plain(rate)
        names = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
                 "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps")
        return {"name": self.name, "learning_rate": rate, **{name: getattr(self, name) for name in names}}


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    return len(shape) <= len(to) and all(n in (1, m) for n, m in zip(reversed(shape), reversed(to), strict=False))
