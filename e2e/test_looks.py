"""How pages look: what no eye has to check again once it has seen it."""

import re

import pytest

from pyml import paths, vis
from pyml.cli.chapters import chapters
from pyml.cli.gallery import demos

# What sticks out of the window, and what is too small for a thumb; a box is pressed by its label, a link in a sentence by its words.
LOOK = """() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width) found.push(`it is ${document.documentElement.scrollWidth} wide`);
  for (const each of document.querySelectorAll("button, select, input, textarea, summary, header nav a")) {
    const { height: own, right } = each.getBoundingClientRect();
    if (!each.checkVisibility({ visibilityProperty: true }) || !own) continue;
    const height = Math.max(own, each.closest("label")?.getBoundingClientRect().height ?? 0);
    const name = `${each.localName} ${each.id || each.textContent.trim()}`;
    if (height < 31.5) found.push(`${name} is ${height} high`);
    if (right > width) found.push(`${name} ends at ${right}`);
  }
  return found;
}"""


def test_no_page_is_wider_than_a_phone_or_has_what_a_thumb_would_miss(page, site):
    """Pages as they are while Python comes, which it never does here; what it fills is looked at by the pages' own tests."""
    found, folder = {}, paths.checkout() / "demos"
    page.set_viewport_size({"width": 390, "height": 800})
    page.route("**/pyodide/**", lambda route: None)  # answered never
    for name in ["", *demos(folder), *(one.name for one in chapters(folder))]:
        page.goto(f"{site}/demos/{name}/index.html?backend=wasm" if name else f"{site}/index.html")
        if name:
            page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('Downloading Python')")
            page.wait_for_function("() => !document.querySelector('#cells') || document.querySelector('#cells').children.length > 0")
        if problems := page.evaluate(LOOK):
            found[name or "gallery"] = problems
    assert found == {}


def test_a_saved_figure_follows_its_readers_theme_unless_it_was_given_one(page, tmp_path):
    if not (paths.assets_dir() / "vendor" / "vega.min.js").is_file():
        pytest.skip("make assets brings Vega")
    chart = vis.line_chart({"training": [3, 2, 1]}, x_label="epoch")
    chart.save(tmp_path / "read.html")
    chart.save(tmp_path / "dark.html", theme="dark")
    paper, line = "getComputedStyle(document.body).backgroundColor", "document.querySelector('.mark-line path').getAttribute('stroke')"
    seen = {}
    for name in ("read", "dark"):
        page.emulate_media(color_scheme="light")
        page.goto((tmp_path / f"{name}.html").as_uri())
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            wanted = "#0072B2" if (name, theme) == ("read", "light") else "#4da3e0"
            page.locator(f".mark-line path[stroke='{wanted}']").wait_for(state="attached")
            seen[name, theme] = re.findall(r"\d+", page.evaluate(paper)), page.evaluate(line)
    light, dark = (["255", "255", "255"], "#0072B2"), (["29", "34", "38"], "#4da3e0")
    assert seen == {("read", "light"): light, ("read", "dark"): dark, ("dark", "light"): dark, ("dark", "dark"): dark}
