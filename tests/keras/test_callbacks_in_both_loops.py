"""Each callback does in `fit_async` what it does in `fit`, and decides what Keras' own decides (see goldens/callback_cases.py)."""

import asyncio
import csv
import http.server
import json
import os
import threading
from contextlib import nullcontext
from pathlib import Path

import callback_cases as cases
import numpy as np
import pytest
from helpers import blobs, classifier
from test_goldens_of_keras import assert_same

import pyml
from pyml import callbacks as C

GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))
BY_HAND = {"Callback", "CallbackList", "MonitorCallback", "History", "ProgbarLogger"}  # bases, and what every fit below has itself


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_a_callback_decides_what_keras_decides(case, cpu):
    assert_same(case(pyml), GOLDENS[case.__name__], 1e-4)


def table(folder):
    with open(folder / "log.csv", newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def kept(folder):
    return pyml.saving.load_model(folder / "m.keras").get_weights()


def written(folder):
    """What event files tell but times and the names of machines."""
    return sorted(path.relative_to(folder).parts[0] for path in folder.rglob("*tfevents*") if path.stat().st_size > 300)


def backed_up(folder):
    place = json.loads((folder / "b" / "training_metadata.json").read_text(encoding="utf-8"))
    return place["epoch"], place["next_batch"]


def rate(folder, callback):
    return float(callback.model.optimizer.learning_rate)


NAMED = {  # how each is made, and what it leaves in its folder or in itself
    "BackupAndRestore": (lambda f: C.BackupAndRestore(f / "b", save_freq=2, delete_checkpoint=False), lambda f, c: backed_up(f)),
    "CSVLogger": (lambda f: C.CSVLogger(f / "log.csv"), lambda f, c: table(f)),
    "EarlyStopping": (lambda f: C.EarlyStopping("loss", 9.0, patience=1, restore_best_weights=True), lambda f, c: c.stopped_epoch),
    "LambdaCallback": (lambda f: _counting(), lambda f, c: c.seen),
    "LearningRateScheduler": (lambda f: C.LearningRateScheduler(lambda epoch, rate: rate / 2), rate),
    "ModelCheckpoint": (lambda f: C.ModelCheckpoint(f / "m.keras"), lambda f, c: kept(f)),
    "ReduceLROnPlateau": (lambda f: C.ReduceLROnPlateau("loss", min_delta=9.0, patience=1), rate),
    "RemoteMonitor": (lambda f: _monitor(), lambda f, c: c.ended()),
    "SwapEMAWeights": (lambda f: C.SwapEMAWeights(), lambda f, c: None),
    "TensorBoard": (lambda f: C.TensorBoard(f, histogram_freq=1, update_freq=1), lambda f, c: written(f)),
    "TerminateOnNaN": (lambda f: C.TerminateOnNaN(), lambda f, c: c.model.stop_training),
}  # fmt: skip


def _counting():
    seen = []
    made = C.LambdaCallback(lambda epoch, logs: seen.append(epoch), on_train_batch_end=lambda batch, logs: seen.append(float(logs["loss"])))
    made.seen = seen
    return made


def _monitor():
    """A monitor with a server of this machine."""
    got = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            """Nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monitor = C.RemoteMonitor(f"http://127.0.0.1:{server.server_port}", send_as_json=True)

    def ended():
        server.shutdown()
        server.server_close()
        return got

    monitor.ended = ended
    return monitor


def test_every_callback_is_named_here():
    assert {name for name, found in vars(C).items() if isinstance(found, type) and issubclass(found, C.Callback)} - BY_HAND == set(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_a_callback_does_the_same_in_both_loops(name, tmp_path, cpu):
    make, leaves = NAMED[name]
    x, y = blobs(40)
    if name == "TerminateOnNaN":
        x[:] = np.inf
    found = []
    for way in ("fit", "fit_async"):
        folder = tmp_path / way
        os.mkdir(folder)
        model, callback = classifier(optimizer=pyml.optimizers.SGD(0.2, use_ema=True, ema_momentum=0.5)), make(folder)
        how = {"epochs": 3, "batch_size": 10, "shuffle": False, "verbose": 0, "validation_data": (x, y), "callbacks": [callback]}
        with pytest.warns(RuntimeWarning) if name == "TerminateOnNaN" else nullcontext():
            history = model.fit(x, y, **how) if way == "fit" else asyncio.run(model.fit_async(x, y, **how))
        found.append([history.epoch, history.history, leaves(folder, callback), model.get_weights()])
    sync, other = found
    assert sync[0] == other[0] == ([0] if name == "TerminateOnNaN" else [0, 1] if name == "EarlyStopping" else [0, 1, 2])
    assert repr(sync[1]) == repr(other[1]) and repr(sync[2]) == repr(other[2])
    assert sync[2] or name == "SwapEMAWeights"
    for a, b in zip(sync[3], other[3], strict=True):
        np.testing.assert_array_equal(a, b)

