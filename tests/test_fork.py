"""A process forked from one that has used pyml: it goes on, or says at once that its device cannot."""

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


def test_a_webgpu_device_says_that_it_stayed_in_the_process_before_the_fork_which_may_choose_another(gpu):
    *said, other = forked(WORKS + "\n    pyml.config.set_backend('cpu'); print((pyml.ops.ones((4,)) * 3).numpy().sum())", "webgpu")
    assert len(said) == 4
    assert all("forked from one that had opened WebGPU" in line and "set_backend('cpu')" in line for line in said)
    assert other == "12.0"


@pytest.mark.slow
def test_an_error_after_the_fork_ends_the_process_with_a_status_and_no_signal(gpu):
    with pytest.raises(AssertionError, match="DeviceError"):
        forked("model.predict(x, verbose=0)", "webgpu")
