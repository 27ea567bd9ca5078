"""`make_train_function` and its like: what runs one step, for those who wrap it or write their own."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pyml.trainers.state import taken
from pyml.trainers.step_methods import StepMethods

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer

StepFunction = Callable[[Any], Any]
KINDS = ("train", "test", "predict")


class OneBatch(list[Any]):
    """What a step function gets: a list of one batch, which is an iterator too, as Keras' back ends have the one or the other."""

    def __next__(self) -> Any:
        if not self:
            raise StopIteration
        return self.pop(0)


class CompiledStep:
    """The step function of a model as it comes: a batch goes to `train_step` and the like, traced once and replayed.

    Args:
        model: The model; kept by weak reference.
        kind: `"train"`, `"test"` or `"predict"`.
    """

    def __init__(self, model: StepFunctions, kind: str):
        self._model, self.kind = weakref.ref(model), kind

    def __call__(self, data: Iterable[Any]) -> Any:
        """The logs of a step, or predictions; `data` is an iterator or a list of batches, of which the first is taken."""
        model: Any = self._model()
        kind = self.kind

        def step(batch: Any) -> Any:
            mine: Any = self._model()
            found = _stepped(mine, kind, batch)
            mine._clear_losses()
            return found

        batches: Any = data if hasattr(data, "__next__") else iter(data)
        return model._step_programs.program((f"{kind}_function",), lambda own: step)(next(batches))


class StepFunctions(StepMethods):
    """Base of Trainer with `train_function`, `test_function` and `predict_function`, each None until it is made."""

    train_function: StepFunction | None = None
    test_function: StepFunction | None = None
    predict_function: StepFunction | None = None

    def make_train_function(self, force: bool = False) -> StepFunction:
        """Sets `train_function`, which takes an iterator of batches, trains on one and returns the logs.

        A subclass may wrap what this sets, or set a function of its own; `fit` and `train_on_batch` then call it for every batch. What it
        does around the compiled step is plain Python, done each time.

        Args:
            force: Make it anew where there is one.

        Returns:
            The function.

        Source: keras.Model.make_train_function.

        Example:
            >>> class Loud(pyml.Sequential):
            ...     def make_train_function(self, force=False):
            ...         step = super().make_train_function(force)
            ...         def loud(iterator):
            ...             print("a step")
            ...             return step(iterator)
            ...         self.train_function = loud
            ...         return loud
            >>> model = Loud([pyml.Input((2,)), pyml.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> _ = model.fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, verbose=0)
            a step
            a step
        """
        return self._made_function("train", force)

    def make_test_function(self, force: bool = False) -> StepFunction:
        """Sets `test_function`, as `make_train_function` does, for `evaluate` and `test_on_batch`."""
        return self._made_function("test", force)

    def make_predict_function(self, force: bool = False) -> StepFunction:
        """Sets `predict_function`, which returns predictions, for `predict` and `predict_on_batch`; as `make_train_function`."""
        return self._made_function("predict", force)

    def _made_function(self, kind: str, force: bool) -> StepFunction:
        made = getattr(self, f"{kind}_function")
        if made is None or force:
            made = CompiledStep(self, kind)
            setattr(self, f"{kind}_function", made)
        return made

    def _own_function(self, kind: str) -> StepFunction | None:
        """The step function that a subclass or a user made; None where a step is run as it comes."""
        maker = f"make_{kind}_function"
        if getattr(type(self), maker) is not getattr(StepFunctions, maker) and getattr(self, f"{kind}_function") is None:
            made = getattr(self, maker)()
            if getattr(self, f"{kind}_function") is None:  # it only returned it
                setattr(self, f"{kind}_function", made)
        found = getattr(self, f"{kind}_function")
        return None if isinstance(found, CompiledStep) else found


def run(model: Trainer, kind: str, data: Any) -> Any:
    """The logs of one step on `data`, or predictions, by the step function where one was made."""
    own = model._own_function(kind)
    if own is not None:
        return own(OneBatch([data]))
    return _stepped(model, kind, data)


def _stepped(model: Any, kind: str, data: Any) -> Any:
    with model._inputs_as_given(kind, data) as batch:
        return model.predict_step(batch) if kind == "predict" else taken(model, kind, batch)
