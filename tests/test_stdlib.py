"""The page's copy of Python's own modules: compiled, and without what nothing of ours asks for."""

import re
import zipfile

import pytest

from pyml import paths
from pyml.cli import bytecode, stdlib


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


IMPORT = re.compile(r"(?:^|[;:])[ \t]*(?:from[ \t]+(\w[\w.]*)[ \t]+import[ \t]*(\([^)]*\)|[^\n;]*)|import[ \t]+([^\n;]*))", re.MULTILINE)


def imported(source):
    """Absolute names of the modules that a source imports, and perhaps of others: whatever looks like an import is one."""
    for base, names, modules in IMPORT.findall(source):
        for name in re.findall(r"\w[\w.]*", names or modules):
            yield from (base, f"{base}.{name}") if base else (name,)


def test_imports_are_found_in_every_form():
    source = "import a, b.c as d\nif x: import e\ntry:\n    from f.g import (h,\n  i as j)\nexcept E: from k import l; import m"
    source += "\nfrom .n import o"
    found = {*imported(source)}
    assert found >= {"a", "b.c", "e", "f.g", "f.g.h", "f.g.i", "k", "k.l", "m"} and not found & {"n", "n.o", ".n"}


def test_each_module_is_there_once_compiled_and_what_pages_cannot_use_is_not(tmp_path, monkeypatch):
    source = zip_of(tmp_path / "own.zip", {
        "enum.py": "1", "json/__init__.py": "2", "json/data.txt": "d", "broken.py": "def",
        "poplib.py": "3", "wsgiref/util.py": "4"})  # fmt: skip
    asked = []

    def compiled(files, runtime, cache, place):
        asked.append(place)
        return {**files, **{bytecode.cached_path(name): b"code of " + data for name, data in files.items() if name != "broken.py"}}

    monkeypatch.setattr(bytecode, "with_bytecode", compiled)
    assert stdlib.served(source, tmp_path, tmp_path) == {
        "broken.py": b"def", "enum.pyc": b"code of 1", "json/__init__.pyc": b"code of 2", "json/data.txt": b"d"}  # fmt: skip
    assert asked == ["/lib/python314.zip"]


def test_without_a_compiler_pyodides_own_file_is_served(tmp_path, monkeypatch):
    source = zip_of(tmp_path / stdlib.NAME, {"enum.py": "1", "poplib.py": "3"})
    monkeypatch.setattr(bytecode, "with_bytecode", lambda files, *rest, **named: files)
    placed = stdlib.place(tmp_path, tmp_path / "site", tmp_path / "cache")
    assert placed.read_bytes() == source.read_bytes()


def test_nothing_of_pyml_or_numpy_imports_a_module_that_is_left_out():
    wheel = next(paths.assets_dir().glob("pyodide/numpy-*.whl"), None)
    if wheel is None:
        pytest.skip("numpy for the page is not fetched: run `make setup`")
    with zipfile.ZipFile(wheel) as archive:
        numpy = {name: archive.read(name) for name in archive.namelist() if name.endswith(".py")}
    own = {str(path): path.read_bytes() for path in paths.PACKAGE.rglob("*.py") if "cli" not in path.parts and "assets" not in path.parts}
    names = {name for source in {**own, **numpy}.values() for name in imported(source.decode())}
    assert {"numpy", "ctypes", "json"} <= names
    files = {file for name in names for file in (f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__init__.py")}
    assert [file for file in sorted(files) if stdlib.WITHOUT.match(file)] == []
