"""Copies of the checkout, in which changes are made and tests run (`plugin.py`)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mutating.changes import ROOT, Change, source_of
from mutating.code import PATIENCE
from mutating.lines import MAPS, digest, kept_lines

NO_TESTS = 5  # what pytest returns where there are none


def command(files: Iterable[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *(f"tests/{file}.py" for file in files), "-q", "-o", "addopts=", "-p", "no:cacheprovider",
            "-p", "mutating.plugin", "-m", "not slow"]  # fmt: skip


def told(**what: Any) -> dict[str, str]:
    """The environment of a process with the plugin."""
    # Bytecode: compiling all of pyml anew for each process would cost most of the time.
    return {**os.environ, "PYTHONPATH": "tools", "PYTHONDONTWRITEBYTECODE": "", "MUTATE": json.dumps(what)}


def written(path: Path, source: str) -> None:
    """Writes a file, without the bytecode of another text of the same size and second."""
    path.write_text(source, encoding="utf-8")
    for old in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        old.unlink()


class Worker:
    """A copy of the checkout in which changes are made, and a process in it that has loaded the tests of a part."""

    def __init__(self, place: Path):
        self.place = place
        for name in ("pyml", "tests", "kernels_wgsl", "web", "benchmarks", "tools", "demos", "docs"):
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "conftest.py", "README.md", "CHANGELOG.md"):
            shutil.copy(ROOT / name, place)
        (place / "build").symlink_to(ROOT / "build")
        self.server: subprocess.Popen[bytes] | None = None

    def serve(self, part: str, files: list[str]) -> None:
        self.close()
        (asks, ask), (answer, answers) = os.pipe(), os.pipe()
        with (self.place / "log.txt").open("wb") as log:
            environment = told(do="serve", parts=[part], asks=asks, answers=answers)
            self.server = subprocess.Popen(command(files), cwd=self.place, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                           env=environment, pass_fds=(asks, answers))  # fmt: skip
        os.close(asks)
        os.close(answers)
        self.asks, self.answers = os.fdopen(ask, "w", encoding="utf-8"), os.fdopen(answer, encoding="utf-8")

    def close(self) -> None:
        if self.server is not None:
            self.asks.close()
            self.answers.close()
            self.server.wait()
            self.server = None

    def fork(self, change: Change, tests: list[tuple[str, float]]) -> dict[str, Any]:
        """What a fork says, in which the function is another."""
        source = source_of(change.path)
        asked = {"path": change.path.as_posix(), "old": source, "new": change.applied(source), "tests": tests}
        self.asks.write(json.dumps(asked) + "\n")
        self.asks.flush()
        line = self.answers.readline()
        if not line:
            raise SystemExit(f"mutate: the process with the tests ended:\n{(self.place / 'log.txt').read_text(encoding='utf-8')[-3000:]}")
        return json.loads(line)

    def anew(self, change: Change | None, tests: list[tuple[str, float]]) -> dict[str, Any]:
        """What a new process says, for which the file is another."""
        files = list(dict.fromkeys(test.partition(".py::")[0].removeprefix("tests/") for test, _ in tests))
        limit = int(60 + PATIENCE * sum(takes for _, takes in tests))
        environment = told(do="order", tests=[test for test, _ in tests], limit=limit)
        if change is not None:
            source = source_of(change.path)
            written(self.place / change.path, change.applied(source))
        try:
            done = subprocess.run(command(files), cwd=self.place, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
        finally:
            if change is not None:
                written(self.place / change.path, source)
        if done.returncode == NO_TESTS:
            raise SystemExit(f"mutate: no test ran: {', '.join(files)}")
        failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
        return {"answer": "noticed" if done.returncode else "survived", "by": failed[0] if failed else "", "hung": done.returncode < 0}


def note_lines(parts: list[str], files: list[str], gpu: bool, place: Path) -> None:
    """Runs tests of these files, those that open a GPU adapter or the others, and keeps which lines they run."""
    MAPS.mkdir(parents=True, exist_ok=True)
    sources = {path.relative_to(place).as_posix(): digest(path) for part in parts for path in sorted((place / "pyml" / part).rglob("*.py"))}
    texts = {file: digest(place / "tests" / f"{file}.py") for file in files}  # of the copy, which is what runs
    out = place / "lines.jsonl"
    done = subprocess.run(command(files), cwd=place, env=told(do="map", parts=parts, gpu=gpu, to=str(out)), capture_output=True, text=True)
    if not out.exists() or done.returncode not in (0, NO_TESTS):
        raise SystemExit(f"mutate: the tests of {', '.join(files)} do not load:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    noted = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    out.unlink()
    for file in files:
        tests = [test for test in noted[1:] if test["test"].startswith(f"tests/{file}.py::")]
        kept = {"of": texts[file], "sources": sources, "early": noted[0]["early"], "tests": tests}
        kept_lines(file, gpu).write_text(json.dumps(kept), encoding="utf-8")
