"""Which tests run which lines of the parts: noted once for every file of tests, under build/mutate/."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mutating.changes import ROOT, Change

MAPS = ROOT / "build" / "mutate"
SIGNATURES = "test_parity"  # the file of tests that reads the signatures of all functions, and runs none


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@dataclass
class Tests:
    """Which tests run which lines, and how long they take: {test: {file: {"function:first line": lines}}}."""

    takes: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, dict[str, list[int]]]] = field(default_factory=dict)
    early: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    sources: dict[str, set[str]] = field(default_factory=dict)  # of each file of the part, the texts that were there when lines were noted
    failing: list[str] = field(default_factory=list)

    def read(self, kept: Path) -> None:
        noted = json.loads(kept.read_text(encoding="utf-8"))
        for path, text in noted["sources"].items():
            self.sources.setdefault(path, set()).add(text)
        for path, functions in noted["early"].items():
            for name, lines in functions.items():
                self.early.setdefault(path, {}).setdefault(name, []).extend(lines)
        for test in noted["tests"]:
            if test["passed"]:
                self.takes[test["test"]], self.lines[test["test"]] = test["takes"], test["lines"]
            else:
                self.failing.append(test["test"])

    def that_run(self, change: Change, function: str) -> list[str]:
        """Tests that run a line of the change; of a file that is another by now, the tests that run the function."""
        path = change.path.as_posix()
        name = function.partition(":")[0]
        if self.sources.get(path, set()) != {digest(ROOT / path)}:
            return [test for test, files in self.lines.items() if any(f.partition(":")[0] == name for f in files.get(path, ()))]
        entering = {test: files[path][function] for test, files in self.lines.items() if function in files.get(path, ())}
        exact = [test for test, lines in entering.items() if any(change.line <= line <= change.last for line in lines)]
        return exact or list(entering)

    def that_meet(self, change: Change, first: str) -> tuple[list[str], list[str]]:
        """For what runs while a module loads: the tests that run the function around it, or one that uses the value it is in, or that
        read the signature it is in; and all others, those of the file that meets all of the part before those that run the file."""
        path = change.path.as_posix()
        around, signature = lines_near(path, change.line)

        def distance(test: str) -> int:
            there = self.lines[test].get(path, {})
            if not around.isdisjoint(line for lines in there.values() for line in lines):
                return 0
            if signature and test.startswith(f"tests/{SIGNATURES}.py"):
                return 0
            return 1 if test.startswith(f"tests/{first}.py") else 2 if there else 3

        far = {test: distance(test) for test in self.lines}
        return [test for test in far if not far[test]], sorted(filter(far.get, far), key=lambda test: far[test])

    def ran_early(self, change: Change, function: str) -> bool:
        name = function.partition(":")[0]
        return any(f.partition(":")[0] == name for f in self.early.get(change.path.as_posix(), ()))

    def cheapest(self, tests: Iterable[str], seconds: float, first: Sequence[str] = ()) -> list[str]:
        """As many as take so long: those of `first`, then the cheapest, a function's second case counting twice, its third three times."""
        rank: dict[str, int] = {}
        ordered = []
        for test in sorted(tests, key=lambda test: self.takes[test]):
            name = test.partition("[")[0]
            rank[name] = rank.get(name, 0) + 1
            ordered.append((rank[name] * self.takes[test], self.takes[test], test))
        chosen = [test for test in first if test in self.takes]
        spent = sum(self.takes[test] for test in chosen)
        for _, takes, test in sorted(ordered):
            if spent + takes <= seconds and test not in chosen:
                spent += takes
                chosen.append(test)
        return chosen


@cache
def tree_of(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def lines_near(path: str, line: int) -> tuple[set[int], bool]:
    """The lines of the innermost function that a line is in, or else of those that use the value it is in; and whether it is in a
    signature."""

    def within(node: ast.stmt) -> range:
        return range(node.lineno, (node.end_lineno or node.lineno) + 1)

    module = tree_of(path)
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    found = [node for node in functions if line in within(node)]
    if found:
        inner = min(found, key=lambda node: len(within(node)))
        return set(within(inner)), line < inner.body[0].lineno
    names = {target.id for node in module.body if isinstance(node, ast.Assign) and line in within(node)
             for target in node.targets if isinstance(target, ast.Name)}  # fmt: skip
    users = [node for node in functions if any(isinstance(name, ast.Name) and name.id in names for name in ast.walk(node))]
    return {line for node in users for line in within(node)}, False


def kept_lines(file: str, gpu: bool) -> Path:
    return MAPS / f"{file.replace('/', '-')}{'-gpu' if gpu else ''}.json"


def fresh(file: str, gpu: bool) -> bool:
    """Whether the lines of a file of tests are noted."""
    kept = kept_lines(file, gpu)
    return kept.exists() and json.loads(kept.read_text(encoding="utf-8"))["of"] == digest(ROOT / "tests" / f"{file}.py")
