"""A process forked from one that has used pyml goes on; what stayed on a GPU is said at once."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

CHILD = """
import os, signal, sys
import numpy as np
import pyml

model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2, kernel_initializer="ones")])
model.compile("sgd", "mse")
x = np.ones((2, 3), "float32")
model.predict(x, verbose=0)
sys.stdout.flush()
if os.fork() == 0:
    signal.alarm(3600)  # what hangs ends some day, which no busy machine reaches
    WORK
    sys.exit(0)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""
WORKS = """
for work in (lambda: model.predict(x, verbose=0), lambda: (pyml.ops.ones((4,)) * 3).numpy(), lambda: model.fit(x, x[:, :2], verbose=0),
             lambda: pyml.convert_to_tensor(x)):
        try:
            work()
            print("went on")
        except pyml.errors.DeviceError as error:
            print(error)
"""


def forked(work, backend, **environment):
    env = {**os.environ, "PYML_BACKEND": backend, **environment}
    child = CHILD.replace("WORK", work.strip())
    done = subprocess.run([sys.executable, "-c", child], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_cpu_goes_on_in_a_forked_process():
    assert forked(WORKS, "cpu") == 4 * ["went on"]


@pytest.mark.parametrize("threads", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_wasm_goes_on_in_a_forked_process(wasm, threads):
    assert forked(WORKS, "wasm", PYML_WASM_THREADS=threads) == 4 * ["went on"]


FORKS = """
import os, signal, sys, threading, warnings
import numpy as np
import pyml
from pyml.device import forks

L = pyml.layers
model = pyml.Sequential([pyml.Input((3,)), L.Dense(4, activation="tanh"), L.Dropout(0.2, seed=3), L.Dense(1)])
model.compile(pyml.optimizers.SGD(0.1, momentum=0.9), "mse", metrics=["mae"])
x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
y = x.sum(1, keepdims=True)
errors = (pyml.errors.DeviceError, pyml.errors.BackendUnavailable)

def step():
    loss = model.train_on_batch(x, y, return_dict=True)["loss"]
    return [loss, *(w.numpy() for w in (*model.weights, *model.optimizer.variables))]

def same(a, b):
    return all(np.allclose(one, other, rtol=1e-4, atol=1e-5) for one, other in zip(a, b, strict=True))

def forked(*works):
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(3600)  # what hangs ends some day, which no busy machine reaches
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for work in works:
                try:
                    print(work())
                except errors as error:
                    print(error)
        for warning in told:
            print(warning.category.__name__, warning.message)
        sys.exit(0)
    print("status", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

model.fit(x, y, epochs=2, verbose=0)
WORK
"""
GOES_ON = "RuntimeWarning this process was forked from one that computes on webgpu, whose driver stayed there: pyml goes on here on cpu...."


def said_by(work):
    """Lines of a process that has fitted on WebGPU and then does this work."""
    script = FORKS.replace("WORK", work)
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYML_BACKEND": "webgpu"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_process_forked_after_webgpu_was_used_goes_on_on_cpu_with_all_values_that_were_read(gpu, tmp_path):
    lines = iter(said_by("""
want, weights, tensor = model.predict(x, verbose=0), model.get_weights(), pyml.ops.arange(3) * 2.0
tensor.numpy()
late = tensor + 1
read, write = os.pipe()
def trained():
    for array in step():
        os.write(write, np.asarray(array, "float32").tobytes())
def saved():
    model.save("FOLDER/model.keras")
    return same(pyml.saving.load_model("FOLDER/model.keras").get_weights(), weights)
def forked_again():
    forked(lambda: same([model.predict(x, verbose=0)], [want]))

forked(lambda: same([model.predict(x, verbose=0)], [want]), lambda: pyml.config.get_backend(), lambda: (tensor.tolist(), late.tolist()),
       saved, trained)
mine = step()
print(same([np.frombuffer(os.read(read, 4 * np.size(array)), "float32") for array in mine], [np.ravel(array) for array in mine]))
print(pyml.config.get_backend(), same(model.get_weights(), weights))
want = model.predict(x, verbose=0)
forked(forked_again, lambda: pyml.config.set_backend("webgpu"))
forked(lambda: np.ones(3).sum())
forked(lambda: pyml.config.set_backend("cpu"), lambda: same([model.predict(x, verbose=0)], [want]))
large, small = pyml.ops.ones((4096,)) * 2, pyml.ops.ones((2,)) * 3
large.numpy(), small.numpy()
forks.BESIDE = 8192
forked(lambda: large.numpy(), lambda: small.tolist(), lambda: model.predict(x, verbose=0).shape)
forks.MOST = 100
forked(lambda: model.predict(x, verbose=0), lambda: (pyml.ops.ones((4,)) * 3).tolist(), lambda: model.layers[1](x, training=True).shape)
forks.MOST = 1 << 20
with forks.LOCK:
    forked(lambda: model.get_weights())
""".replace("FOLDER", str(tmp_path))))

    def said(*expected):
        for text in expected:
            start, more, end = text.partition("...")
            line = next(lines)
            assert line == text or (more and line.startswith(start) and line.endswith(end)), (line, text)

    stayed = "the WebGPU device cannot be used here: this process was forked from one...was not read before the fork: "
    said("True", "cpu", "([0.0, 2.0, 4.0], [1.0, 3.0, 5.0])", "True", "None", GOES_ON, "status 0")  # the child: predicts, saves, trains
    said("True", "webgpu False")  # the parent's step gives what the child's gave
    said("True", GOES_ON, "status 0", "None", "WebGPU cannot be opened here: this process was forked from one...", "status 0")
    said("3.0", "status 0", "None", "True", "status 0")  # no warning of what computes nothing, nor where a device was chosen
    said(f"{stayed}of tensors 8,192 bytes are read for a fork, the smallest first.", "[3.0, 3.0]", "(8, 1)", GOES_ON, "status 0")
    said(f"{stayed.partition('...')[0]}... and at most 100 are read for a fork.", "[3.0, 3.0, 3.0, 3.0]", "(8, 3)", GOES_ON, "status 0")
    said(f"{stayed}a step was being traced or run.", "status 0")
    assert not list(lines)


@pytest.mark.slow
def test_forks_of_one_thread_while_another_one_trains_have_values_between_two_steps(gpu):
    said = said_by("""
other = pyml.Variable(np.zeros(1000, "float32"))
step = pyml.program(lambda: other.assign_add(pyml.ops.ones(1000)))
done = threading.Event()
def train():
    while not done.is_set():
        step()
thread = threading.Thread(target=train)
thread.start()
for _ in range(5):
    forked(lambda: len(set(other.numpy())))
done.set()
thread.join()
""")
    assert [line for line in said if not line.startswith(GOES_ON[:-3])] == 5 * ["1", "status 0"]


@pytest.mark.slow
def test_an_error_after_the_fork_ends_the_process_with_a_status_and_no_signal(gpu):
    with pytest.raises(AssertionError, match="BackendUnavailable"):
        forked("pyml.config.set_backend('webgpu')", "webgpu")
