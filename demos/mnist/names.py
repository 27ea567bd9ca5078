"""The names of modules, for the completion of the code editors of this page and of the chapters."""

import importlib
import inspect

MODULES = ("pyml", "numpy", "chapter", "math", "random")
WIDEST = 60  # letters of a signature


def names(path):
    """The public names of a module of MODULES or within one, such as "pyml.layers": `[{label, type, detail}]`; none where there is none."""
    first, *rest = path.split(".")
    if first not in MODULES:
        return []
    try:
        found = importlib.import_module(first)
        for part in rest:
            found = getattr(found, part, None) or importlib.import_module(f"{found.__name__}.{part}")
    except (ImportError, AttributeError):
        return []
    return [entry(name, getattr(found, name, None)) for name in getattr(found, "__all__", None) or dir(found) if not name.startswith("_")]


def entry(name, value):
    """What the editor shows of one name."""
    kind = "namespace" if inspect.ismodule(value) else "class" if inspect.isclass(value) else "function" if callable(value) else "variable"
    return {"label": name, "type": kind, "detail": signature(value) if kind in ("class", "function") else ""}


def signature(value):
    """What a function takes, in as many letters as there is room for."""
    try:
        takes = inspect.signature(value).parameters.values()
    except (ValueError, TypeError):  # some of numpy's have none
        return ""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    wanted = [stars.get(p.kind, "") + p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in takes]
    text = ", ".join(one for one in wanted if one != "self")
    return f"({text})" if len(text) < WIDEST else f"({text[: WIDEST - 3]}…)"
