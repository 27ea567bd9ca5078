"""Callbacks in a tab that write files or ask servers: TensorBoard into the tab's own folders, RemoteMonitor by the page."""

import base64
import io
import json
import zipfile

import pytest

CODE = """
import asyncio, base64, shutil
import numpy as np, pyml
model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
model.compile("sgd", "mse")
board = pyml.callbacks.TensorBoard("logs", histogram_freq=1, update_freq=1)
monitor = pyml.callbacks.RemoteMonitor("SITE", send_as_json=True)
x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
history = FIT(x, y, epochs=2, validation_data=(x, y), verbose=0, callbacks=[board, monitor])
while monitor._sending: await asyncio.sleep(0.01)
with open(shutil.make_archive("logs", "zip", "logs"), "rb") as file: packed = base64.b64encode(file.read()).decode()
shutil.rmtree("logs")
[history.history["val_loss"], packed]
"""


@pytest.mark.parametrize("fit", ["model.fit", "await model.fit_async"])
def test_tensorboard_writes_into_the_tab_and_the_monitor_posts(pythons, site, fit):
    python, sent = pythons("backend=cpu&thread=main"), []

    def answer(route):
        sent.append(json.loads(route.request.post_data))
        route.fulfill(status=200)

    python.page.route("**/publish/epoch/end/", answer)
    losses, packed = python.run(CODE.replace("SITE", site).replace("FIT", fit))
    python.page.unroute("**/publish/epoch/end/")
    assert sorted(one["epoch"] for one in sent) == [0, 1]
    assert [one["val_loss"] for one in sorted(sent, key=lambda one: one["epoch"])] == pytest.approx(losses)
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if "tfevents" in name}
    assert sorted(name.split("/")[0] for name in files) == ["train", "validation"]
    for name, data in files.items():
        assert b"brain.Event:2" in data and b"epoch_loss" in data and (b"batch_loss" in data) == name.startswith("train")
