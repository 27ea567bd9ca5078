"""`PyDataset`: what it hears of epochs, in the order of Keras 3.15; datasets without an end; workers."""

import asyncio
import itertools
import threading

import numpy as np
import pytest
from every import every

import pyml
from pyml import layers


class Told(pyml.utils.PyDataset):
    """Writes down what is asked of it: the numbers of batches, `<` and `>` around each epoch."""

    def __init__(self, count=3, **kwargs):
        super().__init__(**kwargs)
        self.count, self.told = count, []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.told.append(str(index))
        return np.full((2, 3), index, "float32"), np.ones((2, 1), "float32")

    def on_epoch_begin(self):
        self.told.append("<")

    def on_epoch_end(self):
        self.told.append(">")


class Endless(Told):
    @property
    def num_batches(self):
        return None


def model():
    made = pyml.Sequential([pyml.Input((3,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def quietly(method, data, **options):
    getattr(model(), method)(data, verbose=0, **({"shuffle": False} | options if method == "fit" else options))


@every("method, data, options, told", [  # as Keras 3.15 on PyTorch tells them
    pytest.param("fit", Told, {"epochs": 2}, "<0> <012> <012>", id="two epochs"),
    pytest.param("fit", Told, {"epochs": 2, "steps_per_epoch": 2}, "<0> <01> <2>", id="epochs that take what others left"),
    pytest.param("evaluate", Told, {}, "<0> <012>", id="evaluate"),
    pytest.param("evaluate", Told, {"steps": 2}, "<0> <01>", id="a part of evaluate"),
    pytest.param("predict", Told, {}, "<012>", id="predict"),
    pytest.param("fit", Endless, {"epochs": 2, "steps_per_epoch": 2}, "<0> <01> <23>", id="without an end"),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:Your input ran out")
def test_a_dataset_hears_of_epochs_as_in_keras(method, data, options, told):
    source = data()
    quietly(method, source, **options)
    assert "".join(source.told) == told.replace(" ", "")


ARRAYS = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")


@every("calls, told", [  # of one model, each with a dataset of its own, as Keras 3.15 on PyTorch tells them
    pytest.param("fit fit", "<0><012> ><012>", id="fit twice"),
    pytest.param("evaluate evaluate", "<0><012> ><012>", id="evaluate twice"),
    pytest.param("predict predict", "<012> <012>", id="predict twice"),
    pytest.param("fit evaluate evaluate", "<0><012> ><012> ><012>", id="evaluate after fit"),
    pytest.param("evaluate fit evaluate", "<0><012> ><012> ><012>", id="fit after evaluate"),
    pytest.param("fit predict evaluate", "<0><012> <012> ><012>", id="predict between"),
    pytest.param("predict predict evaluate fit", "<012> <012> <0><012> ><012>", id="predict first"),
    pytest.param("arrays evaluate fit", "- ><012> ><012>", id="after arrays"),
    pytest.param("fit compile evaluate fit", "<0><012> - <0><012> ><012>", id="compiled again"),
])  # fmt: skip
@pytest.mark.parametrize("asynchronous", [False, True])
def test_later_calls_tell_a_dataset_what_those_of_keras_do(calls, told, asynchronous):
    made, heard = model(), []
    for call in calls.split():
        source = Told()
        if call == "compile":
            made.compile("sgd", "mse")
        elif call == "arrays":
            made.fit(*ARRAYS, verbose=0)
        else:
            options = {"verbose": 0} | ({"shuffle": False} if call == "fit" else {})
            if asynchronous:
                asyncio.run(getattr(made, f"{call}_async")(source, **options))
            else:
                getattr(made, call)(source, **options)
        heard.append("".join(source.told) or "-")
    assert " ".join(heard) == told


def test_fit_after_evaluate_goes_through_a_dataset_in_a_random_order():
    source, made = Told(9), model()
    made.evaluate(source, verbose=0)
    source.told.clear()
    pyml.utils.set_random_seed(1)
    made.fit(source, verbose=0)
    given = [int(one) for one in source.told if one.isdigit()]
    assert sorted(given) == list(range(9)) and given != sorted(given)


def test_validation_data_is_reset_before_each_pass():
    source = Told(2)
    quietly("fit", Told(), epochs=2, validation_data=source)
    assert "".join(source.told) == "><01>><01>"


def test_batches_may_be_counted_by_num_batches_alone():
    class Counted(pyml.utils.PyDataset):
        num_batches = 2

        def __getitem__(self, index):
            return np.ones((2, 3), "float32")

    assert model().predict(Counted(), verbose=0).shape == (4, 1)
    assert len(list(Counted())) == 2


def test_a_loop_over_a_dataset_gets_its_batches():
    assert [int(x[0, 0]) for x, _ in Told()] == [0, 1, 2]
    assert [int(x[0, 0]) for x, _ in itertools.islice(Endless(), 5)] == [0, 1, 2, 3, 4]


def test_workers_make_batches_in_other_threads_and_in_order():
    threads = set()

    class Worked(Told):
        def __getitem__(self, index):
            threads.add(threading.current_thread().name.split("_")[0])
            return super().__getitem__(index)

    data, trained = Worked(9, workers=3, max_queue_size=2), model()
    trained.set_weights([np.ones((3, 1)), np.zeros(1)])
    np.testing.assert_allclose(trained.predict(data, verbose=0)[::2, 0], 3.0 * np.arange(9))
    assert threads == {"PyDataset"}


def test_an_error_of_a_worker_is_the_users_own():
    class Failing(Told):
        def __getitem__(self, index):
            if index == 1:
                raise KeyError("mine")
            return super().__getitem__(index)

    with pytest.raises(KeyError, match="mine"):
        quietly("predict", Failing(workers=2))


def test_a_dataset_that_forgets_super_or_its_length_is_told_so():
    class Forgetful(Told):
        def __init__(self):
            self.count, self.told = 2, []

    with pytest.warns(UserWarning, match=r"Forgetful should call super\(\).__init__"):
        quietly("fit", Forgetful())

    class Uncounted(pyml.utils.PyDataset):
        def __getitem__(self, index):
            return np.ones((2, 3), "float32")

    with pytest.raises(NotImplementedError, match="Uncounted must define __len__"):
        quietly("predict", Uncounted())


def test_a_dataset_that_says_no_length_goes_on_as_long_as_it_is_asked():
    class Endless(pyml.utils.PyDataset):
        def __getitem__(self, index):
            return index

    assert list(itertools.islice(Endless(), 3)) == [0, 1, 2]
