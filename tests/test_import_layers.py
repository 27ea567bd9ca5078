"""Imports inside pyml point down its layers only, inside functions too, and no modules import each other in a circle.

An import inside a function needs one of two reasons: the cost of start, or a package that is not always there.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from every import every
from syntax import tree_of, trees_are_forgotten  # noqa: F401

import pyml
from pyml.graph import prims  # noqa: F401  # fills the table of ops
from pyml.graph.op import OPS

PACKAGE = Path(pyml.__file__).parent

# Lowest first; parts of one layer may import each other. `objects` (names and configs) and `utils` are
# helpers of everything above the engine. The command line stands on top.
LAYERS = (
    ("errors", "dtypes", "recent", "scripts", "atomic", "atomic_folders", "paths", "lazily", "kept", "kept_page", "settings", "tracebacks",
     "tree", "dtype_policies", "interrupting"),
    ("assets",),
    ("graph",),
    ("device", "wasm"),
    ("compile",),
    ("config",),
    ("core",),
    ("ops",),
    ("array_api", "image"),
    ("objects",),
    ("random",),
    ("utils",),
    ("backend",),
    ("activations", "constraints", "initializers", "quantizers", "regularizers"),
    ("layers", "losses", "metrics", "optimizers"),
    ("browser", "mixed_precision"),
    ("data",),
    ("models", "trainers", "callbacks", "saving", "hub", "datasets", "preprocessing", "vis", "visualization", "wrappers", "export",
     "distillation"),
    ("applications", "io"),
    ("cli", "__main__"),
)
# Modules that functions may import when they need them, for the cost of start: by whom, and what is spared.
LATE = {
    "pyml.hub.fetch": ("hub", "cli"),  # converters of networks: no part of what a page loads
    "pyml.saving": ("cli",),  # readers of models: one command of many
    "pyml.hub": ("hub", "cli"),  # the layers that networks are made of
    "pyml.config": ("cli",),  # the engine: most commands run none
    "pyml.cli": ("cli",),  # each command loads what it runs
    "pyml.device": ("config",),  # one device of four
    "pyml.kept_page": ("config",),  # a browser's storage
    "pyml.compile": ("compile",),  # one generator of code of two
    "pyml.saving.tfjs": ("saving",),  # readers of a format that most programs never meet
    "pyml.saving.keras": ("saving", "models"),
    "pyml.export": ("models", "cli"),  # a module of its own command and method
    "pyml.image": ("saving",),  # operators that few graphs have
    "pyml.quantizers": ("layers", "models", "saving"),  # few programs quantize
    "pyml.core": ("data",),  # only for the specification of an element
    "pyml.vis.panel": ("vis",),  # the panel of a page: most figures are drawn elsewhere
    "pyml.ops": ("data",),  # the engine: a table is read without it
}
# Modules that import others by a name that they put together, which no statement shows, and what for.
BY_NAME = {
    "pyml": "parts and names that are loaded when they are asked for",
    "pyml.lazily": "the same of a package",
    "pyml.layers.later": "the same of layers",
    "pyml.ops.later": "the same of ops",
    "pyml.ops.interop": "ops, for an error that names one",
    "pyml.ops.declare": "calls with complex arguments, which few programs make",
    "pyml.ops.complex_calls": "ops, which a formula is given",
    "pyml.objects.registry": "where a kind of objects is at home: names in configs",
    "pyml.core.above": "what calls of a user's lead to",
    "pyml.saving.keras.hdf5_h5py": "a package that is not always there",
}
# Who asks `core.above` for which part: the only ways up.
WAYS_UP = {("pyml.core.variable", "initializers"), ("pyml.core.array_protocol", "array_api"), ("pyml.ops.warping", "random")}
# Modules over packages that are not always there, and so are imported only where those are.
OVER_A_PACKAGE = {"pyml.browser.page"}
# Packages that are not always there.
OPTIONAL = {"PIL", "cv2", "imageio", "js", "matplotlib", "pandas", "playwright", "pyarrow", "pydot", "pyml_page", "pyodide",
            "pyodide_js", "scipy", "sounddevice", "vl_convert", "wasmtime", "wgpu"}  # fmt: skip
SPARED = {"asyncio", "ctypes", "difflib", "numpy", "urllib"}  # of Python and numpy: the cost of start again
# Derivatives of primitives are written with primitives, and a sum in two stages with views: these know each other by nature.
MUTUAL = {f"pyml.graph.prims.{name}" for name in ("elementwise", "move", "recur", "reduce", "scan", "split")}
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}


def modules() -> dict[str, Path]:
    """The file of every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("pyml", *path.relative_to(PACKAGE).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


MODULES = modules()
PARTS = sorted({name.split(".")[1] for name in MODULES if "." in name} | {"pyml"})


def of_part(name: str) -> list[str]:
    """The modules of a part: a folder or file in the package; `pyml` for the package itself."""
    return [m for m in MODULES if (m == "pyml" if name == "pyml" else m == f"pyml.{name}" or m.startswith(f"pyml.{name}."))]


def statements(tree: ast.AST, everywhere: bool) -> Iterator[ast.stmt]:
    """Import statements: those run on import, or all of them. Imports for type checkers never count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case) and (  # expressions hold no statements
            everywhere or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ):
            yield from statements(node, everywhere)


@cache
def statements_of(name: str, everywhere: bool) -> list[ast.stmt]:
    """Those of a module."""
    return list(statements(tree_of(MODULES[name]), everywhere))


@cache
def imported(name: str, everywhere: bool = False) -> set[str]:
    """The pyml modules that a module imports."""
    is_package = any(other.startswith(name + ".") for other in MODULES)
    found = set()
    for node in statements_of(name, everywhere):
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


@every("name", PARTS, blocks=1)
def test_imports_point_down(name):
    upward = [
        f"{module} imports {other}"
        for module in of_part(name)
        for other in sorted(imported(module, everywhere=True))
        if part(module) and part(other) and RANK[part(other)] > RANK[part(module)]
    ]
    assert not upward, "\n".join(upward)


def test_a_function_imports_nothing_from_a_module_that_its_file_has_at_the_top():
    again = []
    for name in MODULES:
        above = {(node.level, node.module) for node in statements_of(name, False) if isinstance(node, ast.ImportFrom) and node.module}
        tops = {node.lineno for node in statements_of(name, False)}
        again += [
            f"{name}, line {node.lineno}: from {'.' * node.level}{node.module}"
            for node in statements_of(name, True)
            if isinstance(node, ast.ImportFrom) and node.lineno not in tops and (node.level, node.module) in above
            and not any(f"{node.module}.{alias.name}" in MODULES for alias in node.names)  # a module that is loaded late
        ]  # fmt: skip
    assert not again, "\n".join(again)


def test_imports_by_name_are_few_and_three_of_them_lead_upward():
    by_name, up = set(), set()
    for name in MODULES:
        for node in ast.walk(tree_of(MODULES[name])) if "import_module" in (text := MODULES[name].read_text()) or "above(" in text else ():
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).rpartition(".")[2]
                if called in ("import_module", "__import__"):
                    by_name.add(name)
                elif called == "above" and "core.above" in {other.partition(".")[2] for other in imported(name)}:
                    up.add((name, ast.literal_eval(node.args[0])))
    assert by_name == set(BY_NAME) and up == WAYS_UP


def test_the_graph_knows_neither_compiler_nor_devices():
    assert not {
        (name, other) for name in MODULES if part(name) == "graph"
        for other in imported(name, everywhere=True) if part(other) in ("compile", "device")
    }  # fmt: skip


def test_the_engine_does_not_know_keras():
    assert not {
        (name, other) for name in MODULES if part(name) in ("graph", "device", "compile", "core")
        for other in imported(name, everywhere=True) if part(other) and RANK[part(other)] > RANK["utils"]
    }  # fmt: skip


def late(name: str) -> Iterator[ast.stmt]:
    """The import statements inside functions of a module."""
    top = {id(node) for node in statements_of(name, everywhere=False)}
    return (node for node in statements_of(name, everywhere=True) if id(node) not in top)


def late_packages(name: str) -> set[str]:
    """The packages other than pyml that functions of a module import."""
    found: set[str] = set()
    for node in late(name):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [] if node.level else [node.module]
        found |= {imported.split(".")[0] for imported in names}
    return found - {"pyml"}


def reasons(name: str, other: str) -> set[tuple[str, str | None]]:
    """The entries of LATE that let functions of a module import another."""
    return {(target, part(name)) for target, by in LATE.items() if f"{other}.".startswith(f"{target}.") and part(name) in by}


def has_a_reason(name: str, other: str) -> bool:
    """Whether functions of a module may import another."""
    return bool(reasons(name, other)) or other in OVER_A_PACKAGE or {name, other} <= MUTUAL


@every("name", PARTS, blocks=1)
def test_an_import_inside_a_function_spares_start_or_needs_an_optional_package(name):
    needless = set()
    for module in of_part(name):
        needless |= {(module, other) for other in imported(module, True) - imported(module) if not has_a_reason(module, other)}
        needless |= {(module, package) for package in late_packages(module) - OPTIONAL - SPARED}
    assert not needless, f"these import inside a function without a reason that this test knows: {sorted(needless)}"


def test_every_exception_for_imports_inside_functions_is_still_needed():
    taken = {entry for name in MODULES for other in imported(name, True) - imported(name) for entry in reasons(name, other)}
    assert {(target, by) for target, parts in LATE.items() for by in parts} == taken
    assert {package for name in MODULES for package in late_packages(name)} == OPTIONAL | SPARED


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that reach each other."""
    reach: dict[str, set[str]] = {}
    for start in edges:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            waiting.extend(new := edges[waiting.pop()] - seen)
            seen |= new
        reach[start] = seen
    groups = [frozenset({other for other in reach[name] if name in reach[other]}) for name in edges if name in reach[name]]
    return [set(group) for group in dict.fromkeys(groups)]


def test_no_modules_import_each_other_in_a_circle():
    found = circles({name: imported(name, everywhere=True) for name in MODULES})
    assert [group for group in found if group != MUTUAL] == []


def test_importing_pyml_loads_no_device():
    """`import pyml` is what a page waits for: nothing below the names themselves is loaded by it."""
    tree_imports = {part(other) for other in imported("pyml")}
    assert not tree_imports & {"device", "compile", "layers"}


def test_only_choosers_of_kernels_look_at_the_numbers_of_an_adapter():
    """Which kernel suits an adapter is decided beside the primitives; everything above asks `Profile` or a chooser."""
    numbers = {"family", "threads", "cores", "max_invocations", "max_shared", "max_storage_buffers"}
    looks = [
        f"{name}, line {node.lineno}: profile.{node.attr}"
        for name in MODULES
        if not name.startswith(("pyml.graph.profile", "pyml.graph.prims.")) and name != "pyml.config"  # which prints the family
        if "profile." in MODULES[name].read_text(encoding="utf-8")
        for node in ast.walk(tree_of(MODULES[name]))
        if isinstance(node, ast.Attribute) and node.attr in numbers and ast.unparse(node.value).split(".")[-1] == "profile"
    ]
    assert not looks, "\n".join(looks)


def test_the_compiler_knows_no_primitive_by_name():
    """What it must know of an op is a field of the op, so that a new primitive needs one file. (The words `const`, `input` and
    `buffer` mean other things there.)"""
    names = {op.name for op in OPS.values()}
    known = [
        f"{name}, line {node.lineno}: {node.value!r}"
        for name in MODULES
        if part(name) == "compile"
        for node in ast.walk(tree_of(MODULES[name]))
        if isinstance(node, ast.Constant) and node.value in names - {"const", "input", "buffer"}
    ]
    assert not known, "\n".join(known)
    asked = [
        f"{name}, line {node.lineno}: {ast.unparse(node)}"
        for name in MODULES
        if part(name) == "compile"
        for node in ast.walk(tree_of(MODULES[name]))
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and node.left.attr == "op"
        if not isinstance(node.comparators[0], ast.Constant)  # of an index: "/"
    ]
    assert not asked, "\n".join(asked)


@pytest.mark.slow
def test_every_part_can_be_imported_first():
    """A circle through a package's `__init__` shows only where that package comes first."""
    script = """
import importlib, sys
import pyml
for part in sorted(pyml._SUBMODULES):
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyml"]:
        del sys.modules[name]
    try:
        importlib.import_module(f"pyml.{part}")
    except ImportError as error:
        print(part, error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "" and done.returncode == 0, done.stdout + done.stderr
