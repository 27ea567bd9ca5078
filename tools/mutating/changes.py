"""The small changes that `mutate.py` makes, found in the syntax of a file; and the list of those that make no difference."""

from __future__ import annotations

import ast
import copy
import hashlib
import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = ROOT / "tests" / "equivalent_mutants.txt"
SWAPS: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
WGSL = {"wgsl", "preamble", "combine", "init"}  # arguments that hold code of kernels
CODE = {" + ": " - ", " - ": " + ", " * ": " / ", " / ": " * ", " < ": " <= ", " > ": " >= ", "min(": "max(", "max(": "min("}
LEFT_ALONE = {"cost", "tol", "probe", "samples", "flops",     # what choosing and testing an operation take,
              "strict", "stacklevel", "frozen", "slots"}      # what only guards against a fault of the author, or is for people
# Functions whose results people read, those that count work, and those of tests.
SHOWN = {"explain", "label", "__repr__", "describe", "_work", "arithmetic", "cost", "_samples"}


@dataclass(frozen=True)
class Change:
    """One edit: the text from `start` to `end` of a file becomes `text`."""

    path: Path
    line: int
    start: int
    end: int
    text: str
    last: int = 0  # its last line

    def applied(self, source: str) -> str:
        return source[: self.start] + self.text + source[self.end :]


class Finder(ast.NodeVisitor):
    """Collects all changes of one file."""

    def __init__(self, path: Path, source: str):
        self.path, self.source = path, source
        self.texts = source.splitlines(keepends=True)
        self.lines = [0, *itertools.accumulate(map(len, self.texts))]
        self.found: list[Change] = []

    def column(self, line: int, offset: int) -> int:
        """Characters of what the syntax counts in bytes."""
        return len(self.texts[line - 1].encode()[:offset].decode())

    def add(self, node: ast.expr | ast.stmt, text: str) -> None:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self.lines[node.lineno - 1] + self.column(node.lineno, node.col_offset)
        end = self.lines[node.end_lineno - 1] + self.column(node.end_lineno, node.end_col_offset)
        self.found.append(Change(self.path, node.lineno, start, end, text, node.end_lineno))

    def visit_Module(self, node: ast.Module) -> None:
        left = only_for_samples(node)
        for inner in node.body:
            if inner not in left:
                self.visit(inner)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in SHOWN:
            return
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        for inner in node.body:
            self.visit(inner)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for inner in (*node.keywords, *node.body):             # but not the decorators: `frozen=True` only guards
            self.visit(inner)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None: ...  # messages are tested by their beginnings, if at all

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None: ...

    def visit_Assert(self, node: ast.Assert) -> None: ...

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.add(node.test, f"not ({ast.unparse(node.test)})")
            self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.add(node.test, f"(not ({ast.unparse(node.test)}))")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            self.add(node, "pass")
            self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.add(node, "pass")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in SWAPS and not isinstance(node.left, ast.JoinedStr):
            other = copy.deepcopy(node)
            other.op = SWAPS[type(node.op)]()
            self.add(node, f"({ast.unparse(other)})")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = copy.deepcopy(node)
        other.op = SWAPS[type(node.op)]()
        self.add(node, f"({ast.unparse(other)})")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        other = copy.deepcopy(node)
        other.ops[0] = SWAPS[type(node.ops[0])]()
        self.add(node, f"({ast.unparse(other)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self.add(node, str(not node.value))
        elif isinstance(node.value, int):
            self.add(node, str(node.value + 1))
        elif isinstance(node.value, float) and node.value:
            self.add(node, repr(node.value * 1.25))

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg in WGSL and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            text = ast.get_source_segment(self.source, node.value) or ""
            for old, new in CODE.items():
                if old in text:
                    self.add(node.value, text.replace(old, new, 1))
        elif node.arg not in LEFT_ALONE:
            self.visit(node.value)


def only_for_samples(module: ast.Module) -> list[ast.stmt]:
    """Functions and values of a module that nothing needs but `samples=` of operations, `_samples` of classes, or others like them."""
    made: dict[str, ast.stmt] = {}
    for statement in module.body:
        if isinstance(statement, ast.FunctionDef):
            made[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            made |= {name.id: statement for name in ast.walk(statement.targets[0]) if isinstance(name, ast.Name)}
    users: dict[str, list[ast.stmt | None]] = {}  # of each name; None for samples

    def look(node: ast.AST, user: ast.stmt | None) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            users.setdefault(node.id, []).append(user)
        for inner in ast.iter_child_nodes(node):
            for_samples = (inner.arg == "samples" if isinstance(inner, ast.keyword)
                           else isinstance(inner, ast.FunctionDef) and inner.name == "_samples")  # fmt: skip
            look(inner, None if for_samples else user)

    for statement in module.body:
        look(statement, statement)
    left: list[ast.stmt] = []
    while more := [s for name, s in made.items() if s not in left and users.get(name)
                   and all(user is None or user is s or user in left
                           for other, of in made.items() if of is s for user in users.get(other, ()))]:  # fmt: skip
        left += more
    return left


def found_in(path: Path) -> list[Change]:
    """All changes of a file."""
    source = source_of(path)
    finder = Finder(path, source)
    finder.visit(ast.parse(source))
    return finder.found


def changes(part: str) -> list[Change]:
    return [change for path in sorted((ROOT / "pyml" / part).rglob("*.py")) for change in found_in(path.relative_to(ROOT))]


def sample(every: list[Change], count: int, seed: int) -> list[Change]:
    """Some of them that leave valid Python: for a seed the same ones, whatever is written anew elsewhere."""
    chosen: list[Change] = []
    for change in sorted(every, key=lambda change: hashlib.sha256(f"{seed} {name_of(change)}".encode()).digest()):
        if len(chosen) == count:
            break
        try:
            compile(change.applied(source_of(change.path)), str(change.path), "exec")
        except (SyntaxError, ValueError):
            continue
        chosen.append(change)
    return chosen


@cache
def source_of(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def old_and_new(change: Change) -> tuple[str, str]:
    """The lines without and with the change, each as one line."""
    source = source_of(change.path)
    start, end = source.rfind("\n", 0, change.start) + 1, (source + "\n").find("\n", change.end)
    old, new = source[start:end], source[start : change.start] + change.text + source[change.end : end]
    return " ".join(old.split()), " ".join(new.split())


def name_of(change: Change) -> str:
    return " ".join([change.path.as_posix(), *old_and_new(change)])


@dataclass(frozen=True)
class Equivalent:
    """A change that makes no difference: where, the lines without and with it, and why."""

    path: str
    old: str
    new: str
    reason: str

    def is_of(self, change: Change) -> bool:
        return (self.path, self.old, self.new) == (change.path.as_posix(), *old_and_new(change))


def equivalents(text: str) -> list[Equivalent]:
    """What the file lists: blocks of the path, `- ` and the old lines, `+ ` and the new ones, and why, with empty lines between."""
    found = []
    for block in filter(None, (block.strip() for block in text.split("\n\n"))):
        path, *rest = block.splitlines()
        if len(rest) < 3 or not rest[0].startswith("- ") or not rest[1].startswith("+ "):
            raise SystemExit(f"mutate: {EQUIVALENT.name} has a block that is not a path, '- old', '+ new' and a reason:\n{block}")
        found.append(Equivalent(path, rest[0][2:].strip(), rest[1][2:].strip(), " ".join(line.strip() for line in rest[2:])))
    return found
