"""Logs of a batch, read from the device only when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from pyml.core import Tensor

if TYPE_CHECKING:
    from pyml.trainers.steps import Steps


def _once_read(method: Callable[..., Any]) -> Any:
    """The method of dict, on logs that have their values."""

    def of_read(self: BatchLogs, *args: Any, **kwargs: Any) -> Any:
        self._read()
        return method(self, *args, **kwargs)

    return of_read


class BatchLogs(dict[str, Any]):
    """The dict that Keras passes to batch hooks; it has its names at once, and its values when one is looked at or changed.

    Args:
        steps: Gives the values on the device, as they are until the next step; `fix` must be called before that if the logs are
            still in somebody's hands.
        kind: "train" or "test".
    """

    def __init__(self, steps: Steps, kind: str):
        super().__init__(dict.fromkeys(steps.log_names(kind)))
        self._steps, self._kind = steps, kind
        self._tensor: Tensor | None = None
        self._read_already = False

    def fix(self) -> None:
        """From here on the values do not change when training goes on."""
        if self._tensor is None:
            self._tensor = self._steps.results_program(self._kind)()

    def _read(self) -> None:
        if not self._read_already:
            self.fix()
            assert self._tensor is not None
            super().update(self._steps.unpack(self._tensor.numpy(), self._kind)[0])
            self._read_already = True

    def __iter__(self) -> Iterator[str]:
        """The names. That it is written here makes `dict(logs)` and `**logs` ask for the values by `__getitem__`."""
        return super().__iter__()

    def __reduce__(self) -> Any:
        return dict, (dict(self),)

    __getitem__ = _once_read(dict.__getitem__)
    __setitem__ = _once_read(dict.__setitem__)
    __delitem__ = _once_read(dict.__delitem__)
    __eq__ = _once_read(dict.__eq__)
    __ne__ = _once_read(dict.__ne__)
    __or__ = _once_read(dict.__or__)
    __ror__ = _once_read(dict.__ror__)
    __ior__ = _once_read(dict.__ior__)
    __repr__ = _once_read(dict.__repr__)
    get = _once_read(dict.get)
    values = _once_read(dict.values)
    items = _once_read(dict.items)
    copy = _once_read(dict.copy)
    pop = _once_read(dict.pop)
    popitem = _once_read(dict.popitem)
    setdefault = _once_read(dict.setdefault)
    update = _once_read(dict.update)
    clear = _once_read(dict.clear)
