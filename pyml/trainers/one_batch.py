"""One batch in the form that a step takes: inputs, targets and weights of samples, or the tuple that a model of one's own gets whole."""

from __future__ import annotations

from typing import Any

from pyml.trainers.data import Arrays, as_arrays
from pyml.utils.data_utils import pack_x_y_sample_weight, unpack_x_y_sample_weight

WHOLE: tuple[()] = ()  # stands for the targets of a batch that is a tuple of another form


def whole_batch(batch: tuple[Any, ...], what: str) -> tuple[Any, Any, Any]:
    """A tuple of any length as the inputs of a batch, and that it is one."""
    parts = tuple(None if part is None else as_arrays(part, f"part {i} of a batch", what) for i, part in enumerate(batch))
    return parts, WHOLE, None


def is_whole(batch: tuple[Any, Any, Any]) -> bool:
    """Whether a batch is such a tuple."""
    return isinstance(batch[1], tuple) and batch[1] == WHOLE


def inputs_of(batch: tuple[Any, Any, Any]) -> Any:
    """What of a batch the model itself takes."""
    return batch[0][0] if is_whole(batch) else batch[0]


def packed(x: Any, y: Any, sample_weight: Any) -> Any:
    """A batch as a step gets it: `x`, `(x, y)`, `(x, y, sample_weight)`, or the tuple it was."""
    return x if is_whole((x, y, None)) else pack_x_y_sample_weight(x, y, sample_weight)


def standard_batch(
    batch: Any, what: str, class_weight: dict[int, float] | None, uneven: bool
) -> tuple[Any, Any, Any]:
    """A batch as `(x, y, sample_weight)` of arrays, with the weights of its classes; `uneven` as for `Arrays`.

    Raises:
        ValueError: It is none.
    """
    try:
        x, y, weight = unpack_x_y_sample_weight(batch)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    arrays = Arrays(x, y, weight, what=f"{what}: a batch", uneven=uneven)
    if class_weight is not None:
        arrays.weigh(class_weight)
    return arrays.struct
