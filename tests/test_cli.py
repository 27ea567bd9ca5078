"""The `pyml` command: sites, wheels and lock files, the server, demos."""

import base64
import csv
import hashlib
import http.client
import io
import json
import os
import re
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pyml import cli, paths
from pyml.assets import runtime as runtime_assets
from pyml.cli import build, demo, distribution, main, ready, rehashed, renew, serve, wheel

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.timeout(1800)  # a whole site is built, for which a machine may have little time


def silent(text: str) -> None:
    """Receives progress lines and drops them."""


def run_pyml(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pyml", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


PAGE = """<!doctype html><title>mine</title><code>import "./web/pyml.js"</code>
<script src="web/early.js" async></script><script type="module" src="own.js"></script>
<script type="module">import { loadPyml } from "./web/pyml.js";</script>
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """A user's page."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text(PAGE)
    (folder / "own.js").write_text("export const loaded = import('./web/pyml.js');\n")
    (folder / "model.py").write_text("import pyml\nfrom pyml.datasets import mnist\n")
    (folder / ".hidden").write_text("not for others")
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory, page) -> Path:
    """A site built for that page."""
    return build.build_site(tmp_path_factory.mktemp("site") / "out", page, say=silent)


def test_info_prints_the_backend_and_versions():
    done = run_pyml("info", PYML_BACKEND="cpu")
    assert done.returncode == 0, done.stderr
    assert "cpu" in done.stdout and "0.1.0" in done.stdout


def test_help_names_every_command():
    out = run_pyml("--help").stdout
    assert all(command in out for command in ("demo", "serve", "build", "info"))


def test_command_is_installed():
    assert (
        subprocess.run(
            [str(Path(sys.executable).with_name("pyml")), "--help"], capture_output=True
        ).returncode
        == 0
    )


def test_site_holds_the_page_the_runtime_the_wheels_and_the_worker(built):
    names = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    wanted = {"index.html", "model.py", "sw.js", "web/pyml.js", "web/replay.js", "data/mnist.npz"}
    wanted |= {f"pyodide/{name}" for name in ("pyodide.mjs", "pyodide.asm.wasm", "python_stdlib.zip")}
    wanted |= {f"vendor/{name}.min.js" for name in ("vega", "vega-lite", "vega-embed")}
    assert wanted <= names
    assert ".hidden" not in names and not any(name.startswith("demos/") for name in names)


def test_a_site_holds_the_networks_and_data_that_its_page_names_and_no_others(tmp_path):
    assets, page = tmp_path / "assets", tmp_path / "page"
    for name in ("data/mnist.npz", "data/cars.csv", *(f"models/{n}/weights" for n in ("mobilenet_v1", "posenet", "photos"))):
        (assets / name).parent.mkdir(parents=True, exist_ok=True)
        (assets / name).write_bytes(b"0")
    page.mkdir()
    (page / "picture.png").write_bytes(b"\xff\x00posenet")  # no text
    (page / "index.html").write_text('<meta name="networks" content="mobilenet_v1">')
    (page / "page.py").write_text('from pyml import hub\nhub.photo("chelsea")\n')

    def held(named):
        return {inside for inside, _ in build.asset_files(assets, named) if not inside.startswith("pyodide/")}

    assert held(build.page_text(page)) == {"models/mobilenet_v1/weights", "models/photos/weights"}
    assert held("datasets.mnist.load_data()") == {"data/mnist.npz"}
    assert {"data/mnist.npz", "data/cars.csv", "models/mobilenet_v1/weights"} <= held(None)


def test_a_site_holds_the_packages_that_are_named_and_what_they_need(tmp_path, monkeypatch):
    runtime, asked = tmp_path / "runtime", []
    runtime.mkdir()
    entry = lambda name, *needs: {"name": name, "file_name": f"{name}-1-py3-none-any.whl", "sha256": "", "depends": list(needs)}
    packages = {entry["name"]: entry for entry in (entry("numpy"), entry("pandas", "numpy", "pytz"), entry("pytz"), entry("scipy"))}
    (runtime / "pyodide-lock.json").write_text(json.dumps({"packages": packages}))
    (runtime / "numpy-1-py3-none-any.whl").write_bytes(b"numpy")
    monkeypatch.setattr(paths, "build_dir", lambda: tmp_path / "build")

    def taken(entries, folder, cache, say):
        asked.extend(entry["name"] for entry in entries)
        for one in entries:
            (folder / one["file_name"]).write_bytes(one["name"].encode())

    monkeypatch.setattr(runtime_assets, "digest", lambda path: "")
    monkeypatch.setattr(runtime_assets, "download_address", lambda loader: None)
    monkeypatch.setattr(runtime_assets, "take_from_carrier", taken)
    further = build.further_wheels(runtime, ["pandas"], silent)
    assert sorted(further) == sorted(asked) == ["pandas", "pytz"] and further["pytz"].read_bytes() == b"pytz"
    with pytest.raises(build.AssetError, match="pandsa: not in pyodide-lock"):
        build.further_wheels(runtime, ["pandsa"], silent)


def test_gallery_site_holds_every_demo(tmp_path):
    site = build.build_site(tmp_path / "out", say=silent, programs=False)  # which `make setup` and the pages' tests make
    page = (site / "index.html").read_text()
    for name in demo.names():
        assert f'href="demos/{name}/index.html"' in page and (site / "demos" / name / "index.html").is_file()
    assert (site / "demos" / "mnist" / "model.py").is_file()


NUMBER = re.compile(r"""["']([\w./-]+\.m?js)\?([0-9a-f]{10})["']""")


def test_scripts_are_named_with_numbers_of_their_content(built):
    """In the page, in its own scripts, and in scripts that other scripts name, the worker's and the libraries' among them."""
    found = set()
    for path in (built / "index.html", built / "own.js", *(built / "web").glob("*.js")):
        for address, number in NUMBER.findall(path.read_text()):
            named = (path.parent / address).resolve()
            assert hashlib.sha256(named.read_bytes()).hexdigest()[:10] == number, f"{path}: {address}"
            found.add((path.name, named.name))
    assert found >= {
        ("index.html", "early.js"), ("index.html", "pyml.js"), ("own.js", "pyml.js"), ("pyml.js", "worker.js"), ("early.js", "worker.js"),
        ("worker.js", "runtime.js"), ("runtime.js", "pyodide.mjs"), ("charts.js", "vega.min.js"),
    }  # fmt: skip
    assert PAGE.partition("<script")[0] in (built / "index.html").read_text()  # code that a page shows stays as it is
    own = {path.name for path in (built / "web").glob("*.js")}
    bare = re.compile(r"""(?:\bfrom|\bimport\(?|new URL\()\s*["']\.?/?([\w-]+\.js)["']""")
    assert not [path.name for path in (built / "web").glob("*.js") if own & {*bare.findall(path.read_text())}]


def test_a_server_that_ended_answers_nobody_who_is_connected(built):
    with serve.running(built) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        connection.request("GET", "/model.py")
        assert connection.getresponse().read()
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        connection.request("GET", "/model.py")
        connection.getresponse()


def test_second_build_writes_nothing(built, page):
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.name != build.MANIFEST}
    lines = []
    build.build_site(built, page, say=lines.append)
    assert "0 of them new or changed" in lines[-1]
    assert before == {
        path: path.stat().st_mtime_ns for path in built.rglob("*") if path.name != build.MANIFEST
    }


def test_a_memory_in_which_a_hash_was_not_made_anew_is_noticed():
    code = """
    import collections, runpy
    class Key:
        hash = 1
        __hash__ = lambda self: self.hash
    class Kept:
        _hash = None
    missed = runpy.run_path(%r)["missed"]
    of_dict, of_set, of_ordered, kept = Key(), Key(), Key(), Kept()
    held = {of_dict: 1}, {of_set}, collections.OrderedDict({of_ordered: 1})
    assert missed() == []
    of_dict.hash = of_set.hash = of_ordered.hash = kept._hash = 2
    found = missed()
    print([any(each is value for each in found) for value in (of_dict, of_set, of_ordered, kept)])
    """
    code = textwrap.dedent(code) % str(Path(rehashed.__file__))
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout == "[True, True, True, True]\n", done.stderr


def test_of_two_memories_that_builds_make_at_once_the_first_is_kept(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ready.NAME).write_text(name)
        ready.keep(tmp_path / name, tmp_path / "kept" / "of the same sources")
    assert (tmp_path / "kept" / "of the same sources" / ready.NAME).read_text() == "one"


def test_file_that_left_the_page_leaves_the_site(tmp_path, page):
    own = tmp_path / "page"
    own.mkdir()
    (own / "index.html").write_text("one")
    (own / "old.txt").write_text("old")
    site = build.build_site(tmp_path / "out", own, say=silent)
    (own / "old.txt").unlink()
    (own / "index.html").write_text("two")
    build.build_site(site, own, say=silent)
    assert not (site / "old.txt").exists() and (site / "index.html").read_text() == "two"


def test_a_build_that_ended_early_is_built_again_and_its_files_are_whole(tmp_path, monkeypatch):
    whole_replace, left = os.replace, []

    def replace(one, other):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        whole_replace(one, other)

    for version, moments in ("1", range(6)), ("2", range(6)):
        source = tmp_path / version
        source.mkdir()
        for name in ("a", "b", f"only {version}"):
            (source / name).write_text(version * 99)
        for moment in moments:
            target = tmp_path / f"site {moment}"
            with monkeypatch.context() as patched:
                patched.setattr(os, "replace", replace)
                left[:] = range(moment)
                try:
                    distribution.put(source, target, build.check_target(target), silent)
                except KeyboardInterrupt:
                    assert moment < 5                  # the list of files, three files, the list again
            assert {path.read_text() for path in target.glob("[!.]*")} <= {"1" * 99, "2" * 99}
            distribution.put(source, target, build.check_target(target), silent)
            names = ("a", "b", f"only {version}")
            assert {path.name: path.read_text() for path in target.glob("[!.]*")} == dict.fromkeys(names, version * 99)


def test_build_refuses_a_folder_with_other_files(tmp_path, page):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(build.BuildError, match="holds files that pyml did not write"):
        build.build_site(tmp_path, page, say=silent)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    with pytest.raises(build.BuildError, match="is a file; give a new or empty folder"):
        build.build_site(tmp_path / "thesis.txt", page, say=silent)


def test_build_refuses_a_page_without_an_index(tmp_path):
    done = run_pyml("build", str(tmp_path / "out"), "--page", str(tmp_path))
    assert done.returncode == 1 and "holds no index.html" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["jupyterlite", "marimo", "pyscript"])
def test_build_refuses_packages_where_it_would_leave_them_out(kind, tmp_path, capsys):
    assert main(["build", str(tmp_path / "out"), f"--{kind}", "--package", "pandas"]) == 1
    assert f"--package goes without --{kind}" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_build_refuses_a_page_that_takes_pymls_names(tmp_path):
    (tmp_path / "page" / "web").mkdir(parents=True)
    (tmp_path / "page" / "index.html").write_text("x")
    (tmp_path / "page" / "web" / "mine.js").write_text("x")
    with pytest.raises(build.BuildError, match=r"pyml needs the name web/mine\.js itself"):
        build.build_site(tmp_path / "out", tmp_path / "page", say=silent)


def test_lock_file_is_one_that_pyodides_own_tool_accepts(built):
    pyodide_lock = pytest.importorskip("pyodide_lock")
    data = json.loads((built / "pyodide" / "pyodide-lock.json").read_text())
    if "version" in pyodide_lock.spec.InfoSpec.model_fields:  # releases for Python 3.11 know the older header
        data["info"] = {**data["info"], "version": "314.0.3"}
    lock = pyodide_lock.PyodideLockSpec(**data)
    lock.check_wheel_filenames()
    assert set(lock.packages) == {"numpy", "pyml"}
    assert lock.packages["pyml"].depends == ["numpy"] and lock.packages["pyml"].imports == ["pyml"]


def test_lock_file_has_the_checksums_of_the_served_wheels(built):
    lock = json.loads((built / "pyodide" / "pyodide-lock.json").read_text())
    for entry in lock["packages"].values():
        data = (built / "pyodide" / entry["file_name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["sha256"], entry["name"]


def served_wheel(site: Path, name: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(next((site / "pyodide").glob(f"{name}-*.whl")))


def test_wheel_record_lists_every_file_with_its_checksum(built):
    with served_wheel(built, "pyml") as archive:
        record = next(name for name in archive.namelist() if name.endswith("/RECORD"))
        rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
        assert {row[0] for row in rows} == set(archive.namelist())
        for path, code, size in rows:
            if path != record:
                data = archive.read(path)
                expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                assert (code, int(size)) == (f"sha256={expected}", len(data))


def test_wheel_for_pages_holds_kernels_and_replay_but_not_the_command(built):
    names = served_wheel(built, "pyml").namelist()
    assert "pyml/_data/web/replay.js" in names
    kernels = {f"pyml/_data/kernels_wgsl/{path.name}" for path in (ROOT / "kernels_wgsl").glob("*.wgsl")}
    assert kernels and kernels <= set(names)
    assert not any(name.startswith("pyml/cli/") for name in names)


def test_wheel_for_pages_holds_every_script_that_python_asks_for():
    found = dict(wheel.wheel_sources())
    texts = [path.read_text(encoding="utf-8") for name, path in found.items() if name.endswith(".py")]
    asked = {name for text in texts for name in re.findall(r"""\b(?:text|body)_of\(["']([^"']+)["']\)""", text)}
    assert {"replay.js", "guard.js"} <= asked
    assert {f"pyml/_data/web/{name}" for name in asked} <= found.keys()


def test_wheel_for_pages_is_compiled_and_keeps_its_sources(built):
    names = set(served_wheel(built, "pyml").namelist())
    assert {"pyml/core/tensor.py", "pyml/core/__pycache__/tensor.cpython-314.pyc"} <= names


def test_wheel_of_the_same_sources_is_the_same_bytes(tmp_path):
    files = wheel.read_sources()
    first, second = (wheel.write_wheel(tmp_path / name, files).read_bytes() for name in "ab")
    assert first == second


def test_wheel_is_small(built):
    """What a visitor without the kept memory downloads beside Pyodide and numpy: 5.04 MB, three fifths of it compiled modules; ops and
    layers are 0.59 MB of it each, files of models and the graph 0.42 each, pipelines of data 0.25."""
    assert next((built / "pyodide").glob("pyml-*.whl")).stat().st_size < 5_080_000


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel that `make setup` builds for pip, unpacked as pip would."""
    wheels = list((ROOT / "dist").glob("pyml-*-py3-none-any.whl"))
    if not wheels:
        pytest.skip("no wheel in dist/: run `make setup`")
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(folder)
    return folder


def run_installed(folder: Path, code: str, *arguments: str) -> None:
    """Runs code that sees the installed pyml and not the checkout."""
    begin = "import sys; sys.path.insert(0, sys.argv[1])\n"
    command = [sys.executable, "-I", "-c", begin + code, str(folder), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "XDG_CACHE_HOME": str(folder)}
    )
    assert done.returncode == 0, done.stderr


def test_built_wheel_runs_where_there_is_no_checkout(installed):
    run_installed(
        installed,
        "import pyml, pyml.core, pyml.paths as p\n"
        "assert pyml.__file__.startswith(sys.argv[1]), pyml.__file__\n"
        "assert p.checkout() is None and len(list(p.kernels_dir().glob('*.wgsl'))) > 3\n"
        "assert (p.web_dir() / 'replay.js').is_file()\n",
    )


@pytest.mark.slow
def test_installed_pyml_builds_the_same_site_as_a_checkout(installed, page, built, tmp_path):
    run_installed(
        installed,
        "from pathlib import Path\n"
        "from pyml.cli.build import build_site\n"
        "build_site(sys.argv[2], Path(sys.argv[3]), assets=Path(sys.argv[4]))\n",
        str(tmp_path / "out"),
        str(page),
        str(paths.assets_dir()),
    )

    def listing(site):
        names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
        kept = re.compile(r"^pyodide/(memory|modules)-[0-9a-f]+")  # no two starts of Python leave the same memory
        return {kept.sub(r"\1", name) for name in names if not name.startswith("pyodide/pyml-")}

    assert listing(tmp_path / "out") == listing(built)


@pytest.fixture
def get(built):
    """Requests a path of the built site: `get("/", **headers)` gives the answer and its body."""
    with serve.running(built) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)

        def request(path, method="GET", **headers):
            connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer, answer.read()

        yield request
        connection.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/web/pyml.js", "text/javascript; charset=utf-8"),
        ("/pyodide/pyodide.mjs", "text/javascript; charset=utf-8"),
        ("/pyodide/pyodide.asm.wasm", "application/wasm"),
        ("/pyodide/pyodide-lock.json", "application/json"),
        ("/model.py", "text/plain; charset=utf-8"),
        ("/data/mnist.npz", "application/octet-stream"),
    ],
)
def test_server_sends_isolation_headers_and_the_right_type(get, path, kind):
    answer, body = get(path)
    assert answer.status == 200 and len(body) == int(answer.headers["Content-Length"])
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_files_asked_for_by_their_content_are_never_asked_about_again(get, built):
    plan = json.loads((built / "pyodide" / "ready.json").read_text())
    wheel_ = next((built / "pyodide").glob("pyml-*.whl")).name
    worker = re.search(r"worker\.js\?\w+", (built / "web" / "pyml.js").read_text())[0]
    for name in (f"pyodide.asm.wasm?{plan['engine']}", wheel_, plan.get("memory", wheel_), f"../web/{worker}"):
        answer, _ = get(f"/pyodide/{name}".replace("/pyodide/..", ""), Accept_Encoding="br")
        assert answer.status == 200 and "immutable" in answer.headers["Cache-Control"], name


def test_changed_source_is_rebuilt_before_the_next_answer(monkeypatch):
    built_, state = [], [frozenset()]
    monkeypatch.setattr(renew, "source_state", lambda: state[0])
    look = renew.Renewer(lambda: built_.append(1), say=silent)
    assert look(at_once=True) is False and not built_
    state[0] = frozenset([("a", 1, 1)])
    assert look(at_once=True) is True
    assert look(at_once=True) is False and len(built_) == 1


def test_failed_rebuild_keeps_serving(monkeypatch):
    state, said = [frozenset()], []
    monkeypatch.setattr(renew, "source_state", lambda: state[0])

    def fails():
        raise SyntaxError("half-saved")

    look = renew.Renewer(fails, said.append)
    state[0] = frozenset([("a", 1, 1)])
    look(at_once=True)
    assert "serving the last good build: half-saved" in said[0]


def test_serve_names_a_port_that_is_taken(built):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_pyml("serve", str(built), "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1 and "choose another with --port" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("serve SITE --port 70000", "port must be from 0 to 65535. Received: 70000"),
        ("serve SITE --port -1", "port must be from 0 to 65535. Received: -1"),
        ("serve SITE --port x", "port must be a whole number. Received: x"),
        ("demo mnist --port 99999", "port must be from 0 to 65535. Received: 99999"),
        ("demo mnist --epochs 0", "epochs must be from 1. Received: 0"),
        ("demo mnist --timeout nan", "timeout must be a number of seconds above 0. Received: nan"),
        ("demo mnist --timeout -1", "timeout must be a number of seconds above 0. Received: -1"),
        ("demo mnist --backend gpu", "invalid choice: 'gpu'"),
        ("serve SITE --port 0 --host nowhere.invalid", "cannot listen at nowhere.invalid ("),
        ("serve SITE --port 0 --host 8.8.8.8", "cannot listen at 8.8.8.8 ("),
        ("serve SITE/index.html", "index.html is a file; name the folder that holds it"),
        ("serve SITE/none", "there is no folder SITE/none; build a site with `pyml build SITE/none`"),
        ("build SITE/index.html/out", "build: SITE/index.html/out cannot be written ("),
    ],
)
def test_what_a_command_cannot_do_is_one_sentence(built, arguments, told, capsys):
    arguments, told = (text.replace("SITE", str(built)) for text in (arguments, told))
    try:
        status = cli.main(arguments.split())
    except SystemExit as end:  # argparse
        status = end.code
    error = capsys.readouterr().err
    assert status in (1, 2) and told in error.replace("\n", " ")


def test_serve_refuses_a_folder_without_a_page(tmp_path):
    done = run_pyml("serve", str(tmp_path))
    assert done.returncode == 1 and "holds no index.html" in done.stderr


def test_demo_without_a_name_lists_the_demos(capsys):
    assert cli.main(["demo"]) == 0
    assert "mnist" in capsys.readouterr().out


def test_unknown_demo_names_the_known_ones(capsys):
    assert cli.main(["demo", "mnits"]) == 1
    assert "no demo is named 'mnits'; there are:" in capsys.readouterr().err


@pytest.mark.parametrize(("accuracy", "ok"), [(0.97, True), (0.9912, True), (0.9693, False), (None, False)])
def test_demo_passes_only_with_the_accuracy_it_promises(accuracy, ok, capsys):
    result = {"done": True, "error": None, "testAccuracy": accuracy, "backend": "webgpu"}
    if ok:
        assert demo.judge("mnist", result) == 0
        assert f"test accuracy: {accuracy:.4f}" in capsys.readouterr().out
    else:
        with pytest.raises(demo.DemoError, match=r"below 0\.97"):
            demo.judge("mnist", result)


def test_demo_fetches_the_networks_that_its_page_names(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(demo.store, "folder_of", lambda name: None)
    monkeypatch.setattr(demo, "fetch_models", lambda names: asked.extend(names))
    demo.fetch_networks("classify")
    assert asked == ["mobilenet_v1", "photos"]
    assert "demo classify needs mobilenet_v1 and photos (10.2 MB, 30 MB to download, once)" in capsys.readouterr().out
    asked.clear()
    demo.fetch_networks("mnist")
    assert asked == []


def test_demo_goes_on_where_its_networks_cannot_be_fetched(monkeypatch, capsys):
    def fails(names):
        raise demo.AssetError("no connection.")

    monkeypatch.setattr(demo.store, "folder_of", lambda name: None)
    monkeypatch.setattr(demo, "fetch_models", fails)
    demo.fetch_networks("classify")
    assert "no connection.\nGoing on without" in capsys.readouterr().out


@pytest.mark.parametrize("name", demo.names())
def test_every_demo_names_networks_that_there_are(name):
    assert set(demo.networks(name)) <= set(demo.REGISTRY)


class FakePage:
    """A page whose script has set `window.pymlDemo` to each of the given values in turn."""

    def __init__(self, *values):
        self.values = list(values)

    def evaluate(self, _):
        return self.values.pop(0) if len(self.values) > 1 else self.values[0]

    def wait_for_timeout(self, _):
        time.sleep(0.001)


def test_driver_waits_for_the_end_of_the_demo():
    end = {"done": True, "error": None, "testAccuracy": 0.98, "backend": "cpu"}
    assert demo.wait_for_result(FakePage(None, {"done": False}, end), 3600, []) == end


def test_driver_gives_up_in_time_and_tells_the_last_error():
    with pytest.raises(demo.DemoError, match=r"did not finish within 0 s\. Its last error: out of memory"):
        demo.wait_for_result(FakePage(None), 0.01, ["out of memory"])


def test_driver_tells_at_once_why_python_did_not_start():
    failed = {"done": False, "error": None, "notStarted": "Could not download numpy.whl: it ended early. Try again"}
    assert demo.wait_for_result(FakePage(failed), 3600, [])["error"] == "Could not download numpy.whl: it ended early."


def test_driver_notices_a_crashed_page():
    with pytest.raises(demo.DemoError, match="the page crashed"):
        demo.wait_for_result(FakePage(None), 3600, ["the page crashed"])


def test_no_window_is_opened_in_continuous_integration(monkeypatch):
    from pyml.cli import browser

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("CI", "true")
    assert not browser.has_display()


def test_missing_browser_is_named(monkeypatch):
    from pyml.cli import browser

    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(browser.NoBrowser, match="no Chromium found: install it"):
        browser.launch(None)


def test_checkout_paths_are_the_repositorys():
    assert paths.checkout() == ROOT
    assert paths.site_dir() == ROOT / "build" / "site"


def test_serve_sends_the_compressed_copy_that_a_browser_takes(tmp_path):
    (tmp_path / "index.html").write_text("plain")
    (tmp_path / "index.html.br").write_bytes(b"as brotli")
    (tmp_path / "index.html.gz").write_bytes(b"as gzip")
    with serve.running(tmp_path) as url:
        for accepted, encoding, body in (
            ("gzip, deflate, br, zstd", "br", b"as brotli"), ("gzip", "gzip", b"as gzip"), ("br;q=0, gzip;q=0.5", "gzip", b"as gzip"),
            ("identity", None, b"plain"), ("brotli", None, b"plain"),
        ):  # fmt: skip
            with urllib.request.urlopen(urllib.request.Request(url + "/", headers={"Accept-Encoding": accepted})) as answer:
                assert (answer.headers["Content-Encoding"], answer.read()) == (encoding, body)
                assert answer.headers["Vary"] == "Accept-Encoding" and answer.headers["Content-Type"] == "text/html; charset=utf-8"
        part = urllib.request.Request(url + "/", headers={"Accept-Encoding": "br", "Range": "bytes=1-2"})
        with urllib.request.urlopen(part) as answer:
            assert (answer.status, answer.read()) == (206, b"la")


def test_build_writes_compressed_copies_of_what_gains_by_them(built):
    import gzip

    script = built / "pyodide" / "pyodide.asm.mjs"
    copy = script.with_name(script.name + ".gz")
    assert gzip.decompress(copy.read_bytes()) == script.read_bytes() and copy.stat().st_size < script.stat().st_size / 3
    assert not list((built / "pyodide").glob("*.gz.*")) and not list((built / "pyodide").glob("*.whl.*"))
