"""The steps of a cell over a sequence: as one loop, or one after another.

Both take the cell, its step, the inputs of all steps, the states before the first one and perhaps a mask, and return the
last output, all outputs, and the states after the last step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyml import ops
from pyml.core.loop import outline, scan
from pyml.core.tensor import Tensor
from pyml.core.tree import flatten, is_nested, pack_sequence_as
from pyml.layers.layer import Layer

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]
Outcome = tuple[Tensor, Tensor, Any]


def looped(cell: Any, step: Step, inputs: Tensor, states: list[Any], mask: Tensor | None, fresh: bool) -> Outcome:
    """All steps as one loop, whose body is traced once.

    Args:
        inputs: `(steps, batch, …)`.
        states: Tensors, perhaps nested.
        mask: bool `(steps, batch)`: where it is False states stay, and the output is that of the step before.
        fresh: Whether the states are zeros, as an output before the first step is.
    """
    losses = _Losses(cell)

    def one(x: Tensor, before: list[Tensor]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        output, new = step(x, pack_sequence_as(states, before))
        return output, flatten(new if is_nested(new) else [new]), losses.taken()

    start = flatten(states)
    output, new, _ = outline(one, inputs[0], start)
    state_is_output = output is new[0]  # then the output need not be kept besides
    held = mask is not None and not (fresh and state_is_output)

    def body(carry: Any, row: Any) -> tuple[Any, Any]:
        before, latest = carry
        x, kept = row
        output, new, more = one(x, before)
        if kept is not None:
            new = [ops.where(of_rank(kept, a.ndim), a, b) for a, b in zip(new, before, strict=True)]
            output = ops.where(of_rank(kept, output.ndim), output, latest) if held else new[0]
        return (new, output if held else None), (output, more)

    first = ops.zeros(output.shape, output.dtype) if held else None
    (after, latest), (outputs, more) = scan(body, (start, first), (inputs, mask))
    losses.give(more)
    last = latest if held else after[0] if state_is_output else outputs[-1]
    return last, outputs, pack_sequence_as(states, after)


def unrolled(cell: Any, step: Step, inputs: Tensor, states: list[Any], mask: Tensor | None, fresh: bool) -> Outcome:
    """One step after another; see `looped`."""
    outputs: list[Tensor] = []
    for t in range(inputs.shape[0]):
        output, new = step(inputs[t], states)
        new = list(new) if is_nested(new) else [new]
        if mask is not None:
            kept = mask[t]
            before = outputs[-1] if outputs else ops.zeros_like(output)
            output = ops.where(of_rank(kept, output.ndim), output, before)
            pairs = zip(flatten(new), flatten(states), strict=True)
            new = pack_sequence_as(new, [ops.where(of_rank(kept, a.ndim), a, b) for a, b in pairs])
        outputs.append(output)
        states = new
    return outputs[-1], ops.stack(outputs, axis=0), states


class _Losses:
    """Losses that a cell adds in every step."""

    def __init__(self, cell: Any):
        self.layers = cell._flatten_layers() if isinstance(cell, Layer) else []
        self.owners: list[Layer] = []

    def taken(self) -> list[Tensor]:
        """The losses of the step that was just traced, taken away from the layers."""
        found = [(layer, loss) for layer in self.layers for loss in layer._losses]
        for layer in self.layers:
            layer._losses.clear()
        self.owners = [layer for layer, _ in found]
        return [loss for _, loss in found]

    def give(self, stacks: list[Tensor]) -> None:
        """Adds the losses of all steps."""
        for layer, stack in zip(self.owners, stacks, strict=True):
            layer.add_loss(ops.sum(stack))


def swap_steps(x: Tensor) -> Tensor:
    """`(batch, steps, …)` as `(steps, batch, …)`, or the other way round."""
    return ops.transpose(x, (1, 0, *range(2, x.ndim)))


def of_rank(mask: Tensor, rank: int) -> Tensor:
    """A mask that broadcasts to tensors of more axes."""
    return ops.reshape(mask, (*mask.shape, *(1,) * (rank - mask.ndim)))
