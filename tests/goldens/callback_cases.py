"""What callbacks decide, written once and run with Keras and with pyml: the epochs at which they stop, rates, files and their lines."""

import itertools
import os
import tempfile
import warnings

import numpy as np
from keras_cases import fill, floats, numbers

SCORES = {
    "falls then rises": [5.0, 4.0, 3.5, 3.6, 3.4, 3.7, 3.9, 3.3, 3.8, 4.0, 4.1, 4.2],
    "rises": [1.0, 1.2, 1.2, 1.5, 1.4, 1.3, 1.25, 1.6, 1.1, 1.0, 0.9, 0.8],
    "flat": [2.0] * 12,
}


def network(K):
    model = fill(K.Sequential([K.Input((3,)), K.layers.Dense(1)]), 3)
    model.compile(K.optimizers.SGD(0.5), "mse")
    return model


def driven(K, callback, scores):
    """The callback through epochs with these scores: what weights and rates it leaves, and where it stops."""
    model, seen = network(K), {"rates": [], "stopped": None}
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, score in enumerate(scores):
        callback.on_epoch_begin(epoch)
        model.set_weights([np.full(tuple(w.shape), epoch, "float32") for w in model.weights])
        callback.on_epoch_end(epoch, {"score": score, "loss": score})
        seen["rates"].append(float(K.ops.convert_to_numpy(model.optimizer.learning_rate)))
        if model.stop_training:
            seen["stopped"] = epoch
            break
    callback.on_train_end()
    return {**seen, "weights": float(model.get_weights()[0][0, 0])}


def early_stopping(K):
    """Every option of EarlyStopping, on its own and with the others."""
    given = {"patience": (0, 2), "min_delta": (0, 0.15), "mode": ("min", "max", "auto"), "baseline": (None, 3.0),
             "restore_best_weights": (False, True), "start_from_epoch": (0, 3)}  # fmt: skip
    found = {}
    for (title, scores), values in itertools.product(SCORES.items(), itertools.product(*given.values())):
        options = dict(zip(given, values, strict=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            callback = K.callbacks.EarlyStopping("score" if options["mode"] != "auto" else "loss", **options)
            said = driven(K, callback, scores)
        found[f"{title} {values}"] = [said["stopped"], said["weights"], callback.stopped_epoch, callback.best_epoch]
    return found


def plateaus(K):
    """Every option of ReduceLROnPlateau."""
    given = {"factor": (0.5, 0.1), "patience": (1, 3), "mode": ("min", "max"), "min_delta": (1e-4, 0.2), "cooldown": (0, 2),
             "min_lr": (0.0, 0.2)}  # fmt: skip
    found = {}
    for (title, scores), values in itertools.product(SCORES.items(), itertools.product(*given.values())):
        callback = K.callbacks.ReduceLROnPlateau("score", **dict(zip(given, values, strict=True)))
        found[f"{title} {values}"] = driven(K, callback, scores)["rates"]
    return found


def fitted(K, folder, callbacks, **how):
    how = {"epochs": 4, "batch_size": 4, "shuffle": False, "verbose": 0, **how}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network(K).fit(floats(1, 12, 3), floats(2, 12, 1), callbacks=callbacks, **how)
    return sorted(os.listdir(folder))


def logs_in_csv(K):
    """The lines of CSVLogger: separators, appended, and with a validation that not every epoch has."""
    found, data = {}, (floats(3, 4, 3), floats(4, 4, 1))
    for title, options, how in (
        ("plain", {}, {}), ("semicolons", {"separator": ";"}, {"validation_data": data}),
        ("validated every second epoch", {}, {"validation_data": data, "validation_freq": 2}),
        ("validated in the first epoch", {}, {"validation_data": data, "validation_freq": [1]}),
    ):  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.csv")
            fitted(K, folder, [K.callbacks.CSVLogger(path, **options)], **how)
            fitted(K, folder, [K.callbacks.CSVLogger(path, **options, append=True)], **{**how, "epochs": 2})
            with open(path, encoding="utf-8") as file:
                rows = [line.strip().split(options.get("separator", ",")) for line in file]
        found[title] = [[float(v) if v[:1].isdigit() else v for v in row] for row in rows]
    return found


def checkpoints(K):
    """The files that ModelCheckpoint leaves."""
    found = {}
    for title, name, options in (
        ("each", "{epoch:02d}.keras", {}), ("weights", "{epoch}-{loss:.1f}.weights.h5", {"save_weights_only": True}),
        ("best", "{epoch}.keras", {"monitor": "loss", "save_best_only": True}),
        ("best upwards", "{epoch}.keras", {"monitor": "loss", "save_best_only": True, "mode": "max"}),
        ("above a threshold", "{epoch}.keras", {"monitor": "loss", "save_best_only": True, "initial_value_threshold": 0.0}),
        ("every two batches", "{epoch}-{batch}.keras", {"save_freq": 2}),
        ("every five batches", "{epoch}-{batch}.weights.h5", {"save_freq": 5, "save_weights_only": True}),
    ):  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            found[title] = fitted(K, folder, [K.callbacks.ModelCheckpoint(os.path.join(folder, name), **options)])
    return found


def averages(K):
    """The weights that SwapEMAWeights leaves, and the losses of validation with the averages."""
    found = {}
    for by_epoch in (False, True):
        model = network(K)
        model.compile(K.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.6), "mse")
        data = floats(1, 12, 3), floats(2, 12, 1)
        history = model.fit(*data, epochs=3, batch_size=4, shuffle=False, verbose=0, validation_data=data,
                            callbacks=[K.callbacks.SwapEMAWeights(swap_on_epoch=by_epoch)])  # fmt: skip
        found[str(by_epoch)] = [[float(v) for v in history.history["val_loss"]], [numbers(w) for w in model.get_weights()]]
    return found


CASES = [early_stopping, plateaus, logs_in_csv, checkpoints, averages]
