"""Training that is killed (signal 9) at every STEP-th of its writing operations, each time in a process of its own. Run by test_kills:

    python killed_training.py FOLDER KIND STEP

It prints JSON: for every operation what was kept before the kill and what a second start of the same program made of it.
"""

import builtins
import io
import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path

import numpy as np

import pyml
from pyml.callbacks import BackupAndRestore, Callback, ModelCheckpoint

EPOCHS = 2
OPERATIONS = ("open", "write", "replace", "rename", "fsync", "unlink", "remove", "rmdir", "mkdir")


class Counted:
    """Counts what reaches the disk; at the operation `at`, half of a write arrives and the process is dead."""

    def __init__(self, at):
        self.at, self.count = at, 0
        opened = open

        def step():
            self.count += 1
            if self.count == self.at:
                os.kill(os.getpid(), signal.SIGKILL)

        class Raw(io.FileIO):
            def write(raw, data):
                if self.count + 1 == self.at:
                    super().write(bytes(data)[: len(data) // 2])
                step()
                return super().write(data)

        def counted_open(file, mode="r", buffering=-1, **kwargs):
            if not set(mode) & set("wax+") or isinstance(file, int):
                return opened(file, mode, buffering, **kwargs)
            step()
            raw = Raw(file, mode.replace("b", "").replace("t", ""))
            binary = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return binary if "b" in mode else io.TextIOWrapper(binary, write_through=True, **kwargs)

        builtins.open = io.open = counted_open
        for name in OPERATIONS[2:]:
            setattr(os, name, self.before(step, getattr(os, name)))

    @staticmethod
    def before(step, function):
        def call(*args, **kwargs):
            step()
            return function(*args, **kwargs)

        return call


class Seen(Callback):
    """Counts batches, and remembers the weights at the ends of epochs."""

    def __init__(self):
        super().__init__()
        self.batches, self.weights = 0, []

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(flat(self.model))


def flat(model):
    return [float(value) for weight in model.get_weights() for value in weight.ravel()]


def program(callbacks):
    """What the user starts, again and again."""
    pyml.utils.set_random_seed(7)
    x = np.linspace(-1, 1, 48, dtype="float32").reshape(12, 4)
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(5, "tanh"), pyml.layers.Dropout(0.3), pyml.layers.Dense(2)])
    model.compile(pyml.optimizers.Adam(0.05), "mse")
    seen = Seen()
    model.fit(x, np.sin(3 * x[:, :2]), batch_size=4, epochs=EPOCHS, verbose=0, callbacks=[*callbacks, seen])
    return {"batches": seen.batches, "weights": flat(model), "epochs": seen.weights}


def callbacks_of(kind, folder):
    match kind:
        case "checkpoint":
            return [ModelCheckpoint(folder / "m.keras")]
        case "weights":
            return [ModelCheckpoint(folder / "m.weights.h5", save_weights_only=True, save_freq=2)]
        case "backup":
            return [BackupAndRestore(folder / "backup", save_freq=2)]
        case "double backup":
            return [BackupAndRestore(folder / "backup", double_checkpoint=True)]


def apart(work):
    """The result of `work` in a process of its own; None where that was killed."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(out)
            data = json.dumps(work()).encode()
            while data:
                data = data[os.write(into, data) :]
        except BaseException:
            traceback.print_exc()
            os.kill(os.getppid(), signal.SIGKILL)
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as file:
        data = file.read()
    os.waitpid(child, 0)
    return json.loads(data) if data else None


def found(kind, folder):
    """What a later program finds: the weights that were kept, or where training that starts again ends."""
    if "backup" in kind:
        return program(callbacks_of(kind, folder))
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    if not files:
        return None
    if kind == "checkpoint":
        return {"weights": flat(pyml.saving.load_model(files[0]))}
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(5, "tanh"), pyml.layers.Dropout(0.3), pyml.layers.Dense(2)])
    model.load_weights(files[0])
    return {"weights": flat(model)}


def main(folder, kind, step):
    pyml.config.set_backend("cpu")
    whole = program([])                                # here, so that every process below has what was compiled
    results, at = [], 1 - step
    while True:
        at += step
        here = folder / str(at)
        here.mkdir()

        def run(at=at, here=here):
            Counted(at)
            return program(callbacks_of(kind, here))

        if apart(run) is not None:
            break
        kept = sorted(path.name for path in (here / "backup").glob("*.json")) if "backup" in kind else []
        place = json.loads((here / "backup" / kept[0]).read_text()) if kept else None
        results.append({"place": place and [place["epoch"], place["next_batch"]], "after": apart(lambda here=here: found(kind, here)),
                        "left": sorted(path.name for path in here.iterdir())})  # fmt: skip
        shutil.rmtree(here)
    print(json.dumps({"whole": whole, "results": results}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
