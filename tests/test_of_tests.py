"""The tools that watch over the tests see what they are meant to see."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import every
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import lint_tests
import mutate
import promises
from mutating import changes, code, lines, workers


@pytest.mark.parametrize(("body", "seen"), [
    ("x = 1", "has no assertion"),
    ("print(add(1, 2))", "has no assertion"),
    ("assert True", "asserts a constant"),
    ("assert (x == 1, 'one')", "asserts a constant"),
    ("assert x == 1 or True", "asserts a constant"),
    ("assert (x == y for x in found)", "asserts a constant"),
    ("assert [x == 1]", "asserts a constant"),
    ("assert x == 1 and x <= x", "a value is itself"),
    ("assert found.shape[1:] == found.shape[1:]", "a value is itself"),
    ("np.testing.assert_array_equal(a, a)", "a value is itself"),
    ("try:\n        assert f() == 1\n    except Exception:\n        pass", "catches what an assertion"),
    ("with suppress(AssertionError):\n        assert f() == 1", "catches what an assertion"),
    ("with pytest.raises(ValueError):\n        f()\n        assert x == 1", "nothing behind that error runs"),
    ("np.allclose(f(), 1)\n    assert g()", "does not look at the answer"),
    ("for path in sorted(here.glob('*.md')):\n        assert path.name in known", "say first that some are"),
    ("with pytest.raises(Exception) as caught:\n        f()", "any error"),
    ("assert x == pytest.approx(3, rel=1)", "within which 0 is anything"),
    ("assert run(timeout=60) == 1", "ends by the clock"),
    ("assert x == 1", None),
    ("assert draw(1) == draw(1)", None),
    ("try:\n        assert f() == 1\n    except Timeout as error:\n        raise AssertionError(shown()) from error", None),
    ("paths = sorted(here.glob('*.md'))\n    assert paths\n    for path in here.glob('*.md'):\n        assert path.name in known", None),
    ("for path in folder.rglob('*'):\n        assert path.name in known\n    for word in ('a', 'b'):\n        assert word in known", None),
    ("assert f() == f() == run(timeout=900)", None),
    ("with pytest.raises(Exception, match='no'):\n        f()", None),
    ("helper(3)", None),
    ("run(helper)", None),
    ("with pytest.raises(ValueError):\n        f()", None),
    ("np.testing.assert_array_equal(a, b)", None),
    ("page.wait_for_selector('#done')", None),
])  # fmt: skip
def test_the_lint_finds_tests_that_cannot_fail_and_those_that_depend_on_a_clock(tmp_path, body, seen):
    file = tmp_path / "test_some.py"
    file.write_text(f"def helper(x):\n    assert x\n\n\ndef test_it():\n    {body}\n")
    found = lint_tests.problems([file])
    assert (seen is None) == (not found)
    assert seen is None or any(seen in line for line in found)


def test_every_kind_of_change_is_found_and_leaves_the_rest_alone(tmp_path):
    source = 'def f(x, n=3):\n    if x > n:\n        g(x)\n        x += 2.0\n    return op(x - 1, wgsl="a + b")\n'
    finder = changes.Finder(tmp_path, source)
    finder.visit(ast.parse(source))
    changed = {change.applied(source) for change in finder.found}
    for old, new in (("n=3", "n=4"), ("x > n", "not (x > n)"), ("x > n", "(x >= n)"), ("g(x)", "pass"), ("x += 2.0", "pass"),
                     ("2.0", "2.5"), ("x - 1", "(x + 1)"), ("a + b", "a - b")):  # fmt: skip
        assert source.replace(old, new) in changed, new


def test_messages_and_what_people_read_are_not_changed(tmp_path):
    source = 'def f(x):\n    raise ValueError(f"{x + 1}")\n\n\ndef explain(x):\n    return x + 1\n'
    finder = changes.Finder(tmp_path, source)
    finder.visit(ast.parse(source))
    assert not finder.found


def test_what_only_guards_or_is_never_tested_is_not_changed(tmp_path):
    source = '@dataclass(frozen=True)\nclass A:\n    def _samples(self):\n        return 1\n\n    pairs = zip(a, b, strict=True)\n'
    finder = changes.Finder(tmp_path, source)
    finder.visit(ast.parse(source))
    assert not finder.found


def test_what_only_makes_samples_is_not_changed(tmp_path):
    source = "def _rows(n):\n    return n + 1\n\n\n_X = _rows(3)\n_Y = 4\nop = routine(numpy=f(_Y), samples=[(_X, 5), (_Y, 6)])\n"
    finder = changes.Finder(tmp_path, source)
    finder.visit(ast.parse(source))
    assert [change.applied(source) for change in finder.found] == [source.replace("_Y = 4", "_Y = 5")]


def test_what_only_samples_of_classes_need_is_not_changed(tmp_path):
    source = "class A:\n    def _samples(self):\n        yield _like(3)\n\n\ndef _like(x):\n    return x + _Y + _Z\n\n\n_Y, _Z = 4, 5\n"
    finder = changes.Finder(tmp_path, source)
    finder.visit(ast.parse(source))
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
def test_a_part_has_changes_and_files_of_tests_that_are_there(part):
    assert len(changes.changes(part)) > 50
    assert all((changes.ROOT / "tests" / f"{file}.py").exists() for file in mutate.PARTS[part])


def test_a_seed_takes_the_same_changes_whatever_else_there_is():
    every = changes.changes("losses")
    chosen = changes.sample(every, 9, seed=3)
    assert len(chosen) == 9 and chosen != changes.sample(every, 9, seed=4)
    others = [change for change in every if change.path.name != "ctc.py" or change in chosen]
    assert len(others) < len(every) and changes.sample(others, 9, seed=3) == chosen


def test_tests_that_are_not_there_end_the_run():
    worker = workers.Worker.__new__(workers.Worker)
    worker.place = changes.ROOT
    with pytest.raises(SystemExit, match="no test ran"):
        worker.anew(None, [("tests/test_of_tests.py::test_that_nobody_wrote", 0.1)])


NESTED = """
def outer(x):
    def inner(y):
        return [x + y + i for i in (1, 2)]
    return inner
table = {"a": lambda v: v * 2, "b": lambda v: v * 2}
limit = 3
"""


@pytest.mark.parametrize(("old", "new", "calls", "expected"), [
    ("x + y", "x - y", "outer(5)(1)", [5, 6]),
    ("x + y", "x - y", "made(1)", [10, 11]),                     # what `outer` had made before
    ('"b": lambda v: v * 2', '"b": lambda v: v * 3', "table['a'](1), table['b'](1)", (2, 3)),
    ("limit = 3", "limit = 4", None, None),                      # runs while the module loads
])  # fmt: skip
def test_functions_that_are_there_get_the_changed_code(old, new, calls, expected):
    names: dict = {}
    exec(compile(NESTED, "nested.py", "exec", dont_inherit=True), names)
    names["made"] = names["outer"](10)
    functions = [names["outer"], names["made"], *names["table"].values()]
    done = code.replace(NESTED, NESTED.replace(old, new), "nested.py", functions)
    assert done == (calls is not None)
    assert calls is None or eval(calls, names) == expected


def test_a_change_meets_the_tests_that_run_its_line_the_cheapest_of_each_function_first():
    path = "pyml/losses/base.py"
    source = {path: {workers.digest(changes.ROOT / path)}}
    run = {"t::a[1]": {path: {"f:3": [4, 5]}}, "t::a[2]": {path: {"f:3": [4]}}, "t::b": {path: {"f:3": [4]}},
             "t::c": {path: {"g:9": [9]}}}  # fmt: skip
    tests = lines.Tests({"t::a[1]": 1.0, "t::a[2]": 2.0, "t::b": 3.0, "t::c": 0.1}, run, {path: {"g:9": [9]}}, source)
    at = lambda line: changes.Change(Path(path), line, 0, 0, "", line)
    assert tests.that_run(at(5), "f:3") == ["t::a[1]"]
    assert tests.cheapest(tests.that_run(at(4), "f:3"), 60) == ["t::a[1]", "t::b", "t::a[2]"]
    assert tests.cheapest(tests.that_run(at(4), "f:3"), 6.5, ["t::b"]) == ["t::b", "t::a[1]", "t::a[2]"]
    assert tests.ran_early(at(9), "g:9") and not tests.ran_early(at(4), "f:3")
    tests.sources = {path: {"another text"}}                     # lines may have moved: all that run the function
    assert tests.that_run(at(50), "f:33") == ["t::a[1]", "t::a[2]", "t::b"]


def test_a_changed_default_meets_the_tests_that_run_the_function_and_those_that_read_signatures_first(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text("LIMIT = 3\n\n\ndef f(x,\n      y=2):\n    return x + y\n\n\ndef g(x):\n    return LIMIT\n")
    monkeypatch.setattr(lines, "ROOT", tmp_path)
    lines.tree_of.cache_clear()
    run = {"tests/b.py::g": {"a.py": {"g:9": [10]}}, "tests/b.py::f": {"a.py": {"f:4": [6]}}, "tests/c.py::x": {},
           f"tests/{lines.SIGNATURES}.py::y": {}, "tests/part.py::z": {}}  # fmt: skip
    tests = lines.Tests(dict.fromkeys(run, 1.0), run)
    at = lambda line: tests.that_meet(changes.Change(Path("a.py"), line, 0, 0, "", line), "part")
    names = lambda found: [[test.partition("::")[2] for test in part] for part in found]
    assert names(at(5)) == [["f", "y"], ["z", "g", "x"]]
    assert names(at(6)) == [["f"], ["z", "g", "x", "y"]]
    assert names(at(1)) == [["g"], ["z", "f", "x", "y"]]


def test_a_fork_in_which_a_function_is_another_notices_what_a_test_claims(tmp_path):
    for folder in ("pyml/part", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "pyml/__init__.py").touch()
    (tmp_path / "tools").symlink_to(changes.ROOT / "tools")
    source = "def double(x):\n    y = x * 2\n    return y if y < 100 else 100\n"
    (tmp_path / "pyml/part/sums.py").write_text(source)
    (tmp_path / "tests/test_sums.py").write_text(
        "from pyml.part import sums\n\n\ndef test_two():\n    assert sums.double(1) == 2\n\n\ndef test_nothing():\n    assert sums\n")
    run = workers.command(["test_sums"])
    noted = tmp_path / "lines"
    subprocess.run(run, cwd=tmp_path, env=workers.told(do="map", parts=["part"], gpu=False, to=str(noted)), check=True)
    early, nothing, two = map(json.loads, noted.read_text().splitlines())
    assert early == {"early": {}} and nothing["lines"] == {} and two["passed"]
    assert two["lines"] == {"pyml/part/sums.py": {"double:1": [2, 3]}}

    (asks, ask), (answer, answers) = os.pipe(), os.pipe()
    with os.fdopen(ask, "w") as ask, os.fdopen(answer) as answer:
        for new in ("x * 3", "2 * x", "(x * 2 if x else f())"):
            asked = {"path": "pyml/part/sums.py", "old": source, "new": source.replace("x * 2", new), "tests": [[two["test"], 1]]}
            ask.write(json.dumps(asked) + "\n")
        ask.close()
        env = workers.told(do="serve", parts=["part"], asks=asks, answers=answers)
        subprocess.run(run, cwd=tmp_path, env=env, pass_fds=(asks, answers), check=True)
        os.close(answers)
        said = [json.loads(line) for line in answer]
    assert [each["answer"] for each in said] == ["noticed", "survived", "survived"]
    assert said[0]["by"] == two["test"]


def test_changes_that_make_no_difference_are_changes_of_lines_that_are_there():
    text = changes.EQUIVALENT.read_text(encoding="utf-8")
    for each in changes.equivalents(text):
        assert any(each.is_of(change) for change in changes.found_in(Path(each.path))), each
        assert len(each.reason) > 20, each
    with pytest.raises(SystemExit, match="has a block that is not"):
        changes.equivalents("pyml/losses/base.py\n- return 1\nwithout a new line")


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
