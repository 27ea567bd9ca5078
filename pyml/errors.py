"""Every error pyml raises on purpose; each message says what was given, what was expected, what to do."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any


def to_install(package: str, in_pyodide: bool = True) -> str:
    """What makes an optional package importable here: a tab has no command line.

    Args:
        package: Its name.
        in_pyodide: Whether Pyodide has it; others come from PyPI.

    Example:
        >>> pyml.errors.to_install("pillow")
        'pip install pillow'
    """
    if sys.platform != "emscripten":
        return f"pip install {package}"
    load = "import pyodide_js; await pyodide_js.loadPackage"
    return f"{load}({package!r})" if in_pyodide else f"{load}('micropip'); import micropip; await micropip.install({package!r})"


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """` Did you mean 'axis'?` of the known name that is nearest to one that is not known; empty where none is near.

    Args:
        name: What was given.
        known: The names that there are.
        cutoff: How much of the two has to be alike, from 0 to 1.

    Example:
        >>> pyml.errors.did_you_mean("axes", ["axis", "x"])
        " Did you mean 'axis'?"
        >>> pyml.errors.did_you_mean("Adma", ["adam", "adamax"])
        " Did you mean 'adam'?"
    """
    import difflib

    given, every = name.lower(), list(known)
    near = [one for one in every if sorted(one.lower()) == sorted(given)]  # two letters changed places, or a capital
    if not near:
        close = difflib.get_close_matches(given, {one.lower() for one in every}, n=1, cutoff=cutoff)
        near = [one for one in every if one.lower() in close]
    return f" Did you mean {difflib.get_close_matches(name, near, n=1, cutoff=0)[0]!r}?" if near else ""


class PymlError(Exception):
    """Base class of pyml's own errors."""


class ShapeError(PymlError, ValueError):
    """Shapes, axes or sizes do not fit together."""

    would_fit: tuple[int, ...] = ()  # while shapes are inferred: sizes for an unknown one that do


class AxisError(ShapeError, IndexError):
    """An array has no such axis, or indices do not fit its axes; an IndexError too, as in Keras and numpy."""


class AxisKindError(ShapeError, TypeError):
    """An axis is not an integer; a TypeError too, as in Keras and numpy."""


class DtypeError(PymlError, TypeError, ValueError):
    """A dtype is unknown, unsupported or does not fit the operation; a ValueError too, as Keras raises one for a name that is no dtype."""


class TraceError(PymlError, RuntimeError):
    """A value was asked for while a program was being traced, when no values exist yet."""


class SymbolicValue(PymlError, ValueError, TypeError):
    """A number, a branch or an array was asked for of a symbolic tensor, which has no values; a TypeError too, as in Keras."""


class Undefined(PymlError, NotImplementedError, TypeError):
    """A method that a subclass has to write is missing, or symbolic tensors are iterated over; a NotImplementedError, as in Keras."""


class NotDifferentiable(PymlError, TypeError):
    """A gradient was asked for through an operation that has none."""


class DeviceError(PymlError, RuntimeError):
    """The device could not do what was asked."""


class BackendUnavailable(DeviceError):
    """The backend asked for cannot be used here."""


class KernelError(DeviceError):
    """A kernel did not compile or was rejected by the device."""


class DeviceLost(DeviceError):
    """The GPU device was lost (driver reset, watchdog, tab in the background)."""

    CURE = 'What lay on it is gone: `pyml.config.set_backend("webgpu")` opens another device; make the model again then, or load it.'

    @classmethod
    def told(cls, reason: str) -> DeviceLost:
        """Of a device that says a `reason`, with what to do; where `fit` has brought the weights back it says that instead."""
        return cls(f"the GPU device was lost ({reason}). {cls.CURE}")


class BufferTooLarge(DeviceError):
    """An array needs a larger buffer than the adapter can bind."""


class SyncReadError(DeviceError):
    """This browser cannot wait synchronously; write `await t.data()`."""


class UnknownName(PymlError, ValueError, TypeError):
    """A config or a file names a class or a function that nobody registered; a TypeError too, as in Keras."""


class HubError(PymlError, OSError):
    """The files of a network are not there, or are not the ones that were pinned."""


def returned(value: Any, who: str, what: str = "a tensor") -> Any:
    """What a function of the user's returned, where that is no None and no text.

    Args:
        value: It.
        who: The function, in words.
        what: What it has to return, in words.

    Raises:
        DtypeError: It is None or text.

    Example:
        >>> returned(0.5, "My.call()")
        0.5
    """
    if value is None or isinstance(value, str):
        raise DtypeError(f"{who} must return {what}{'; end it with `return`' if value is None else ''}. It returned {value!r}.")
    return value


class NotMade(PymlError, RuntimeError, AttributeError):
    """A class of one's own did not call `super().__init__()`; an AttributeError too, as what its base makes is missing."""


class Forgotten:
    """Base of what has to be made by the constructor of a class of ours: one who forgot to call that is told so, whatever is missed.

    `_made_by` is the attribute that this constructor sets.

    Example:
        >>> class Careless(pyml.metrics.Metric):
        ...     def __init__(self):
        ...         self.seen = 0
        >>> Careless().name
        Traceback (most recent call last):
        ...
        pyml.errors.NotMade: Careless: call super().__init__() first in __init__().
    """

    _made_by: str

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("__") and self._made_by not in self.__dict__:
                raise NotMade(f"{type(self).__name__}: call super().__init__() first in __init__().")
            return object.__getattribute__(self, name)


def tell_place(error: Any, layer: Any) -> None:
    """Notes at an error of a call which layer it is of, and of which layers and models that one is a part: one note, innermost first.

    Args:
        error: What was raised; asked once for each layer around, from the innermost one on.
        layer: It, with a name.

    Example:
        >>> error = ValueError("two sizes")
        >>> tell_place(error, pyml.layers.Dense(2, name="head"))
        >>> tell_place(error, pyml.Sequential(name="reader"))
        >>> error.__notes__
        ['In "head" (Dense) of "reader" (Sequential).']
    """
    places: list[str] = error.__dict__.setdefault("_places", [])
    before = _place(places)
    places.append(f'"{layer.name}" ({type(layer).__name__})')
    notes: list[str] = error.__dict__.get("__notes__", [])
    if before in notes:
        notes[notes.index(before)] = _place(places)
    elif len(places) > 1 or not re.search(f"""['"]{re.escape(layer.name)}['"]""", str(error)):  # one that is named needs no note
        error.add_note(_place(places))


def _place(places: list[str]) -> str:
    return f"In {' of '.join(places)}."


def tell_misfit(error: ShapeError, name: str, y_true: Any, y_pred: Any) -> None:
    """Puts the loss or metric `name` and the shapes that it got before the message of an op inside it.

    Args:
        error: What the op raised; its message changes.
        name: Of the loss or metric.
        y_true, y_pred: What it was called with.
    """
    if hasattr(y_true, "shape") and hasattr(y_pred, "shape") and "target" not in str(error):
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        error.args = (f"{name}: targets of shape {true} do not fit predictions of shape {pred} ({error})",)
