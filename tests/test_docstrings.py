"""Every public name says in its docstring what a user needs: each argument, the errors that it raises itself, an example."""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import importlib
import inspect
import re
import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent / "goldens"))

import numpy as np
import pytest

import pyml
from pyml.ops import families
from tools.docs import names

LEFT_TO = re.compile(r"(?:\b[Ss]ee|\b[Ll]ike|\b[Aa]s(?: for| of| in| with| at)?|\bthose of|\bname of|\bnames for|\bof) (?:the )?`([\w.]+)`")
EVERYWHERE = {"name": "what it is called in logs, summaries and configs", "dtype": "the dtype, or the policy, that is computed in"}
HOOKS = {"build", "compute_mask", "compute_output_shape", "compute_output_spec", "quantized_build"}  # of the arguments of `call`
FOR_CALLS = {"training": "whether the model is trained", "mask": "which steps count", "args": "what goes on to another"}
STANDARD = "array_api"  # the page of names whose arguments the standard describes
PAGES = "it is awaited in a page; the tests of e2e/ do that"
WITHOUT_EXAMPLE = {
    "pyml.hub.*": "it needs weights of megabytes, which most machines do not have; tests/hub/test_docs.py runs docs/hub.md",
    "pyml.browser.draw_async": PAGES, "pyml.browser.to_pixels_async": PAGES,
    "pyml.config.init_async": PAGES, "pyml.config.reopen_async": PAGES,
    "pyml.data.Microphone": PAGES, "pyml.data.Webcam": PAGES,
    "pyml.config.set_backend": "it moves all that comes after it to another device",
    "pyml.callbacks.RemoteMonitor": "it needs a server", "pyml.data.URLDataSource": "it needs a server",
    "pyml.datasets.mnist.load_data_async": "it reads a file that has to be loaded first",
    "pyml.errors.tell_misfit": "losses and metrics call it",
}  # fmt: skip


@functools.cache
def entries():
    """Name -> its page and object."""
    return {entry.name: (page.path, entry.value) for page, those in names.entries().values() for entry in those if page.path != STANDARD}


@functools.cache
def by_last_name():
    found = {}
    for page, those in names.entries().values():
        for entry in those:
            for name in (entry.name, *entry.also):
                found.setdefault(name.rpartition(".")[2], []).append((page.path.partition("/")[0], entry.value))
    return found


def own_text(value):
    """A docstring without its example."""
    return re.sub(r"^Examples?:.*?(?=^\S|\Z)", "", inspect.getdoc(value) or "", flags=re.M | re.S)


@functools.cache
def told(value, page, bases=True, seen=()):
    """What the docstring says, and what those say that it leaves something to: "see `Conv2D`", "arguments as of `LSTM`", base classes."""
    text = own_text(value)
    if inspect.isclass(value) and bases:
        text += "".join(inspect.cleandoc(base.__doc__ or "") for base in value.__mro__[1:] if base.__module__.startswith("pyml."))
        text += (inspect.getdoc(value.__init__) or "") if value.__init__ is not object.__init__ else ""
    for name in LEFT_TO.findall(text):
        for family, other in by_last_name().get(name.rpartition(".")[2], []):
            if family == page.partition("/")[0] and other is not value and other not in seen:
                text += told(other, page, bases, (*seen, value))
    return text


def arguments(value):
    """The names of what a call is given: not `**kwargs`, nor the `*args` of a class, which go on to another."""
    try:
        given = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return []
    passed_on = {inspect.Parameter.VAR_KEYWORD, *([inspect.Parameter.VAR_POSITIONAL] if inspect.isclass(value) else [])}
    return [p.name for p in given if p.kind not in passed_on and not p.name.startswith("_")]


def speaks_of(text, word):
    return re.search(rf"(?<!\w){word}(?!\w)", text) is not None


def test_every_argument_stands_in_the_docstring_or_in_one_that_it_names():
    untold = {}
    for name, (page, value) in entries().items():
        missing = [given for given in arguments(value) if given not in EVERYWHERE and not speaks_of(told(value, page), given)]
        if missing:
            untold[name] = missing
    assert len(entries()) > 1000 and untold == {}


def methods(cls):
    """Name -> function of the public methods that pyml writes."""
    for name in dir(cls):
        static = inspect.getattr_static(cls, name)
        function = inspect.unwrap(getattr(static, "__func__", static)) if not isinstance(static, type) else None
        if not name.startswith("_") and inspect.isfunction(function) and function.__module__.startswith("pyml."):
            yield name, function, not isinstance(static, staticmethod)


def told_of_method(cls, name, seen=()):
    """What the docstrings of a method and of those below it say, and those of the methods and ops that they name."""
    text = "".join(inspect.cleandoc(getattr(vars(base)[name], "__doc__", None) or "") + "\n" for base in cls.__mro__ if name in vars(base))
    for other in set(re.findall(r"`(\w+)(?:\(.*?\))?`", text)) - {name, *seen}:
        text += told_of_method(cls, other, (*seen, name))
    return text + "".join(inspect.getdoc(getattr(pyml.ops, op)) for op in re.findall(r"`ops\.(\w+)`", text) if op != name or not seen)


def test_every_argument_of_a_method_stands_in_its_docstring_or_in_one_that_it_names():
    untold, looked_at = {}, {}
    for _, (page, cls) in entries().items():
        for name, function, bound in methods(cls) if inspect.isclass(cls) else ():
            if name in HOOKS or looked_at.setdefault(function, cls) is not cls:
                continue
            text = told_of_method(cls, name) + told(cls, page)
            given = [p for p in arguments(function)[bound:] if p not in EVERYWHERE | FOR_CALLS and not speaks_of(text, p)]
            if given or not inspect.getdoc(getattr(cls, name)):
                untold[function.__module__, function.__qualname__] = given
    assert len(looked_at) > 600 and untold == {}


def raised_in(function):
    """Names of the exceptions that the body of a function raises, not those of functions within it."""
    function = inspect.unwrap(function)
    code = function.__code__ if inspect.isfunction(function) else None
    if code is None or dis.opmap["RAISE_VARARGS"] not in code.co_code[::2] or code.co_filename.startswith("<"):  # as of a dataclass
        return set()
    source = textwrap.dedent(inspect.getsource(function))
    found, waiting = set(), list(ast.iter_child_nodes(ast.parse(source).body[0]))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            found |= {raised.id} if isinstance(raised, ast.Name) and raised.id[0].isupper() else set()
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    return found


def own_errors(value):
    """What a function raises itself; of a class, what making and calling it does."""
    if not inspect.isclass(value):
        return raised_in(value)
    return set().union(*(raised_in(vars(value)[name]) for name in ("__init__", "build", "call", "__call__") if name in vars(value)))


def names_of(error, value):
    """The name of an exception and those of the ones that it is a kind of."""
    found = getattr(inspect.getmodule(inspect.unwrap(value)), error, None) or getattr(builtins, error, None)
    return [kind.__name__ for kind in found.__mro__ if kind not in (object, BaseException, Exception)] if found else [error]


def test_every_error_that_a_public_name_raises_itself_stands_in_its_docstring():
    untold, raising = {}, 0
    for name, (page, value) in entries().items():
        errors = own_errors(value)
        raising += bool(errors)
        text = told(value, page, bases=False)
        missing = [error for error in errors if not any(speaks_of(text, known) for known in names_of(error, value))]
        if missing:
            untold[name] = missing
    assert raising > 200 and untold == {}


@pytest.mark.parametrize("family", ["losses", "metrics", "initializers", "regularizers", "constraints", "optimizers.schedules"])
def test_a_class_of_a_family_says_its_arguments_what_a_call_takes_errors_and_a_source(family):
    """The common part is written by the base of the family."""
    home = getattr(pyml, family) if "." not in family else pyml.optimizers.schedules
    classes = [value for name, value in vars(home).items() if inspect.isclass(value) and getattr(value, "_common_part", None)]
    bases = [cls for cls in classes if cls.__mro__[1].__name__ == "Configured"]
    assert len(bases) == 1 and len(classes) >= 5
    for cls in set(classes) - set(bases) - {pyml.initializers.RandomInitializer}:
        text = inspect.getdoc(cls)
        call = cls._common_part.call.split("\n")[0]
        assert ("Args:" in text) == bool(arguments(cls)) and "Source: " in text and text.count("Example:") == 1, cls
        assert all(text.count(word) <= 1 for word in ("Args:", "Raises:", "Source: ", call)), cls
        assert call in text or cls._common_part.method[0], cls
        assert "Raises:" in text or cls is pyml.constraints.NonNeg, cls
        assert text.index("Example:") > max(text.find("Args:"), text.find("Raises:"), text.index("Source: ")), cls
        assert max(map(len, text.split("\n"))) <= 140, cls


def test_a_function_of_a_family_says_its_arguments_its_result_and_a_source():
    found = [getattr(home, name) for home in (pyml.activations, pyml.losses, pyml.metrics) for name in dir(home)]
    others = ("get", "serialize", "deserialize", "reduce_weighted_values")
    functions = {f for f in filter(inspect.isfunction, found) if f.__module__.startswith("pyml.") and f.__name__ not in others}
    assert len(functions) > 50
    for function in functions:
        text = inspect.getdoc(function)
        assert all(text.count(word) == 1 for word in ("Args:", "Returns:", "Source: ", "Example:")), function


def test_every_public_name_has_an_example():
    """Which run: `test_ops.py`, `keras/test_examples.py` and those of the packages that it names."""
    bare = {name for name, (_, value) in entries().items() if not re.search(r"^ *>>> ", inspect.getdoc(value) or "", re.M)}
    bare = {name for name in bare if not (inspect.isclass(entries()[name][1]) and issubclass(entries()[name][1], Exception))}
    bare = {"pyml.hub.*" if name.startswith("pyml.hub.") else name for name in bare}
    assert bare == set(WITHOUT_EXAMPLE)


@functools.cache
def ops():
    op_samples = importlib.import_module("op_samples")
    return op_samples, op_samples.declared()


def section(text, name):
    """The lines below a heading as one, or ""."""
    found = re.search(rf"^{name}:\n((?: +.*\n?)+)", text, re.M)
    return " ".join(found[1].split()) if found else ""


def test_the_docstring_of_an_op_has_arguments_results_a_source_and_an_example():
    """In this order, and with the errors that it raises behind the results."""
    order = ["Args:", "Returns:", "Raises:", "Source:", "Example:"]
    for name, declared in ops()[1].items():
        text = inspect.getdoc(declared.function)
        parts = [word for word in re.findall(r"^(\w+):(?: |$)", text, re.M) if f"{word}:" in order]
        assert [f"{p}:" for p in parts] == [w for w in order if w[:-1] in parts], name
        assert "Returns" in parts and re.search(r"\bSource: \S", text) and ">>>" in text, name
        given = [p for p in arguments(declared.function) if not speaks_of(section(text, "Args"), p)]
        assert given in ([], ["kwargs"]), (name, given)
        named = set(re.findall(r"`(x|x1|x2|y|inputs|array|data|values|axis|dtype|shape|keepdims)`", section(text, "Returns")))
        assert named <= set(arguments(declared.function)), (name, named)
    assert len(ops()[1]) > 330


def test_what_a_family_shares_joins_what_an_op_says_of_its_own():
    own = "Args:\n        base: A number.\n\n    Raises:\n        ValueError: It is none."
    written = f"It.\n\n    {own}\n\n    Example:\n        >>> 1\n    "
    family = families.Family(("x: A tensor.",), "A tensor.", ("ShapeError: None fits.",))
    said = inspect.cleandoc(families.docstring(written, "log_to", "numpy.log", family))
    assert said == inspect.cleandoc("""It.

        Args:
            x: A tensor.
            base: A number.

        Returns:
            A tensor.

        Raises:
            ShapeError: None fits.
            ValueError: It is none.

        Source: `keras.ops.log_to`, `numpy.log`.

        Example:
            >>> 1
        """)


def test_the_results_of_ops_have_the_dtypes_and_shapes_that_their_docstrings_say(cpu):
    op_samples, known, checked = *ops(), 0
    for name, declared in known.items():
        said = section(inspect.getdoc(declared.function), "Returns")
        for drawn in declared.samples[:1] if declared.record else ():
            values = iter([pyml.convert_to_tensor(x) for x in op_samples.drawn(drawn)])
            args, kwargs = op_samples.mapped(lambda _: next(values), (tuple(drawn.args), drawn.kwargs))  # noqa: B023
            given = inspect.signature(declared.function).bind(*args, **kwargs).arguments
            if "dtype" in kwargs or any(isinstance(a, str) for a in args):
                continue
            out = [r for r in op_samples.results(declared.function(*args, **kwargs)) if hasattr(r, "dtype")]
            if (plain := re.search(r"^(?:A |Two )?(float32|bool|int32)\b|\((float32) of integers", said)) and len(out) == 1:
                assert out[0].dtype == (plain[1] or plain[2]), name
            for place in re.finditer(r"(?:in the shape|(of the shape and dtype)) of `(\w+)`\.", said):
                if len(out) == 1 and place[2] in given:
                    like, checked = pyml.convert_to_tensor(given[place[2]]), checked + 1
                    assert out[0].shape == like.shape and (not place[1] or out[0].dtype == like.dtype), name
            if "in the shape that both broadcast to" in said:
                checked += 1
                assert out[0].shape == np.broadcast_shapes(*(np.shape(a) for a in list(given.values())[:2])), name
    assert checked > 120


def test_an_op_does_not_write_again_what_its_family_says():
    """Arguments, result and errors of a kind of ops stand in `ops/families.py` only."""

    def sections(family, indent):
        return families.docstring(f"\n{indent}Example:", "", None, family).removesuffix("Example:").strip()

    shared = {name: sections(f, "    ") for name, f in vars(families).items() if isinstance(f, families.Family)}
    assert len(shared) > 12
    for path in Path(pyml.ops.__path__[0]).glob("*.py"):
        text = path.read_text()
        again = [name for name, said in shared.items() if re.search(re.escape(said) + r"\n\n    (Source|Example):", text)]
        assert not again, (path.name, again)
    assert sections(families.PAIR_FLOAT, "") in inspect.getdoc(pyml.ops.hypot)
