"""What the docstrings of ops of one kind share, written once: arguments, result and errors; and where an op comes from."""

from __future__ import annotations

from typing import NamedTuple


class Family(NamedTuple):
    """What is added to the docstring of every op of a kind, before its source and its example.

    Args:
        arguments: What the op takes, each as `name: what it is`.
        returns: What it gives.
        errors: What it raises, each as `Error: when`.
    """

    arguments: tuple[str, ...]
    returns: str
    errors: tuple[str, ...] = ()


_TITLES = ("Args", "Returns", "Raises", "Source", "Example")


def docstring(written: str | None, name: str, like: object, family: Family | None) -> str | None:
    """The docstring of an op: what is written in its file, what its family shares, and numpy's name as its source.

    Args:
        written: The docstring in the file; None as with `python -OO`.
        name: The op, which is Keras' too where `like` is a name of numpy.
        like: What the op computes for the tests; a name of numpy is the source where the file says no other.
        family: What is added, or None.
    """
    example = _start_of(written or "", "Example:")
    if not written or example < 0:
        return written
    indent = written[written.rfind("\n", 0, example) + 1 : example]
    for title, lines in () if family is None else (("Args", family.arguments), ("Returns", (family.returns,)), ("Raises", family.errors)):
        if lines and not (title == "Returns" and _start_of(written, "Returns:") >= 0):
            written = _with_section(written, title, lines, indent)
    if isinstance(like, str) and "Source:" not in written:
        written = _with_section(written, "Source", (), indent, f" `keras.ops.{name}`, `{like}`.")
    return written


def _start_of(text: str, title: str) -> int:
    """Where the section begins that has a line of its own, or -1."""
    place = text.find(title)
    while place >= 0 and text[:place].rstrip(" ")[-1:] != "\n":
        place = text.find(title, place + 1)
    return place


def _with_section(text: str, title: str, lines: tuple[str, ...], indent: str, rest: str = "") -> str:
    """A docstring with lines in a section: first in the one that is there, or in one of their own at its place."""
    inner = f"\n{indent}    "
    said = "".join(f"{inner}{line}" for line in lines)
    place = _start_of(text, f"{title}:")
    if place >= 0:
        place += len(f"{title}:")
        return f"{text[:place]}{said}{text[place:]}"
    place = next(at for later in _TITLES[_TITLES.index(title) + 1 :] if (at := _start_of(text, f"{later}:")) >= 0)
    return f"{text[:place]}{title}:{rest}{said}\n\n{indent}{text[place:]}"


_ANY = ("x: Tensor of any shape.",)
_TWO = ("x1, x2: Tensors, or numbers.",)
_ELSE = "(float32 of integers and booleans)"
_BROADCAST = "ShapeError: The shapes do not broadcast."
_NO_DTYPE = "DtypeError: There is no such dtype."
_AXES = (
    "x: Tensor of any shape.",
    "axis: The axis, or several; None for all. Negative ones count from the end.",
    "keepdims: Whether the axes stay, with a size of 1.",
)
_WITHOUT = "without `axis`, or with a size of 1 there where `keepdims` is true."
_AXIS_ERROR = "ShapeError: An axis is out of range or named twice."

EACH = Family(_ANY, "A tensor of the shape and dtype of `x`.")
EACH_FLOAT = Family(_ANY, f"A tensor of the float dtype of `x` {_ELSE}, in the shape of `x`.")
EACH_TRUTH = Family(_ANY, "bool, in the shape of `x`.")
PAIR = Family(_TWO, "A tensor of the common dtype, in the shape that both broadcast to.", (_BROADCAST,))
PAIR_FLOAT = Family(_TWO, f"A tensor of the common float dtype {_ELSE}, in the shape that both broadcast to.", (_BROADCAST,))
PAIR_TRUTH = Family(_TWO, "bool, in the shape that both broadcast to.", (_BROADCAST,))
PAIR_BITS = Family(
    ("x: Tensor of integers or booleans.", "y: Another."),
    "A tensor of the common dtype, in the shape that both broadcast to.",
    (_BROADCAST, "DtypeError: An operand holds floats."),
)
OVER_AXES = Family(_AXES, f"A tensor of the dtype of `x`, {_WITHOUT}", (_AXIS_ERROR,))
OVER_AXES_FLOAT = Family(_AXES, f"A tensor of the float dtype of `x` {_ELSE}, {_WITHOUT}", (_AXIS_ERROR,))
RUNNING = Family(
    ("x: Tensor of any shape.", "axis: The axis; None for the flattened `x`.", "dtype: The dtype of the result; None for that of `x`."),
    "A tensor in the shape of `x` (one axis without `axis`), of `dtype` or its dtype (int32 of booleans).",
    ("ShapeError: The axis is out of range.", _NO_DTYPE),
)
SEGMENTS = Family(
    (
        "data: Tensor, whose rows are in segments.",
        "segment_ids: The number of the segment of each row, integers `(rows,)`.",
        "num_segments: How many there are; None for as many as the largest number says.",
        "sorted: Whether the numbers never decrease; without effect.",
    ),
    "A tensor of the dtype of `data`: `(num_segments, *data.shape[1:])`.",
    ("ShapeError: There is not a number for each row.",),
)
FILLED = Family(
    ("shape: The sizes, or one size.", "dtype: The dtype of the result."),
    "A tensor of shape `shape` and dtype `dtype`, `pyml.config.floatx()` by default.",
    ("ShapeError: `shape` holds something else than integers of at least 0.", _NO_DTYPE),
)
FILLED_LIKE = Family(
    ("x: Tensor of any shape.", "dtype: The dtype of the result; None for that of `x`."),
    "A tensor in the shape of `x`, of `dtype` or its dtype.",
    (_NO_DTYPE,),
)
STACKED = Family(
    ("xs: List or tuple of tensors.",),
    "A tensor of the common dtype, in the shape of the tensors but for the axis along which they are joined.",
    ("ShapeError: Other sizes differ.", "ValueError: There are no tensors."),
)
WINDOW = Family(("x: The number of places.",), "float32 `(x,)`.", ("ShapeError: `x` is not an integer of at least 0.",))
