"""Chapters as a reader meets them: running, changing the code, mistakes, stopping, sliders, and links that hold code."""

import numpy as np
import pytest

from pyml import paths
from pyml.callbacks.event_file import png
from pyml.cli import browser as browsers
from pyml.cli.chapters import chapters

from .accessible import barriers
from .conftest import leave, started
from .demo_page import finished, opened

READY = "() => !document.querySelector('#run').disabled || !document.querySelector('#stop').disabled || pymlDemo.error"
OWN = """from pyml import layers
print("one")
# %% [markdown]
# ## <b>Mine</b>
# %%
def f():
    return layers.Dense(0)
f()
"""


@pytest.fixture(scope="module")
def cars(profile, site):
    """The first chapter's page after it ran on wasm."""
    if not (paths.assets_dir() / "vendor" / "codemirror.js").is_file():
        pytest.skip("make setup makes the editor of chapters")
    page = opened(profile, f"{site}/demos/cars/index.html?autorun=1&backend=wasm", READY)
    page.result = finished(page)
    yield page
    leave(page, site)
    assert not page.problems


def write(page, code, run=True):
    page.locator(".cm-content").fill(code)
    if run:
        page.click("#run")


def test_a_chapter_reaches_its_figure_of_merit_and_draws_beside_its_text(cars):
    assert cars.result["error"] is None and cars.result["merit"]["kept"] is True
    assert cars.text_content("#result").startswith("Test error: ") and "is reached." in cars.text_content("#result")
    headings = cars.locator("#cells > h2").all_text_contents()
    assert headings[:2] == ["The data", "Normalization"]
    cars.wait_for_function("() => document.querySelectorAll('.figures svg').length === 8")
    assert cars.locator(".cell .printed").first.text_content().startswith("392 cars without gaps")
    boxes = [figure.bounding_box() for figure in cars.locator(".cell:nth-of-type(3) figure").all()]
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]  # side by side
    assert cars.locator(".cm-content").get_attribute("aria-label") == "cars.py"
    cars.locator(".cm-content").focus()
    card, editor = cars.locator(".chapter-code").bounding_box(), cars.locator(".code-editor").bounding_box()
    assert editor["y"] + editor["height"] < card["y"] + card["height"] and card["height"] < 900  # the code scrolls in its own frame


def test_a_chapter_that_has_run_keeps_nobody_out(cars):
    assert barriers(cars) == []


def test_python_is_coloured(cars):
    colours = cars.evaluate("""() => {
      const spans = [...document.querySelectorAll(".cm-line span")];
      const colour = (pattern) => getComputedStyle(spans.find((span) => pattern.test(span.textContent))).color;
      const rest = getComputedStyle(document.querySelector(".cm-content")).color;
      return [colour(/How far does a car go/), colour(/^import$/), colour(/^[0-9.]+$/), rest];
    }""")
    assert len(set(colours)) == 4  # texts, words of the language, numbers, and the rest


def test_a_slider_asks_python(cars):
    answer = cars.locator(".cell-controls output")
    assert answer.text_content().startswith("3,000 pounds: about ")
    cars.get_by_role("slider", name="Weight in pounds").fill("4000")
    cars.wait_for_function("() => document.querySelector('.cell-controls output').value.startsWith('4,000 pounds: about ')")


def test_names_of_pyml_are_completed_and_tab_indents(cars):
    write(cars, "from pyml import layers\n", run=False)
    cars.locator(".cm-content").press("Control+End")
    cars.keyboard.type("layers.Conv2DT")
    cars.locator(".cm-tooltip-autocomplete li", has_text="Conv2DTranspose").first.click()
    cars.keyboard.type("\nif 1:\n")
    cars.keyboard.type("x\n")
    cars.keyboard.press("Tab")
    cars.keyboard.type("y")
    assert cars.evaluate("() => [...document.querySelectorAll('.cm-line')].map((e) => e.textContent)") == [
        "from pyml import layers", "layers.Conv2DTranspose", "if 1:", "    x", "        y"]  # fmt: skip


def test_a_mistake_is_marked_in_its_line_and_text_is_no_html(cars):
    write(cars, OWN)
    result = finished(cars)
    assert "Dense" in result["error"]
    assert cars.locator("#problem p").first.text_content().startswith("Line 7: ")
    assert cars.locator(".cm-lintRange-error").text_content().strip() == "return layers.Dense(0)"
    assert cars.text_content("#cells > h2") == "<b>Mine</b>" and cars.text_content(".cell .printed") == "one\n"
    assert cars.text_content("#edited").startswith("This is your version")


def test_a_link_holds_the_code_and_an_edit_survives_a_reload(cars, site):
    cars.click("#share")
    cars.wait_for_function("() => location.hash.startsWith('#code=')")
    link = cars.url
    write(cars, "print('kept')", run=False)
    holds = "() => document.querySelector('.cm-content')?.innerText.includes('%s')"
    opened(cars.context, f"{site}/demos/cars/index.html?backend=wasm", holds % "kept").close()
    other = opened(cars.context, link, holds % "layers.Dense(0)")
    assert "somebody else's version" in other.text_content("#notices")
    other.locator(".cm-content").fill("print('mine')")
    other.wait_for_function("() => !location.hash")  # else a reload would bring the link's version
    other.close()
    for damaged in (link[:-9], f"{link}%20."):
        opened(cars.context, damaged, "() => document.querySelector('#notices').textContent.includes('damaged')").close()


DEAF = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"


@pytest.mark.parametrize("code", ["while True: pass", pytest.param(DEAF, marks=pytest.mark.slow)])
def test_stop_ends_an_endless_loop_and_the_code_stays(cars, code):
    write(cars, code)
    cars.click("#stop")
    finished(cars)
    assert cars.text_content("#running").startswith("Stopped") and cars.is_enabled("#run")
    write(cars, "print(1 + 1)")
    assert finished(cars)["error"] is None and cars.text_content(".cell .printed") == "2\n"


def test_stop_pressed_at_once_or_too_late_ends_that_run_and_no_other(cars):
    write(cars, "print('begun')\nwhile True: pass", run=False)
    assert cars.evaluate("() => { for (const name of ['run', 'stop']) document.getElementById(name).click(); }") is None
    finished(cars)
    assert cars.text_content("#running") == "Stopped." and cars.is_hidden("#problem")
    cars.evaluate("() => { pymlPython.interrupt(); }")  # Python has nothing to do
    write(cars, "print(2 + 2)")
    assert finished(cars)["error"] is None and cars.text_content(".cell .printed") == "4\n"
    assert cars.evaluate("() => pymlPython.call('moved', 0, () => 1).catch((error) => error.name)") == "DataCloneError"


PRESSED = """import chapter
pressed, over = [], []
def press(value):
    pressed.append(value)
    for _ in range(20):
        if chapter.pause():
            return
    over.append(value)
    return f"{len(pressed)} pressed, {len(over)} answered"
chapter.buttons("Count", {"one more": 1}, press)
"""


def test_a_button_pressed_again_and_again_while_it_is_answered_answers_the_last(cars):
    write(cars, PRESSED)
    assert finished(cars)["error"] is None
    cars.evaluate("() => { for (let i = 0; i < 60; i++) document.querySelector('.cell-controls button').click(); }")
    cars.wait_for_function("() => document.querySelector('.cell-controls output').value === '60 pressed, 1 answered'")


BY_TURNS = """import asyncio, chapter
from pyml import vis
from pyodide.ffi import run_sync
heard = []
def then(value):
    run_sync(asyncio.sleep(0.02))
    heard.append(value)
    print("heard", value)
    vis.bar_chart([value]).show("asked")
    return f"{len(heard)} heard"
chapter.slider("Slide", 0, 9, 1, then, step=1)
# %%
while len(heard) < 3:
    run_sync(asyncio.sleep(0.01))
    vis.bar_chart([len(heard)]).show("working")
print("over")
"""


def test_a_control_that_waits_for_the_device_while_a_cell_does_draws_and_prints_in_its_own_cell(cars):
    write(cars, BY_TURNS)
    cars.wait_for_function("() => document.querySelectorAll('.cell figure').length === 2")
    for value in "23":
        cars.locator(".cell-controls input").fill(value)
        cars.wait_for_function(f"() => document.querySelector('.cell-controls output').value === '{value} heard'")
    assert finished(cars)["error"] is None
    cells = [cell.locator("figcaption, pre").all_text_contents() for cell in cars.locator(".cell").all()]
    assert [sorted(cell) for cell in cells] == [["asked", "heard 1\nheard 2\nheard 3\n"], ["over\n", "working"]]


@pytest.mark.slow
def test_python_that_broke_down_is_started_again_and_the_code_stays(cars):
    write(cars, "import ctypes\nctypes.string_at(0xfffffff0, 10**8)")
    assert finished(cars)["error"] is None
    assert cars.text_content("#running").startswith("Python broke down and was started again.")
    write(cars, "print(3 + 3)")
    assert finished(cars)["error"] is None and cars.text_content(".cell .printed") == "6\n"
    assert cars.problems
    cars.problems.clear()


HALF = """import pathlib, sys
for name, code in {"__init__": "from half import slow\\nfrom half.whole import B", "slow": "import half.whole, time\\nprint('importing')\\n"
                   "end = time.time() + 1\\nwhile time.time() < end: pass", "whole": "B = 7"}.items():
    pathlib.Path("half").mkdir(exist_ok=True)
    pathlib.Path(f"half/{name}.py").write_text(code)
import half
print("not stopped")
"""


def test_stop_in_the_midst_of_an_import_leaves_no_half_of_a_package(cars):
    write(cars, HALF)
    cars.wait_for_function("() => document.querySelector('.cell .printed')?.textContent === 'importing\\n'")
    cars.click("#stop")
    finished(cars)
    assert cars.text_content("#running") == "Stopped." and cars.text_content(".cell .printed") == "importing\n"
    write(cars, "import half\nprint(half.B)")
    assert finished(cars)["error"] is None and cars.text_content(".cell .printed") == "7\n"


def test_a_loop_that_prints_on_and_on_is_stopped_and_its_last_lines_are_there(cars):
    write(cars, "number = 0\nwhile True:\n    print(number)\n    number += 1")
    cars.wait_for_function("() => document.querySelector('.cell .printed')?.textContent.startsWith('… what was printed before')")
    cars.click("#stop")
    finished(cars)
    lines = cars.text_content(".cell .printed").strip().split("\n")[1:]
    assert len(lines) == 1000 and lines == [str(int(lines[0]) + i) for i in range(1000)]
    assert cars.text_content("#running") == "Stopped."


def test_what_goes_to_stderr_is_shown_and_an_empty_file_is_not_run(cars):
    write(cars, "import sys\nprint('to stderr', file=sys.stderr)\nprint('no end', end='')\nsys.exit('the last word')")
    assert finished(cars)["error"] is None
    assert sorted(cars.text_content(".cell .printed").splitlines()) == ["no end", "the last word", "to stderr"]
    write(cars, "for i in range(3):\n    print('step', i, end='\\r')\nprint()\nprint('\\x1b[31mred\\x1b[0m')\nprint('half', end='\\r')")
    assert finished(cars)["error"] is None and cars.text_content(".cell .printed") == "step 2\nred\nhalf\n"  # as in a terminal
    write(cars, "   \n")
    assert finished(cars)["error"] is None
    assert cars.text_content("#running").startswith("There is no code to run.") and cars.is_enabled("#run")


def test_start_over_brings_the_chapter_back_and_the_smallest_phone_needs_no_sideways_scrolling(cars):
    cars.click("#reset")
    assert cars.text_content("#edited") == "This is the original."
    for width in (390, 320):
        cars.set_viewport_size({"width": width, "height": 700})
        assert cars.evaluate("() => document.documentElement.scrollWidth") <= width
    cars.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.slow
def test_the_cart_can_be_pushed_while_the_network_learns(profile, site):
    page = opened(profile, f"{site}/demos/cartpole/index.html?backend=wasm", READY)
    code = (paths.checkout() / "demos" / "chapters" / "cartpole.py").read_text(encoding="utf-8")
    assert "range(36)" in code
    write(page, code.replace("range(36)", "range(3_600)"))  # it learns until it is stopped, however slow the machine is to push
    page.wait_for_function("() => document.querySelectorAll('.cell figure').length >= 3")  # its own cart, and the network's curve
    page.get_by_role("button", name="right").click()
    page.wait_for_function("() => document.querySelector('.cell-controls output').value === '5 steps'")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('.cell-controls output').value === '10 steps'")
    assert not page.evaluate("() => pymlDemo.done") and page.is_enabled("#stop")
    page.click("#stop")
    finished(page)
    assert page.text_content("#running").startswith("Stopped") and not page.problems
    leave(page, site)


@pytest.fixture
def seeing(driver):
    """A Chromium with the fake camera that it brings, a moving disc."""
    yield from started(driver, (*browsers.FLAGS, "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"))


@pytest.mark.slow
def test_a_chapter_looks_at_a_file_and_through_the_camera(seeing, site, tmp_path):
    page = opened(seeing, f"{site}/demos/filters/index.html?autorun=1&backend=wasm", READY)
    assert finished(page)["merit"]["kept"] is True
    drawn = "() => [...document.querySelectorAll('.cell:last-of-type image')].map((one) => one.outerHTML).join()"
    page.wait_for_function(f"() => ({drawn})().length > 10_000")
    cat = page.evaluate(drawn)
    (tmp_path / "grey.png").write_bytes(png(np.full((64, 96, 3), 128, "uint8")))
    page.set_input_files(".cell-controls input[type=file]", tmp_path / "grey.png")
    page.wait_for_function(f"(before) => ({drawn})() !== before", arg=cat)
    grey = page.evaluate(drawn)
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_function(f"(before) => ({drawn})() !== before", arg=grey)
    assert page.locator(".cell-controls video").is_visible()
    page.get_by_role("button", name="Stop looking").click()
    assert page.locator(".cell-controls video").is_hidden() and not page.problems
    page.context.close()


CHAPTERS = chapters(paths.checkout() / "demos")
# The place of the answer of a cell's controls, which is changed to see that another one comes.
ASK = """(control) => {
  window.answer = control.closest(".cell-controls").querySelector("output");
  window.answer.value = "asked";
}"""


def answers(page):
    """Moves every slider, list and field of a chapter that has run, and presses a button of each row; what each was answered."""
    said = {}
    first_button = ".cell-controls [role=group]:not(:has(video)) button:first-of-type"
    for control in page.locator(f".cell-controls label :is(input, select), {first_button}").all():
        kind = control.evaluate("(one) => one.type")
        control.evaluate(ASK)
        if kind == "range":
            low, high, now = (control.evaluate(f"(one) => one.{name}") for name in ("min", "max", "value"))
            control.fill(high if now != high else low)
        elif kind == "text":
            control.fill("1 may 99 call me")
        elif kind == "select-one":
            control.select_option(index=1)
        elif kind != "file":
            control.click()
        page.wait_for_function("() => window.answer.value !== 'asked'")
        name = control.evaluate("(one) => (one.closest('label') ?? one).textContent")
        said[name] = page.evaluate("() => answer.value")
    return said


@pytest.mark.slow
@pytest.mark.parametrize("name", [one.name for one in CHAPTERS if one.name != "cars"])
def test_every_other_chapter_reaches_its_figure_of_merit_in_the_page(profile, site, name):
    page = opened(profile, f"{site}/demos/{name}/index.html?autorun=1&backend=wasm", READY)
    result = finished(page)
    assert result["error"] is None and result["merit"]["kept"] is True and not page.problems
    page.wait_for_function("() => document.querySelectorAll('.figures svg').length >= 3")
    source = (paths.checkout() / "demos" / "chapters" / f"{name}.py").read_text(encoding="utf-8")
    said = answers(page)
    assert len(said) >= sum(source.count(f"chapter.{kind}(") for kind in ("slider", "choice", "text", "buttons"))
    assert not [text for text in said.values() if "Error" in text] and not page.problems
    assert barriers(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    leave(page, site)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["houses", "irises", "penguins", "phishing", "cartpole", "spam", "filters", "cars", "spirals", "weather",
                                  "handwriting", "snake"])  # fmt: skip
def test_a_chapter_reaches_its_figure_of_merit_on_webgpu(profile, site, name):
    """Of the long ones a single one: the software adapter needs one to six minutes for each."""
    page = opened(profile, f"{site}/demos/{name}/index.html?autorun=1&backend=webgpu", READY)
    result = finished(page)
    assert result["error"] is None and result["merit"]["kept"] is True and not page.problems
    assert page.text_content("#status").startswith("Ready: computing on the GPU")
    leave(page, site)


@pytest.mark.slow
def test_a_class_goes_from_the_gallery_through_the_chapters(new_page, site):
    """By links alone, on a machine without a GPU; each page is ready to run and says what for."""
    page = new_page(fresh=True)
    page.goto(f"{site}/index.html")
    page.get_by_role("link", name=CHAPTERS[0].title).click()
    for number, one in enumerate(CHAPTERS):
        page.get_by_role("heading", name=one.title).wait_for()
        page.wait_for_function("() => document.querySelector('#running').value === 'Not run yet.'")
        assert page.text_content("#status").endswith("with WebAssembly") and "imitated in software" in page.text_content("#notices")
        assert page.text_content("h1") == one.title and page.is_enabled("#run") and page.evaluate("() => pymlDemo.error") is None
        assert page.locator(".cm-content").inner_text().startswith(f'"""{one.title}')
        assert page.text_content("#running") == "Not run yet." and page.locator("#cells h2").count() > 2
        if number + 1 < len(CHAPTERS):
            page.get_by_role("link", name=f"next: {CHAPTERS[number + 1].title}").click()
    assert page.locator("nav a", has_text="next: ").count() == 0
    page.get_by_role("link", name="pyml demos").click()
    page.get_by_role("heading", name="Chapters: read, run, change").wait_for()


@pytest.mark.slow
def test_without_the_editor_the_code_is_a_plain_field(new_page, site):
    page = new_page(fresh=True, service_workers="block")
    page.console.allow("codemirror.js")
    page.route("**/vendor/codemirror.js*", lambda route: route.fulfill(status=404))
    page.goto(f"{site}/demos/cars/index.html?backend=wasm")
    page.wait_for_function(READY)
    page.fill("#source", "print(6 * 7)")
    page.click("#run")
    assert finished(page)["error"] is None and page.text_content(".cell .printed") == "42\n"
