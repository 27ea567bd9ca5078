#!/usr/bin/env python3
"""What pyml promises, and what shows each promise: the tables of tests/promises/, checked and run.

    python tools/promises.py                    what is promised and not shown; exits 1 where a table names what is not there
    python tools/promises.py functions files    the tests that these tables name, for pytest
    make promises OF=functions                  runs them, the slow ones too

A row of a table is `| promise | what shows it |`. The second cell names, each in backquotes, tests (`tests/test_ops.py::test_x`),
files (`benchmarks/layers`), headings of documents (`docs/saving.md#atomic`) or targets (`make parity`). One that begins with
"Open:" says what is missing instead.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "tests" / "promises"


class Row(NamedTuple):
    """A promise, where it stands and what shows it."""

    table: str
    line: int
    promise: str
    shown: str

    @property
    def is_open(self) -> bool:
        return self.shown.startswith("Open:")

    @property
    def references(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.shown)


def tables() -> list[Path]:
    """The files of promises."""
    return sorted(path for path in TABLES.glob("*.md") if path.name != "README.md")


def rows(table: Path) -> Iterator[Row]:
    """The rows of a table's file, without heads of tables."""
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if line.startswith("|") and len(cells) == 4 and cells[1] != "promise" and not set(cells[1]) <= set("-: "):
            yield Row(table.stem, number, cells[1], cells[2])
        elif line.startswith("|") and len(cells) != 4:
            raise ValueError(f"{table.name}:{number}: a row has two cells, this one {len(cells) - 2}.")


@functools.cache
def _defined(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ +(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def missing(reference: str) -> str | None:
    """What is wrong with a reference, None where it names something that is there."""
    if reference.startswith("make "):
        target = reference.split()[1]
        return None if re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE) else f"no target {target}"
    parts = re.fullmatch(r"([^:#\[]+)(?:::(\w+)(?:\[.*\])?)?(?:#(.+))?", reference)
    if parts is None:
        return f"{reference} is no file, test, heading or target"
    name, test, anchor = parts.groups()
    path = ROOT / name
    if not path.exists():
        return f"no file {name}"
    if test and test not in _defined(path):
        return f"no test {test} in {name}"
    if anchor and anchor not in _anchors(path):
        return f"no heading #{anchor} in {name}"
    return None


def tests(table: Path) -> list[str]:
    """The tests that a table names, each once: a whole file in place of its tests where both are named."""
    named = dict.fromkeys(ref for row in rows(table) for ref in row.references if re.match(r"(tests|e2e)/.*test_\w+\.py", ref))
    return [ref for ref in named if "::" not in ref or ref.split("::")[0] not in named]


def faults(table: Path) -> list[str]:
    """What the check of a table finds: references to what is not there, rows that show nothing."""
    found = []
    for row in rows(table):
        where = f"{table.name}:{row.line}"
        found += [f"{where}: {wrong}" for ref in row.references if (wrong := missing(ref))]
        if not row.references and not row.is_open:
            found.append(f"{where}: nothing shows {row.promise!r}")
    return found


def main(arguments: list[str]) -> int:
    """Prints the tests of the tables that were named, or checks all tables."""
    run = "--run" in arguments
    names = [name for name in arguments if not name.startswith("-")]
    if names:
        named = [test for name in names for test in tests(TABLES / f"{name}.md")]
        if run:
            return subprocess.call([sys.executable, "-m", "pytest", "-q", *named], cwd=ROOT)
        print("\n".join(named))
        return 0
    wrong = 0
    for table in tables():
        every = list(rows(table))
        print(f"{table.stem}: {len(every)} promises, {sum(row.is_open for row in every)} open, {len(tests(table))} tests or files of tests")
        print("".join(f"  {row.promise}: {row.shown}\n" for row in every if row.is_open), end="")
        for fault in faults(table):
            print(" ", fault)
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
