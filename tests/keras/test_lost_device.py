"""A GPU device that is lost in fit: which weights the model has then, on another device."""

import asyncio

import numpy as np
import pytest
from helpers import assert_same_weights, blobs

import pyml
from pyml.callbacks import Callback, LearningRateScheduler
from pyml.callbacks.callback_list import CallbackList
from pyml.errors import DeviceLost
from pyml.trainers import keeper, loop, recovery, resident
from pyml.trainers.data import Arrays
from pyml.trainers.feeds import make_feed
from pyml.trainers.io import SyncIO, drive
from pyml.trainers.options import Options

SAMPLES, BATCH = 70, 16                                # 4 whole batches and one of 6 rows


def classifier(dropout=0.0, **kwargs):
    """One layer, since every device compiles anew what a model runs: weights, an optimizer's state and random numbers are there."""
    pyml.utils.set_random_seed(3)
    model = pyml.Sequential([
        pyml.Input((6,)), pyml.layers.Dropout(dropout, seed=7), pyml.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **kwargs)
    return model


class Lose(Callback):
    """Destroys the device after some steps, as a driver reset would."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        self.steps -= 1
        if self.steps == 0:
            pyml.config.device()._device.destroy()


class LoseNext(Lose):
    """The same, but when the last of these steps has been looked at."""

    def on_train_batch_end(self, batch, logs=None):
        pass

    def on_train_batch_begin(self, batch, logs=None):
        self.steps -= 1
        if self.steps == -1:
            pyml.config.device()._device.destroy()


class Stop(Lose):
    """Ends an undisturbed run there instead."""

    def on_train_batch_end(self, batch, logs=None):
        self.steps -= 1
        self.model.stop_training = self.steps == 0


@pytest.fixture(autouse=True)
def reads_every_step_and_keeps_only_what_it_must(gpu, monkeypatch):
    monkeypatch.setattr("pyml.trainers.pacer.Pacer.due", lambda pacer: True)
    monkeypatch.setattr(keeper, "SHARE", 1e9)
    monkeypatch.setattr(recovery, "PATIENCE", 600)     # however slow this machine is at the moment


def run(callback, *others, model=None, data=None, **kwargs):
    model = model or classifier(dropout=0.2)
    np.random.seed(5)
    x, y = blobs(SAMPLES)
    arguments = {"batch_size": BATCH, "epochs": 4, "verbose": 0, **kwargs}
    model.fit(*((x, y) if data is None else (data,)), callbacks=[*others, callback], **arguments)
    return model


def lost(steps, message, *others, how=Lose, **kwargs):
    """The model after a fit whose device was lost after so many steps."""
    model = kwargs.pop("model", None) or classifier(dropout=0.2)
    with pytest.raises(DeviceLost, match=message):
        run(how(steps), *others, model=model, **kwargs)
    return model


def assert_same_run(model, other):
    """Weights, optimizer state and random counters are those of an undisturbed run."""
    assert_same_weights(model, other)
    for mine, theirs in zip([*model.optimizer.variables, *model.variables],
                            [*other.optimizer.variables, *other.variables], strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


@pytest.mark.parametrize("steps, place, how", [
    (7, "after step 2 of epoch 2", Lose), (10, "after step 5 of epoch 2", Lose), (10, "of the end of epoch 2", LoseNext)])
def test_the_weights_are_those_of_the_last_completed_step(steps, place, how):
    before = pyml.config.device()
    model = lost(steps, place, how=how)
    assert pyml.config.device() is not before
    assert_same_run(model, run(Stop(steps)))


def test_data_sent_batch_by_batch_is_sent_again(monkeypatch):
    monkeypatch.setattr(resident, "LIMIT", 0)
    assert_same_run(lost(8, "after step 3 of epoch 2"), run(Stop(8)))


@pytest.mark.filterwarnings("ignore:Your input ran out")
def test_passes_that_reach_over_epochs_are_repeated(monkeypatch):
    assert_same_run(lost(8, "after step 3 of epoch 3", steps_per_epoch=3), run(Stop(8), steps_per_epoch=3))


def test_fit_async_recovers_too():
    model, (x, y) = classifier(dropout=0.2), blobs(SAMPLES)
    np.random.seed(5)
    with pytest.raises(DeviceLost, match="after step 2 of epoch 2"):
        asyncio.run(model.fit_async(x, y, batch_size=BATCH, epochs=4, verbose=0, callbacks=[Lose(7)]))
    assert_same_run(model, run(Stop(7)))


def test_a_fresh_copy_leaves_nothing_to_run_again(monkeypatch):
    monkeypatch.setattr(keeper, "SHARE", 0)
    monkeypatch.setattr(keeper, "FLOOR", 0)
    monkeypatch.setattr(recovery, "rerun", lambda *args: pytest.fail("nothing was to be run again"))
    model = lost(7, "after step 2 of epoch 2", how=LoseNext)
    assert_same_run(model, run(Stop(7)))


def test_the_model_goes_on_without_compiling():
    model, other = lost(7, r"; go on with fit\(initial_epoch=1\)"), run(Stop(7))
    for one in (model, other):
        run(Stop(1000), model=one, initial_epoch=1)
    assert_same_run(model, other)
    x, y = blobs(SAMPLES)
    assert model.evaluate(x, y, verbose=0) == other.evaluate(x, y, verbose=0)


def test_a_loss_during_validation_leaves_the_weights_of_the_epochs_end():
    class InValidation(Callback):
        epochs = 0

        def on_test_begin(self, logs=None):
            self.epochs += 1
            if self.epochs == 2:
                pyml.config.device()._device.destroy()

    model, (x, y) = classifier(dropout=0.2), blobs(20, seed=1)
    with pytest.raises(DeviceLost, match=r"of the end of epoch 2 again.*; go on with fit\(initial_epoch=2\)"):
        run(InValidation(), model=model, validation_data=(x, y))
    assert_same_run(model, run(Stop(10)))


def test_steps_run_one_operation_at_a_time_are_kept_by_copies_alone(monkeypatch):
    monkeypatch.setattr(keeper, "SHARE", 0)
    monkeypatch.setattr(keeper, "FLOOR", 0)
    model = lost(2, "after step 2 of epoch 1 again", how=LoseNext, model=classifier(run_eagerly=True))
    assert_same_run(model, run(Stop(2), model=classifier(run_eagerly=True)))


def test_a_loss_before_anything_ran_leaves_the_weights_fit_began_with():
    assert_same_run(lost(0, r"that fit began with again.*; go on with fit\(initial_epoch=0\)", how=LoseNext), classifier(dropout=0.2))


def test_a_loss_before_the_optimizers_state_was_copied_needs_another_compile():
    model = lost(1, r"that fit began with \(1 later step is lost\) again.*compile it and go on with fit\(initial_epoch=0\)")
    assert_same_weights(model, classifier(dropout=0.2))
    model.compile("adam", "sparse_categorical_crossentropy")
    run(Stop(3), model=model)


def test_steps_after_a_value_that_the_host_set_are_said_to_be_lost():
    rates = LearningRateScheduler(lambda epoch, rate: 0.01 / (1 + epoch))
    model = lost(8, r"of the end of epoch 1 \(3 later steps are lost\) again", rates)
    assert_same_weights(model, run(Stop(5), rates))


def test_batches_of_an_iterator_are_said_to_be_lost():
    def batches():
        x, y = blobs(SAMPLES)
        while True:
            for i in range(0, 64, BATCH):
                yield x[i:i + BATCH], y[i:i + BATCH]

    given = {"batch_size": None, "steps_per_epoch": 4}
    model = lost(3, r"after step 1 of epoch 1 \(2 later steps are lost\)", data=batches(), **given)
    assert_same_weights(model, run(Stop(1), data=batches(), **given))


def test_steps_that_lose_the_second_device_too_are_left_out(monkeypatch):
    real = recovery.rerun

    async def again(*args):
        await real(*args)
        raise DeviceLost("the GPU device was lost.")

    monkeypatch.setattr(recovery, "rerun", again)
    model = lost(3, r"after step 1 of epoch 1 \(2 later steps are lost\)")
    assert_same_weights(model, run(Stop(1)))


def test_running_steps_again_ends_when_it_takes_too_long(monkeypatch):
    monkeypatch.setattr(recovery, "PATIENCE", -1)
    model = lost(7, r"after step 2 of epoch 1 \(5 later steps are lost\)")
    assert_same_weights(model, run(Stop(2)))


def test_large_models_keep_their_weights_only(monkeypatch):
    monkeypatch.setattr(keeper, "WHOLE", 8)
    monkeypatch.setattr(keeper, "SHARE", 0)
    monkeypatch.setattr(keeper, "FLOOR", 0)
    model = lost(7, r"after step 2 of epoch 2 again.*compile it and go on", how=LoseNext)
    assert_same_weights(model, run(Stop(7)))


def test_without_a_gpu_nothing_is_copied(monkeypatch):
    pyml.config.set_backend("cpu")
    kept = []
    monkeypatch.setattr(loop.Keeper, "take", lambda self: kept.append(self) or no_wait())
    run(Stop(3))
    assert not kept[0].on and not kept[0].values
    pyml.config.set_backend("webgpu")


def test_copies_are_at_least_a_second_and_forty_times_their_cost_apart(monkeypatch):
    clock, taken = [0.0], []
    monkeypatch.setattr(keeper, "SHARE", 40)
    monkeypatch.setattr(keeper.time, "perf_counter", lambda: clock[0])

    class SlowReads(SyncIO):
        async def read_all(self, variables):
            clock[0] += 0.1                            # so 4 seconds lie between two copies
            taken.append(clock[0])
            return await super().read_all(variables)

    class Step(Callback):
        def on_train_batch_end(self, batch, logs=None):
            clock[0] += 0.5

    model, (x, y) = classifier(), blobs(96)
    feed = make_feed(model, "train", Arrays(x, y), 1)
    drive(loop.Loop(model, SlowReads(), CallbackList([Step()], model=model)).fit(feed, None, Options(what="fit")))
    assert taken[:2] == pytest.approx([0.1, 0.7])      # what the optimizer made in the first step is copied at once
    assert 9 <= len(taken) - 2 <= 12 and min(np.diff(taken[1:])) >= 4.1 - 1e-6


async def no_wait():
    pass


def test_a_device_that_is_lost_outside_of_fit_says_what_to_do_and_that_works(tmp_path):
    x, y = blobs(SAMPLES)
    model = run(Stop(3))
    model.save(tmp_path / "kept.keras")
    wanted = model.predict(x, verbose=0)
    pyml.config.device()._device.destroy()
    for use in (lambda: model.predict(x, verbose=0), lambda: pyml.ops.ones((3,)).numpy(), lambda: model.fit(x, y, verbose=0)):
        with pytest.raises(DeviceLost, match=r'set_backend\("webgpu"\)` opens another device; make the model again then, or load it\.$'):
            use()
    pyml.config.set_backend("webgpu")
    assert pyml.ops.ones((3,)).numpy().tolist() == [1, 1, 1]
    again = pyml.models.load_model(tmp_path / "kept.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), wanted)
    again.fit(x, y, batch_size=BATCH, verbose=0)
    assert np.abs(again.predict(x, verbose=0) - wanted).max() > 0


def test_after_a_loss_outside_of_fit_random_numbers_begin_anew_and_loaded_weights_train(tmp_path):
    """What nobody can load again is no state that stays lost: the global generator's and Dropout's."""
    model, layer, mine = classifier(dropout=0.2), pyml.layers.Dropout(0.5, seed=1), pyml.random.SeedGenerator(4)
    draws = lambda: [x.numpy() for x in (pyml.random.uniform((3,)), pyml.random.uniform((3,), seed=mine), layer(np.ones(9), training=True))]
    pyml.utils.set_random_seed(2)
    first = draws()
    model.save_weights(tmp_path / "kept.weights.h5")
    pyml.config.device()._device.destroy()
    with pytest.raises(DeviceLost):
        model.predict(blobs(4)[0], verbose=0)
    pyml.config.set_backend("webgpu")
    for one, other in zip(draws(), first, strict=True):
        np.testing.assert_array_equal(one, other)
    model.load_weights(tmp_path / "kept.weights.h5")
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = blobs(20)
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()
