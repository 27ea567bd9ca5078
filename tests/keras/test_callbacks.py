"""Callbacks: hooks, early stopping, NaN, interrupts."""

import os
import signal
import sys

import numpy as np
import pytest
from helpers import assert_same_weights, blobs, classifier

import pyml
from pyml.callbacks import Callback, EarlyStopping, LambdaCallback, LearningRateScheduler, TerminateOnNaN
from pyml.interrupting import let_imports_end
from pyml.trainers.logs import BatchLogs


class Recorder(Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda *args, **kwargs: self.calls.append((name, args, kwargs))
        return super().__getattribute__(name)


def test_every_hook_of_keras_is_called_in_order():
    x, y = blobs(20)
    recorder = Recorder()
    model = classifier()
    model.fit(x, y, batch_size=10, epochs=1, verbose=0, callbacks=[recorder], validation_data=(x[:5], y[:5]))
    train = ["on_train_batch_begin", "on_train_batch_end"]
    test = ["on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"]
    assert [name for name, *_ in recorder.calls] == [
        "on_train_begin", "on_epoch_begin", *train, *train, *test, "on_epoch_end", "on_train_end"]
    recorder.calls.clear()
    model.predict(x, batch_size=20, verbose=0, callbacks=[recorder])
    assert [name for name, *_ in recorder.calls] == [
        "on_predict_begin", "on_predict_batch_begin", "on_predict_batch_end", "on_predict_end"]


def test_batch_logs_are_means_since_the_epoch_began_and_keep_their_values():
    x, y = blobs(30)
    seen = []
    hook = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs))
    model = classifier()
    history = model.fit(x, y, batch_size=10, verbose=0, callbacks=[hook]).history
    assert len(seen) == 3
    assert list(seen[0]) == ["accuracy", "loss"]
    assert dict(seen[2])["loss"] == pytest.approx(history["loss"][0])
    assert seen[0]["loss"] != seen[2]["loss"]


def test_batch_logs_that_could_not_be_read_are_asked_again():
    class Steps:
        asked = 0

        def log_names(self, kind):
            return ["loss"]

        def results_program(self, kind):
            return lambda: pyml.ops.ones(1)

        def unpack(self, vector, kind):
            self.asked += 1
            if self.asked == 1:
                raise pyml.errors.SyncReadError("this browser cannot wait")
            return {"loss": float(vector[0])}, None

    logs = BatchLogs(Steps(), "train")
    with pytest.raises(pyml.errors.SyncReadError):
        logs["loss"]
    assert logs["loss"] == 1.0


def test_batch_logs_are_dicts_whatever_is_done_first_with_them():
    import copy
    import json
    import pickle

    acts = [lambda logs: logs, lambda logs: json.loads(json.dumps(logs)), lambda logs: logs.copy(), lambda logs: {**logs}, dict,
            lambda logs: logs | {}, lambda logs: {} | logs, lambda logs: dict(**logs), lambda logs: dict(logs.items()), copy.deepcopy,
            lambda logs: pickle.loads(pickle.dumps(logs)), lambda logs: {name: logs.get(name) for name in logs},
            lambda logs: dict(zip(logs, logs.values(), strict=True))]  # fmt: skip
    x, y = blobs(2 * len(acts))
    seen, before = [], []

    class First(Callback):
        def on_train_batch_end(self, batch, logs=None):
            assert isinstance(logs, dict)
            seen.append((acts[batch](logs), logs))
            logs.update(loss=-1.0, more=batch)

        def on_epoch_end(self, epoch, logs=None):
            logs["of_epoch"] = 1.0

        def on_test_end(self, logs=None):
            logs["of_test"] = 1.0

    after = LambdaCallback(on_train_batch_end=lambda batch, logs: before.append(logs.copy()), on_train_end=lambda logs: before.append(logs))
    history = classifier().fit(x, y, batch_size=2, shuffle=False, verbose=0, validation_data=(x, y), callbacks=[First(), after]).history
    for batch, ((found, logs), then) in enumerate(zip(seen, before, strict=False)):
        assert logs == then == {"accuracy": logs["accuracy"], "loss": -1.0, "more": batch} and repr(logs) == repr(then)
        assert found is logs or (found == {"accuracy": logs["accuracy"], "loss": found["loss"]} and found["loss"] > 0)
    assert sorted(history) == ["accuracy", "loss", "of_epoch", "val_accuracy", "val_loss"] and history["loss"][0] > 0
    assert sorted(before[-1]) == ["accuracy", "loss", "val_accuracy", "val_loss"]


def test_older_batch_hooks_still_work():
    class Old(Callback):
        batches = 0

        def on_batch_end(self, batch, logs=None):
            self.batches += 1

    old = Old()
    x, y = blobs(30)
    classifier().fit(x, y, batch_size=10, verbose=0, callbacks=[old])
    assert old.batches == 3


def test_stop_training_stops_after_the_batch():
    class Stop(Callback):
        last = None

        def on_train_batch_end(self, batch, logs=None):
            self.last = batch
            if batch == 2:
                self.model.stop_training = True

    stop = Stop()
    x, y = blobs(100)
    history = classifier().fit(x, y, batch_size=10, epochs=5, verbose=0, callbacks=[stop])
    assert stop.last == 2
    assert history.epoch == [0]


def test_early_stopping_goes_back_to_the_best_weights():
    x, y = blobs(30)
    model = classifier(optimizer=pyml.optimizers.SGD(0.01))
    kept = {}

    class Watch(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:                             # from here on it only gets worse
                kept["weights"] = self.model.get_weights()
                self.model.optimizer.learning_rate = -1.0

    stopping = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    history = model.fit(x, y, epochs=20, verbose=0, shuffle=False, callbacks=[Watch(), stopping])
    assert len(history.epoch) < 10
    # the best epoch is the one whose mean loss was least; its weights are those at its end
    assert stopping.best_epoch <= 2
    assert model.evaluate(x, y, verbose=0)[0] < history.history["loss"][-1]


def test_learning_rate_callbacks_set_the_rate():
    x, y = blobs(30)
    model = classifier(optimizer=pyml.optimizers.SGD(0.1))
    history = model.fit(x, y, epochs=3, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, rate: rate / 2)])
    assert history.history["learning_rate"] == [0.05, 0.025, 0.0125]
    assert float(model.optimizer.learning_rate.numpy()) == pytest.approx(0.0125)
    never = pyml.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0)
    history = model.fit(x, y, epochs=3, verbose=0, callbacks=[never])
    assert history.history["learning_rate"] == [0.0125, 0.0125, 0.00625]


def test_a_rate_that_is_the_least_already_is_left_alone_also_where_it_was_kept_as_float32(capsys):
    for least in (0.001, 0.7):  # as float32 one is larger, the other smaller
        optimizer = pyml.optimizers.SGD()
        optimizer.learning_rate = pyml.ops.array(least)
        model = classifier(optimizer=optimizer)
        never = pyml.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=10.0, min_lr=least, verbose=1)
        model.fit(*blobs(30), epochs=3, verbose=0, callbacks=[never])
        assert capsys.readouterr().out == "" and optimizer.host_learning_rate == np.float32(least)


def test_rates_of_several_optimizers_are_set_and_logged_by_name():
    x, y = blobs(30)
    fast, slow = pyml.optimizers.SGD(0.2, name="fast"), pyml.optimizers.SGD(0.1, name="slow")
    model = classifier(optimizer=pyml.optimizers.MultiOptimizer(pyml.optimizers.OptimizerMap(slow, {".*kernel": fast})))
    history = model.fit(x, y, epochs=1, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, rate: rate / 2)])
    assert (history.history["learning_rate_fast"], history.history["learning_rate_slow"]) == ([0.1], [0.05])


def test_a_loss_that_stops_being_finite_is_reported_with_its_step(device):
    x, y = blobs(60)
    x[35, 2] = np.nan
    model = classifier()
    with pytest.warns(RuntimeWarning, match=r"finite at step 4 of this fit \(batch 3 of its epoch\)"):
        model.fit(x, y, batch_size=10, epochs=2, shuffle=False, verbose=0)


def test_terminate_on_nan_stops(capsys):
    x, y = blobs(60)
    x[:] = np.inf
    with pytest.warns(RuntimeWarning):
        history = classifier().fit(x, y, batch_size=10, epochs=3, verbose=0, callbacks=[TerminateOnNaN()])
    assert "Batch 0: Invalid loss, terminating training" in capsys.readouterr().out
    assert history.epoch == [0]
    with pytest.warns(RuntimeWarning), pytest.raises(RuntimeError, match="batch 0"):
        classifier().fit(x, y, verbose=0, callbacks=[TerminateOnNaN(raise_error=True)])


def test_ctrl_c_leaves_the_weights_of_the_last_whole_step():
    x, y = blobs(60)

    class Interrupt(Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 3:
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)  # a shell's background jobs ignore it
    model, other = classifier(), classifier()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=10, shuffle=False, verbose=0, callbacks=[Interrupt()])
    other.fit(x[:40], y[:40], batch_size=10, shuffle=False, verbose=0)
    assert_same_weights(model, other)
    assert signal.getsignal(signal.SIGINT) is before
    model.fit(x, y, verbose=0)                         # and it can go on


@pytest.mark.parametrize("importing", ["import whole_package", "import importlib\nimportlib.import_module('whole_package')"])
def test_ctrl_c_during_an_import_is_raised_when_that_has_ended(tmp_path, monkeypatch, importing):
    package = tmp_path / "whole_package"
    package.mkdir()
    (package / "__init__.py").write_text("from whole_package import slow\nfrom whole_package.end import last\n")
    (package / "slow.py").write_text("import whole_package.end, signal\nsignal.raise_signal(signal.SIGINT)\nmore = [i for i in range(3)]\n")
    (package / "end.py").write_text("last = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    names, before, trace = {}, signal.getsignal(signal.SIGINT), sys.gettrace()
    try:
        let_imports_end()
        with pytest.raises(KeyboardInterrupt):
            exec(compile(f"{importing}\nafter = 1", "a_users_file", "exec"), names)  # of text, Python ends by the signal at its exit
        assert "after" not in names and sys.modules["whole_package"].last == 7
        with pytest.raises(KeyboardInterrupt):  # no import: at once
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
        sys.settrace(trace)  # of a debugger, or of what measures coverage
        for name in [name for name in sys.modules if name.partition(".")[0] == "whole_package"]:
            del sys.modules[name]


def test_csv_logger_writes_a_line_per_epoch(tmp_path):
    x, y = blobs(30)
    path = tmp_path / "log.csv"
    classifier().fit(x, y, epochs=2, verbose=0, callbacks=[pyml.callbacks.CSVLogger(path)])
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch,accuracy,loss,val_accuracy,val_loss" and lines[1].endswith(",NA,NA")
    assert len(lines) == 3
    path.write_text("")  # an empty file that is gone on with gets its first line too
    classifier().fit(x, y, verbose=0, callbacks=[pyml.callbacks.CSVLogger(path, append=True)])
    assert [line[:6] for line in path.read_text().splitlines()] == [lines[0][:6], lines[1][:6]]


def test_things_that_are_no_callbacks_are_refused():
    x, y = blobs(30)
    with pytest.raises(TypeError, match="Callback"):
        classifier().fit(x, y, verbose=0, callbacks=[print])


def test_how_much_is_printed_is_one_of_four_words():
    bar = pyml.callbacks.ProgbarLogger()
    for verbose in ("auto", 0, 1, 2, True, False):
        bar.set_params({"verbose": verbose, "epochs": 1, "steps": None})
        assert bar.verbose == (2 if verbose == "auto" else verbose)
    for verbose in (3, -1, "loud", None):
        with pytest.raises(ValueError, match="verbose must be 'auto', 0, 1 or 2"):
            bar.set_params({"verbose": verbose, "epochs": 1, "steps": None})


def test_the_bar_shows_the_logs_of_the_steps_so_far(capsys):
    bar = pyml.callbacks.ProgbarLogger()
    for verbose, begins in ((1, "1/10"), (2, None), (0, None)):
        bar.set_params({"verbose": verbose, "epochs": 1, "steps": 10})
        bar.on_epoch_begin(0)
        bar.on_train_batch_end(0, {"loss": 0.5, "rate": 1e-4})
        told = capsys.readouterr().out
        if begins is None:
            assert told == ""
        else:
            assert begins in told and "loss: 0.5000 - rate: 1.0000e-04" in told and "\n" not in told.strip()


def test_a_schedule_returns_a_number(capsys):
    x, y = blobs(10)
    for wrong in (None, "0.1", [0.1], {}):
        with pytest.raises(ValueError, match=r"schedule\(epoch, learning_rate\) must return a number. Received"):
            classifier().fit(x, y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, rate, wrong=wrong: wrong)])
    for right in (1, 0.5, np.float32(0.25), np.array(0.125)):
        model = classifier()
        model.fit(x, y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, rate, right=right: right)])
        assert model.optimizer.host_learning_rate == float(right)


def test_printed_lines_of_fit_without_a_terminal(capsys):
    x, y = blobs(20)
    classifier().fit(x, y, batch_size=10, epochs=2, validation_data=(x, y))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert lines[1].startswith("2/2 - ")
    assert [part.split(":")[0] for part in lines[1].split(" - ")[3:]] == ["accuracy", "loss", "val_accuracy", "val_loss"]
    classifier().fit(x, y, verbose=0)
    assert capsys.readouterr().out == ""


def test_logs_of_batches_are_computed_for_those_who_look_and_those_who_keep_them(monkeypatch):
    x, y = np.ones((40, 2), "float32"), np.ones((40, 1), "float32")
    asked = []

    class Hook(pyml.callbacks.Callback):
        def __init__(self, do):
            super().__init__()
            self.do, self.found = do, []

        def on_train_batch_end(self, batch, logs=None):
            self.do(self, batch, logs)

    def fitted(do):
        pyml.utils.set_random_seed(1)
        model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        model.compile(pyml.optimizers.SGD(0.01), "mse")
        given = model._step_programs.results_program
        monkeypatch.setattr(model._step_programs, "results_program", lambda kind: asked.append(kind) or given(kind))
        hook = Hook(do)
        asked.clear()
        model.fit(x, y, batch_size=4, epochs=1, shuffle=False, verbose=0, callbacks=[hook])
        return hook.found, len(asked)

    none, few = fitted(lambda hook, batch, logs: hook.found.append(list(logs)))
    looked, each = fitted(lambda hook, batch, logs: hook.found.append(logs["loss"]))
    kept, also = fitted(lambda hook, batch, logs: hook.found.append(logs))
    assert none == [["loss"]] * 10 and each == also == few + 10
    assert [logs["loss"] for logs in kept] == looked and len(set(looked)) == 10


M = pyml.metrics
SCORES = {"auc": M.AUC, "f1": M.F1Score, "cosine": M.CosineSimilarity, "error": M.RootMeanSquaredError, "entropy": M.BinaryCrossentropy,
          "share": M.Precision, "union": lambda name: M.MeanIoU(2, name=name)}  # fmt: skip


@pytest.mark.parametrize("kind", SCORES)
def test_what_is_better_is_what_the_metric_of_that_name_says(kind):
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "mse", metrics=[SCORES[kind](name="mine")])
    callback = EarlyStopping("val_mine", patience=5)
    x = np.ones((4, 2), "float32")
    model.fit(x, np.ones((4, 1), "float32"), validation_data=(x, np.ones((4, 1), "float32")), verbose=0, callbacks=[callback])
    assert callback._is_improvement(0.5, 0.25) == (kind not in ("error", "entropy"))


def test_of_metrics_whose_names_end_alike_the_one_of_that_name_is_asked():
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[M.MeanSquaredError(name="error"), M.CosineSimilarity(name="less_error")])
    callback = EarlyStopping("less_error", patience=5)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[callback])
    assert callback._is_improvement(0.5, 0.25)


@pytest.mark.parametrize("make", [EarlyStopping, pyml.callbacks.ReduceLROnPlateau,
                                  lambda monitor: pyml.callbacks.ModelCheckpoint("never.keras", monitor=monitor)])  # fmt: skip
def test_a_name_that_says_nothing_is_refused_after_the_first_epoch(make):
    x, y = blobs(8)
    with pytest.raises(ValueError, match=r"'val_acuracy' is better when it grows .* give mode='max'.*Did you mean 'accuracy'"):
        classifier().fit(x, y, epochs=2, verbose=0, callbacks=[make(monitor="val_acuracy")])


def _with_a_number_for_each_class(callback):
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[M.F1Score()])
    model.fit(np.ones((4, 3)), np.eye(2)[[0, 1, 0, 1]], epochs=2, verbose=0, callbacks=[callback])


@pytest.mark.parametrize("make", [EarlyStopping, pyml.callbacks.ReduceLROnPlateau])
def test_a_metric_of_several_numbers_cannot_be_watched(make):
    with pytest.raises(ValueError, match=r"'f1_score' has 2 numbers.*F1Score\(average='macro'\)"):
        _with_a_number_for_each_class(make("f1_score"))


def test_tensorboard_gets_each_number_of_a_metric(tmp_path):
    _with_a_number_for_each_class(pyml.callbacks.TensorBoard(tmp_path, update_freq="batch"))
    (file,) = tmp_path.rglob("events.*")
    assert b"epoch_f1_score_0" in file.read_bytes() and b"epoch_f1_score_1" in file.read_bytes()


def test_a_schedule_that_returns_no_number_is_told_so():
    x, y = blobs(8)
    with pytest.raises(ValueError, match=r"must return a number. Received: 'slow'"):
        classifier().fit(x, y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: "slow")])


def test_hooks_of_a_list_of_callbacks_take_their_arguments_by_name():
    heard = []

    class Hears(pyml.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            heard.append((epoch, logs))

        def on_train_begin(self, logs=None):
            heard.append(logs)

    several = pyml.callbacks.CallbackList([Hears()])
    several.on_epoch_end(logs={"loss": 1.0}, epoch=3)
    several.on_epoch_end(epoch=4)
    several.on_train_begin(logs=None)
    assert heard == [(3, {"loss": 1.0}), (4, {}), {}]
    with pytest.raises(TypeError, match="epoch"):
        several.on_epoch_end(logs={})
