"""How pages look: what no eye has to check again once it has seen it."""

import re

import pytest

from pyml import paths, vis
from pyml.cli.chapters import chapters
from pyml.cli.gallery import demos

# What sticks out of the window, and what is too small for a thumb; a box is pressed by its label, a link in a sentence by its words.
LOOK = """() => {
  const width = document.documentElement.clientWidth, found = [];
  const ARROWS = 16, pen = document.createElement("canvas").getContext("2d");
  for (const details of document.querySelectorAll(".learning")) details.open = true;
  if (document.documentElement.scrollWidth > width) found.push(`it is ${document.documentElement.scrollWidth} wide`);
  for (const each of document.querySelectorAll("button, select, input, textarea, summary, header nav a")) {
    const { height: own, right } = each.getBoundingClientRect();
    if (!each.checkVisibility({ visibilityProperty: true }) || !own) continue;
    const height = Math.max(own, each.closest("label")?.getBoundingClientRect().height ?? 0);
    const name = `${each.localName} ${each.id || each.textContent.trim()}`;
    if (height < 31.5) found.push(`${name} is ${height} high`);
    if (right > width) found.push(`${name} ends at ${right}`);
    if (each.type === "number") {
      pen.font = getComputedStyle(each).font;
      const room = each.clientWidth - 2 * parseFloat(getComputedStyle(each).paddingLeft) - ARROWS;
      if (pen.measureText(each.value).width > room) found.push(`${name} has no room for ${each.value}`);
    }
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


def test_what_was_found_in_one_picture_does_not_lie_over_the_next(page, site):
    page.route("**/pyodide/**", lambda route: None)  # the page's own Python never comes; answers are given here
    page.goto(f"{site}/demos/pose/index.html?backend=wasm")
    seen = page.evaluate("""async () => {
      const { posing } = await import("./posing.js");
      const $ = (id) => document.getElementById(id), seen = {};
      const points = [{ name: "nose", score: 0.9 }];
      const found = { lines: [], dots: [[0.5, 0.5, "#fff"]], points, gestures: ["left hand up"], score: 0.9 };
      const answers = [found, new Promise(() => {})]; // the second looks for ever
      const stage = posing({ able: () => true, find: () => answers.shift() });
      const look = (when) => {
        const { width, height } = $("overlay");
        const drawn = width > 0 && $("overlay").getContext("2d").getImageData(0, 0, width, height).data.some((value) => value);
        seen[when] = [drawn, $("gestures").value, $("points").children.length, /Looking/.test($("pace").value)];
      };
      const picture = () => createImageBitmap(new ImageData(60, 40));
      await stage.usePhoto(picture, "one");
      look("found");
      stage.usePhoto(picture, "two");
      while ($("source-note").textContent !== "two") await new Promise((next) => { setTimeout(next, 10); });
      look("looking");
      return seen;
    }""")
    assert seen == {"found": [True, "left hand up", 1, False], "looking": [False, "", 0, True]}


def test_there_is_nothing_to_forget_before_a_picture(page, site):
    page.route("**/pyodide/**", lambda route: None)
    page.goto(f"{site}/demos/controller/index.html?backend=wasm")
    assert page.is_disabled("#forget")
