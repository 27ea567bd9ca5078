"""`@op`: the declaration of a public op, everything about it in one place.

On a plain, typed function in a file of `pyml/ops` it makes the call recordable in functional models, gives tensors the
operator or method that calls it, and keeps what the tests need: what numpy says (`like`), and arguments (`samples`).
The file is the op's home: `pyml/ops/numpy.py`, `nn.py`, `linalg.py` and `image.py` gather files under Keras' names.
"""

from __future__ import annotations

import functools
import inspect
import re
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from .. import settings
from ..core import gaps
from ..core.complex_tensor import as_complex, asks_complex, holds_complex
from ..core.meeting import infer_spec_where_sizes_meet
from ..core.narrow import computed, holds_narrow, in_32_bits
from ..core.operators import INSTALLED
from ..core.symbolic import VALUES, call_function, holds_symbolic
from ..core.trace import marks_gaps
from ..dtypes import narrow
from ..errors import DtypeError, did_you_mean
from ..tracebacks import hide
from .families import Family, docstring
from .texts import holds_text, moved

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Draw:
    """An array that tests draw between `low` and `high`; ops get it as a tensor, numpy as an array."""

    shape: tuple[int, ...]
    low: float
    high: float
    dtype: str


class Sample(NamedTuple):
    """Arguments of one call in the generated tests; `Draw`s among them stand for arrays."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Declared:
    """A public op: its function as users call it, and what tests know about it."""

    name: str
    module: str
    function: Callable[..., Any]
    like: str | Callable[..., Any] | None
    samples: Sequence[Sample]
    gradient: bool
    tolerance: float
    record: bool
    installed: str | None
    takes_complex: bool


DECLARED: dict[str, Declared] = {}


def _say_who(error: Exception, name: str, given: dict[str, Any]) -> None:
    """The message of an error of an op that this one is made of names this one: it is what the user called.

    Python's own messages, which name nobody, are followed by what was given.
    """
    text = error.args[0] if error.args else None
    if not isinstance(text, str) or any(callable(a) and not hasattr(a, "shape") for a in given.values()):
        return  # what went wrong in a user's function is its own
    who, colon, rest = text.partition(": ")
    if colon and who != name and who in DECLARED:
        error.args = (f"{name}: {rest}", *error.args[1:])
    elif text.startswith(("cannot make a tensor", "seed must be")) or (isinstance(error, DtypeError) and text.startswith("dtype ")):
        error.args = (f"{name}: {text}", *error.args[1:])
    elif type(error) in _PYTHONS and not (colon and re.fullmatch(r"[\w.]+", who)) and not text.startswith(f"{name}("):
        error.args = (f"{name}: {text.rstrip('.')}. Received: {', '.join(f'{k}={_shown(v)}' for k, v in given.items())}",)


_PYTHONS = (AttributeError, TypeError, ValueError)  # what Python and numpy raise; ours are classes of these


def _shown(value: Any) -> str:
    """An argument in a message: a tensor or array by its dtype and shape."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"<{value.dtype} {tuple(value.shape)}>"
    return reprlib.repr(value)


def draw(*shape: int, low: float = -2.0, high: float = 2.0, dtype: str = "float32") -> Any:
    """An array for a sample: `draw(2, 3)` has two rows, `draw(4, low=0.1)` no negative numbers."""
    return Draw(shape, low, high, dtype)


def sample(*args: Any, **kwargs: Any) -> Sample:
    """One call for the generated tests: `sample(draw(2, 3), axis=1)`."""
    return Sample(args, kwargs)


class Rules(NamedTuple):
    """What `op` is told of symbolic, narrow and complex arguments."""

    spec: Callable[..., Any] | None
    dtypes: str | tuple[str, ...] | None
    counted: bool
    limited: bool
    complex_parts: str | Callable[..., Any] | None
    flat: bool
    text: str | Callable[..., Any] | None


def op(
    *,
    family: Family | None = None,
    like: str | Callable[..., Any] | None = None,
    samples: Sequence[Sample] = (),
    operator: str | None = None,
    method: str | None = None,
    gradient: bool = True,
    tolerance: float = 1e-5,
    record: bool = True,
    spec: Callable[..., Any] | None = None,
    dtypes: str | tuple[str, ...] | None = None,
    counted: bool = False,
    limited: bool = False,
    complex_parts: str | Callable[..., Any] | None = None,
    flat: bool = False,
    text: bool = False,
) -> Callable[[Function], Function]:
    """Declares a public op.

    Args:
        family: What its docstring shares with others, and so does not write: arguments, result and errors.
        like: What the op computes, for the tests: `"numpy.sort"`, or a function of numpy arrays in float64.
        samples: Calls that the tests make, each a `sample(...)`.
        operator: The operator of tensors that is this op, as in `core/operators.py`: `"add"` is `+`.
        method: The method of tensors that is this op.
        gradient: False where there is none, or none that finite differences show.
        tolerance: Relative and absolute error against `like`.
        record: False for ops that answer from the shape alone, and so at once for symbolic tensors too.
        spec: The KerasTensor that the op returns for symbolic arguments, a function of all arguments; for ops that
            refuse some sizes, which tracing with stand-ins for unknown ones would meet.
        dtypes: Where results of 8 and 16 bits have another dtype than that of all arguments together: "first" and "second" follow
            that argument (others say where or how often), "rest" all but the condition that comes first, "index" are numbers of
            places, "sum" is that of numpy's sums, "at_least_32" that floats of integers are float32 whatever floatx is, "product"
            that of int8 in 32 bits, "limits" keep float16 and make int32 of booleans, "floatx" are floatx whatever the arguments are,
            "own" is the op's own affair. A tuple is for
            several results.
        counted: Whether a number of Python counts as a tensor of int32 or float32, as in Keras; else it takes the dtype of
            what it meets.
        limited: Whether results beyond a dtype of 8 or 16 bits become the nearest number that it has, instead of wrapping.
        complex_parts: How the op is computed of the parts of complex arguments: "each" one after the other, "of all" also of
            arguments that are real, "crosswise" as for a product, "inside" where they lie in structures and count as the two
            tensors that they are. Or a formula: a function of `pyml.ops` and the arguments, the complex ones as
            `ComplexTensor`s (`complex_formulas.py` has the longer ones). None: complex arguments are refused.
        flat: Whether float results have no gradient either, as results that hold integers or booleans have none by themselves:
            `NotDifferentiable` names the op then. Where the gradient is zero by definition, as of `round`, it is False.
        text: Whether the op takes text too, on the host, where it is what `like` says, as a function or by the name of one of numpy's.
    """

    rules = Rules(spec, dtypes, counted, limited, complex_parts, flat, like if text else None)

    def declare(fn: Function) -> Function:
        name = fn.__name__
        fn.__doc__ = docstring(fn.__doc__, name, like, family)
        public: Any = _checked(fn, rules) if record else fn
        if name in DECLARED:
            raise ValueError(f"an op named {name!r} is declared in {DECLARED[name].module} already.")
        installed = operator or method
        takes_complex = complex_parts is not None or not record
        DECLARED[name] = Declared(name, fn.__module__, public, like, samples, gradient, tolerance, record, installed, takes_complex)
        if installed is not None:
            INSTALLED[installed] = public
        return public

    return declare


def _checked(fn: Callable[..., Any], rules: Rules) -> Any:
    """The op as it is called: names of arguments, symbolic tensors and dtypes are looked at before the function is."""
    name = fn.__name__
    parameters = fn.__code__.co_varnames[: fn.__code__.co_argcount + fn.__code__.co_kwonlyargcount]
    known = frozenset(parameters) if not fn.__code__.co_flags & inspect.CO_VARKEYWORDS else None
    place = parameters.index("dtype") if "dtype" in parameters else None

    def special(args: Any, kwargs: Any) -> Any:
        if marks_gaps() is None:
            return _special(call, fn, rules, args, kwargs, place)
        return gaps.call(lambda *a, **k: _special(call, fn, rules, a, k, place), name, args, kwargs, rules.flat)

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs and known is not None and not known.issuperset(kwargs):
            unknown = next(k for k in kwargs if k not in known)
            raise TypeError(f"{name}() got an unexpected keyword argument {unknown!r}.{did_you_mean(unknown, parameters)}")
        try:
            if settings.halved and not settings.wide():
                return special(args, kwargs)
            for a in args:
                if type(a) not in VALUES:
                    return special(args, kwargs)
            if kwargs:
                for a in kwargs.values():
                    if type(a) not in VALUES:
                        return special(args, kwargs)
            if place is not None:
                dtype = _asked(place, args, kwargs)
                if dtype is not None and (narrow(dtype) is not None or asks_complex(dtype)):
                    return special(args, kwargs)
            return fn(*args, **kwargs) if marks_gaps() is None else gaps.call(fn, name, args, kwargs, rules.flat)
        except Exception as error:
            if isinstance(error, (AttributeError, TypeError, ValueError)):
                _say_who(error, name, {**{parameters[i] if i < len(parameters) else str(i): a for i, a in enumerate(args)}, **kwargs})
            hide(error)
            raise

    return call


def _spec_of(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: infer_spec_where_sizes_meet(call, args, kwargs)


def _asked(place: int | None, args: Any, kwargs: Any) -> Any:
    """The dtype that a call names, which would be its argument `place`; or None."""
    return None if place is None else args[place] if len(args) > place else kwargs.get("dtype")


def _special(call: Callable[..., Any], fn: Callable[..., Any], rules: Rules, args: Any, kwargs: Any, place: int | None) -> Any:
    """A call of symbolic tensors, or of such as are kept in another dtype than that they are computed in."""
    if rules.text is not None and holds_text(args, kwargs):
        return moved(call, fn, rules.text, rules.spec or _spec_of(call), args, kwargs)
    dtype = _asked(place, args, kwargs)
    given = holds_complex(args) or holds_complex(tuple(kwargs.values()))
    if asks_complex(dtype) and not (given and callable(rules.complex_parts)):  # of parts, which are float32
        if place is not None and len(args) > place:
            args = (*args[:place], "float32", *args[place + 1 :])
        else:
            kwargs = {**kwargs, "dtype": "float32"}
        if not given:
            return as_complex(call(*args, **kwargs))
    if given:
        return import_module(f"{__package__}.complex_calls").call(fn.__name__, call, rules.complex_parts, args, kwargs)
    if holds_symbolic(args) or holds_symbolic(kwargs):
        return call_function(call, args, kwargs, fn.__name__, rules.spec or _spec_of(call))
    told = narrow(dtype) is not None or holds_narrow(args) or holds_narrow(kwargs)
    halved = settings.halved and not settings.wide() and not _calls_back(args, kwargs)
    if rules.dtypes == "own" and halved:
        return in_32_bits(fn, args, kwargs)
    if rules.dtypes == "own" or not (told or halved):
        return fn(*args, **kwargs)
    return computed(fn, args, kwargs, rules.dtypes, rules.counted, rules.limited, dtype)


def _calls_back(args: Any, kwargs: Any) -> bool:
    """Whether a function of the user's is among the arguments: what it makes has the dtypes that it says."""
    return any(callable(a) for a in (*args, *kwargs.values()))
