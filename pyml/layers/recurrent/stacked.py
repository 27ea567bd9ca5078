"""Cells on top of each other as one cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyml import ops
from pyml.errors import ShapeError
from pyml.layers.layer import Layer
from pyml.layers.recurrent.cells import GRUCell, LSTMCell, SimpleRNNCell
from pyml.layers.signature import call_signature
from pyml.layers.wrapper import build_inside
from pyml.objects.samples import Sample, draw, sample


class StackedRNNCells(Layer):
    """Several cells as one: the output of each is the input of the next.

    Args:
        cells: List of cells.

    Raises:
        ValueError: One of them has no `call` or no `state_size`.

    Example:
        >>> cell = pyml.layers.StackedRNNCells([pyml.layers.LSTMCell(4), pyml.layers.GRUCell(3)])
        >>> cell.state_size
        [[4, 4], 3]
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for cell in cells:
            for needed in ("call", "state_size"):
                if not hasattr(cell, needed):
                    raise ValueError(f"StackedRNNCells: each of cells needs `{needed}`. Received: {cell!r}")
        self.cells = list(cells)

    @property
    def state_size(self) -> Any:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """Size of the output, that of the last cell."""
        return _width(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """States of zeros for `batch_size` sequences: for each cell a list, or one state where it has only one."""
        zeros = lambda size: ops.zeros((batch_size, size))
        return [zeros(cell.state_size) if isinstance(cell.state_size, int) else [zeros(n) for n in cell.state_size]
                for cell in self.cells]

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                build_inside(self, cell, input_shape)
            input_shape = (input_shape[0], _width(cell))
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool | None = False, **kwargs: Any) -> Any:
        """The output of the last cell, and the new states of all; what else is passed goes to every cell."""
        if isinstance(states, (list, tuple)) and len(states) != len(self.cells):
            raise ShapeError(f'Layer "{self.name}" has {len(self.cells)} cell(s), each with its states; states has {len(states)}.')
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            nested = isinstance(state, (list, tuple))
            known = kwargs | ({"training": training} if call_signature(type(cell)).takes_training else {})
            inputs, new = cell(inputs, list(state) if nested else [state], **known)
            new = list(new) if isinstance(new, (list, tuple)) else [new]
            after.append(new if nested else new[0])
        return inputs, after

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(x: Any, states: Any, kernel: Any, recurrent_kernel: Any, bias: Any, kernel_1: Any, recurrent_kernel_1: Any,
                 bias_1: Any) -> Any:
            a = np.tanh(x @ kernel + bias + states[0] @ recurrent_kernel)
            b = np.tanh(a @ kernel_1 + bias_1 + states[1] @ recurrent_kernel_1)
            return b, [a, b]

        yield sample(cls([SimpleRNNCell(3), SimpleRNNCell(2)]), draw(2, 4), [draw(2, 3), draw(2, 2)], like=like)
        yield sample(cls([LSTMCell(3), GRUCell(2)]), draw(2, 4), [[draw(2, 3), draw(2, 3)], draw(2, 2)])


def _width(cell: Any) -> int:
    """Features of the output of a cell."""
    size = getattr(cell, "output_size", None) or cell.state_size
    return size if isinstance(size, int) else size[0]


def draw_dropout(cell: Any, step: Any, states: Any, training: bool | None) -> None:
    """Draws what a cell, or the cells that are stacked in it, drop in all steps from one step of the inputs and the first states.

    A `call` of a user may ask for it when nothing is trained, too.
    """
    if isinstance(cell, StackedRNNCells):
        for one, state in zip(cell.cells, states, strict=True):
            draw_dropout(one, step, state, training)
            step = ops.ones((step.shape[0], _width(one)))
    elif hasattr(cell, "get_dropout_mask") and (training or not cell._runs_in_parts):
        cell.get_dropout_mask(step)
        cell.get_recurrent_dropout_mask(states[0] if isinstance(states, (list, tuple)) else states)


def forget_dropout(cell: Any) -> None:
    """Forgets what `draw_dropout` drew."""
    if isinstance(cell, StackedRNNCells):
        for one in cell.cells:
            forget_dropout(one)
    elif hasattr(cell, "reset_dropout_mask"):
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()
