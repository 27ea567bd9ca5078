"""Callbacks that keep something outside of the process: checkpoints, backups, event files, remote monitors; and averaged weights."""

import asyncio
import http.server
import io
import itertools
import json
import os
import struct
import threading
import types
import urllib.parse

import numpy as np
import pytest
from helpers import assert_same_weights, blobs, classifier

import pyml
from pyml.callbacks import BackupAndRestore, Callback, EarlyStopping, ModelCheckpoint, RemoteMonitor, SwapEMAWeights, TensorBoard
from pyml.trainers.io import AsyncIO


class Killed(BaseException):
    """As if the process had ended."""


class Kill(Callback):
    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.epoch = (epoch, batch), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise Killed


class Losses(Callback):
    """Gives the logs chosen numbers."""

    def __init__(self, *values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.values[epoch]


@pytest.fixture
def waiting_is_impossible(monkeypatch):
    """As in a tab whose WebGPU cannot suspend: hooks must not read."""
    def init(self):
        self.can_wait = False

    def refuse(self):
        raise AssertionError("a hook has read a Variable")

    monkeypatch.setattr(AsyncIO, "__init__", init)
    monkeypatch.setattr(pyml.Variable, "numpy", refuse)


def test_a_checkpoint_of_every_epoch_has_epoch_and_logs_in_its_name(tmp_path, capsys):
    x, y = blobs(40)
    model = classifier()
    model.fit(x, y, epochs=2, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "new" / "{epoch:02d}-{loss:.2f}.keras", verbose=1)])
    names = sorted(os.listdir(tmp_path / "new"))
    assert [name[:3] for name in names] == ["01-", "02-"]
    assert_same_weights(pyml.saving.load_model(tmp_path / "new" / names[1]), model)
    assert "Epoch 2: finished saving model to" in capsys.readouterr().out
    with pytest.raises(KeyError, match="Failed to format"):
        model.fit(x, y, verbose=0, callbacks=[ModelCheckpoint(str(tmp_path / "{val_mape}.keras"))])
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(OSError, match="non-directory"):
        model.fit(x, y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "folder.keras")])


def test_checkpoints_of_batches_come_as_often_as_asked_also_over_the_ends_of_epochs(tmp_path):
    x, y = blobs(20)
    every = (1, 2, 3, 5, 9)
    paths = [str(tmp_path / f"{number}-{{epoch}}-{{batch}}.weights.h5") for number in every]
    keeping = [ModelCheckpoint(path, save_freq=number, save_weights_only=True) for path, number in zip(paths, every, strict=True)]
    classifier().fit(x, y, batch_size=5, epochs=2, verbose=0, callbacks=keeping)
    due = [f"{n}-{batch // 4 + 1}-{batch % 4 + 1}.weights.h5" for n in every for batch in range(n - 1, 8, n)]
    assert sorted(os.listdir(tmp_path)) == sorted(due)


def test_callbacks_know_no_model_before_fit_and_those_that_do_nothing_at_batches_stay_out_of_the_loop(tmp_path):
    folder = str(tmp_path)
    made = [EarlyStopping(), pyml.callbacks.ReduceLROnPlateau(), pyml.callbacks.CSVLogger(f"{folder}/log.csv"), RemoteMonitor(),
            pyml.callbacks.LearningRateScheduler(abs), pyml.callbacks.TerminateOnNaN(), pyml.callbacks.History(), TensorBoard(folder),
            pyml.callbacks.LambdaCallback(on_epoch_end=print), ModelCheckpoint(f"{folder}/a.keras"), BackupAndRestore(folder),
            BackupAndRestore(folder, save_freq=False), pyml.callbacks.ProgbarLogger(), SwapEMAWeights()]  # fmt: skip
    at_batches = [TensorBoard(folder, update_freq=1), ModelCheckpoint(f"{folder}/a.keras", save_freq=1),
                  BackupAndRestore(folder, save_freq=1), pyml.callbacks.LambdaCallback(on_train_batch_end=print),
                  pyml.callbacks.CallbackList([])]  # fmt: skip
    for callback in made + at_batches:
        assert callback.model is None and callback.params is None, type(callback)
        others = [pyml.callbacks.CallbackList([callback]).batch_hooks(kind) for kind in ("train", "test", "predict")]
        assert (others == [([], [])] * 3) == (callback in made), type(callback)


@pytest.mark.parametrize(("mode", "threshold", "saved"), [
    ("max", None, [1, 2, 4]), ("min", None, [1, 3]), ("max", 4.0, [4]),
])  # fmt: skip
def test_only_the_best_epochs_are_saved(tmp_path, mode, threshold, saved):
    x, y = blobs(20)
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}.weights.h5", monitor="score", save_best_only=True, save_weights_only=True,
                                 mode=mode, initial_value_threshold=threshold)  # fmt: skip
    classifier().fit(x, y, epochs=4, verbose=0, callbacks=[Losses(3.0, 4.0, 1.0, 5.0), checkpoint])
    assert sorted(os.listdir(tmp_path)) == [f"{epoch}.weights.h5" for epoch in saved]
    assert checkpoint.best == {"max": 5.0}.get(mode, 1.0)


def test_checkpoints_are_counted_in_batches_across_epochs(tmp_path):
    x, y = blobs(50)
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=3)
    classifier().fit(x, y, batch_size=10, epochs=2, verbose=0, callbacks=[checkpoint])
    assert sorted(os.listdir(tmp_path)) == ["1-3.weights.h5", "2-1.weights.h5", "2-4.weights.h5"]


def test_a_kill_in_the_middle_of_a_save_leaves_the_old_file(tmp_path, monkeypatch):
    x, y = blobs(40)
    path = tmp_path / "model.keras"
    model = classifier()
    model.fit(x, y, verbose=0, callbacks=[ModelCheckpoint(path)])
    before = path.read_bytes()

    def kill(*args):
        raise Killed

    monkeypatch.setattr(os, "replace", kill)
    with pytest.raises(Killed):
        model.fit(x, y, verbose=0, callbacks=[ModelCheckpoint(path)])
    assert path.read_bytes() == before
    pyml.saving.load_model(path)


def test_what_a_checkpoint_cannot_do_is_refused():
    for arguments, words in (({"filepath": "a.txt"}, "end in `.keras`"), ({"filepath": "a.keras", "save_freq": "week"}, "save_freq"),
                             ({"filepath": "a.keras", "save_weights_only": True}, "`.weights.h5`")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            ModelCheckpoint(**arguments)
    with pytest.raises(ValueError, match="backup_dir"):
        BackupAndRestore("")


@pytest.mark.parametrize(("save_freq", "resumed"), [("epoch", [1, 2]), (2, [1, 2])])
def test_a_resumed_run_ends_with_the_weights_of_a_run_that_nobody_stopped(tmp_path, save_freq, resumed):
    x, y = blobs(50)
    whole = classifier(dropout=0.2)
    np.random.seed(4)
    whole.fit(x, y, batch_size=10, epochs=3, verbose=0)
    killed = classifier(dropout=0.2)
    np.random.seed(4)
    with pytest.raises(Killed):
        killed.fit(x, y, batch_size=10, epochs=3, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b", save_freq), Kill(1, 3)])
    place = json.loads((tmp_path / "b" / "training_metadata.json").read_text())
    assert (place["epoch"], place["next_batch"]) == ((1, 0) if save_freq == "epoch" else (1, 3))
    other, batches = classifier(seed=8, dropout=0.2), []

    class Count(Callback):
        def on_train_batch_end(self, batch, logs=None):
            batches.append(batch)

    history = other.fit(x, y, batch_size=10, epochs=3, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b", save_freq), Count()])
    assert history.epoch == resumed
    assert batches == ([0, 1, 2, 3, 4] if save_freq == "epoch" else [3, 4]) + [0, 1, 2, 3, 4]
    assert_same_weights(whole, other)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("save_freq", ["epoch", 5])
def test_a_kill_at_the_end_of_an_epoch_loses_nothing_that_callbacks_do_or_count_there(tmp_path, save_freq):
    x, y = blobs(50)

    class KillAtEnd(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise Killed

    def run(folder, seed, kill=()):
        np.random.seed(4)
        model = classifier(seed=seed)
        watching = [pyml.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=10),
                    pyml.callbacks.EarlyStopping("loss", patience=9, min_delta=10),
                    ModelCheckpoint(folder / "best.keras", monitor="loss", mode="max", save_best_only=True)]  # fmt: skip
        last = pyml.callbacks.CSVLogger(folder / "log.csv", append=True)
        model.fit(x, y, batch_size=10, epochs=5, verbose=0, callbacks=[BackupAndRestore(folder / "b", save_freq), *watching, *kill, last])
        return model, [watching[0].wait, watching[1].wait, *(one.best for one in watching), model.optimizer.host_learning_rate]

    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole, counted = run(tmp_path / "whole", 1)
    with pytest.raises(Killed):
        run(tmp_path / "killed", 1, [KillAtEnd()])
    resumed, found = run(tmp_path / "killed", 8)
    assert_same_weights(whole, resumed)
    np.testing.assert_allclose(found, counted, rtol=1e-6)
    logs = [np.loadtxt(tmp_path / name / "log.csv", delimiter=",", skiprows=1, usecols=range(3)) for name in ("whole", "killed")]
    np.testing.assert_allclose(logs[0], logs[1], rtol=1e-6)


def test_batches_that_are_sent_are_passed_over_until_the_place_is_reached(tmp_path):
    x, y = blobs(50)
    data = pyml.data.Dataset.from_tensor_slices((x, y)).batch(10)
    whole, killed, other = classifier(), classifier(), classifier(seed=8)
    whole.fit(data, epochs=2, verbose=0)
    with pytest.raises(Killed):
        killed.fit(data, epochs=2, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b", 4), Kill(1, 4)])
    other.fit(data, epochs=2, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b", 4)])
    assert_same_weights(whole, other)


def test_a_kill_between_the_files_of_a_backup_leaves_one_that_fits_together(tmp_path, monkeypatch):
    x, y = blobs(40)
    folder, replace, written = tmp_path / "b", os.replace, []

    def replace_until_killed(old, new):
        written.append(os.path.basename(new))
        if written.count("latest.weights.h5") == 2:  # the metadata of the second backup are there
            raise Killed
        replace(old, new)

    model = classifier()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(os, "replace", replace_until_killed)
        model.fit(x, y, epochs=3, verbose=0, callbacks=[BackupAndRestore(folder)])
    history = classifier().fit(x, y, epochs=3, verbose=0, callbacks=[BackupAndRestore(folder, delete_checkpoint=False)])
    assert history.epoch == [1, 2]


def test_the_backup_before_is_used_where_the_last_one_is_damaged(tmp_path):
    x, y = blobs(40)
    for double, expected in ((True, [1, 2, 3]), (False, None)):
        folder = tmp_path / str(double)
        keep = lambda folder=folder, double=double: [BackupAndRestore(folder, double_checkpoint=double, delete_checkpoint=False)]
        classifier().fit(x, y, epochs=2, verbose=0, callbacks=keep())
        (folder / "latest.weights.h5").write_bytes(b"half a file")
        if expected is None:
            with pytest.raises(ValueError, match=r"damaged; delete"):
                classifier().fit(x, y, epochs=4, verbose=0, callbacks=keep())
        else:
            assert classifier().fit(x, y, epochs=4, verbose=0, callbacks=keep()).epoch == expected


def test_hooks_that_cannot_wait_are_given_what_they_save(tmp_path, waiting_is_impossible, monkeypatch):
    x, y = blobs(40)
    model = classifier(dropout=0.2)
    keepers = [ModelCheckpoint(tmp_path / "a.keras"), ModelCheckpoint(tmp_path / "b.weights.h5", save_weights_only=True, save_freq=3),
               BackupAndRestore(tmp_path / "b", save_freq=2, delete_checkpoint=False)]  # fmt: skip
    slower = pyml.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model.optimizer, "learning_rate", 0.125))
    asyncio.run(model.fit_async(x, y, batch_size=10, verbose=0, callbacks=[*keepers, slower]))
    monkeypatch.undo()
    resumed = classifier(dropout=0.2)
    resumed.fit(x, y, batch_size=10, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b", delete_checkpoint=False)])
    assert resumed.optimizer.host_learning_rate == 0.125  # set at the end of the epoch, after the values were read
    assert_same_weights(pyml.saving.load_model(tmp_path / "a.keras"), model)
    assert {"b", "b.weights.h5"} <= set(os.listdir(tmp_path))


def test_pictures_of_event_files_are_png_files_of_their_pixels():
    from pyml.callbacks.event_file import png

    image = pytest.importorskip("PIL.Image")
    for channels, mode in ((1, "L"), (3, "RGB"), (4, "RGBA")):
        pixels = np.random.default_rng(channels).integers(0, 256, (5, 7, channels)).astype(np.uint8)
        picture = image.open(io.BytesIO(png(pixels)))
        assert picture.mode == mode
        np.testing.assert_array_equal(np.asarray(picture).reshape(5, 7, channels), pixels)


def test_event_files_hold_how_values_are_spread_and_lists_of_texts(tmp_path):
    from pyml.callbacks import event_file

    file, spread = event_file.EventFile(str(tmp_path)), np.random.default_rng(0).normal(size=200)
    for step, values in enumerate((spread, np.full(7, 2.5), [np.nan, np.inf], [], [1.0, np.nan, 3.0]), 1):
        file.histogram("h", np.array(values), step, buckets=4)
    file.images("i", np.zeros((2, 3, 5, 1)), 9)
    file.close()
    found = {step: tensor for step, tag, _, tensor in events(tmp_path) if tag == "h"}
    rows = {step: np.frombuffer(tensor.get(4, [b""])[0]).reshape(-1, 3) for step, tensor in found.items()}
    counts, edges = np.histogram(spread, 4)
    np.testing.assert_array_equal(rows[1], np.stack([edges[:-1], edges[1:], counts], 1))
    np.testing.assert_array_equal(rows[2], [[2.5, 2.5, 0]] * 3 + [[2.5, 2.5, 7]])
    assert len(rows[3]) == len(rows[4]) == 0 and rows[5][:, 2].tolist() == [1, 0, 0, 1]
    sizes = lambda tensor: [fields(size)[1][0] for size in fields(tensor[2][0]).get(2, [])]
    assert [sizes(found[step]) for step in (1, 2, 3)] == [[4, 3], [4, 3], [0, 3]]
    [image] = [tensor for _, tag, _, tensor in events(tmp_path) if tag == "i"]
    assert sizes(image) == [4] and image[8][:2] == [b"5", b"3"]


def test_event_files_are_written_where_hooks_cannot_wait(tmp_path, waiting_is_impossible):
    x, y = blobs(20)
    board = TensorBoard(tmp_path, histogram_freq=2, embeddings_freq=2, write_graph=False)
    asyncio.run(classifier().fit_async(x, y, epochs=3, verbose=0, validation_data=(x, y), callbacks=[board]))
    steps = lambda run, plugin: sorted({step for step, _, kind, _ in events(tmp_path / run) if kind == plugin})
    assert steps("train", "scalars") == [0, 1, 2] and steps("train", "histograms") == [0, 2] and len(steps("validation", "scalars")) > 2
    assert steps("train", "graph_keras_model") == [] and not (tmp_path / "projector_config.pbtxt").read_text()
    weights = [name for name in os.listdir(tmp_path / "train") if name.endswith(".weights.h5")]
    assert sorted(weights) == [f"keras_embedding.ckpt-{epoch}.weights.h5" for epoch in (0, 2)]


def test_hooks_that_cannot_wait_save_rates_that_no_variable_holds(tmp_path, waiting_is_impossible):
    x, y = blobs(20)
    model = classifier(optimizer=pyml.optimizers.SGD(pyml.optimizers.schedules.CosineDecay(0.1, 10)))
    asyncio.run(model.fit_async(x, y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "a.keras")]))
    assert os.listdir(tmp_path) == ["a.keras"]


def test_backups_come_after_so_many_batches_and_one_that_is_due_with_an_epoch_at_its_end(tmp_path, monkeypatch):
    from pyml.callbacks import backup_and_restore

    x, y = blobs(20)
    for every, expected in ((3, [(0, 3), (1, 2), (2, 1), (3, 0)]), (2, [(0, 2), (1, 0), (1, 2), (2, 0), (2, 2), (3, 0)]),
                            (4, [(1, 0), (2, 0), (3, 0)]), ("epoch", [(1, 0), (2, 0), (3, 0)]), (False, []), (9, [(2, 1)])):  # fmt: skip
        kept = []
        monkeypatch.setattr(backup_and_restore.BackupAndRestore, "_save", lambda self, *place, kept=kept: kept.append(place))
        classifier().fit(x, y, batch_size=5, epochs=3, verbose=0, callbacks=[BackupAndRestore(tmp_path / "b", every)])
        assert kept == expected, every


def test_validation_meets_the_averaged_weights_and_training_goes_on_with_its_own():
    x, y = blobs(40)
    plain, swapping, by_epoch = (classifier(optimizer=pyml.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)) for _ in range(3))
    seen = []

    class Look(Callback):
        def on_test_begin(self, logs=None):
            seen.append(self.model.get_weights()[0])

        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights()[0])

    def train(model, *callbacks):
        seen.clear()
        model.fit(x, y, epochs=2, verbose=0, shuffle=False, validation_data=(x, y), callbacks=[*callbacks, Look()])
        return list(seen)

    raw = train(plain)
    swapped = train(swapping, SwapEMAWeights())
    assert_same_weights(plain, swapping)
    np.testing.assert_array_equal(swapped[1::2], raw[1::2])
    assert np.abs(swapped[0] - raw[0]).max() > 1e-3
    epochs = train(by_epoch, SwapEMAWeights(swap_on_epoch=True))
    assert_same_weights(plain, by_epoch)
    np.testing.assert_array_equal(epochs[1], swapped[0])
    np.testing.assert_array_equal(epochs[3], by_epoch.get_weights()[0])
    with pytest.raises(ValueError, match="use_ema=True"):
        train(classifier(), SwapEMAWeights())


@pytest.mark.parametrize("as_json", [True, False])
def test_a_remote_monitor_posts_the_logs_of_an_epoch(as_json):
    got = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(500)
            self.end_headers()

        def log_message(self, *args):
            """Nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        monitor = RemoteMonitor(f"http://127.0.0.1:{server.server_port}", headers={"X-Run": "7"}, send_as_json=as_json)
        monitor.on_epoch_end(3, {"loss": np.float32(0.5)})
        thread.join()
    [(path, headers, body)] = got
    text = body if as_json else urllib.parse.parse_qs(body)["data"][0]
    assert (path, headers["X-Run"], json.loads(text)) == ("/publish/epoch/end/", "7", {"epoch": 3, "loss": 0.5})
    with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server"):
        monitor.on_epoch_end(4, {})


# ---- event files, read by a reader of our own
def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def fields(data):
    """The fields of a message: dict from numbers to lists of values."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            value |= (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] < 128:
                return value

    while at < len(data):
        key = varint()
        size = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 0:
            value = varint()
        else:
            size = varint() if size is None else size
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def events(folder):
    """`(step, tag, plugin, tensor)` of all records of the event files in a folder; their checksums are right."""
    found = []
    for name in sorted(os.listdir(folder)):
        data, at = (folder / name).read_bytes(), 0
        while "tfevents" in name and at < len(data):
            head, (size,) = data[at : at + 8], struct.unpack("<Q", data[at : at + 8])
            body = data[at + 12 : at + 12 + size]
            for part, place in ((head, at + 8), (body, at + 12 + size)):
                crc = crc32c(part)
                assert struct.unpack("<I", data[place : place + 4])[0] == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
            at += 16 + size
            event = fields(body)
            for value in fields(event[5][0])[1] if 5 in event else ():
                value = fields(value)
                about = fields(value[9][0])
                plugin = fields(about[1][0])[1][0].decode()
                assert about.get(4, [0]) == [("graph_keras_model", "scalars", "histograms", "images").index(plugin)]
                found.append((event.get(2, [0])[0], value[1][0].decode(), plugin, fields(value[8][0])))
            assert 5 in event or event[3] == [b"brain.Event:2"]
    return found


def test_event_files_hold_scalars_histograms_pictures_and_the_graph(tmp_path):
    x, y = blobs(40)
    model = classifier()
    board = TensorBoard(tmp_path, histogram_freq=2, write_images=True, update_freq=2)
    history = model.fit(x, y, batch_size=10, epochs=2, verbose=0, validation_data=(x, y), callbacks=[board]).history
    train, tested = events(tmp_path / "train"), events(tmp_path / "validation")
    number = lambda tensor: struct.unpack("<f", tensor[4][0])[0]
    scalars = {(tag, step): number(t) for step, tag, plugin, t in train if plugin == "scalars"}
    assert [scalars["epoch_loss", i] for i in (0, 1)] == pytest.approx(history["loss"])
    assert scalars["batch_loss", 4] == pytest.approx(history["loss"][0])
    assert sorted(step for tag, step in scalars if tag == "batch_accuracy") == [2, 4, 6, 8]
    assert scalars["epoch_learning_rate", 1] == pytest.approx(0.001)
    checked = {(tag, step): number(t) for step, tag, _, t in tested}
    assert [checked["epoch_accuracy", i] for i in (0, 1)] == pytest.approx(history["val_accuracy"])
    assert checked["evaluation_loss_vs_iterations", 8] == pytest.approx(history["val_loss"][1])
    tensors = [t[4][0] for _, tag, plugin, t in train if plugin == "histograms" and tag.endswith("/kernel/histogram")]
    rows = np.frombuffer(tensors[0]).reshape(30, 3)
    assert rows[:, 2].sum() == 48 and (rows[1:, 0] == rows[:-1, 1]).all()
    pictures = [t[8] for _, _, plugin, t in train if plugin == "images"]
    assert pictures[0][:2] == [b"8", b"6"] and pictures[0][2].startswith(b"\x89PNG")
    [config] = [t[8][0] for _, tag, plugin, t in train if plugin == "graph_keras_model"]
    assert json.loads(config)["class_name"] == "Sequential"


def test_event_files_hold_steps_in_a_second_of_epochs_and_of_batches(tmp_path, monkeypatch):
    from pyml.callbacks import tensorboard

    x, y = blobs(40)
    for freq, expected in (("epoch", {"epoch_steps_per_second": [2.0, 2.0]}),
                           ("batch", {"epoch_steps_per_second": [4 / 18] * 2, "batch_steps_per_second": [0.5] * 8}),
                           (4, {"epoch_steps_per_second": [4 / 12] * 2, "batch_steps_per_second": [0.5] * 2})):  # fmt: skip
        ticks = itertools.count(100, 2)  # seconds that pass between two looks at the clock
        monkeypatch.setattr(tensorboard, "time", types.SimpleNamespace(perf_counter=lambda ticks=ticks: next(ticks)))
        board = TensorBoard(tmp_path / str(freq), update_freq=freq, write_steps_per_second=True, write_graph=False)
        classifier().fit(x, y, batch_size=10, epochs=2, verbose=0, callbacks=[board])
        found = {}
        for _, tag, _, value in events(tmp_path / str(freq) / "train"):
            if tag.endswith("per_second"):
                found.setdefault(tag, []).append(struct.unpack("<f", value[4][0])[0])
        assert found == {tag: pytest.approx(values) for tag, values in expected.items()}, freq


def test_tensorboard_itself_reads_the_event_files(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="pip install tensorboard")
    from google.protobuf.json_format import MessageToDict
    from tensorboard.plugins.graph.keras_util import keras_model_to_graph_def
    from tensorboard.util.tensor_util import make_ndarray

    x, y = blobs(40)
    i = pyml.Input((6,))
    hidden = pyml.layers.Dense(8, "relu", name="hidden")(i)
    model = pyml.Model(i, pyml.layers.Dense(3, "softmax", name="out")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    board = TensorBoard(tmp_path, histogram_freq=1, write_images=True, update_freq=2)
    history = model.fit(x, y, batch_size=10, epochs=3, verbose=0, validation_data=(x, y), callbacks=[board]).history
    for part, tag, wanted in (("train", "epoch_loss", history["loss"]), ("validation", "epoch_accuracy", history["val_accuracy"])):
        read = reader.EventAccumulator(str(tmp_path / part)).Reload()
        assert read.Tags()["tensors"]
        events = read.Tensors(tag)
        assert [event.step for event in events] == [0, 1, 2]
        assert [float(make_ndarray(event.tensor_proto)) for event in events] == pytest.approx(wanted)
    read = reader.EventAccumulator(str(tmp_path / "train")).Reload()
    [histograms] = [tag for tag in read.Tags()["tensors"] if tag.startswith("hidden") and "kernel/histogram" in tag]
    assert read.SummaryMetadata(histograms).plugin_data.plugin_name == "histograms"
    rows = make_ndarray(read.Tensors(histograms)[0].tensor_proto)
    assert rows.shape == (30, 3) and rows[:, 2].sum() == 48
    [graph] = [tag for tag in read.Tags()["tensors"] if read.SummaryMetadata(tag).plugin_data.plugin_name == "graph_keras_model"]
    config = json.loads(make_ndarray(read.Tensors(graph)[0].tensor_proto).item())
    drawn = MessageToDict(keras_model_to_graph_def(config))["node"]
    assert {node["name"].rpartition("/")[2]: [place.rpartition("/")[2] for place in node.get("input", ())] for node in drawn} == {
        i._keras_history[0].name: [], "hidden": [i._keras_history[0].name], "out": ["hidden"]}


@pytest.mark.parametrize("batches", [2, (100, 200), "10,20"])
def test_tensorboard_goes_on_without_the_profile_that_was_asked_for(batches):
    with pytest.warns(UserWarning, match="batches are not profiled here") as told:
        TensorBoard(profile_batch=batches)
    assert told[0].filename == __file__


def test_tensorboard_refuses_what_is_no_batch():
    for batches in (-1, (200, 100), "x", (1, 2, 3)):
        with pytest.raises(ValueError, match="profile_batch must be"):
            TensorBoard(profile_batch=batches)


def test_what_tensorboard_cannot_do_is_refused():
    with pytest.raises(ValueError, match="update_freq"):
        TensorBoard(update_freq="week")
    with pytest.raises(ValueError, match="ends in "):
        asyncio.run(TensorBoard().download_async("logs"))
    with pytest.raises(RuntimeError, match="only a tab downloads"):
        asyncio.run(TensorBoard().download_async())
