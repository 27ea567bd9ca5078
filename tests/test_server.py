"""The local server, spoken to over raw sockets: only the site's own files, to nobody but this machine, and always an answer."""

import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pyml.cli import fetching, renew, request, serve

TEXT = b"0123456789"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A small site with a secret beside it, links out of it and within it, and files that must stay hidden."""
    base = tmp_path_factory.mktemp("server")
    folder = base / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "empty").mkdir()
    (base / "secret.txt").write_text("SECRET")
    (base / "private").mkdir()
    (base / "private" / "index.html").write_text("SECRET")
    for name, text in {
        "index.html": "home", "sub/index.html": "below", ".env": "SECRET", "sub/.key": "SECRET", "a b.txt": "space", "ümlaut.txt": "u",
        "nothing.bin": "", "digits.txt": TEXT.decode(),
    }.items():  # fmt: skip
        (folder / name).write_text(text)
    if hasattr(os, "symlink"):
        (folder / "out.txt").symlink_to(base / "secret.txt")
        (folder / "outside").symlink_to(base / "private")
        (folder / "loop").symlink_to(folder / "loop")
        (folder / "within.txt").symlink_to(folder / "digits.txt")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe")
    return folder


@pytest.fixture(scope="module")
def port(site):
    with serve.running(site) as url:
        yield urlsplit(url).port


def speak(port: int, data: bytes) -> bytes:
    """Everything that the server answers to `data` until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(data)
        answer = b""
        while piece := line.recv(65536):
            answer += piece
        return answer


def ask(port: int, target: str, *headers: str, method: str = "GET", host: str | None = "localhost"):
    """The status, headers (lower case) and body of one answer."""
    lines = [f"{method} {target} HTTP/1.1", *([] if host is None else [f"Host: {host}"]), "Connection: close", *headers]
    answer = speak(port, ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8"))
    assert answer, f"{target}: the connection was dropped without an answer"
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in rest)}, body


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/", b"home"), ("/index.html?a=1&b", b"home"), ("/index.html#top", b"home"), ("/sub/", b"below"), ("/a%20b.txt", b"space"),
        ("/%C3%BCmlaut.txt", b"u"), ("/within.txt", TEXT), ("http://localhost/digits.txt", TEXT), ("/%64igits.txt", TEXT),
    ],
)  # fmt: skip
def test_files_of_the_site_are_sent_whole(port, target, body):
    status, headers, received = ask(port, target)
    assert (status, received) == (200, body)
    assert int(headers["content-length"]) == len(body) and headers["accept-ranges"] == "bytes"
    assert headers["cross-origin-embedder-policy"] == "require-corp"


@pytest.mark.parametrize(
    "target",
    [
        "/out.txt", "/outside/", "/outside/index.html", "/loop", "/pipe", "/.env", "/sub/.key", "/%2eenv", "/.", "/..",
        "/../secret.txt", "/sub/../../secret.txt", "/%2e%2e/secret.txt", "/%2e%2e%2fsecret.txt", "/..%2fsecret.txt", "/..%5csecret.txt",
        "/..\\secret.txt", "/sub\\..\\..\\secret.txt", "/%252e%252e/secret.txt", "//etc/passwd", "/%2fetc/passwd", "/sub//index.html",
        "/C:/Windows/win.ini", "/index.html/", "/index.html::$DATA", "/%00", "/index.html%00.txt", "/%0d%0aSet-Cookie:a", "/%ff%fe",
        "/%c0%ae%c0%ae/secret.txt", "/empty/", "/none", "/" + "a" * 300, "/" + "a/" * 400, "/%zz", "/%",
    ],
)  # fmt: skip
def test_nothing_else_is_found(port, target):
    status, headers, body = ask(port, target)
    assert status == 404 and b"SECRET" not in body and body.endswith(b"\n")
    assert "set-cookie" not in headers


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 414),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET index.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
        (b"GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
        (b"GET / HTTP/9.9.9\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", 405),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 405),
        (b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * 100_000, 405),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 403),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
        ("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \u00b2\r\n\r\n".encode("latin-1"), 405),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 19\r\n\r\nGET / HTTP/1.0\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nnonsense\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : evil.example\r\nConnection: close\r\n\r\n", 400),
    ],
    ids=lambda value: value[:30].decode("latin-1") if isinstance(value, bytes) else str(value),
)
def test_every_request_is_answered(port, data, status):
    answer = speak(port, data)
    assert answer.startswith(b"HTTP/1.") and int(answer.split()[1]) == status
    assert answer.count(b"HTTP/1.") == 1


@pytest.mark.parametrize("begun", [b"GET /" + b"a" * 65532, b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"])
def test_who_still_sends_when_the_answer_comes_reads_all_of_it(port, begun):
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(begun)
        answer = line.recv(1)
        for _ in range(10):
            line.sendall(b"a" * 1000)
        line.shutdown(socket.SHUT_WR)
        while piece := line.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 4") and answer.endswith(b"\n")


def test_the_body_of_a_request_is_not_taken_for_the_next_request(port):
    answer = speak(port, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\nGET /.env HTTP/1.1\r\n"
                         b"GET /digits.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")  # fmt: skip
    assert answer.count(b"HTTP/1.1 ") == 2 and answer.endswith(TEXT)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "localhost.:80", "127.0.0.1:1", "127.1.2.3", "[::1]:8000"])
def test_this_machines_own_names_are_answered(port, host):
    assert ask(port, "/", host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "192.168.0.7",
     "0.0.0.0", "[::2]", "[", "", "user@evil.example", "localhost@evil.example", "2130706433", "evil.example\\@localhost",
     "localhost/evil", "localhost#evil"],
)  # fmt: skip
def test_a_foreign_host_is_refused_so_that_no_site_can_rebind_its_name(port, host):
    status, _, body = ask(port, "/digits.txt", host=host)
    assert status == 403 and TEXT not in body and b"localhost" in body


def test_the_host_of_an_absolute_address_counts_too(port):
    assert ask(port, "http://evil.example/digits.txt")[0] == 403


def test_the_address_that_was_asked_for_is_answered(site):
    request.check_host("pc.example:8000", {"pc.example"})
    request.check_host("[fe80::1]:8000", {"fe80::1"})
    with pytest.raises(request.Refused, match=r"not to 'other\.example'"):
        request.check_host("other.example", {"pc.example"})


def test_a_folder_without_its_slash_is_redirected_within_the_site(port):
    status, headers, _ = ask(port, "/sub?x=1")
    assert (status, headers["location"]) == (301, "/sub/?x=1")
    assert ask(port, "/empty")[0] == 404


@pytest.mark.parametrize(
    ("asked", "body", "told"),
    [
        ("bytes=0-0", b"0", "0-0"), ("bytes=2-4", b"234", "2-4"), ("bytes=7-", b"789", "7-9"), ("bytes=-3", b"789", "7-9"),
        ("bytes=4-99", b"456789", "4-9"), ("bytes=-99", TEXT, "0-9"), ("Bytes = 1 - 2", b"12", "1-2"),
    ],
)  # fmt: skip
def test_a_part_of_a_file_is_sent_with_its_place(port, asked, body, told):
    status, headers, received = ask(port, "/digits.txt", f"Range: {asked}")
    assert (status, received, headers["content-range"]) == (206, body, f"bytes {told}/10")
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_part_behind_the_end_is_refused_with_the_size(port, asked):
    status, headers, _ = ask(port, "/digits.txt", f"Range: {asked}")
    assert (status, headers["content-range"]) == (416, "bytes */10")


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "lines=1-2", "bytes=4-2", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=٣-", "bytes=1-2-3", "nonsense"]
)
def test_what_is_no_single_range_is_answered_with_the_whole_file(port, asked):
    assert ask(port, "/digits.txt", f"Range: {asked}")[::2] == (200, TEXT)


def test_an_empty_file_has_no_parts(port):
    assert ask(port, "/nothing.bin")[::2] == (200, b"")
    assert ask(port, "/nothing.bin", "Range: bytes=0-")[0] == 416


def test_a_range_counts_only_for_the_file_that_the_client_began_with(port):
    tag = ask(port, "/digits.txt")[1]["etag"]
    assert ask(port, "/digits.txt", "Range: bytes=2-4", f"If-Range: {tag}")[0] == 206
    for other in ('"other"', f"W/{tag}", "Sat, 28 Nov 2026 00:00:00 GMT"):
        assert ask(port, "/digits.txt", "Range: bytes=2-4", f"If-Range: {other}")[::2] == (200, TEXT)


def test_a_known_file_is_not_sent_again(port):
    tag = ask(port, "/digits.txt")[1]["etag"]
    for known in (tag, f'"a", {tag}', f"W/{tag}", "*"):
        assert ask(port, "/digits.txt", f"If-None-Match: {known}", "Range: bytes=0-1")[::2] == (304, b"")
    assert ask(port, "/digits.txt", 'If-None-Match: "other"')[0] == 200


@pytest.mark.parametrize(("target", "status", "length"), [("/digits.txt", 200, 10), ("/none", 404, None), ("/sub", 301, None)])
def test_head_is_answered_as_get_without_the_body(port, target, status, length):
    found, headers, body = ask(port, target, "Range: bytes=0-1", method="HEAD")
    assert (found, body) == (status, b"")
    assert length is None or int(headers["content-length"]) == length


# ---- networks that come while the server runs


@pytest.fixture
def hub(site, tmp_path, monkeypatch):
    """A server whose pages may ask for networks; `hub.fetch` stands for the download."""

    class Hub:
        rebuilt, error = 0, None

        def fetch(self, entry, progress):
            progress(5, 10)
            if self.error:
                raise self.error

        def after(self):
            self.rebuilt += 1

    found = Hub()
    monkeypatch.setattr(fetching, "models_dir", lambda: tmp_path)
    with serve.running(site, fetching=fetching.Fetching(found.after, found.fetch)) as url:
        found.port = urlsplit(url).port
        yield found


def until_done(port, name):
    while True:
        state = json.loads(ask(port, f"/hub/{name}")[2])
        if state["state"] != "fetching":
            return state


def test_a_page_is_told_how_large_a_network_is_and_may_ask_for_it(hub):
    before = json.loads(ask(hub.port, "/hub/movenet")[2])
    assert before == {"name": "movenet", "size": 4_808_197, "download": 144_509_169, "state": "absent"}
    assert ask(hub.port, "/hub/movenet", "Origin: http://localhost", method="POST")[0] == 202
    assert until_done(hub.port, "movenet")["state"] == "here" and hub.rebuilt == 1


def test_a_download_that_failed_says_why(hub):
    hub.error = fetching.AssetError("no connection")
    ask(hub.port, "/hub/movenet", "Origin: http://localhost", method="POST")
    assert until_done(hub.port, "movenet")["error"] == "no connection"


@pytest.mark.parametrize("origin", [[], ["Origin: http://evil.example"], ["Origin: null"], ["Origin: https://localhost"]])
def test_only_the_servers_own_pages_may_make_it_fetch(hub, origin):
    assert ask(hub.port, "/hub/movenet", *origin, method="POST")[0] == 403
    assert json.loads(ask(hub.port, "/hub/movenet")[2])["state"] == "absent"


@pytest.mark.parametrize("name", ["none", "photo_for_tests", "movenet/weights.bin", ""])
def test_only_known_networks_can_be_asked_for(hub, name):
    assert ask(hub.port, f"/hub/{name}", "Origin: http://localhost", method="POST")[0] == 404


def test_a_file_that_came_while_the_server_runs_is_served_at_once(tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    (tmp_path / "assets" / "models").mkdir(parents=True)
    monkeypatch.setattr(renew.paths, "assets_dir", lambda: tmp_path / "assets")

    def rebuild():
        (tmp_path / "site" / "new.bin").write_bytes((tmp_path / "assets" / "models" / "new.bin").read_bytes())

    with serve.running(tmp_path / "site", renew=renew.Renewer(rebuild)) as url:
        port = urlsplit(url).port
        assert ask(port, "/new.bin")[0] == 404
        (tmp_path / "assets" / "models" / "new.bin").write_bytes(TEXT)
        assert ask(port, "/new.bin")[::2] == (200, TEXT)


def test_a_file_that_is_replaced_while_it_is_sent_is_sent_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "model.txt").write_text("the old one")

    def replaced(path, mode):
        file = open(path, mode)  # noqa: SIM115 - the server closes it
        (tmp_path / "new").write_text("new")
        (tmp_path / "new").replace(path)  # as every writer of pyml does
        return file

    with serve.running(tmp_path) as url:
        monkeypatch.setattr(serve, "open", replaced, raising=False)
        status, headers, body = ask(urlsplit(url).port, "/model.txt")
        monkeypatch.delattr(serve, "open")
        _, now, _ = ask(urlsplit(url).port, "/model.txt")
    assert status == 200 and body == b"the old one" and headers["etag"] != now["etag"]
