"""Imports inside pyml point down its layers only, and no modules import each other in a circle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyml

PACKAGE = Path(pyml.__file__).parent

# Lowest first; parts of one layer may import each other. `objects` (names and configs) and `utils` are
# helpers of everything above the engine. The command line stands on top.
LAYERS = (
    ("errors", "dtypes", "scripts", "atomic"),
    ("graph",),
    ("device", "wasm"),
    ("compile",),
    ("config",),
    ("core",),
    ("ops",),
    ("image",),
    ("objects",),
    ("utils",),
    ("activations", "constraints", "initializers", "regularizers", "random"),
    ("layers", "losses", "metrics", "optimizers"),
    ("browser",),
    ("data",),
    ("models", "trainers", "callbacks", "saving", "hub", "datasets"),
    ("io",),
    ("cli", "__main__"),
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("pyml", *path.relative_to(PACKAGE).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


MODULES = modules()


def statements(tree: ast.AST, everywhere: bool) -> Iterator[ast.stmt]:
    """Import statements: those run on import, or all of them. Imports for type checkers never count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        elif everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from statements(node, everywhere)


def imported(name: str, everywhere: bool = False) -> set[str]:
    """The pyml modules that a module imports."""
    is_package = any(other.startswith(name + ".") for other in MODULES)
    found = set()
    for node in statements(MODULES[name], everywhere):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "pyml"}
            continue
        base = node.module or ""
        if node.level:
            parts = name.split(".")
            kept = parts[: len(parts) - node.level + is_package]
            base = ".".join([*kept, *([node.module] if node.module else [])])
        if base.split(".")[0] != "pyml":
            continue
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            found.add(inner if inner in MODULES else base)
    return {known(module) for module in found} - {name}


def known(module: str) -> str:
    """The longest prefix of a dotted name that is a module of the package."""
    while module not in MODULES:
        module = module.rpartition(".")[0]
    return module


def part(module: str) -> str | None:
    """The part of pyml a module belongs to; None for `pyml` itself, which loads everything on demand."""
    inside = module.partition(".")[2]
    return inside if inside in RANK else inside.partition(".")[0] or None


def test_every_part_has_a_layer():
    parts = {part(name) for name in MODULES} - {None}
    assert parts <= set(RANK), f"give these a layer in this test: {sorted(parts - set(RANK))}"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_down(name):
    upward = [
        f"{name} imports {other}"
        for other in sorted(imported(name))
        if part(name) and part(other) and RANK[part(other)] > RANK[part(name)]
    ]
    assert not upward, "\n".join(upward)


@pytest.mark.parametrize("name", sorted(name for name in MODULES if part(name) == "graph"))
def test_the_graph_knows_neither_compiler_nor_devices(name):
    assert not {other for other in imported(name, everywhere=True) if part(other) in ("compile", "device")}


@pytest.mark.parametrize(
    "name", sorted(n for n in MODULES if part(n) in ("graph", "device", "compile", "core"))
)
def test_the_engine_does_not_know_keras(name):
    above = {
        other
        for other in imported(name, everywhere=True)
        if part(other) and RANK[part(other)] > RANK["utils"]
    }
    assert not above


def test_no_modules_import_each_other_in_a_circle():
    edges = {name: imported(name) for name in MODULES}
    done: set[str] = set()
    for start in MODULES:
        path: list[str] = []
        stack = [(start, iter(sorted(edges[start])))] if start not in done else []
        path.extend([start] if stack else [])
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                path.pop()
                done.add(name)
            elif following in path:
                circle = [*path[path.index(following) :], following]
                # A package's __init__ that gathers its own modules is no circle of two subjects.
                assert is_gathering(circle), " -> ".join(circle)
            elif following not in done:
                path.append(following)
                stack.append((following, iter(sorted(edges[following]))))


def is_gathering(circle: list[str]) -> bool:
    """Whether a circle is only modules of one package and that package's own `__init__` that gathers them."""
    return any(
        all(f"{name}.".startswith(f"{package}.") for name in circle) for package in circle if "." in package
    )


def test_importing_pyml_loads_no_device():
    """`import pyml` is what a page waits for: nothing below the names themselves is loaded by it."""
    tree_imports = {part(other) for other in imported("pyml")}
    assert not tree_imports & {"device", "compile", "layers"}
