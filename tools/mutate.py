#!/usr/bin/env python3
"""Changes the code in small ways and counts how many of the changes the tests notice. Not part of CI: it takes a while.

    python tools/mutate.py                        40 changes in each part, 85 % of which must be noticed
    python tools/mutate.py losses optimizers      only these parts
    python tools/mutate.py --each 200 --seed 7    more, or others; the same seed takes the same places
    python tools/mutate.py --minutes 40           as many as there is time for, as long in each part

A change swaps an operator or a comparison, moves a number, negates a condition, drops a statement or edits the WGSL of
an operation. It is made in a copy of the checkout, and the part's quick tests run until one fails. Changes that survive are
printed as a diff of one line: each is a claim nobody tests, or a change that makes no difference. Messages, names shown
by `explain` and type annotations are left alone.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).resolve().parent.parent
LEAST = 0.85
NO_TESTS = 5  # what pytest returns where -k chose none
PATIENCE = 4  # a stage that takes so many times as long as without a change, and a minute, hangs
CPU = "not webgpu and not gpu and not wasm"
# What tests a part, the cheapest first: files, perhaps with a `--case`, and the expression for pytest's -k. Every stage must find tests.
OPS, KERNELS = "tests/test_op_table.py", "tests/test_kernel_variants.py"
PLANS = "tests/test_schedule.py tests/test_explain.py tests/test_index.py tests/test_loops.py"
CHOICES = "tests/test_kernel_choices.py tests/test_shared_reductions.py"
COUNTS = "tests/test_shared_reductions.py tests/test_budgets.py"
DEVICES = "tests/test_special_values.py tests/test_wasm_device.py"


def named(files: str) -> list[str]:
    """The files of a stage."""
    return [word for word in files.split() if word.endswith(".py")]


def surface(part: str, word: str, homes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Stages for what is called as in Keras: its own tests, signatures and samples; then what uses it."""
    return [(f"tests/keras/test_{part}.py", CPU), ("tests/test_parity.py", word),
            *((f"tests/test_samples.py --case {home}-", CPU) for home in homes),
            ("tests/keras/test_names_and_configs.py tests/keras/test_bad_input.py tests/test_logits.py", CPU),
            ("tests/test_goldens.py tests/test_first.py tests/keras/test_training.py", f"({word} or training or first) and {CPU}")]


USES = ("tests/test_first.py tests/keras/test_optimizers.py", CPU)  # arithmetic as it is written, with numbers between tensors
PARTS: dict[str, list[tuple[str, str]]] = {
    "graph/prims": [(OPS, CPU), USES, (CHOICES, "choices or team or threads"), (OPS, "wasm"), (KERNELS, ""), (OPS, "webgpu"), (DEVICES, ""),
                    ("tests/test_long_sums.py", "recurrent or blocks or parts"), (COUNTS, "")],
    "compile": [(f"{OPS} tests/test_programs.py", CPU), USES, (PLANS, "not wasm"), (OPS, "wasm"), (COUNTS, ""), (OPS, "webgpu"),
                (DEVICES, "")],
    "losses": surface("losses", "loss", ("losses",)),
    "metrics": surface("metrics", "metric", ("metrics",)),
    "optimizers": surface("optimizers", "(optimizer or schedule)", ("optimizers",)),
}  # fmt: skip
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

    def applied(self, source: str) -> str:
        return source[: self.start] + self.text + source[self.end :]


class Finder(ast.NodeVisitor):
    """Collects all changes of one file."""

    def __init__(self, path: Path, source: str):
        self.path, self.source = path, source
        self.lines = [0]
        for line in source.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line.encode()))
        self.found: list[Change] = []

    def add(self, node: ast.expr | ast.stmt, text: str) -> None:
        assert node.end_lineno is not None and node.end_col_offset is not None
        raw = self.source.encode()
        start = len(raw[: self.lines[node.lineno - 1] + node.col_offset].decode())
        end = len(raw[: self.lines[node.end_lineno - 1] + node.end_col_offset].decode())
        self.found.append(Change(self.path, node.lineno, start, end, text))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if node.name in SHOWN:
            return
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        for inner in node.body:
            self.visit(inner)

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


def changes(part: str) -> Iterator[Change]:
    """All changes of a part that leave valid Python."""
    for path in sorted((ROOT / "pyml" / part).rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        finder = Finder(path.relative_to(ROOT), source)
        finder.visit(ast.parse(source))
        for change in finder.found:
            try:
                compile(change.applied(source), str(path), "exec")
            except (SyntaxError, ValueError):
                continue
            yield change


class Copies:
    """Copies of the checkout, one for each worker, in which a change is made and tested."""

    def __init__(self, folder: Path, count: int):
        self.free: Queue[Path] = Queue()
        self.limits: dict[tuple[str, str], float] = {}  # seconds of a stage
        for i in range(count):
            place = folder / str(i)
            for name in ("pyml", "tests", "kernels_wgsl", "web", "benchmarks", "tools", "demos"):
                shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
            for name in ("pyproject.toml", "conftest.py"):  # which gives slow tests the time that they may take
                shutil.copy(ROOT / name, place)
            (place / "build").symlink_to(ROOT / "build")
            self.free.put(place)

    def passes(self, place: Path, stages: list[tuple[str, str]]) -> bool:
        """Whether all tests pass in a copy; one that hangs has noticed."""
        for stage in stages:
            files, chosen = stage
            gone = [file for file in named(files) if not (place / file).exists()]
            if gone:
                raise SystemExit(f"mutate: there is no {', '.join(gone)}")
            command = [sys.executable, "-m", "pytest", *files.split(), "-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider"]
            command += ["-m", "not slow", "-k", chosen]
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # compiling all of pyml again and again would cost most of the time
            try:
                done = subprocess.run(command, cwd=place, capture_output=True, timeout=self.limits.get(stage), env=environment)
            except subprocess.TimeoutExpired:
                return False
            if done.returncode == NO_TESTS:
                raise SystemExit(f"mutate: no test ran: {' '.join(command)}")
            if done.returncode != 0:
                return False
        return True

    def noticed(self, change: Change, stages: list[tuple[str, str]]) -> bool:
        place = self.free.get()
        target = place / change.path
        source = target.read_text(encoding="utf-8")
        try:
            written(target, change.applied(source))
            return not self.passes(place, stages)
        finally:
            written(target, source)
            self.free.put(place)


def written(path: Path, source: str) -> None:
    """Writes a file, without the bytecode of another text of the same size and second."""
    path.write_text(source, encoding="utf-8")
    for old in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        old.unlink()


def shown(change: Change) -> str:
    source = (ROOT / change.path).read_text(encoding="utf-8")
    old = " ".join(source[change.start : change.end].split())
    return f"  survived  {change.path}:{change.line}  {old[:70]}  ->  {' '.join(change.text.split())[:70]}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all without names")
    parser.add_argument("--each", type=int, default=40, help="changes in each part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, help="for all parts together, after the tests were seen to pass")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    unknown = [p for p in options.parts if p not in PARTS]
    if unknown:
        parser.error(f"no part is named {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    parts = options.parts or list(PARTS)
    caught = made = 0
    with tempfile.TemporaryDirectory() as folder:
        copies = Copies(Path(folder), options.jobs)
        place = copies.free.get()
        for stage in dict.fromkeys(stage for part in parts for stage in PARTS[part]):
            start = time.monotonic()
            if not copies.passes(place, [stage]):
                print(f"mutate: these tests fail without any change; mend them first: {stage[0]} -k '{stage[1]}'", file=sys.stderr)
                return 2
            copies.limits[stage] = 60 + PATIENCE * (time.monotonic() - start)
        copies.free.put(place)
        for part in parts:
            start = time.monotonic()
            every = list(changes(part))
            chosen = random.Random(options.seed).sample(every, min(options.each, len(every)))
            until = start + 60 * options.minutes / len(parts) if options.minutes else float("inf")
            results: list[bool] = []
            with ThreadPoolExecutor(options.jobs) as pool:
                noticed = pool.map(lambda c, s=PARTS[part], u=until: copies.noticed(c, s) if time.monotonic() < u else None, chosen)
                for change, found in zip(chosen, noticed, strict=True):
                    if found is False:
                        print(shown(change), flush=True)
                    results += [] if found is None else [found]
            caught, made = caught + sum(results), made + len(results)
            print(f"{part:14} {sum(results)} of {len(results)} noticed ({sum(results) / max(1, len(results)):.0%}), of {len(every):,} "
                  f"possible; {time.monotonic() - start:.0f} s", flush=True)  # fmt: skip
    share = caught / max(1, made)
    print(f"mutate: {caught} of {made} changes noticed, {share:.1%}; at least {LEAST:.0%} are wanted")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
