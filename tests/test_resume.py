"""Downloads that break off go on where they stopped; a server of our own does the breaking."""

import hashlib
import http.server
import json
import os
import sys
import threading

import pytest

from pyml.assets import download, resume, runtime
from pyml.assets.checks import AssetError, digest, integrity

DATA = bytes(range(256)) * 4000
SHA = hashlib.sha256(DATA).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves DATA as any file. `breaks` holds after how many bytes each of the next answers stops."""

    ranges, breaks, status, data = True, (), 200, DATA

    def __init__(self):
        self.asked = []                                # the Range header of each request
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/thing.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.asked.append(wanted)
        if server.status != 200:
            self.send_error(server.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        if start >= len(server.data):
            self.send_error(416)
            return
        body = server.data[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.data) - 1}/{len(server.data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.breaks:
            body, server.breaks = body[:server.breaks[0]], server.breaks[1:]
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(resume, "PAUSE", 0.0)
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def part(tmp_path):
    return tmp_path / "cache" / "thing.bin.part"


def fetch(server, part, expected=SHA):
    resume.fetch(server.url, part, "thing.bin", len(DATA), expected, digest)


def test_a_broken_connection_is_taken_up_where_it_stopped(server, part):
    server.breaks = (300_000, 100_000)
    fetch(server, part)
    assert part.read_bytes() == DATA
    assert server.asked == [None, "bytes=300000-", "bytes=400000-"]


def test_a_server_that_knows_no_ranges_starts_again(server, part):
    server.ranges, server.breaks = False, (300_000,)
    fetch(server, part)
    assert part.read_bytes() == DATA and server.asked == [None, "bytes=300000-"]


def test_a_download_that_breaks_again_and_again_is_kept_for_the_next_run(server, part):
    server.breaks = (300_000, 0, 0, 0)
    with pytest.raises(resume.Interrupted, match=r"thing\.bin: the download stopped at 0\.3 of about 1\.0 MB .*run the command again"):
        fetch(server, part)
    assert part.read_bytes() == DATA[:300_000]
    server.asked.clear()
    fetch(server, part)
    assert part.read_bytes() == DATA and server.asked == ["bytes=300000-"]


def test_without_ranges_a_connection_that_always_breaks_at_one_place_is_given_up(server, part):
    server.ranges, server.breaks = False, (5000,) * 10
    with pytest.raises(resume.Interrupted):
        fetch(server, part)
    assert len(server.asked) == 1 + resume.ATTEMPTS


def test_a_file_that_is_already_whole_is_only_checked(server, part):
    part.parent.mkdir()
    part.write_bytes(DATA)
    fetch(server, part)
    assert part.read_bytes() == DATA and len(server.asked) == 1


def test_the_beginning_of_another_file_is_thrown_away(server, part):
    part.parent.mkdir()
    part.write_bytes(b"of last year's version")
    fetch(server, part)
    assert part.read_bytes() == DATA and server.asked == ["bytes=22-", None]


def test_a_wrong_file_is_refused_and_removed(server, part):
    with pytest.raises(AssetError, match=r"thing\.bin: checksum differs: expected 0000, received"):
        fetch(server, part, expected="0000")
    assert not part.exists()


def test_a_broken_connection_does_not_hide_a_wrong_file(server, part):
    server.breaks = (1000,)
    with pytest.raises(AssetError, match="checksum differs"):
        fetch(server, part, expected="0000")
    assert not part.exists()


@pytest.mark.parametrize("status", [401, 404, 503])
def test_an_address_without_the_file_is_told_apart_from_a_broken_connection(server, part, status):
    server.status = status
    with pytest.raises(resume.Unreachable, match=f"thing.bin: the server answers {status}"):
        fetch(server, part)


def test_an_address_where_nobody_answers_is_told_apart_too(server, part):
    server.server_close()
    with pytest.raises(resume.Unreachable):
        fetch(server, part)


# ---- through the clients
def client(path, lines):
    """A program that stands for npm or pip."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!{sys.executable}\nimport sys\n{lines}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def npm(tmp_path, server, monkeypatch):
    """An npm that names the server's address and can do nothing else."""
    client(tmp_path / "bin" / "npm", f"print({json.dumps(server.url)!r}) if sys.argv[1] == 'view' else sys.exit('no network')")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")


def test_an_npm_tarball_goes_on_where_it_stopped(server, npm, tmp_path):
    cache = tmp_path / "cache"
    (tmp_path / "thing").write_bytes(DATA)
    expected = integrity(tmp_path / "thing")
    server.breaks = (700_000, 0, 0, 0)
    with pytest.raises(AssetError, match=r"thing@1\.0\.0: the download stopped at 0\.7 of about 1\.0 MB"):
        download.npm_pack("thing@1.0.0", expected, cache, len(DATA))
    assert [path.name for path in cache.iterdir()] == ["thing@1.0.0.tgz.part"]
    assert download.npm_pack("thing@1.0.0", expected, cache, len(DATA)).read_bytes() == DATA
    assert server.asked[-1] == "bytes=700000-" and [path.name for path in cache.iterdir()] == ["thing@1.0.0.tgz"]


def test_npm_itself_is_asked_when_its_address_needs_more_than_a_request(server, npm, tmp_path):
    server.status = 401
    with pytest.raises(AssetError, match=r"thing@1\.0\.0: download failed.*\n.*no network"):
        download.npm_pack("thing@1.0.0", "sha512-AAA", tmp_path / "cache", 1000)


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """`pip(report)` makes a pip that prints this report, and whose `download` writes DATA."""
    def make(report):
        program = client(tmp_path / "bin" / "pip", f"""
import pathlib
if sys.argv[1] == "install":
    print({json.dumps(report)!r})
else:
    folder = pathlib.Path(sys.argv[sys.argv.index("--dest") + 1])
    (folder / "thing_one-1.0-py3-none-any.whl").write_bytes({DATA[:100]!r})""")
        monkeypatch.setattr(download, "PIP", [str(program)])

    return make


def test_a_wheel_goes_on_where_it_stopped_and_is_checked(server, pip, tmp_path):
    pip({"install": [{"download_info": {"url": server.url}}]})
    cache = tmp_path / "cache"
    server.breaks = (500_000, 0, 0, 0)
    with pytest.raises(AssetError, match=r"thing-one==1\.0: the download stopped at 0\.5"):
        download.pip_download("thing-one==1.0", SHA, cache, len(DATA))
    wheel = download.pip_download("thing-one==1.0", SHA, cache, len(DATA))
    assert wheel.name == "thing_one-1.0-py3-none-any.whl" and wheel.read_bytes() == DATA
    assert server.asked[-1] == "bytes=500000-"
    server.asked.clear()
    download.pip_download("thing-one==1.0", SHA, cache, len(DATA))
    assert server.asked == []


def test_pip_itself_downloads_where_it_names_no_address(pip, tmp_path):
    pip({"install": []})
    short = hashlib.sha256(DATA[:100]).hexdigest()
    assert download.pip_download("thing-one==1.0", short, tmp_path / "cache", 100).read_bytes() == DATA[:100]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["thing_one-1.0-py3-none-any.whl"]


def test_pyodides_own_address_is_taken_up_again_and_its_beginning_does_not_stay(server, tmp_path, monkeypatch):
    entry = {"file_name": "thing.bin", "sha256": SHA}
    base = server.url.removesuffix("thing.bin")
    server.breaks = (300_000, 0, 0, 0)
    assert not runtime.fetch_url(base, entry, tmp_path, print)
    assert (tmp_path / ".thing.bin.part").stat().st_size == 300_000
    assert runtime.fetch_url(base, entry, tmp_path, print)
    assert [path.name for path in tmp_path.iterdir()] == ["thing.bin"] and (tmp_path / "thing.bin").read_bytes() == DATA
