"""The tools that watch over the tests see what they are meant to see."""

import subprocess
import sys
from pathlib import Path

import every
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import lint_tests
import mutate
import promises


@pytest.mark.parametrize(("body", "seen"), [
    ("x = 1", "has no assertion"),
    ("print(add(1, 2))", "has no assertion"),
    ("assert True", "asserts a constant"),
    ("assert (x == 1, 'one')", "asserts a constant"),
    ("assert x == 1 or True", "asserts a constant"),
    ("assert x == 1", None),
    ("helper(3)", None),
    ("run(helper)", None),
    ("with pytest.raises(ValueError):\n        f()", None),
    ("np.testing.assert_array_equal(a, b)", None),
    ("page.wait_for_selector('#done')", None),
])  # fmt: skip
def test_the_lint_finds_tests_that_cannot_fail(tmp_path, body, seen):
    file = tmp_path / "test_some.py"
    file.write_text(f"def helper(x):\n    assert x\n\n\ndef test_it():\n    {body}\n")
    found = lint_tests.problems([file])
    assert (seen is None) == (not found)
    assert seen is None or any(seen in line for line in found)


def test_every_kind_of_change_is_found_and_leaves_the_rest_alone(tmp_path):
    source = 'def f(x, n=3):\n    if x > n:\n        g(x)\n        x += 2.0\n    return op(x - 1, wgsl="a + b")\n'
    finder = mutate.Finder(tmp_path, source)
    finder.visit(mutate.ast.parse(source))
    changed = {change.applied(source) for change in finder.found}
    for old, new in (("n=3", "n=4"), ("x > n", "not (x > n)"), ("x > n", "(x >= n)"), ("g(x)", "pass"), ("x += 2.0", "pass"),
                     ("2.0", "2.5"), ("x - 1", "(x + 1)"), ("a + b", "a - b")):  # fmt: skip
        assert source.replace(old, new) in changed, new


def test_messages_and_what_people_read_are_not_changed(tmp_path):
    source = 'def f(x):\n    raise ValueError(f"{x + 1}")\n\n\ndef explain(x):\n    return x + 1\n'
    finder = mutate.Finder(tmp_path, source)
    finder.visit(mutate.ast.parse(source))
    assert not finder.found


def test_what_only_guards_or_is_never_tested_is_not_changed(tmp_path):
    source = '@dataclass(frozen=True)\nclass A:\n    def _samples(self):\n        return 1\n\n    pairs = zip(a, b, strict=True)\n'
    finder = mutate.Finder(tmp_path, source)
    finder.visit(mutate.ast.parse(source))
    assert not finder.found


def test_many_cases_in_one_test_all_run_and_those_that_fail_are_named():
    met = []

    @every.every("n, what", [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")], blocks=2)
    def numbers(n, what):
        met.append(n)
        assert n not in (3, 5), what

    with pytest.raises(ExceptionGroup, match=r"2 of 3 cases: 3-c; 5-e") as caught:
        numbers(block=0)
    assert len(caught.value.exceptions) == 2 and met == [1, 3, 5]
    numbers(block=1)
    assert met == [1, 3, 5, 2, 4]

    @every.every("n", lambda: [pytest.param(7, id="seven")], blocks=1)
    def one(n):
        assert n != 7

    with pytest.raises(AssertionError) as only:
        one(block=0)
    assert only.value.__notes__ == ["in the case seven"]


@pytest.mark.parametrize("part", mutate.PARTS)
def test_every_stage_of_a_part_names_files_that_are_there(part):
    assert next(mutate.changes(part))
    assert all((mutate.ROOT / file).exists() for files, _ in mutate.PARTS[part] for file in mutate.named(files))


@pytest.mark.parametrize("stage", [("tests/test_of_tests.py", "no_test_has_this_name"), ("tests/gone.py", "")])
def test_a_stage_without_tests_ends_the_run(stage):
    copies = mutate.Copies.__new__(mutate.Copies)
    copies.limits = {}
    with pytest.raises(SystemExit, match=r"no test ran|there is no tests/gone\.py"):
        copies.passes(mutate.ROOT, [stage])


def test_the_repository_keeps_nothing_that_a_run_made():
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        pytest.skip("not a checkout of the repository")
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout
    kept = [Path(line) for line in listed.splitlines()]
    folders = {path.parts[0] for path in kept if len(path.parts) > 1}
    assert folders == {".ci", "benchmarks", "demos", "docs", "e2e", "kernels_wgsl", "pyml", "tests", "tools", "web"}
    present = [path for path in kept if (root / path).is_file() and path != Path("docs/mnist.png")]
    binary = [str(path) for path in present if b"\0" in (root / path).read_bytes()]
    assert not binary, f"binary files in the repository: {binary}"


@pytest.mark.parametrize("table", promises.tables(), ids=lambda table: table.stem)
def test_what_shows_a_promise_is_there(table):
    assert list(promises.rows(table))
    assert not promises.faults(table)


@pytest.mark.parametrize(("shown", "wrong"), [
    ("`tests/test_of_tests.py::test_what_shows_a_promise_is_there`", None),
    ("`tests/test_of_tests.py::test_that_nobody_wrote`", "no test test_that_nobody_wrote"),
    ("`tests/test_nothing.py`", "no file"),
    ("`docs/saving.md#no-such-part`", "no heading"),
    ("`docs/saving.md`, `make parity`", None),
    ("`make coffee`", "no target coffee"),
    ("by hand", "nothing shows"),
    ("Open: it takes a second too long", None),
])  # fmt: skip
def test_a_promise_that_nothing_shows_is_found(tmp_path, shown, wrong):
    table = tmp_path / "some.md"
    table.write_text(f"# Some\n\n| promise | shown by |\n|---|---|\n| It works | {shown} |\n")
    found = promises.faults(table)
    assert (wrong is None) == (not found)
    assert wrong is None or wrong in found[0]
