"""The visor over a page: figures of pyml.vis drawn from Python, by mouse and by keyboard."""

from e2e.python_page import PythonPage

FIGURES = """
from pyml import vis
vis.line_chart([3, float("nan"), 1], title="Loss").show(tab="Training")
vis.bar_chart({"cats": 2, "dogs": 1}, title="Animals").show("Pets", tab="Data")
vis.image_grid([[[0.0, 1.0], [1.0, 0.0]]], labels=["one"]).show("Pictures", tab="Data")
vis.visor().tabs
"""


def test_figures_are_drawn_in_tabs_that_keys_change_and_the_visor_remembers(page, site):
    python = PythonPage(page, site, "backend=cpu&thread=main")
    page.set_viewport_size({"width": 390, "height": 800})
    assert python.run(FIGURES) == ["Training", "Data"]
    visor, tabs = page.get_by_role("complementary", name="Visor"), page.get_by_role("tab")
    visor.locator("[role=tabpanel]:not([hidden]) svg").first.wait_for()
    assert tabs.all_text_contents() == ["Training", "Data"] and tabs.first.get_attribute("aria-selected") == "true"
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    visor.locator("[role=tabpanel]:not([hidden]) section:nth-of-type(2) svg image").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Data"
    assert page.get_by_role("tabpanel", name="Data").is_visible() and page.get_by_role("heading", name="Pets").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    edge = page.get_by_role("separator", name="Size of the visor")
    before = int(edge.get_attribute("aria-valuenow"))
    edge.focus()
    page.keyboard.press("ArrowUp")
    assert int(edge.get_attribute("aria-valuenow")) == before + 24
    page.keyboard.press("Escape")
    assert not visor.is_visible()
    page.keyboard.press("`")
    assert visor.is_visible()
    kept = page.evaluate("JSON.parse(localStorage.getItem('pyml-visor'))")
    assert kept == {"open": True, "tab": "Data", "height": before + 24}
    python.run("vis.bar_chart({'cats': 2, 'dogs': 9}, title='Animals').show('Pets', tab='Data')\n1")
    page.get_by_role("button", name="Hide the visor").click()
    assert not visor.is_visible()
