"""What was compiled is kept: a second run compiles nothing and computes the same, whatever happened to the files."""

import json
import os
import subprocess
import sys
import warnings
import weakref

import numpy as np
import pytest

import pyml
from pyml import kept, layers
from pyml.wasm import compile as compiler

RUN = """
import json, os, sys
import numpy as np
import pyml
from pyml import kept, layers
pyml.utils.set_random_seed(3)
parts = [layers.Input((9, 4)), layers.Conv1D(5, 3, activation="relu"), layers.Flatten(), layers.Dropout(0.5), layers.Dense(2)]
model = pyml.Sequential(parts)
model.compile("adam", "mse")
x = np.linspace(-1, 1, 8 * 36, dtype="float32").reshape(8, 9, 4)
losses = [float(model.train_on_batch(x, x[:, 0, :2])) for _ in range(2)]
print(json.dumps([losses, float(model.predict(x, verbose=0).sum()), dict(kept.counts), kept.store() is not None]))
"""


def start(folder):
    env = {**os.environ, "PYML_CACHE": str(folder), "PYML_BACKEND": "wasm"}
    return subprocess.Popen([sys.executable, "-c", RUN], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out), err


def files(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file())


def test_a_second_process_compiles_nothing_and_computes_the_same(tmp_path):
    both = [start(tmp_path), start(tmp_path)]  # at once: whoever is later finds what the other one wrote, or writes it again
    (first, _), (other, _) = map(result, both)
    names = files(tmp_path)
    assert names and not [p for p in names if p.suffix == ".part"]
    (second, _) = result(start(tmp_path))
    assert first[:2] == other[:2] == second[:2]
    assert second[2].keys() == {"plans found", "kernels found"}
    assert files(tmp_path) == names


@pytest.fixture
def store(tmp_path):
    chosen = kept.FolderStore(tmp_path / "programs")
    before = kept.use(chosen)
    yield chosen
    kept.use(before)


def forget():
    """As a new run begins: nothing is in memory."""
    from pyml.compile import program

    program._plans.clear()
    compiler._compiled.cache_clear()
    kept.counts.clear()


def step():
    """What one training step gives that nothing of this process was compiled for."""
    forget()
    pyml.utils.set_random_seed(1)
    model = pyml.Sequential([layers.Input((6,)), layers.Dense(5, "relu"), layers.Dense(2)])
    model.compile("sgd", "mse")
    loss = model.train_on_batch(np.ones((4, 6)), np.ones((4, 2)))
    return loss, dict(kept.counts)


def damages(raw):
    yield b""
    yield raw[: len(raw) // 2]
    yield raw[:-1] + bytes([raw[-1] ^ 1])
    yield b"PYMLKEPT" + bytes(len(raw) - 8)
    yield raw[:24] + b"\xff" * (len(raw) - 24)


def test_an_entry_that_is_damaged_or_another_ones_is_not_there_and_is_replaced(store, wasm):
    expected, counts = step()
    assert counts["plans made"] and counts["kernels compiled"]
    whole = {p: p.read_bytes() for p in files(store.folder)}
    for number in range(5):
        for path, raw in whole.items():
            path.write_bytes(list(damages(raw))[number])
        assert step() == (expected, counts)
    names = list(whole)
    for path, other in zip(names, names[1:] + names[:1], strict=True):  # whole, but under another's name
        path.write_bytes(whole[other])
    assert step() == (expected, counts)
    assert {p: p.read_bytes() for p in files(store.folder)} == whole
    assert step()[1] == {"plans found": counts["plans made"], "kernels found": counts["kernels compiled"]}


def test_an_entry_with_a_good_checksum_that_is_no_plan_is_replaced(store, wasm):
    expected, counts = step()
    for path in files(store.folder):
        key = path.parent.name + path.name
        path.write_bytes(kept.sealed(key, b"something else"))
    assert step() == (expected, counts)


def test_another_version_finds_nothing(store, wasm, monkeypatch):
    expected, counts = step()
    monkeypatch.setattr(kept, "version", lambda: "another")
    assert step() == (expected, counts)


def test_the_key_of_a_plan_is_written_out_once(store, wasm, monkeypatch):
    kinds, key_of = [], kept.key_of
    monkeypatch.setattr(kept, "key_of", lambda kind, parts: kinds.append(kind) or key_of(kind, parts))
    forget()
    step()
    assert kinds.count("plan") == kept.counts["plans made"] > 0


def test_gpu_plans_are_kept_too(store, gpu):
    expected, counts = step()
    assert counts == {"plans made": counts["plans made"]}
    assert step() == (expected, {"plans found": counts["plans made"]})


@pytest.mark.skipif(os.name != "posix", reason="permissions")
def test_where_nothing_can_be_written_it_is_said_once_and_all_goes_on(tmp_path, wasm, monkeypatch):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setattr(kept, "_told", False)
    before = kept.use(kept.FolderStore(blocked / "programs"))
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            first, second = step()[0], step()[0]
        assert first == second
        assert len([w for w in seen if "cannot be kept" in str(w.message)]) == 1
    finally:
        kept.use(before)


def test_a_folder_holds_no_more_than_it_may(tmp_path):
    store = kept.FolderStore(tmp_path, most=10_000)
    keys = [kept.key_of("test", (i,)) for i in range(40)]
    for number, key in enumerate(keys):
        store.put(key, bytes(1000))
        os.utime(store._file(key), (number, number))
    store.get(keys[0])  # used now
    store.tidy()
    assert sum(p.stat().st_size for p in files(tmp_path)) <= 10_000
    assert store.get(keys[0]) == bytes(1000) and store.get(keys[1]) is None and store.get(keys[-1]) is not None
    assert store.clear() == 8  # a little more is taken away than need be
    assert not files(tmp_path) and store.get(keys[-1]) is None


def test_looking_at_a_folder_with_enough_room_holds_one_file_at_a_time(tmp_path, monkeypatch):
    store, alive, most = kept.FolderStore(tmp_path), weakref.WeakSet(), []

    class Stat:
        st_mtime, st_size = 0.0, 10

    def files():
        for number in range(100):
            stat = Stat()
            alive.add(stat)
            most.append(len(alive))
            yield tmp_path / str(number), stat

    monkeypatch.setattr(store, "files", files)
    store.tidy()
    assert len(most) == 100                            # of them, what is known of one and of the one before
    assert max(most) <= 2


def test_what_else_lies_in_the_folder_stays(tmp_path, capsys, monkeypatch):
    from pyml.cli import main

    own = [tmp_path / name for name in ("letter.txt", "Documents/thesis.txt", "ab/notes", f"cafe/{'0' * 62}", f"ab/{'0' * 61}g")]
    for path in own:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        os.utime(path, (0, 0))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ("0" * 62)).write_text("mine")
    (tmp_path / "cd").symlink_to(outside)
    store = kept.FolderStore(tmp_path, most=10)
    key = "ab" + "1" * 62
    store.put(key, bytes(100))
    (tmp_path / "ab" / ".17.0123abcd.part").write_bytes(b"cut sh")
    store.tidy()
    store.put(key, bytes(100))
    monkeypatch.setenv("PYML_CACHE", str(tmp_path))
    assert main(["cache"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:-1]] == ["kernels", "others"]  # the cut one
    assert main(["cache", "clear"]) == 0 and "removed 2 entries" in capsys.readouterr().out
    assert files(tmp_path) == sorted([*own, outside / ("0" * 62)]) and store.get(key) is None


def test_entries_in_memory_go_into_one_piece_and_come_out_of_it():
    store, again = kept.MemoryStore(), kept.MemoryStore()
    keys = [kept.key_of("test", (i,)) for i in range(3)]
    for key in keys:
        store.put(key, key.encode())
    store.get(keys[0])
    raw = store.pack()
    again.put(keys[2], b"newer")
    assert again.unpack(raw) and len(again) == 3 and not kept.MemoryStore().unpack(b"PYMLKEPT of another version")
    assert [again.get(k) for k in keys] == [keys[0].encode(), keys[1].encode(), b"newer"]
    cut = kept.MemoryStore()
    assert cut.unpack(raw[:-5]) and cut.get(keys[0]) == keys[0].encode() and cut.get(keys[1]) is None  # the one used last is first
    small = kept.MemoryStore(most=len(raw) // 2)
    small.unpack(raw)
    assert len(small.pack()) < len(raw)


@pytest.mark.parametrize(("named", "there"), [("off", False), ("0", False), ("", True), ("/tmp/somewhere", True)])
def test_an_environment_variable_moves_or_switches_off(named, there, monkeypatch):
    monkeypatch.setenv("PYML_CACHE", named)
    found = kept.folder()
    assert (found is not None) == there
    if named.startswith("/"):
        assert str(found) == named


def test_the_command_lists_and_clears(store, wasm, capsys, monkeypatch):
    from pyml.cli import main

    monkeypatch.setenv("PYML_CACHE", str(store.folder))
    counts = step()[1]
    assert main(["cache"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == ["kernels", "plans"] and str(store.folder) in lines[0]
    assert lines[2].split()[1] == str(counts["plans made"])
    assert main(["cache", "clear"]) == 0
    assert f"removed {counts['plans made'] + counts['kernels compiled']} entries" in capsys.readouterr().out
    assert not files(store.folder)
    monkeypatch.setenv("PYML_CACHE", "off")
    assert main(["cache", "list"]) == 1
    assert "PYML_CACHE" in capsys.readouterr().err
    monkeypatch.setenv("PYML_CACHE", __file__)
    for action in ("list", "clear"):
        assert main(["cache", action]) == 1
        assert "which is a file, so nothing is kept" in capsys.readouterr().err
