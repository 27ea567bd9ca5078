"""Callbacks in a tab that write files or ask servers: TensorBoard into the tab's own folders, RemoteMonitor by the page."""

import json
import zipfile

import pytest

CODE = """
import asyncio
import numpy as np, pyml
model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
model.compile("sgd", "mse")
board = pyml.callbacks.TensorBoard("logs", histogram_freq=1, update_freq=1)
monitor = pyml.callbacks.RemoteMonitor("SITE", send_as_json=True)
x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
history = FIT(x, y, epochs=2, validation_data=(x, y), verbose=0, callbacks=[board, monitor])
while monitor._sending: await asyncio.sleep(0.01)
await board.download_async()
import shutil; shutil.rmtree("logs")
history.history["val_loss"]
"""


@pytest.mark.parametrize("fit", ["model.fit", "await model.fit_async"])
def test_tensorboard_writes_into_the_tab_and_the_monitor_posts(pythons, site, fit):
    python, sent = pythons("backend=cpu&thread=main"), []

    def answer(route):
        sent.append(json.loads(route.request.post_data))
        route.fulfill(status=200)

    python.page.route("**/publish/epoch/end/", answer)
    with python.page.expect_download() as download:
        losses = python.run(CODE.replace("SITE", site).replace("FIT", fit))
    python.page.unroute("**/publish/epoch/end/")
    assert sorted(one["epoch"] for one in sent) == [0, 1]
    assert [one["val_loss"] for one in sorted(sent, key=lambda one: one["epoch"])] == pytest.approx(losses)
    assert download.value.suggested_filename == "logs.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if "tfevents" in name}
    assert sorted(name.split("/")[1] for name in files) == ["train", "validation"]
    for name, data in files.items():
        assert b"brain.Event:2" in data and b"epoch_loss" in data and (b"batch_loss" in data) == name.startswith("logs/train")
