"""Files of an exported page that do not come, or not whole: the page says which and why, and "Try again" works."""

import re

import numpy as np
import pytest

import pyml

from .breaking import WAYS, breaking

L = pyml.layers
SETTLED = "() => ['ready', 'failed'].includes(document.querySelector('#status')?.dataset.phase)"
EARLY = r"it is damaged, or ended early \(.+\)( \(in .+\))?|it did not come, or ended early|no answer came \(.+\)"
SAID = {
    "404": "the server answered 404", "500": "the server answered 500", "reset": EARLY, "a page": "the server answered with a page",
    "ends early": rf"{EARLY}|it is shorter than it should be", "silent": "nothing came for 30 seconds",
    "stalls": r"nothing came for 30 seconds( \(in .+\))?",
}  # fmt: skip
SCRIPT = r"it is damaged, or this browser is too old for it \(.+\)"  # a script that ends early
FILES = ("page.js", "model.js", "plan.json", "weights.bin", "model*.wasm")
QUICK = {("model.js", "reset"), ("weights.bin", "reset"), ("weights.bin", "stalls"), ("model*.wasm", "ends early"), ("page.js", "silent")}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("breaks")
    model = pyml.Sequential([pyml.Input((12,)), L.Dense(64, activation="relu"), L.Dense(3)])
    pyml.export(model, folder / "app", devices=("webgpu", "wasm"), app="page")
    with breaking(folder) as server:
        yield server


@pytest.mark.parametrize("name, way", [
    pytest.param(name, way, marks=() if (name, way) in QUICK else pytest.mark.slow) for name in FILES for way in WAYS])  # fmt: skip
def test_a_file_that_fails_is_named_with_the_reason_and_can_be_tried_again(server, hasty_window, name, way):
    server.breaks(name, way)
    page = hasty_window.new_page()
    page.goto(f"{server.url}/app/index.html", wait_until="commit")
    page.wait_for_function(SETTLED)
    shown = page.inner_text("#status")
    early = way == "ends early" and name.endswith(".js")
    says = rf"{name} did not run: {SCRIPT}" if early else rf"Could not (down)?load {name.replace('*', '.*')}: ({SAID[way]})"
    assert re.match(rf"{says}\. ", shown), shown
    assert server.failed
    server.mend()
    page.get_by_role("button", name="Try again").click()
    page.wait_for_function("() => document.querySelector('#status')?.textContent.startsWith('Ready')")
    page.close()


def test_weights_of_another_length_are_no_weights(server, hasty_window, tmp_path):
    """What is longer is refused as what is shorter is: it belongs to another model."""
    def longer(route):
        route.fulfill(body=route.fetch().body() + np.ones(4, "float32").tobytes(), content_type="application/octet-stream")

    page = hasty_window.new_page()
    page.route("**/weights.bin*", longer)
    page.goto(f"{server.url}/app/index.html")
    page.wait_for_function(SETTLED)
    assert page.inner_text("#status").startswith("Could not load weights.bin: it is longer than it should be. ")
    page.close()
