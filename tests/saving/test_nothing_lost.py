"""A full disk or a killed process, at any moment of writing, leaves the old file or the new one: whole, and never a mixture."""

from __future__ import annotations

import ast
import asyncio
import builtins
import csv
import errno
import io
import json
import os
import pathlib
import re
import stat
import warnings

import numpy as np
import pytest

import pyml
from pyml import atomic, saving, vis
from pyml.assets.download import replacing
from pyml.saving.tfjs import layers_save


class Killed(BaseException):
    """The process ends here; nothing that it would do afterwards reaches the disk."""


class Disk:
    """Counts what reaches the disk. At the operation `at`, half of a write arrives, and then the disk is full or the process dead."""

    def __init__(self, at: int, kind: str):
        self.at, self.kind, self.count, self.over = at, kind, 0, False

    def step(self, writes: bool) -> None:
        """Raises where the operation fails; a full disk still renames and removes."""
        self.count += 1
        self.over = self.over or self.count == self.at
        if self.over and self.kind == "killed":
            raise Killed
        if self.over and (writes or self.count == self.at):
            raise OSError(errno.ENOSPC, "No space left on device")

    def operation(self, function):
        removes = function in (os.remove, os.unlink)

        def call(*args, **kwargs):
            if self.kind == "killed" or not removes:  # a full disk lets go
                self.step(writes=False)
            return function(*args, **kwargs)

        return call

    def open(self, original):
        disk = self

        class Raw(io.FileIO):
            def write(self, data):
                if disk.over and disk.kind == "killed":
                    return len(data)                   # buffers emptied by the garbage collector: there is no process any more
                try:
                    disk.step(writes=True)
                except BaseException:
                    super().write(bytes(data)[: len(data) // 2])
                    raise
                return super().write(data)

            def truncate(self, size=None):
                if disk.over and disk.kind == "killed":
                    raise Killed
                return super().truncate(size)

        def opened(file, mode="r", buffering=-1, **kwargs):
            if not set(mode) & set("wax+") or isinstance(file, int):
                return original(file, mode, buffering, **kwargs)
            disk.step(writes=True)
            raw = Raw(file, mode.replace("b", "").replace("t", ""))
            binary = raw if buffering == 0 else io.BufferedRandom(raw, 64) if "+" in mode else io.BufferedWriter(raw, 64)
            return binary if "b" in mode else io.TextIOWrapper(binary, write_through=True, **kwargs)

        return opened


def numbers(value):
    return {"a": np.full(40, value, np.float32), "b": np.full((3, 5), value, np.float32)}


def model_of(value, name="m"):
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(6, name=f"{name}1"), pyml.layers.Dense(5, name=f"{name}2")])
    model.set_weights([np.full(w.shape, value, np.float32) for w in model.weights])
    return model


def loaded_weights(folder, value):
    model = model_of(0.0)
    model.load_weights(folder / "w.npz")
    return model.get_weights()


def knn_of(value):
    knn = pyml.models.KNNClassifier()
    for label in range(3):
        knn.add_example(np.eye(4, dtype="float32")[label], f"{value}:{label}")
    return knn


def knn_values(folder):
    labels = pyml.models.KNNClassifier.load(folder / "k.npz").get_class_example_count()
    assert len(labels) == 3
    return [np.full(1, float(label.partition(":")[0])) for label in labels]


def log(folder, value):
    logger = pyml.callbacks.CSVLogger(folder / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"val_loss": value, "long": "x" * 200})


def logged(folder):
    with open(folder / "log.csv", newline="") as file:
        head, row = csv.reader(file)
    assert head == ["epoch", "long", "val_loss"]
    assert row[1] == "x" * 200
    return [np.array(float(row[2]))]


def loaded_h5(folder):
    model = model_of(0.0)
    model.load_weights(folder / "m.weights.h5")
    return model.get_weights()


def chart(folder, value):
    vis.line_chart({"a": np.full((3, 2), value)}, title="t" * 300).save(folder / "chart.json")


def charted(folder):
    return [np.array([row["y"] for row in json.loads((folder / "chart.json").read_text())["data"]["values"]], float)]


def picture(folder, value):
    pytest.importorskip("PIL")
    pyml.utils.save_img(folder / "p.bmp", np.full((9, 9, 3), value), scale=False)


def command_line(folder, value):
    with replacing(folder / "inner" / "file") as part, open(part, "wb") as file:
        file.write(b"%d" % value * 300)


def text_of(path):
    text = path.read_text()
    assert len(text) == 300
    return [np.array([float(c) for c in text])]


WRITERS = {
    "save_weights": (lambda folder, v: model_of(v).save_weights(folder / "w.npz"), lambda f: loaded_weights(f, 0)),
    "save_safetensors": (lambda folder, v: saving.save_safetensors(numbers(v), folder / "w.safetensors"),
                         lambda folder: saving.load_safetensors(folder / "w.safetensors").values()),
    "save": (lambda folder, v: model_of(v).save(folder), lambda folder: saving.load_model(folder).get_weights()),
    "save quantized": (lambda folder, v: model_of(v).save(folder, quantize="uint8"),
                       lambda folder: saving.load_model(folder).get_weights()),
    "save .keras": (lambda folder, v: model_of(v).save(folder / "m.keras"),
                    lambda folder: saving.load_model(folder / "m.keras").get_weights()),
    "save .h5": (lambda folder, v: model_of(v).save(folder / "m.h5"), lambda folder: saving.load_model(folder / "m.h5").get_weights()),
    "save_weights .h5": (lambda folder, v: model_of(v).save_weights(folder / "m.weights.h5"), loaded_h5),
    "Figure.save": (chart, charted),
    "KNNClassifier.save": (lambda folder, v: knn_of(v).save(folder / "k.npz"), knn_values),
    "CSVLogger": (log, logged),
    "save_img": (picture, lambda folder: [pyml.utils.img_to_array(pyml.utils.load_img(folder / "p.bmp"))]),
    "pyml build, caches, hub": (command_line, lambda folder: text_of(folder / "inner" / "file")),
}  # fmt: skip


def version(read, folder) -> float:
    values = np.unique(np.concatenate([np.round(np.ravel(a), 2) for a in read(folder)]))
    assert len(values) == 1, f"a mixture of {values}"
    return float(values[0])


def files_in(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("kind", ["full", "killed"])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_write_that_fails_at_any_operation_leaves_the_old_file_or_the_new_one(tmp_path, monkeypatch, writer, kind):
    write, read = WRITERS[writer]
    monkeypatch.setattr(layers_save, "_SHARD", 100)    # several shards of a small model
    write(tmp_path, 1.0)
    count = len(files_in(tmp_path))
    finished = False
    for at in range(1, 400):
        disk = Disk(at, kind)
        with monkeypatch.context() as patched:
            opened = disk.open(open)
            patched.setattr(builtins, "open", opened)
            patched.setattr(io, "open", opened)
            for name, function in {n: disk.operation(getattr(os, n)) for n in ("replace", "fsync", "remove", "unlink", "rename")}.items():
                patched.setattr(os, name, function)
            failed = None
            try:
                write(tmp_path, 2.0)
            except (OSError, Killed) as error:
                failed = error
        if disk.count < at:                            # it ended before: every operation had its turn
            finished = True
            assert failed is None
            break
        found = version(read, tmp_path)
        assert found == 2.0 if failed is None else found in (1.0, 2.0)
        if kind == "full":
            assert found == (2.0 if failed is None else 1.0)
            assert failed is None or "the disk has no room for '" in str(failed)
            assert len(files_in(tmp_path)) == count, "something was left behind"
        write(tmp_path, 1.0)
    assert finished
    assert at > 4                                      # open, write, flush, rename were all met
    assert version(read, tmp_path) == 2.0


def together(value):
    return {"weights.bin": bytes([value]) * 300, "plan.json": b'{"value": %d}' % value, "model.js": b"// %d" % value * 50}


def found_together(folder):
    """The versions that a folder holds, and whether the file that says so is there."""
    values = [(folder / "weights.bin").read_bytes()[0], int((folder / "model.js").read_text()[3])]
    plan = folder / "plan.json"
    return set(values) | ({json.loads(plan.read_text())["value"]} if plan.exists() else set()), plan.exists()


@pytest.mark.parametrize("kind", ["full", "killed"])
def test_files_of_an_export_are_old_or_new_or_without_a_plan_and_never_a_mixture(tmp_path, monkeypatch, kind):
    missing = 0
    for at in range(1, 100):
        folder = tmp_path / str(at)
        atomic.write_together(folder, together(1), "plan.json")
        (folder / "notes.txt").write_text("mine")
        for name in (".0123abcd.plan.json.old", ".0123abcd.model.js.part") if at % 2 else ():  # of a process that ended long ago
            (folder / name).touch()
            os.utime(folder / name, (0, 0))
        disk = Disk(at, kind)
        with monkeypatch.context() as patched:
            patched.setattr(builtins, "open", disk.open(open))
            for name, function in {n: disk.operation(getattr(os, n)) for n in ("replace", "fsync", "unlink")}.items():
                patched.setattr(os, name, function)
            failed = None
            try:
                atomic.write_together(folder, together(2), "plan.json")
            except (OSError, Killed) as error:
                failed = error
        assert (folder / "notes.txt").read_text() == "mine"
        if kind == "full":
            assert failed is None or f"no room for '{at}', and what it held before" in str(failed)
            assert found_together(folder) == ({2} if failed is None else {1}, True)
            assert len(files_in(folder)) == 4 + (2 if at % 2 and failed else 0), "something was left behind"
        elif (folder / "plan.json").exists():
            assert found_together(folder) in (({1}, True), ({2}, True))
        else:
            missing += 1
        if disk.count < at:
            break
    assert at > 10 and missing <= 6


def test_an_export_is_written_in_this_way(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(pyml.export.folder, "write_together", lambda folder, files, says: written.append((set(files), says)))
    pyml.export(model_of(1.0), tmp_path / "out", devices="webgpu")
    assert written == [({"weights.bin", "plan.json", "webgpu.json", "model.js", "model.d.ts", "store.js"}, "plan.json")]
    assert not (tmp_path / "out").exists()


def test_lines_are_added_to_a_log_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "log"
    path.write_bytes(b"one\n")
    monkeypatch.setattr(builtins, "open", Disk(2, "full").open(open))
    with pytest.raises(OSError, match="the disk has no room for 'log'"):
        atomic.append(path, b"two\n")
    monkeypatch.undo()
    assert path.read_bytes() == b"one\n"
    atomic.append(path, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_log_goes_on_in_the_old_file_or_replaces_it_with_its_first_line(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,val_loss\r\n0,9\r\n", newline="")
    for append, expected in ((True, ["epoch,val_loss", "0,9", "0,1", "1,2"]), (False, ["epoch,val_loss", "0,1", "1,2"])):
        logger = pyml.callbacks.CSVLogger(path, append=append)
        logger.on_train_begin()
        assert path.read_text() != ""
        logger.on_epoch_end(0, {"val_loss": 1})
        logger.on_epoch_end(1, {"val_loss": 2})
        logger.on_train_end()
        assert path.read_text().splitlines() == expected


# ---- the file itself
def test_permissions_and_links_stay(tmp_path):
    real, link = tmp_path / "real.npz", tmp_path / "link.npz"
    model_of(1.0).save_weights(real)
    real.chmod(0o640)
    link.symlink_to(real)
    model_of(2.0).save_weights(link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert version(lambda folder: loaded_weights_of(real), tmp_path) == 2.0


def loaded_weights_of(path):
    model = model_of(0.0)
    model.load_weights(path)
    return model.get_weights()


def test_new_files_have_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("x")
    atomic.write(tmp_path / "made", b"x")
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_folder_and_a_missing_folder_are_refused_and_a_device_is_written_to(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"):
        atomic.write(tmp_path, b"x")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*no for file; make it first"):
        atomic.write(tmp_path / "no" / "file", b"x")
    atomic.write(os.devnull, b"x")
    assert files_in(tmp_path) == []


def test_what_killed_processes_left_beside_a_file_goes_when_it_is_old(tmp_path):
    left = [f".0123456{i}.w.npz.part" for i in range(3)]
    for name in [*left, ".01234567.other.npz.part", ".w.npz.part"]:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0) if name != left[2] else None)  # the last is of a process that may be writing now
    atomic.write(tmp_path / "w.npz", b"x")
    assert files_in(tmp_path) == [left[2], ".01234567.other.npz.part", ".w.npz.part", "w.npz"]


def test_names_as_long_as_a_system_allows_can_be_written(tmp_path):
    name = "ü" * 120 + ".npz"
    atomic.write(tmp_path / name, b"x")
    assert files_in(tmp_path) == [name]


# ---- shards
def test_two_models_in_one_folder_share_no_shards(tmp_path):
    model_of(1.0).save(tmp_path / "a.json")
    model_of(1.0).save(tmp_path / "b.json")            # the same content
    assert len(files_in(tmp_path)) == 4
    model_of(2.0).save(tmp_path / "a.json")
    assert version(lambda f: saving.load_model(f / "b.json").get_weights(), tmp_path) == 1.0
    assert version(lambda f: saving.load_model(f / "a.json").get_weights(), tmp_path) == 2.0
    assert len(files_in(tmp_path)) == 4                # the old shard of a is gone


@pytest.mark.parametrize("what", ["model.json", "m.weights.json"])
def test_shards_that_are_replaced_while_they_are_read_give_the_new_model(tmp_path, monkeypatch, what):
    def save(value):
        model = model_of(value)
        model.save(tmp_path / what) if what == "model.json" else model.save_weights(tmp_path / what, max_shard_size=200 / 1024**3)

    def load():
        if what == "model.json":
            return asyncio.run(pyml.saving.load_model_async(tmp_path / what)).get_weights()
        model = model_of(0.0)
        model.load_weights(tmp_path / what)
        return model.get_weights()

    def read(path, most):
        reads.append(path)
        if len(reads) in moments:
            save(1.0 + len(reads))
        return read_file(path, most)

    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(pyml.saving.asking, "READINGS", 3)
    read_file, reads, moments = pyml.saving.files._read_file, [], {2, 3}
    save(1.0)
    with monkeypatch.context() as patched:
        patched.setattr(pyml.saving.files, "_read_file", read)
        assert {float(x) for w in load() for x in np.ravel(w)} == {4.0}
        reads.clear()
        moments = range(100)
        with pytest.raises(FileNotFoundError, match="it was replaced 3 times while it was read; wait until the saving ends"):
            load()
    for shard in tmp_path.glob("*-*"):
        shard.unlink()
    with pytest.raises(pyml.saving.ModelFileError, match=r"cannot be read .No such file or directory.; the model is not complete"):
        load()


def test_saving_the_same_again_changes_no_names(tmp_path):
    model_of(1.0).save(tmp_path)
    before = files_in(tmp_path)
    model_of(1.0).save(tmp_path)
    assert files_in(tmp_path) == before


def test_a_copy_of_a_description_keeps_its_shards_when_the_model_is_saved_again(tmp_path):
    model_of(1.0).save(tmp_path)
    (tmp_path / "backup.json").write_bytes((tmp_path / "model.json").read_bytes())
    model_of(2.0).save(tmp_path)
    assert version(lambda f: saving.load_model(f / "backup.json").get_weights(), tmp_path) == 1.0


def test_shards_that_a_killed_process_left_go_when_they_are_old_and_nothing_else_does(tmp_path):
    model_of(1.0).save(tmp_path)
    left = ["model-0123456789abcdef-shard1of1.bin", ".89abcdef.model-0123456789abcdef-shard1of1.bin.part"]
    others = ["other-0123456789abcdef-shard1of1.bin", "model-mine.bin", "notes.txt"]
    for name in left + others:
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "model-fedcba9876543210-shard1of1.bin").write_bytes(b"x")  # of a process that may be writing now
    model_of(2.0).save(tmp_path)
    assert set(others) < set(files_in(tmp_path))
    assert not set(left) & set(files_in(tmp_path))
    assert (tmp_path / "model-fedcba9876543210-shard1of1.bin").exists()


def test_a_description_that_names_other_files_does_not_make_a_save_remove_them(tmp_path):
    (tmp_path / "train.py").write_text("precious")
    (tmp_path / "model.json").write_text('{"weightsManifest": [{"paths": ["train.py", "../up.bin", 7], "weights": []}]}')
    model_of(1.0).save(tmp_path)
    assert (tmp_path / "train.py").read_text() == "precious"


def test_names_with_spaces_and_percent_signs_load_again(tmp_path):
    for name in ("my model.json", "50%25.json", "a#b?c.json"):
        model_of(1.0).save(tmp_path / name)
        assert version(lambda f, name=name: saving.load_model(f / name).get_weights(), tmp_path) == 1.0


SPAN = np.array([[3e38, -3e38]], np.float32)


@pytest.mark.parametrize("quantize", ["float16", "uint16", "uint8"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 7e4, SPAN, SPAN / 2])
def test_a_weight_that_fewer_bits_cannot_hold_stays_float32_with_a_warning_before_anything_is_written(tmp_path, quantize, value):
    model = model_of(0.5)
    finite = np.isfinite(value).all()
    fits = quantize != "float16" and finite and value is not SPAN
    kernel = np.full((4, 6), 0.25, np.float32)
    kernel[1, :2] = value
    model.layers[0].kernel.assign(kernel)
    said = "NaN or infinite numbers" if not finite else "numbers beyond 65,504" if quantize == "float16" else "numbers too far apart"
    model_of(1.0).save(tmp_path)
    before = files_in(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if not fits:  # where a warning ends the program, the old files are there
            with pytest.raises(UserWarning, match=f"'m1/kernel' holds {said}, which quantize='{quantize}' cannot keep; it is float32"):
                model.save(tmp_path, quantize=quantize)
            assert files_in(tmp_path) == before
            warnings.simplefilter("ignore")
        model.save(tmp_path, quantize=quantize)
    specs = {s["name"]: s for s in json.loads((tmp_path / "model.json").read_text())["weightsManifest"][0]["weights"]}
    assert [name for name, spec in specs.items() if "quantization" not in spec] == ([] if fits else ["m1/kernel"])
    (found, *others), step = saving.load_model(tmp_path).get_weights(), np.ptp(kernel.astype(float)) / 255
    np.testing.assert_allclose(found, kernel, rtol=0, atol=step if fits else 0)
    assert all(np.allclose(other, 0.5, atol=0.01) for other in others)


def test_weights_so_small_that_a_level_is_no_float32_are_stored_without_a_warning(tmp_path):
    model = model_of(0.0)
    model.layers[0].kernel.assign(np.linspace(0, 1e-42, 24, dtype=np.float32).reshape(4, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for quantize in ("uint16", "uint8"):
            model.save(tmp_path, quantize=quantize)
            assert all(np.abs(found).max() < 1e-40 for found in saving.load_model(tmp_path).get_weights())


def test_a_warning_names_a_few_of_many_weights_that_fewer_bits_cannot_hold(tmp_path):
    with pytest.warns(UserWarning) as told:
        model_of(np.nan).save(tmp_path, quantize="uint8")
    (text,) = [str(w.message) for w in told]
    assert text == ("save: weights 'm1/kernel', 'm1/bias', 'm2/kernel' and 1 more hold NaN or infinite numbers, which quantize='uint8' "
                    "cannot keep; they are float32 in the file.")
    assert all(np.isnan(found).all() for found in saving.load_model(tmp_path).get_weights())


# ---- nobody writes past it
ALLOWED = {
    "atomic.py": "it is the one place",
    "atomic_folders.py": "the one place for folders",
    "wasm/engine.py": "a module under /tmp that is opened and removed at once",
    "hub/weights.py": "a temporary folder",
    "hub/graph.py": "a temporary folder",
    "assets/resume.py": "downloads that go on grow in a .part file",
    "hub/fetch/packages.py": "a temporary folder",
    "saving/keras/archive.py": "assets of layers pass through a temporary folder",
    "kept.py": "the cache of programs renames its own .part file, quietly where it cannot",
    "cli/rehearse.py": "writes into a temporary folder, which its caller renames",
    "cli/ready.py": "what Node reads lies in a temporary folder",
    "data/kept.py": "its stack of shards enters `replacing` for each",
    "data/tfrecord.py": "a writer that stays open keeps `replacing` open too",
    "data/stored.py": "np.save writes into memory or a file that the caller has opened",
    "callbacks/event_file.py": "TensorBoard reads a file of events while it grows",
}


def writes_in(tree):
    """Names of files that are opened for writing or written as a whole, outside a block of `replacing`."""
    found = []

    def walk(node, safe):
        if isinstance(node, ast.With | ast.AsyncWith):
            safe = safe or any("replacing(" in ast.unparse(item.context_expr) for item in node.items)
        if isinstance(node, ast.Call) and not safe:
            name = ast.unparse(node.func)
            given = [*node.args, *(k.value for k in node.keywords)]
            given += [either for a in given if isinstance(a, ast.IfExp) for either in (a.body, a.orelse)]
            modes = [a.value for a in given if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if name == "open" and any(set(mode) & set("wax+") and set(mode) <= set("rwaxbt+") for mode in modes):
                found.append(name)
            if name.endswith((".write_bytes", ".write_text")) or name in ("np.save", "np.savez", "np.savez_compressed", "np.savetxt"):
                found.append(name)
        for child in ast.iter_child_nodes(node):
            walk(child, safe)

    walk(tree, False)
    return found


def test_every_file_of_the_package_is_written_beside_and_renamed():
    package = pathlib.Path(pyml.__file__).parent
    texts = {str(path.relative_to(package)): path.read_text() for path in package.rglob("*.py")}
    writing = {name: text for name, text in texts.items() if re.search(r"\bopen\(|\.write_(bytes|text)\b|\bnp\.save", text)}
    bad = {name: found for name, text in writing.items() if (found := writes_in(ast.parse(text)))}
    assert not {name: found for name, found in bad.items() if name not in ALLOWED}
    assert not ALLOWED.keys() - bad.keys()  # every exception is still needed
