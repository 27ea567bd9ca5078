"""Nothing on any page keeps people out: axe-core finds nothing serious or critical, in the light and in the dark."""

from pyml import paths
from pyml.cli.chapters import chapters
from pyml.cli.gallery import demos

from .accessible import barriers
from .python_page import PythonPage


def test_nothing_serious_on_any_page(page, site):
    """Pages as they are while Python comes, which it never does here, so that this is cheap; pages' own tests look at what it fills."""
    found, folder = {}, paths.checkout() / "demos"
    page.route("**/pyodide/**", lambda route: None)  # answered never
    names = [*demos(folder), chapters(folder)[0].name]  # chapters have one form
    for address in ["index.html", *(f"demos/{name}/index.html" for name in names)]:
        page.goto(f"{site}/{address}?backend=wasm")
        if address != "index.html":
            page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('Downloading Python')")
            page.wait_for_function("() => !document.querySelector('#source') || document.querySelector('.cm-content')")
        page.evaluate("() => { for (const each of document.querySelectorAll('details')) each.open = true; }")
        if problems := barriers(page):
            found[address] = problems
    assert found == {}


def test_nothing_serious_in_the_visor_over_a_training(page, site):
    python = PythonPage(page, site, "backend=cpu&thread=main")
    drawn = python.run("""
import numpy as np, pyml
from pyml import layers, vis
model = pyml.Sequential([pyml.Input((4,)), layers.Dense(2, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
live = vis.fit_callbacks(every=1)
await model.fit_async(np.eye(4), np.array([0, 1, 0, 1]), batch_size=2, epochs=3, verbose=0, callbacks=[live], validation_split=0.5)
vis.confusion_matrix([[3, 1], [0, 4]], class_names=["cat", "dog"], title="Mistakes").show(tab="Data")
vis.table([["Ada", 1815]], headers=["name", "born"]).show(tab="Data")
[len(live.batches), len(live.epochs)]""")
    assert drawn == [3, 3]
    page.get_by_role("heading", name="Training: epochs").wait_for()
    page.locator("[role=tabpanel]:not([hidden]) svg").nth(1).wait_for()
    found = barriers(page, ".pyml-visor")
    page.get_by_role("tab", name="Data").click()
    page.locator("[role=tabpanel]:not([hidden]) svg").nth(1).wait_for()
    assert found + barriers(page, ".pyml-visor") == []
