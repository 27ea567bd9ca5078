"""Set-up: downloads are checked and never half-written, and the packed digits are the real ones."""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import os
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tarballs import npm_tarball

from pyml import assets
from pyml.assets import digits, download, pins, runtime, tensorflow_js
from pyml.cli import bytecode
from pyml.datasets import mnist

ROOT = Path(__file__).parents[1]


@pytest.fixture
def fake_npm(tmp_path, monkeypatch):
    """An `npm` on the PATH that copies one prepared tarball, counts its calls, and fails when told to."""
    folder = tmp_path / "bin"
    folder.mkdir()
    tarball = npm_tarball(tmp_path / "thing.tgz", {"build/thing.js": b"let thing;\n"})
    npm = folder / "npm"
    npm.write_text(
        f"""#!{sys.executable}
import os, shutil, sys
if sys.argv[1] == "view":
    sys.exit("npm error this registry says nothing")
open({str(tmp_path / "calls")!r}, "a").write("x")
target = sys.argv[sys.argv.index("--pack-destination") + 1]
if os.path.exists({str(tmp_path / "broken")!r}):
    open(os.path.join(target, "thing.tgz"), "wb").write(b"half")
    sys.exit("npm error network is down")
shutil.copy({str(tarball)!r}, target)
"""
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return tmp_path, tarball


def calls(folder: Path) -> int:
    return len((folder / "calls").read_text()) if (folder / "calls").exists() else 0


def test_npm_package_is_fetched_once_and_then_taken_from_the_cache(fake_npm):
    folder, tarball = fake_npm
    for _ in range(2):
        got = download.npm_pack("thing@1.0.0", download.integrity(tarball), folder / "cache", 1000)
    assert got.read_bytes() == tarball.read_bytes()
    assert calls(folder) == 1


def test_damaged_cache_entry_is_fetched_again(fake_npm):
    folder, tarball = fake_npm
    good = download.integrity(tarball)
    download.npm_pack("thing@1.0.0", good, folder / "cache", 1000).write_bytes(b"damaged")
    assert download.npm_pack("thing@1.0.0", good, folder / "cache", 1000).read_bytes() == tarball.read_bytes()
    assert calls(folder) == 2


def test_failed_npm_download_names_the_package_and_leaves_nothing(fake_npm):
    folder, tarball = fake_npm
    (folder / "broken").touch()
    with pytest.raises(download.AssetError, match=r"thing@1\.0\.0: download failed.*\n.*network is down"):
        download.npm_pack("thing@1.0.0", download.integrity(tarball), folder / "cache", 1000)
    assert list((folder / "cache").iterdir()) == []


def test_npm_package_with_another_checksum_is_refused_and_not_kept(fake_npm):
    folder, _ = fake_npm
    with pytest.raises(download.AssetError, match=r"thing@1\.0\.0: checksum differs: expected sha512-AAA"):
        download.npm_pack("thing@1.0.0", "sha512-AAA", folder / "cache", 1000)
    assert list((folder / "cache").iterdir()) == []


def test_missing_client_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(download.AssetError, match="`npm` is not installed"):
        download.npm_pack("thing@1.0.0", "sha512-AAA", tmp_path / "cache", 1000)


def test_missing_member_of_a_tarball_is_named(fake_npm):
    folder, tarball = fake_npm
    with pytest.raises(download.AssetError, match=r"thing\.tgz: holds no file build/other\.js"):
        download.unpack(tarball, ["build/other.js"], folder / "out", lambda name: name)


def test_interrupted_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), download.replacing(target) as part:
        part.write_bytes(b"half of the n")
        raise KeyboardInterrupt
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file.bin"]


@pytest.fixture
def entry():
    """The lock file's entry of a wheel whose content is b'wheel'."""
    return {
        "name": "thing",
        "file_name": "thing-1.whl",
        "sha256": hashlib.sha256(b"wheel").hexdigest(),
        "depends": [],
    }


@pytest.fixture
def lock(tmp_path, entry):
    """A lock file beside a loader that names no address."""
    (tmp_path / "pyodide.mjs").write_text("export {};\n")
    path = tmp_path / "pyodide-lock.json"
    path.write_text(json.dumps({"packages": {"thing": entry}}))
    return path


def make_carrier(path: Path, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inside/thing-1.whl", data)
    return path


def test_wheel_is_taken_out_of_the_carrier_and_checked(tmp_path, entry):
    carrier = make_carrier(tmp_path / "big.whl", b"wheel")
    runtime.extract_wheels(carrier, "inside/", [entry], tmp_path / "out", print)
    assert (tmp_path / "out" / "thing-1.whl").read_bytes() == b"wheel"


def test_damaged_wheel_in_the_carrier_is_named_and_removed(tmp_path, entry):
    carrier = make_carrier(tmp_path / "big.whl", b"weehl")
    with pytest.raises(download.AssetError, match=r"thing-1\.whl: checksum differs"):
        runtime.extract_wheels(carrier, "inside/", [entry], tmp_path / "out", print)
    assert list((tmp_path / "out").iterdir()) == []


def test_wheel_that_the_carrier_lacks_is_named(tmp_path, entry):
    carrier = make_carrier(tmp_path / "big.whl", b"wheel")
    with pytest.raises(download.AssetError, match=r"thing-1\.whl: not inside big\.whl"):
        runtime.extract_wheels(carrier, "elsewhere/", [entry], tmp_path / "out", print)


def test_present_wheel_needs_no_download(tmp_path, lock, entry, monkeypatch):
    (tmp_path / "thing-1.whl").write_bytes(b"wheel")
    monkeypatch.setattr(runtime, "take_from_carrier", lambda *_: pytest.fail("downloaded"))
    assert runtime.fetch_wheels(lock, tmp_path, tmp_path / "cache", ["thing"], print)[0].name == "thing-1.whl"


def test_damaged_wheel_is_fetched_again(tmp_path, lock, entry, monkeypatch):
    (tmp_path / "thing-1.whl").write_bytes(b"half")
    taken = []
    monkeypatch.setattr(runtime, "take_from_carrier", lambda entries, *_: taken.extend(entries))
    runtime.fetch_wheels(lock, tmp_path, tmp_path / "cache", ["thing"], print)
    assert taken == [entry]


def test_package_outside_the_lock_file_is_named(tmp_path, lock):
    with pytest.raises(download.AssetError, match=r"nothing: not in pyodide-lock\.json"):
        runtime.fetch_wheels(lock, tmp_path, tmp_path / "cache", ["nothing"], print)


@pytest.fixture
def file_server(tmp_path):
    """The address of a server for `tmp_path/files`."""
    (tmp_path / "files").mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path / "files"))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_wheel_comes_from_pyodides_own_address_where_that_answers(tmp_path, entry, file_server):
    (tmp_path / "files" / "thing-1.whl").write_bytes(b"wheel")
    assert runtime.fetch_url(file_server, entry, tmp_path / "out", print)
    assert (tmp_path / "out" / "thing-1.whl").read_bytes() == b"wheel"


def test_address_without_the_file_is_passed_over(tmp_path, entry, file_server):
    assert not runtime.fetch_url(file_server, entry, tmp_path / "out", print)
    assert not (tmp_path / "out" / "thing-1.whl").exists()


def test_wrong_file_at_the_address_is_an_error(tmp_path, entry, file_server):
    (tmp_path / "files" / "thing-1.whl").write_bytes(b"something else")
    with pytest.raises(download.AssetError, match=r"thing-1\.whl: checksum differs"):
        runtime.fetch_url(file_server, entry, tmp_path / "out", print)
    assert not (tmp_path / "out" / "thing-1.whl").exists()


def test_address_is_read_out_of_the_loader(tmp_path):
    (tmp_path / "pyodide.mjs").write_text('let a=`https://files.example/pyodide/v${U}/full/`;"https://other"')
    version = pins.PYODIDE.spec.partition("@")[2]
    assert runtime.download_address(tmp_path / "pyodide.mjs") == f"https://files.example/pyodide/v{version}/full/"


def test_every_pinned_integrity_is_a_sha512():
    for pin in (pins.PYODIDE, pins.DIGITS, *pins.CHARTS):
        kind, _, code = pin.integrity.partition("-")
        assert kind == "sha512" and len(base64.b64decode(code)) == 64, pin.spec


@pytest.fixture
def few_digits(tmp_path, monkeypatch):
    """A tarball like npm's with 20 random images a digit; returns it and the images."""
    images = np.random.default_rng(3).integers(0, 256, (10, 20, 28, 28), dtype=np.uint8)
    files = {
        name: json.dumps({"data": np.round(images[digit].ravel() / 255, 3).tolist()}).encode()
        for digit, name in enumerate(pins.DIGITS.files)
    }
    monkeypatch.setattr(pins, "DIGITS_SHA256", tuple(hashlib.sha256(d).hexdigest() for d in files.values()))
    return npm_tarball(tmp_path / "digits.tgz", files), images


def test_pixels_come_back_exactly_from_three_decimals(few_digits):
    tarball, images = few_digits
    got, labels = digits.read_digits(tarball)
    np.testing.assert_array_equal(got, images.reshape(-1, 28, 28))
    np.testing.assert_array_equal(labels, np.repeat(np.arange(10), 20))


def test_changed_digit_file_is_named(few_digits, monkeypatch):
    monkeypatch.setattr(pins, "DIGITS_SHA256", ("0" * 64, *pins.DIGITS_SHA256[1:]))
    with pytest.raises(download.AssetError, match=r"src/digits/0\.json: checksum differs"):
        digits.read_digits(few_digits[0])


def test_packing_twice_gives_the_same_bytes(few_digits, tmp_path, monkeypatch):
    monkeypatch.setattr(digits.split, "__defaults__", (30,))
    digits.pack(few_digits[0], tmp_path / "a.npz")
    digits.pack(few_digits[0], tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_split_is_stratified_disjoint_and_complete():
    labels = np.repeat(np.arange(10), [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978])
    train, test = digits.split(labels)
    assert len(test) == 1500 and sorted([*train, *test]) == list(range(10000))
    share = np.bincount(labels[test]) / np.bincount(labels)
    assert share.min() > 0.149 and share.max() < 0.151


def test_fetched_digits_are_the_packed_ones():
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (8500, 28, 28) and x_test.shape == (1500, 28, 28)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert x_train.max() == 255 and x_train.min() == 0
    assert np.bincount(y_test).tolist() == [150, 169, 149, 155, 147, 129, 152, 160, 142, 147]
    # A class keeps its look in both parts of the split.
    for digit in range(10):
        means = [x[y == digit].mean(axis=0).ravel() for x, y in ((x_train, y_train), (x_test, y_test))]
        assert np.corrcoef(*means)[0, 1] > 0.98


def test_digits_can_be_awaited():
    import asyncio

    (x_train, _), _ = asyncio.run(mnist.load_data_async())
    np.testing.assert_array_equal(x_train, mnist.load_data()[0][0])


def test_digits_are_found_by_environment_and_by_absolute_path(tmp_path, monkeypatch):
    one = np.zeros((1, 28, 28), np.uint8)
    np.savez(tmp_path / "mine.npz", x_train=one, y_train=one[0, 0, :1], x_test=one, y_test=one[0, 0, :1])
    assert mnist.load_data(str(tmp_path / "mine.npz"))[0][0].shape == (1, 28, 28)
    monkeypatch.setenv("PYML_DATA", str(tmp_path))
    assert mnist.load_data("mine.npz")[1][0].shape == (1, 28, 28)


def test_missing_digits_say_how_to_make_them():
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz was not found in .* Run `make setup`"):
        mnist.load_data("nowhere.npz")


def test_damaged_digits_name_the_file(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 not a zip file")
    with pytest.raises(ValueError, match=r"bad\.npz is not a file of digits"):
        mnist.load_data(str(tmp_path / "bad.npz"))


def test_second_fetch_starts_no_client(monkeypatch):
    monkeypatch.setattr(download, "run_client", lambda *_: pytest.fail("a client was started"))
    lines = []
    assets.fetch_all(say=lines.append)
    assert any("mnist.npz: present" in line for line in lines)


@pytest.fixture
def served_tarball(tmp_path, monkeypatch):
    """A registry with a package whose script is followed by 8 MB; gives the script and what was sent."""
    script, sent = b"globalThis.tf = {};", []
    tarball = npm_tarball(tmp_path / "tfjs.tgz", {"LICENSE": b"", "dist/tf.min.js": script, "dist/map": os.urandom(8 << 20)})

    class Registry(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            sent.append(0)
            with open(tarball, "rb") as file, contextlib.suppress(OSError):
                while chunk := file.read(1 << 16):
                    self.wfile.write(chunk)
                    sent[-1] += len(chunk)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/tfjs.tgz"
    monkeypatch.setattr(tensorflow_js, "npm_address", lambda *_: address)
    monkeypatch.setattr(pins, "TENSORFLOW_JS_SHA256", hashlib.sha256(script).hexdigest())
    yield script, sent
    server.shutdown()
    server.server_close()


def test_tensorflow_js_is_downloaded_no_further_than_its_file_and_once(served_tarball, tmp_path):
    script, sent = served_tarball
    for _ in range(2):
        tensorflow_js.fetch(tmp_path / "out", tmp_path / "cache", say=lambda text: None)
    place = tmp_path / "out" / "node_modules" / "@tensorflow" / "tfjs"
    assert (place / "tf.min.js").read_bytes() == script
    assert json.loads((place / "package.json").read_text())["main"] == "tf.min.js"
    assert len(sent) == 1 and sent[0] < 8 << 20


def test_another_tensorflow_js_is_refused(served_tarball, fake_npm, monkeypatch, tmp_path):
    monkeypatch.setattr(pins, "TENSORFLOW_JS_SHA256", "0" * 64)
    with pytest.raises(download.AssetError, match="checksum differs"):
        tensorflow_js.fetch(tmp_path / "out", tmp_path / "cache", say=lambda text: None)
    assert not list((tmp_path / "out").rglob("*.js"))


def test_fetch_command_names_the_failed_file_and_exits_1(fake_npm, capsys):
    folder, _ = fake_npm
    (folder / "broken").touch()
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import fetch_assets
    finally:
        sys.path.pop(0)
    assert fetch_assets.main(["--into", str(folder / "a"), "--cache", str(folder / "c")]) == 1
    assert "fetch_assets: pyodide@314.0.3: download failed" in capsys.readouterr().err


def test_progress_counts_what_has_arrived(tmp_path):
    (tmp_path / "part").write_bytes(bytes(2_000_000))

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    class Ends:
        def __init__(self):
            self.turns = iter([False, True])

        def wait(self, _):
            return next(self.turns)

    screen = Terminal()
    download.progress_line("thing", tmp_path, 8_000_000, Ends(), screen)
    assert "thing: 2.0 of about 8 MB" in screen.getvalue()


@pytest.fixture
def setup_module(tmp_path, monkeypatch):
    """tools/setup.py with its stamps in a folder of their own."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import setup

    monkeypatch.setattr(setup, "STAMPS", tmp_path / "stamps")
    return setup


def test_setup_step_runs_once_until_its_input_or_its_result_changes(setup_module):
    ran = []
    for made_from, there in (("a", True), ("a", True), ("b", True), ("b", False), ("b", True)):
        setup_module.once("step", made_from, lambda there=there: there, lambda: ran.append(1))
    assert len(ran) == 3


def test_failed_setup_step_leaves_no_stamp(setup_module):
    def fails():
        raise setup_module.SetupError("no")

    with pytest.raises(setup_module.SetupError):
        setup_module.once("step", "a", lambda: True, fails)
    assert not (setup_module.STAMPS / "step").exists()


def test_missing_system_packages_are_named_in_one_sentence(setup_module, monkeypatch):
    monkeypatch.setattr(setup_module, "find_browser", lambda: None)
    monkeypatch.setattr(setup_module.os, "geteuid", lambda: 1000)
    with pytest.raises(setup_module.SetupError, match=r"please install chromium, then run this again"):
        setup_module.system_step()


def test_compiled_modules_are_kept_by_their_source(tmp_path, monkeypatch):
    (tmp_path / "pyodide.asm.wasm").write_bytes(b"wasm")
    compiled = []

    def fake(sources, runtime, place):
        compiled.append(sorted(sources))
        return {path: b"code of " + data for path, data in sources.items()}

    monkeypatch.setattr(bytecode, "compile_modules", fake)
    files = {"pyml/a.py": b"1", "pyml/b.py": b"2", "pyml/c.wgsl": b"3"}
    out = bytecode.with_bytecode(files, tmp_path, tmp_path / "cache")
    assert out["pyml/__pycache__/a.cpython-314.pyc"] == b"code of 1" and len(out) == 5
    bytecode.with_bytecode({**files, "pyml/b.py": b"22"}, tmp_path, tmp_path / "cache")
    assert compiled == [["pyml/a.py", "pyml/b.py"], ["pyml/b.py"]]


def test_quick_build_compiles_nothing(tmp_path, monkeypatch):
    (tmp_path / "pyodide.asm.wasm").write_bytes(b"wasm")
    monkeypatch.setattr(bytecode, "compile_modules", lambda *_: pytest.fail("compiled"))
    files = {"pyml/a.py": b"1"}
    assert bytecode.with_bytecode(files, tmp_path, tmp_path / "cache", compile_new=False) == files


def test_without_node_modules_stay_source(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bytecode.compile_modules({"pyml/a.py": b"1"}, tmp_path) == {}


def test_root_on_debian_gets_the_missing_packages_installed(setup_module, monkeypatch):
    commands = []
    monkeypatch.setattr(setup_module, "find_browser", lambda: None)
    monkeypatch.setattr(setup_module, "vulkan_driver", lambda: False)
    monkeypatch.setattr(setup_module.os, "geteuid", lambda: 0)
    monkeypatch.setattr(setup_module.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup_module, "run", lambda *command, **_: commands.append(command))
    setup_module.system_step()
    assert commands[0][:2] == ("apt-get", "update")
    assert commands[1][:2] == ("apt-get", "install")
    assert {"chromium", "mesa-vulkan-drivers"} <= set(commands[1])


def test_setup_on_an_old_python_says_which_one_it_needs(setup_module, monkeypatch, capsys):
    monkeypatch.setattr(setup_module.sys, "version_info", (3, 9, 1))
    assert setup_module.main([]) == 1
    assert "needs Python 3.11 or newer" in capsys.readouterr().err


def test_assets_of_other_pins_are_not_ready(tmp_path):
    assert not assets.are_ready(tmp_path)
    (tmp_path / assets.STAMP).write_text("pins of last year")
    assert not assets.are_ready(tmp_path)
