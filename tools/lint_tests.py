#!/usr/bin/env python3
"""Finds tests that cannot fail, or fail where a machine is slow. Part of `make lint`.

    python tools/lint_tests.py [FOLDER ...]          tests and e2e, unless folders are named

A test asserts if it, or a function of the tests that it calls, has an `assert`, raises, or calls something whose whole
purpose is to raise when a claim does not hold: pytest.raises, numpy.testing.assert_*, a wait of the browser with its time-out.
Constants are no assertions, nor is a value beside itself, any error at all, or a tolerance that nothing misses; nor what a handler of
errors swallows, what stands behind the call that is to fail, an answer that nobody looks at, and a loop over files that nobody found.
Limits in seconds are pytest's alone: its own end of a test is for what hangs.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RAISING = ("assert_", "wait_for", "raises", "warns", "expect", "fail", "testmod", "check_call")  # beginnings of names
ANSWERS = {"allclose", "array_equal", "array_equiv", "isclose", "startswith", "endswith", "isinstance", "issubset", "issuperset"}
SEARCHES = {"glob", "rglob", "iterdir", "listdir", "findall", "finditer"}  # may find nothing
ANY_ERROR = {"", "Exception", "BaseException", "AssertionError"}
LIMIT = 300  # seconds of a test in pyproject.toml: another limit is a longer one


def functions(paths: Iterable[Path]) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function of the files, those inside classes and functions too."""
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def called(node: ast.AST) -> set[str]:
    """Last names of everything that is called, or handed on to be called, inside a function."""
    names = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            for what in (inner.func, *inner.args):
                if isinstance(what, ast.Name):
                    names.add(what.id)
                elif isinstance(what, ast.Attribute):
                    names.add(what.attr)
    return names


def is_constant(test: ast.expr) -> bool:
    """Whether an asserted expression holds whatever happened: `assert True`, `assert (x, "message")`, `assert x or True`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(isinstance(v, ast.Constant) and bool(v.value) for v in test.values)
    if isinstance(test, ast.Tuple | ast.List | ast.Set):
        return bool(test.elts)
    if isinstance(test, ast.Dict):
        return bool(test.keys)
    return isinstance(test, ast.Constant | ast.JoinedStr | ast.GeneratorExp | ast.Lambda)


def asserts(node: ast.AST) -> bool:
    """Whether the function itself can fail on a claim."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert) and not is_constant(inner.test):
            return True
        if isinstance(inner, ast.Raise) and inner.exc is not None:
            return True
    return any(name.startswith(RAISING) for name in called(node))


def number(node: ast.expr | None) -> float:
    """A number that stands in the code; else 0."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else 0


def weak(node: ast.AST) -> str | None:
    """What is wrong with a comparison that is asserted, or with a call, if anything is."""
    itself = "asserts that a value is itself"
    if isinstance(node, ast.Compare):
        always = isinstance(node.ops[0], ast.Eq | ast.Is | ast.LtE | ast.GtE)
        return itself if always and len(node.ops) == 1 and are_one_value(node.left, *node.comparators) else None
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if name == "raises" and node.args and ast.unparse(node.args[0]) in ("Exception", "BaseException") and "match" not in given:
        return "takes any error for the right one"
    if name.startswith("assert_") and len(node.args) > 1 and are_one_value(*node.args[:2]):
        return itself
    if max(number(given.get("rel")), number(given.get("rtol"))) >= 1:
        return "has a tolerance within which 0 is anything"
    if 0 < number(given.get("timeout")) < LIMIT or (name == "timeout" and node.args and 0 < number(node.args[0]) < LIMIT):
        return f"ends by the clock: only what pytest's own limit of {LIMIT} seconds does not suffice for names one"
    return None


def are_one_value(first: ast.expr, second: ast.expr) -> bool:
    """Whether two expressions are written alike and no call can make them differ."""
    calls = any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(first))
    return not calls and not isinstance(first, ast.Constant) and ast.unparse(first) == ast.unparse(second)


def name_of(call: ast.expr | None) -> str:
    """The last name of what is called; else ""."""
    function = call.func if isinstance(call, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def holds_assertion(statements: list[ast.stmt]) -> bool:
    return any(isinstance(part, ast.Assert) for statement in statements for part in ast.walk(statement))


def swallowed(node: ast.AST) -> str | None:
    """What is wrong with a statement of which nothing is left when a claim does not hold, if anything is."""
    if isinstance(node, ast.Try) and holds_assertion(node.body):
        caught = {part.strip() for h in node.handlers for part in ("" if h.type is None else ast.unparse(h.type).strip("()")).split(",")}
        raised = any(isinstance(part, ast.Raise) for h in node.handlers for part in ast.walk(h))
        return "catches what an assertion in it raises" if caught & ANY_ERROR and not raised else None
    if isinstance(node, ast.With | ast.AsyncWith) and holds_assertion(node.body):
        for item in node.items:
            given = {ast.unparse(a) for a in item.context_expr.args} if isinstance(item.context_expr, ast.Call) else set()
            if name_of(item.context_expr) == "suppress" and given & ANY_ERROR:
                return "catches what an assertion in it raises"
            if name_of(item.context_expr) == "raises" and not given & ANY_ERROR:
                return "asserts where an error is expected: nothing behind that error runs"
    if isinstance(node, ast.Expr) and name_of(node.value) in ANSWERS:
        return "asks and does not look at the answer"
    return None


def only_in_a_search(statements: list[ast.stmt]) -> bool:
    """Whether the only claims of a test stand in loops over what is searched for, which may be nothing."""
    loops, others = [], []
    for statement in statements:
        if not isinstance(statement, ast.For) or not asserts(statement):
            others.append(statement)
        elif any(name_of(part) in SEARCHES for part in ast.walk(statement.iter) if isinstance(part, ast.Call)):
            loops.append(statement)
        else:
            return False
    return bool(loops) and not any(asserts(statement) for statement in others)


def problems(paths: list[Path]) -> list[str]:
    """One line for each test that cannot fail, and for each thing in it, or in what helps it, that hides a failure or makes one."""
    found = list(functions(paths))
    able = {node.name for _, node in found if asserts(node)}
    while True:  # helpers of helpers
        more = {node.name for _, node in found if node.name not in able and called(node) & able}
        if not more:
            break
        able |= more
    out = []
    for path, node in found:
        where = f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}:{node.lineno}"
        if node.name.startswith("test_") and not asserts(node) and not called(node) & able:
            out.append(f"{where} {node.name} has no assertion: it cannot fail")
        if node.name.startswith("test_"):
            out += [f"{where} {node.name} asserts a constant" for a in ast.walk(node) if isinstance(a, ast.Assert) and is_constant(a.test)]
            if only_in_a_search(node.body):
                out.append(f"{where} {node.name} asserts for each that is found: say first that some are")
    for path in paths:
        place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        every = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))))
        compared = [part for node in every if isinstance(node, ast.Assert) for part in ast.walk(node.test) if isinstance(part, ast.Compare)]
        looked_at = [*compared, *(node for node in every if isinstance(node, ast.Call))]
        out += [f"{place}:{node.lineno} {told}" for node in looked_at if (told := weak(node))]
        out += [f"{place}:{node.lineno} {told}" for node in every if isinstance(node, ast.stmt) and (told := swallowed(node))]
    return out


def main(arguments: list[str]) -> int:
    folders = [Path(a).resolve() for a in arguments] or [ROOT / "tests", ROOT / "e2e"]
    paths = [p for folder in folders for p in sorted(folder.rglob("*.py"))]
    if not paths:
        print(f"lint_tests: there is no Python file in {', '.join(map(str, folders))}", file=sys.stderr)
        return 2
    found = problems(paths)
    print("\n".join(found) or f"lint_tests: every test in {len(paths)} files can fail")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
