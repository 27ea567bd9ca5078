"""Programs that come with a page: made here, and found by the device that they are for."""

import gzip
import json
import re
import sys
from contextlib import contextmanager

import numpy as np
import pytest

from pyml import kept, paths
from pyml.assets.download import scratch
from pyml.cli import programs, rehearse
from pyml.device.wasm import profile_of

GUIDE = paths.checkout() / "docs" / "own_page.md"
PAGE = """
import numpy as np
import network
from pyml import hub

async def main():
    try:
        await hub.movenet_async()
    except hub.HubError:
        pass
    model = network.made()
    print(await model.predict_async(np.ones((3, 6)), verbose=0))
    await model.fit_async(np.ones((8, 6)), np.ones((8, 2)), batch_size=4, verbose=0)
"""
NETWORK = """
import pyml
from pyml import layers

def made():
    pyml.utils.set_random_seed(1)
    model = pyml.Sequential([layers.Input((6,)), layers.Dense(5, "relu"), layers.Dropout(0.5), layers.Dense(2)])
    model.compile("adam", "mse")
    return model
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """`site({name: text, ...})` is a folder with these files; what is made for its pages is kept in a folder of the test's own."""
    monkeypatch.setattr(programs.paths, "build_dir", lambda: tmp_path / "build")

    def made(files):
        for name, text in files.items():
            (tmp_path / "site" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "site" / name).write_text(text)
        return tmp_path / "site"

    return made


def place(folder, **options):
    """The files that are written, and the lines that were said."""
    said = []
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return programs.place(folder, [n for n in names if not n.startswith("web/")], said.append, **options), said


def test_what_a_page_compiles_is_made_without_a_browser_and_found_by_the_device(site, wasm, monkeypatch, tmp_path):
    folder = site({"a b/index.html": "", "a b/programs.py": PAGE, "a b/network.py": NETWORK, "other/programs.py": "no page"})
    written, said = place(folder)
    (page, kinds), = json.loads((folder / programs.LIST).read_text()).items()
    assert page == "/a b/" and len(said) == 1
    assert {"tile", "register", "wasm-1", "wasm-1-relaxed", "wasm-4", "wasm-8-relaxed"} <= kinds.keys()
    assert written == {programs.LIST, *(f"web/programs/a b/{kind}-{hash}.gz" for kind, hash in kinds.items())}

    with first_visit(folder, "a b/", kinds, wasm, monkeypatch) as counts:
        import network

        model = network.made()
        found = model.predict(np.ones((3, 6)), verbose=0)
        model.fit(np.ones((8, 6)), np.ones((8, 2)), batch_size=4, verbose=0)
    assert counts.keys() == {"plans found", "kernels found"} and np.any(found)


def test_the_guides_page_compiles_nothing_with_the_guides_programs(site, wasm, monkeypatch, tmp_path):
    train, programs_py, *_ = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    folder = site({"index.html": "", "programs.py": programs_py, "train.py": train})
    place(folder)
    kinds = json.loads((folder / programs.LIST).read_text())["/"]
    monkeypatch.chdir(tmp_path)
    with first_visit(folder, "", kinds, wasm, monkeypatch) as counts:
        rehearse.run(folder, "train.py")
    assert counts.keys() == {"plans found", "kernels found"}


@contextmanager
def first_visit(folder, page, kinds, wasm, monkeypatch):
    """The device is a tab's with one thread, and has what came with a page; afterwards the value has what was counted."""
    store, counts = kept.MemoryStore(), {}
    version = kept.hash_of(programs.wheel.read_sources()[kept.COMPILER_FILE])
    packed = gzip.decompress((folder / f"web/programs/{page}wasm-1-{kinds['wasm-1']}.gz").read_bytes())
    assert store.unpack(packed, version)
    monkeypatch.setattr(kept, "_others", version)
    monkeypatch.setattr(wasm._engine, "relaxed", False)
    monkeypatch.setattr(wasm._engine, "sinks", False)
    monkeypatch.setattr(wasm, "profile", profile_of(1))
    monkeypatch.setattr(sys, "path", [str(folder / page), *sys.path])
    before = kept.use(store)
    try:
        kept.counts.clear()
        yield counts
        counts.update(kept.counts)
    finally:
        kept.use(before)


def test_a_page_is_run_again_only_when_it_or_what_it_finds_has_changed(site):
    folder = site({"index.html": "", "programs.py": "import numpy as np, pyml\npyml.ops.sin(np.ones(3)).numpy()"})
    first, said = place(folder)
    assert said and len(first) > 10
    assert place(folder) == (first, [])
    site({"programs.py": "import numpy as np, pyml\npyml.ops.cos(np.ones(3)).numpy()"})
    none, said = place(folder, new=False)
    assert (none, said) == ({programs.LIST}, []) and json.loads((folder / programs.LIST).read_text()) == {}
    second, said = place(folder)
    assert said and not (second & first) - {programs.LIST}
    site({"programs.py": "import numpy as np, pyml\npyml.ops.sin(np.ones(3)).numpy()", "models/movenet/model.json": "{}"})
    assert place(folder) == (first, [])  # which names no network
    site({"programs.py": "import numpy as np, pyml\npyml.ops.sin(np.ones(3)).numpy()  # not movenet"})
    third, said = place(folder)
    assert said and third == first


COUNTING = """
import atexit, json, os, pathlib
import numpy as np, pyml
from pyml import kept
told = pathlib.Path(os.environ["TOLD"], "counts.json")
atexit.register(lambda: told.write_text(json.dumps(dict(kept.counts))))
pyml.ops.sin(np.ones(3)).numpy()
pyml.ops.sum(pyml.ops.cos(np.ones((3, 5)) * 2)).numpy()
"""


def test_only_what_a_page_imports_counts_and_a_new_layer_does_not_compile_what_was_compiled(site, tmp_path, monkeypatch):
    monkeypatch.setenv("TOLD", str(tmp_path))
    folder, sources = site({"index.html": "", "programs.py": COUNTING}), dict(programs.wheel.read_sources())
    monkeypatch.setattr(programs.wheel, "read_sources", lambda: dict(sources))
    compiled = lambda: json.loads((tmp_path / "counts.json").read_text()).get("kernels compiled", 0)
    first, said = place(folder)
    assert said and compiled() > 2
    sources["pyml/vis/figure.py"] += b"# changed"  # which the page never imported
    sources["pyml/a_new_part.py"] = b""
    assert place(folder) == (first, [])
    sources["pyml/core/tensor.py"] += b"# changed"
    again, said = place(folder)
    assert said and again == first and compiled() == 0
    sources[kept.COMPILER_FILE] = b"another compiler"
    assert place(folder)[1] and compiled() > 2


@pytest.mark.parametrize(
    "code, told",
    [
        ("\nx = 1 / 0", r"^programs\.py, line 2: ZeroDivisionError: division by zero$"),
        ("def main():\n    import helper", r"^programs\.py, line 2: ModuleNotFoundError: No module named 'js'$"),
        ("def main(:", r"^programs\.py: SyntaxError: "),
        ("import os\nos._exit(3)", r"^programs\.py: exit 3$"),
    ],
)
def test_a_page_that_fails_is_named_with_the_line(site, code, told):
    folder = site({"index.html": "", "programs.py": code, "helper.py": "import js"})
    with pytest.raises(programs.ProgramsError, match=told):
        place(folder)


@pytest.mark.slow
def test_a_page_whose_programs_do_not_end_is_named_with_the_line(site, monkeypatch):
    monkeypatch.setattr(programs, "SECONDS", 5)
    folder = site({"index.html": "", "programs.py": "found = 0\nwhile found < 3:\n    pass\n"})
    with pytest.raises(programs.ProgramsError, match=r"programs\.py, line [23]: it has run for 5 seconds"):
        place(folder)


def test_a_build_leaves_what_another_one_is_at_work_on(tmp_path):
    """It removes pages of former kinds of keeping them, which had their files in no folder of their own."""
    former = tmp_path / "0123456789"
    former.mkdir()
    (former / "tile.bin").write_bytes(b"old")
    with scratch(tmp_path) as work:
        (work / "tile.bin").write_bytes(b"new")
        programs.forget_others(tmp_path)
        assert (work / "tile.bin").read_bytes() == b"new" and not former.exists()
