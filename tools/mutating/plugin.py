"""Runs tests for `mutate.py`: a plugin of pytest, of which the variable MUTATE says what to do.

`map`     notes for every test which lines of the parts it runs, and the processor time that it takes
`serve`   collects the tests once; each change comes as a line, and a fork in which the function is another runs what it is told
`order`   runs the tests that a list names, in the order of the list

A change in a fork is as good as one in a new process where the code of its function had not run before: nothing that was made
while modules and tests loaded can come from it. `mutate.py` starts a new process for all others.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import mmap
import os
import resource
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

import pytest

from mutating.code import PATIENCE, replace

TOLD = json.loads(os.environ.pop("MUTATE", "{}"))  # of this process, not of those that tests start
os.environ.pop("PYTHONPATH", None)
PARTS = [Path.cwd() / "pyml" / part for part in TOLD.get("parts", ())]
FAILED, NOT_HERE = 1, 3  # how a fork ends
MEMORY = 8 << 30
OFTEN = 50  # calls of a function in a test whose lines are noted


class Lines:
    """Which lines of the parts run."""

    def __init__(self) -> None:
        self.files = {str(path): str(path.relative_to(Path.cwd())) for part in PARTS for path in part.rglob("*.py")}
        self.seen: set[tuple[str, str, int, int]] = set()
        self.entered: dict[int, int] = {}

    def start(self) -> None:
        self.seen, self.entered = set(), {}
        threading.settrace(self._call)
        sys.settrace(self._call)

    def stop(self) -> dict[str, dict[str, list[int]]]:
        """{file: {"function:its first line": lines}}"""
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        found: dict[str, dict[str, list[int]]] = {}
        for file, name, first, line in sorted(self.seen):
            if name != "<module>":
                found.setdefault(self.files[file], {}).setdefault(f"{name}:{first}", []).append(line)
        return found

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in self.files:
            return None
        count = self.entered[id(code)] = self.entered.get(id(code), 0) + 1
        return self._line if count <= OFTEN else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            code = frame.f_code
            self.seen.add((code.co_filename, code.co_qualname, code.co_firstlineno, frame.f_lineno))
        return self._line


lines = Lines()
if TOLD.get("do") == "map":
    lines.start()  # what runs while modules and tests load
if "limit" in TOLD:
    resource.setrlimit(resource.RLIMIT_CPU, (TOLD["limit"], TOLD["limit"]))
failures: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.failed:
        failures.append(report.nodeid)


def load_parts() -> None:
    """All modules of the parts, so that no fork finds one that it would load unchanged."""
    for part in PARTS:
        for path in sorted(part.rglob("*.py")):
            importlib.import_module(".".join(path.relative_to(Path.cwd()).with_suffix("").parts).removesuffix(".__init__"))


def run(item: pytest.Item, after: pytest.Item | None) -> bool:
    """Whether a test passes."""
    before = len(failures)
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
    return len(failures) == before


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if "do" not in TOLD or session.testsfailed:
        return None
    if TOLD["do"] == "order":
        return in_order(session, TOLD["tests"])
    load_parts()
    if TOLD["do"] == "map":
        make_map(session)
    else:
        serve(session)
    return True


def in_order(session: pytest.Session, chosen: list[str]) -> bool:
    items = {item.nodeid: item for item in session.items}
    found = [items[name] for name in chosen if name in items]
    session.testscollected = len(found)
    for item, after in itertools.zip_longest(found, found[1:]):
        if not run(item, after):
            break
    return True


def on_gpu(item: pytest.Item) -> bool:
    """Whether a test opens a GPU adapter: by its device, or the family of adapters that it tests kernels for."""
    fixtures = getattr(item, "fixturenames", ())
    return "gpu" in fixtures or "webgpu" in item.name or ("family" in fixtures and any(f in item.name for f in ("register", "tile")))


def function_of(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def make_map(session: pytest.Session) -> None:
    """A line for what loading runs, then one for each test; what tests keep for later ones ends with a fork."""
    early = lines.stop()
    with open(TOLD["to"], "w", encoding="utf-8") as out:
        out.write(json.dumps({"early": early}) + "\n")

    if TOLD["gpu"]:
        groups = [[item for item in session.items if on_gpu(item)]]  # opening an adapter takes longer than most tests
    else:
        plain = sorted((item for item in session.items if not on_gpu(item)), key=function_of)
        groups = [list(items) for _, items in itertools.groupby(plain, key=function_of)]
    for those in groups:
        pid = os.fork()
        if pid == 0:
            for item, after in itertools.zip_longest(those, those[1:]):
                start = time.process_time()
                lines.start()
                passed = run(item, after)
                seen = lines.stop()
                with open(TOLD["to"], "a", encoding="utf-8") as out:
                    out.write(json.dumps({"test": item.nodeid, "takes": time.process_time() - start, "passed": passed,
                                          "lines": seen}) + "\n")  # fmt: skip
            os._exit(0)
        os.waitpid(pid, 0)


def serve(session: pytest.Session) -> None:
    gc.unfreeze()
    functions: dict[str, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename in lines.files:
            functions.setdefault(thing.__code__.co_filename, []).append(thing)
    items = {item.nodeid: item for item in session.items}
    gc.freeze()
    running = mmap.mmap(-1, 4096)  # the name of the test that runs in a fork
    with os.fdopen(TOLD["asks"], encoding="utf-8") as asks, os.fdopen(TOLD["answers"], "w", encoding="utf-8") as answers:
        for line in asks:
            asked = json.loads(line)
            pid = os.fork()
            if pid == 0:
                try:
                    os._exit(changed(asked, functions, items, running))
                except BaseException:
                    traceback.print_exc()
                    os._exit(FAILED)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            running.seek(0)
            by = running.read(4096).rstrip(b"\0").decode()
            answer = "here not" if code == NOT_HERE else "survived" if code == 0 else "noticed"
            answers.write(json.dumps({"answer": answer, "by": by, "hung": code == -signal.SIGPROF}) + "\n")
            answers.flush()


def changed(asked: dict[str, Any], functions: dict[str, list[FunctionType]], items: dict[str, pytest.Item], running: mmap.mmap) -> int:
    """How a fork ends that runs tests after a change."""
    path = str(Path.cwd() / asked["path"])
    if not replace(asked["old"], asked["new"], path, functions.get(path, [])):
        return NOT_HERE
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    found = [(items[name], takes) for name, takes in asked["tests"] if name in items]
    for (item, takes), after in itertools.zip_longest(found, [item for item, _ in found[1:]]):
        running[:] = item.nodeid.encode()[:4096].ljust(4096, b"\0")
        signal.setitimer(signal.ITIMER_PROF, 10 + PATIENCE * takes)
        if not run(item, after):
            return FAILED
    return 0
