"""Logs of a batch, read from the device only when somebody looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyml.core import Tensor

if TYPE_CHECKING:
    from pyml.trainers.steps import Steps


class BatchLogs(Mapping[str, Any]):
    """A mapping like the dict that Keras passes to batch hooks.

    Args:
        steps: Gives the values on the device, as they are until the next step; `fix` must be called before that if the logs are
            still in somebody's hands.
        kind: "train" or "test".
    """

    def __init__(self, steps: Steps, kind: str):
        self._steps, self._kind = steps, kind
        self._tensor: Tensor | None = None
        self._values: dict[str, Any] | None = None

    def fix(self) -> None:
        """From here on the values do not change when training goes on."""
        if self._tensor is None:
            self._tensor = self._steps.results_program(self._kind)()

    def _read(self) -> dict[str, Any]:
        if self._values is None:
            self.fix()
            assert self._tensor is not None
            self._values = self._steps.unpack(self._tensor.numpy(), self._kind)[0]
        return self._values

    @property
    def _names(self) -> Sequence[str]:
        return self._steps.log_names(self._kind)

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __repr__(self) -> str:
        return repr(self._read())
