"""A folder that is written again: whoever looks at any moment, and wherever the process ends, finds the old one or the new one."""

from __future__ import annotations

import builtins
import ctypes
import errno
import os
import subprocess
import sys
import zipfile

import pytest

import pyml
from pyml import atomic_folders
from pyml.atomic_folders import exchange, replacing_folder, write_folder

NAMES = ("a/b/one", "two")
CALLS = ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync")  # of the system, and files opened for writing, and `exchange`


class Killed(BaseException):
    """The process ends here; nothing that it would do afterwards reaches the disk."""


class Steps:
    """Looks before each call of the system, and ends the process at the call `at`."""

    def __init__(self, patched, look=lambda: None, at=None):
        self.look, self.at, self.count = look, at, 0
        for name in CALLS:
            patched.setattr(os, name, self.step(getattr(os, name)))
        patched.setattr(atomic_folders, "exchange", self.step(atomic_folders.exchange))
        whole_open = open
        patched.setattr(builtins, "open", lambda path, mode="r", **more: (self.step(whole_open) if "w" in mode else whole_open)(
            path, mode, **more))

    def step(self, call):
        def stepped(*args, **kwargs):
            self.count += 1
            if self.at is not None and self.count >= self.at:
                raise Killed
            self.look()
            return call(*args, **kwargs)

        return stepped


def content(version):
    return {name: [version * 50, version * 50] for name in NAMES}


def seen(folder):
    """The versions in a folder: `{b"1"}`, `{b"2"}`; nothing where it is missing, more where it is a mixture."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert not found or sorted(found) == sorted(NAMES), found.keys()
    assert all(len(data) == 100 for data in found.values())
    return {data[:1] for data in found.values()}


@pytest.fixture(params=["exchanged", "renamed"])
def offered(request, tmp_path, monkeypatch):
    """Whether the system exchanges two folders in one step."""
    for name in "xy":
        (tmp_path / name).mkdir()
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # no power fails here
    if request.param == "renamed":
        monkeypatch.setattr(atomic_folders, "exchange", lambda one, other: False)
    elif not exchange(tmp_path / "x", tmp_path / "y"):
        pytest.skip("this file system does not exchange two folders")
    for name in "xy":
        (tmp_path / name).rmdir()
    return request.param == "exchanged"


def test_a_folder_is_old_or_new_whenever_one_looks_and_whenever_the_process_ends(tmp_path, monkeypatch, offered):
    folder = tmp_path / "models" / "net"
    write_folder(folder, content(b"1"))
    looks = []
    with monkeypatch.context() as patched:
        steps = Steps(patched, lambda: looks.append(seen(folder)))
        write_folder(folder, content(b"2"))
    assert seen(folder) == {b"2"}
    ones, missing = looks.count({b"1"}), looks.count(set())
    assert steps.count == len(looks) > 10
    assert missing == (0 if offered else 1)
    assert looks == [{b"1"}] * ones + [set()] * missing + [{b"2"}] * (len(looks) - ones - missing)
    ends = {True: 0, False: 0}
    for at in range(1, steps.count + 1):
        write_folder(folder, content(b"1"))
        assert os.listdir(folder.parent) == ["net"]    # what the one that ended before has left is gone
        with monkeypatch.context() as patched, pytest.raises(Killed):
            Steps(patched, at=at)
            write_folder(folder, content(b"2"))
        ends[folder.exists()] += 1
        if folder.exists():
            assert seen(folder) == ({b"1"} if at <= ones else {b"2"})
        else:
            beside = {path.suffix: seen(path) for path in folder.parent.iterdir()}
            assert beside == {".old": {b"1"}, ".new": {b"2"}}
            with pytest.raises(StopIteration), replacing_folder(folder):
                next(iter(()))                         # the next writing puts it back before it begins
            assert seen(folder) == {b"1"}
    assert ends == {True: steps.count - missing, False: missing}


def test_the_disk_has_all_of_a_folder_before_its_name_and_its_name_before_the_old_one_goes(tmp_path, monkeypatch, offered):
    folder = tmp_path / "net"
    write_folder(folder, content(b"1"))
    done = []
    whole = {"exchange": atomic_folders.exchange, "rmtree": atomic_folders.shutil.rmtree, "rename": os.rename}

    def noted(name):
        return lambda *args, **kwargs: (done.append(name), whole[name](*args, **kwargs))[1]

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda handle: done.append(os.fstat(handle).st_ino))
        patched.setattr(os, "rename", noted("rename"))
        patched.setattr(atomic_folders, "exchange", noted("exchange"))
        patched.setattr(atomic_folders.shutil, "rmtree", noted("rmtree"))
        write_folder(folder, content(b"2"))
    put = done.index("exchange") if offered else len(done) - 1 - done[::-1].index("rename")
    assert {path.stat().st_ino for path in (folder, *folder.rglob("*"))} <= set(done[:put])
    assert done[put + 1 :] == [tmp_path.stat().st_ino, "rmtree"]


def test_an_error_leaves_the_old_folder_and_nothing_beside(tmp_path, offered, monkeypatch):
    folder = tmp_path / "net"
    write_folder(folder, content(b"1"))
    folder.chmod(0o750)

    def runs():
        yield b"2" * 50
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="the disk has no room for 'net', and what it held before is as it was; make room"):
        write_folder(folder, {**content(b"2"), "two": runs()})
    whole_rename, renamed = os.rename, []

    def rename(one, other):
        renamed.append(one)
        if str(one).endswith(".new"):
            raise OSError(errno.EIO, "Input/output error")
        whole_rename(one, other)

    if not offered:
        with monkeypatch.context() as patched:
            patched.setattr(os, "rename", rename)
            with pytest.raises(OSError, match="Input/output"):
                write_folder(folder, content(b"2"))
        assert len(renamed) == 3                       # aside, into its place, and back
    assert os.listdir(tmp_path) == ["net"]
    assert seen(folder) == {b"1"}
    write_folder(folder, content(b"2"))
    assert folder.stat().st_mode & 0o777 == 0o750
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError, match="file is a file; give the path of a folder"):
        write_folder(tmp_path / "file", content(b"1"))
    assert (tmp_path / "file").read_text() == "mine"


def test_folders_in_which_others_are_at_work_are_left_alone(tmp_path):
    folder = tmp_path / "net"
    with replacing_folder(folder) as first, replacing_folder(folder) as second:
        for name in NAMES:
            for part, version in ((first, b"1"), (second, b"2")):
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                (part / name).write_bytes(version * 100)
    assert seen(folder) == {b"1"}                      # the one that ended last
    assert os.listdir(tmp_path) == ["net"]
    long = tmp_path / ("n" * 255)
    write_folder(long, content(b"1"))
    write_folder(long, content(b"2"))
    assert seen(long) == {b"2"}
    assert sorted(os.listdir(tmp_path)) == ["net", "n" * 255]


def test_a_folder_that_is_taken_for_forsaken_before_its_lock_is_begun_again(tmp_path, monkeypatch):
    whole_open, opened = os.open, []

    def taken(path, *more):
        opened.append(path)
        if len(opened) == 1:
            path.rmdir()
        handle = whole_open(path, *more)
        if len(opened) == 2:
            path.rmdir()
        return handle

    monkeypatch.setattr(atomic_folders.os, "open", taken)
    part, handle = atomic_folders._begun(tmp_path / "net")
    monkeypatch.undo()
    os.close(handle)
    assert len(set(opened)) == len(opened) == 3
    assert os.listdir(tmp_path) == [part.name]


def test_where_nobody_can_lock_only_old_folders_are_forsaken(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic_folders, "fcntl", None)
    for mark, when in (("0" * 8, 0), ("1" * 8, None)):
        (tmp_path / f".{mark}.net.new").mkdir()
        if when is not None:
            os.utime(tmp_path / f".{mark}.net.new", (when, when))
    write_folder(tmp_path / "net", content(b"1"))
    assert sorted(os.listdir(tmp_path)) == [".11111111.net.new", "net"]


class Library:
    """A C library whose calls end with a number of the system's errors; without a number it has no such call."""

    def __init__(self, code):
        if code is not None:
            self.renameat2 = self.renamex_np = lambda *given: ctypes.set_errno(code) or -1


def test_a_system_without_the_step_is_told_from_an_error(tmp_path, monkeypatch):
    for code in (errno.ENOSYS, errno.EINVAL, errno.EPERM, None):
        monkeypatch.setattr(ctypes, "CDLL", lambda name, use_errno, code=code: Library(code))
        assert exchange(tmp_path / "a", tmp_path / "b") is False
    monkeypatch.undo()
    if os.name == "posix" and hasattr(ctypes.CDLL(None), "renameat2"):
        with pytest.raises(FileNotFoundError):
            exchange(tmp_path / "a", tmp_path / "b")


LOOKS = """
import os, sys
folder, end = sys.argv[1:]
print("ready", flush=True)
while not os.path.exists(end):
    os.stat(folder)
"""


@pytest.mark.parametrize("offered", ["exchanged"], indirect=True)
def test_another_process_that_looks_all_the_time_never_finds_it_missing(tmp_path, offered):
    folder, end = tmp_path / "net", tmp_path / "end"
    write_folder(folder, {"0": b"x"})
    command = [sys.executable, "-S", "-c", LOOKS, folder, end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as looking:
        assert looking.stdout.readline() == "ready\n"
        for number in range(20):
            write_folder(folder, {str(number): b"x"})
        end.touch()
        assert looking.communicate()[1] == ""


def test_an_archive_is_unpacked_in_the_place_of_an_older_one(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    source = tmp_path / "rows.zip"
    for version in (b"1", b"2"):
        with zipfile.ZipFile(source, "w") as packed:
            for name in NAMES:
                packed.writestr(name, version * 100)
        place = pyml.utils.get_file("rows.zip", source.as_uri(), extract=True, cache_dir=tmp_path, force_download=True)
        assert seen(tmp_path / "datasets" / "rows_extracted") == {version}
        assert place == str(tmp_path / "datasets" / "rows_extracted")
    assert sorted(os.listdir(tmp_path / "datasets")) == ["rows.zip", "rows_extracted"]
