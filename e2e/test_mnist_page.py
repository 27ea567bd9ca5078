"""The digits page as a user meets it: training, drawing, editing the model, stopping, and what fails."""

import re

import pytest

from .conftest import leave
from .demo_page import code_of, write_code
from .patience import patience
from .python_page import BLANK

PAGE = "/demos/mnist/index.html"
SMALL = """
from pyml import Input, Sequential, layers, utils

def build_model():
    utils.set_random_seed(1)
    model = Sequential([Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


def open_page(page, site, query):
    page.goto(f"{site}{PAGE}?{query}")
    page.wait_for_function("() => !document.querySelector('#train').disabled || pymlDemo.error")
    return page


def train(page, source=SMALL, epochs=1, wait=True):
    write_code(page, source)
    page.fill("#epochs", str(epochs))
    page.click("#train")
    if wait:
        return finished(page)


def finished(page):
    page.wait_for_function("() => pymlDemo.done")
    return page.evaluate("() => pymlDemo")


def draw_seven(page):
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    for i, (x, y) in enumerate([(0.25, 0.25), (0.7, 0.25), (0.45, 0.8)]):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
        if i == 0:
            page.mouse.down()
    page.mouse.up()


@pytest.fixture(scope="module")
def trained(profile, site):
    """The page after 20 steps of the convnet in a worker on WebGPU, as `?autorun=1` leaves it."""
    page = profile.new_page()
    page.set_default_timeout(patience())
    page.lines, page.problems = [], []
    page.on(
        "console",
        lambda message: (page.problems if message.type == "error" else page.lines).append(message.text),
    )
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.goto(f"{site}{PAGE}?autorun=1&epochs=1&digits=1280&backend=webgpu")
    page.result = finished(page)
    yield page
    leave(page, site)
    assert not page.problems


def test_a_short_training_in_a_worker_on_webgpu_reads_most_unseen_digits(trained):
    assert trained.result["error"] is None
    assert trained.result["backend"] == "webgpu"
    assert trained.result["testAccuracy"] > 0.5


def test_progress_lines_of_the_terminal_reach_the_console(trained):
    lines = [line for line in trained.lines if line.startswith("pyml:")]
    assert any("20/20 - " in line for line in lines)
    assert any(re.search(r"accuracy: 0\.\d+ - loss: ", line) for line in lines)
    assert any("Test accuracy: " in line for line in lines)


def test_the_page_answers_while_python_computes(trained):
    turns = trained.evaluate("""async () => {
      let turns = 0;
      const turn = () => { turns++; setTimeout(turn); };
      turn();
      await pymlPython.runPython("for _ in range(10**7): pass");
      return turns;
    }""")
    assert turns > 20  # Python here would leave it four, before and after


def test_both_charts_have_a_line(trained):
    for chart in ("loss", "accuracy"):
        path = trained.locator(f"#{chart} svg .mark-line path").first.get_attribute("d")
        assert path.count("L") >= 3


def test_the_grid_marks_mistakes_and_can_show_only_them(trained):
    every, wrong = trained.locator("#digits li"), trained.locator("#digits li.wrong")
    assert every.count() == 54 and 0 < wrong.count() < 54
    assert re.fullmatch(r"\d as \d", wrong.first.text_content())
    trained.check("#mistakes")
    assert every.count() == wrong.count() > 0
    trained.uncheck("#mistakes")


def test_the_confusion_matrix_counts_every_test_digit(trained):
    cells = trained.locator("table.confusion td").all_text_contents()
    assert len(cells) == 100 and sum(int(cell or 0) for cell in cells) == 1500


def test_a_digit_drawn_with_the_mouse_is_read(trained):
    draw_seven(trained)
    trained.wait_for_function("() => document.querySelector('#reading').value.startsWith('Reads as')")
    shares = [int(text.rstrip("%")) for text in trained.locator("#bars .share").all_text_contents()]
    assert len(shares) == 10 and 95 <= sum(shares) <= 105
    trained.click("#clear")
    trained.wait_for_function("() => document.querySelector('#reading').value === 'Write a digit.'")


def test_a_digit_can_be_drawn_with_the_keyboard_alone(trained):
    trained.focus("#reset")
    trained.evaluate("() => document.querySelector('#train').focus()")
    for _ in range(12):
        trained.keyboard.press("Tab")
        if trained.evaluate("() => document.activeElement.id") == "pad":
            break
    assert trained.evaluate("() => document.activeElement.id") == "pad"
    for key, times in (("ArrowUp", 8), (" ", 1), ("ArrowDown", 16), (" ", 1)):
        for _ in range(times):
            trained.keyboard.press(key)
    trained.wait_for_function("() => document.querySelector('#reading').value.startsWith('Reads as')")
    trained.keyboard.press("Delete")
    trained.wait_for_function("() => document.querySelector('#reading').value === 'Write a digit.'")


def test_a_mistake_in_the_model_is_shown_beside_the_button_and_marked_in_the_editor(trained):
    result = train(trained, "from pyml import layers\n\ndef build_model():\n    return layers.Densse(10)\n")
    assert result["error"].endswith("has no attribute 'Densse'. Did you mean 'Dense'?")
    assert "model.py, line 4" in trained.text_content("#problem") and "layers.Densse(10)" in trained.text_content("#problem pre")
    button, problem = trained.locator("#train").bounding_box(), trained.locator("#problem").bounding_box()
    assert 0 < problem["y"] - button["y"] < 150
    assert trained.text_content(".cm-lintRange-error").strip() == "return layers.Densse(10)"
    trained.get_by_role("button", name="Go to the line").click()
    assert trained.text_content(".cm-activeLine").strip() == "return layers.Densse(10)"
    trained.keyboard.type("    ")
    assert trained.locator(".cm-lintRange-error").count() == 0


@pytest.mark.parametrize("by", ["Control+Enter", "Train"])
def test_a_mistake_is_in_sight_wherever_it_was_run_from(trained, by):
    write_code(trained, SMALL.replace("Dense(", "Densse("))
    if by == "Train":
        trained.evaluate("scrollTo(0, 0)")
        trained.click("#train")
    else:
        trained.keyboard.press(by)
    finished(trained)
    box = trained.locator("#problem").bounding_box()
    assert box["y"] > 0 and box["y"] + box["height"] < 900


WHERE_NO_LINE_IS = """from pyml import Input, Sequential, layers

class Mine(Sequential):
    def count_params(self):
        raise KeyboardInterrupt

def build_model():
    return Mine([Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])
"""


@pytest.mark.parametrize(("code", "place", "text"), [
    ("def build_model():\n    pass", "#problem", "build_model() returned None; end it with `return model`."),
    (WHERE_NO_LINE_IS, "#running", "Stopped before the training began."),
])  # fmt: skip
def test_what_ends_in_no_line_of_the_model_is_said_too(trained, code, place, text):
    train(trained, code)
    assert text in trained.locator(place).evaluate("(box) => box.value ?? box.textContent")
    assert trained.is_enabled("#train")
    trained.click("#reset")


def test_names_of_pyml_complete_where_they_are_typed(trained):
    write_code(trained, "from pyml import layers\nlayers.MaxPool")
    trained.locator(".cm-content").press("Control+End")
    trained.keyboard.type("ing")
    options = trained.locator(".cm-tooltip-autocomplete li")
    options.get_by_text("MaxPooling2D", exact=True).wait_for()
    assert {"MaxPooling1D", "MaxPooling3D"} <= {text.split("(")[0] for text in options.all_text_contents()}
    trained.keyboard.press("Escape")


@pytest.fixture
def deaf(new_page):
    """A page in a window of its own in which Python never comes, for what a page does without it."""
    page = new_page(fresh=True, service_workers="block")
    page.route("**/pyodide/**", lambda route: None)  # answered never
    return page


def test_a_link_holds_the_model_and_says_that_it_is_somebody_elses(trained, deaf):
    write_code(trained, SMALL)
    trained.click("#share")
    trained.wait_for_function("() => location.hash.startsWith('#code=')")
    link = trained.url
    trained.click("#reset")
    assert "#" not in trained.url
    deaf.goto(link.replace("autorun=1", ""))
    deaf.wait_for_function("() => document.querySelector('#notices').textContent.includes('somebody else')")
    assert code_of(deaf) == SMALL


def test_an_edited_model_survives_a_reload_and_the_original_comes_back(deaf, site):
    deaf.goto(f"{site}{PAGE}?backend=cpu")
    deaf.locator(".cm-content").wait_for()
    write_code(deaf, SMALL)
    deaf.reload()
    deaf.wait_for_function("() => document.querySelector('#edited').textContent.startsWith('This is your version')")
    assert code_of(deaf) == SMALL
    deaf.click("#reset")
    assert "Conv2D" in code_of(deaf) and deaf.text_content("#edited") == "This is the original."
    deaf.reload()
    deaf.wait_for_function("() => document.querySelector('#edited').textContent === 'This is the original.'")
    assert "Conv2D" in code_of(deaf)


def test_of_two_tabs_the_first_keeps_what_is_edited_and_the_second_says_that_it_does_not(deaf, site):
    second = deaf.context.new_page()
    second.route("**/pyodide/**", lambda route: None)
    for tab in deaf, second:
        tab.goto(f"{site}{PAGE}?backend=cpu")
        tab.locator(".cm-content").wait_for()
    deaf.evaluate("async () => { const { tabKeeps } = await import('../../web/keep.js'); await tabKeeps('mnist/model.py'); }")
    second.evaluate("async () => { const { tabKeeps } = await import('../../web/keep.js'); await tabKeeps('mnist/model.py'); }")
    write_code(deaf, SMALL)
    write_code(second, "# of the second")
    assert "This page is open in another tab too" in second.text_content("#notices")
    assert second.text_content("#edited") == "This is your version. Start over brings the original back."
    assert deaf.text_content("#notices") == "" and "it stays in this browser" in deaf.text_content("#edited")
    deaf.close()
    second.reload()
    second.wait_for_function("() => document.querySelector('#edited').textContent.startsWith('This is your version')")
    assert code_of(second) == SMALL


NO_STORAGE = """() => {
  const get = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
  for (const name of ["indexedDB", "localStorage"]) Object.defineProperty(globalThis, name, { get });
}"""


@pytest.mark.parametrize("why", ["is full", "keeps nothing of this page"])
def test_a_browser_that_does_not_keep_what_was_done_says_so_once(deaf, site, why):
    deaf.goto(site + BLANK)
    if why == "is full":
        deaf.context.new_cdp_session(deaf).send("Storage.overrideQuotaForOrigin", {"origin": site, "quotaSize": 1000})
    else:
        deaf.evaluate(NO_STORAGE)
    said, sentences = deaf.evaluate("""async () => {
      const { ifKept, keptRecords, keptValue, onNotKept } = await import("/web/keep.js"), heard = [];
      onNotKept((sentence) => heard.push(sentence));
      const records = keptRecords("some"), value = keptValue("some"), empty = await records.all();
      const before = [heard.length, empty.length, ifKept("It stays.")];
      await records.put("1", new Uint8Array(100_000));
      await records.put("2", new Uint8Array(100_000));
      value.set([1]);
      return [[...before, ifKept("It stays.")], heard];
    }""")
    assert said == [0, 0, "It stays.", ""]
    assert len(sentences) == 1 and why in sentences[0] and "gone when you leave" in sentences[0]


def test_what_was_kept_and_is_damaged_is_as_nothing(deaf, site):
    deaf.goto(site + BLANK)
    assert deaf.evaluate("""async () => {
      const { keptValue } = await import("/web/keep.js"), value = keptValue("some"), found = [value.get()];
      value.set([1]);
      found.push(value.get());
      localStorage["pyml-demos/some"] = "[1";
      return [...found, value.get()];
    }""") == [None, [1], None]


def test_a_loss_that_is_no_number_is_a_value_and_the_warning_is_in_the_page(trained):
    source = SMALL.replace("layers.Flatten()", "layers.Flatten(), layers.Dense(16)").replace("import Input", "import optimizers, Input")
    result = train(trained, source.replace('"adam"', "optimizers.SGD(1e12)"), epochs=2)
    assert result["error"] is None and trained.text_content("#running").startswith("Trained for")
    assert "The loss stopped being finite at step" in trained.text_content("#notices")
    train(trained)  # starts over
    assert trained.text_content("#notices") == ""
    trained.click("#reset")


@pytest.mark.parametrize("code", ["while True: pass", "while True:\n    try:\n        while True: pass\n    except BaseException: pass"])
def test_stop_ends_an_endless_loop(trained, code):
    train(trained, code, wait=False)
    trained.wait_for_function("() => document.querySelector('#running').value.startsWith('Building')")
    trained.click("#stop")
    finished(trained)
    assert trained.text_content("#running").startswith("Stopped")
    assert code_of(trained) == code and trained.is_enabled("#train")


@pytest.mark.slow
def test_where_python_cannot_be_interrupted_stop_ends_it_and_starts_it_again(browser, site):
    """A host that sends no isolation headers, so that a page has no memory in common with its worker."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.route("**/index.html*", lambda route: route.fulfill(response=(answer := route.fetch()), headers={
        name: value for name, value in answer.headers.items() if not name.startswith("cross-origin")}))  # fmt: skip
    open_page(page, site, "backend=cpu&digits=640")
    assert not page.evaluate("crossOriginIsolated")
    train(page, "# mine\nwhile True: pass", wait=False)
    page.wait_for_function("() => document.querySelector('#running').value.startsWith('Building')")
    page.click("#stop")
    finished(page)
    assert "Python was ended and started again" in page.text_content("#running")
    assert code_of(page) == "# mine\nwhile True: pass"
    assert train(page)["error"] is None
    context.close()


def test_stop_leaves_a_model_that_reads(trained):
    train(trained, epochs=200, wait=False)
    # two whole epochs are done, or more: an epoch may be over before its number is read
    trained.wait_for_function("() => /^Epoch ([3-9]|[1-9][0-9])/.test(document.querySelector('#running').value)")
    trained.click("#stop")
    result = finished(trained)
    assert result["error"] is None and result["testAccuracy"] > 0.2
    assert trained.text_content("#running").startswith("Stopped after ")
    assert trained.is_enabled("#train") and trained.is_disabled("#stop")


def test_the_smallest_phone_needs_no_sideways_scrolling(trained):
    for width in (360, 320):
        trained.set_viewport_size({"width": width, "height": 700})
        assert trained.evaluate("() => document.documentElement.scrollWidth") <= width
    trained.set_viewport_size({"width": 1280, "height": 900})


def test_dark_and_light_follow_the_system(trained):
    colours = []
    for scheme in ("light", "dark"):
        trained.emulate_media(color_scheme=scheme)
        colours.append(trained.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    assert colours[0] != colours[1]
    trained.emulate_media(color_scheme="light")


def trains_and_ticks(page):
    """Trains on the main thread, which keeps the page running all the while; what the page then says of itself."""
    page.evaluate("""() => {                           // while it trains, it can be stopped
      window.ticks = 0;
      setInterval(() => { if (!document.querySelector("#stop").disabled) ticks += 1; }, 0);
    }""")
    result = train(page, epochs=3)
    assert result["error"] is None and result["testAccuracy"] > 0.5
    assert page.evaluate("() => ticks") >= 3           # fit pauses after each epoch, however fast they are
    return result


@pytest.mark.slow
def test_on_the_main_thread_the_page_keeps_running_while_it_trains_on_webgpu(page, site):
    trains_and_ticks(open_page(page, site, "thread=main&backend=webgpu&digits=2560"))


def says_that_there_is_no_webgpu(page):
    assert page.text_content("#status").startswith("Ready: computing on the processor")
    assert page.text_content("#notices").startswith("This browser offers no WebGPU")
    assert "everything on this page works" in page.text_content("#notices")
    assert re.search(r"^relaxed +yes", page.text_content("#details"), re.M)


def test_without_webgpu_the_page_says_so_and_trains_with_webassembly_and_on_the_main_thread_it_keeps_running(page, site):
    page.add_init_script("Object.defineProperty(navigator, 'gpu', { value: undefined })")
    says_that_there_is_no_webgpu(open_page(page, site, "thread=main&digits=2560"))
    assert trains_and_ticks(page)["backend"] == "wasm"


@pytest.mark.slow
def test_a_browser_without_an_adapter_trains_with_webassembly_in_a_worker(new_page, browser_without_webgpu, site):
    page = open_page(new_page(browser=browser_without_webgpu), site, "digits=2560")
    says_that_there_is_no_webgpu(page)
    result = train(page)
    assert result["backend"] == "wasm" and result["error"] is None and result["testAccuracy"] > 0.5


def test_a_software_adapter_is_left_alone_and_the_page_says_why(page, site):
    open_page(page, site, "digits=2560&relaxed=off")
    assert page.evaluate("() => pymlDemo.backend") == "wasm"
    told = page.text_content("#notices")
    assert told.startswith("This browser has no graphics card to compute on, only one that is imitated in software.")
    assert "set_backend" not in told and "only WebGPU adapter is software" in page.text_content("#details")
    assert re.search(r"^relaxed +no", page.text_content("#details"), re.M)


@pytest.mark.slow
def test_without_any_gpu_or_simd_numpy_does_it_when_asked(page, site):
    open_page(page, site, "backend=cpu&digits=640")
    result = train(page)
    assert result["backend"] == "cpu" and result["error"] is None
    assert page.text_content("#notices") == ""


@pytest.mark.slow
def test_without_jspi_the_page_says_so_and_trains(page, site):
    open_page(page, site, "jspi=off&backend=webgpu&digits=2560")
    assert "JSPI" in page.text_content("#notices")
    result = train(page)
    assert result["error"] is None and result["testAccuracy"] > 0.5


def test_every_control_has_a_name_and_headings_are_in_order(trained):
    unnamed = trained.evaluate("""() => {
      const named = (e) => e.textContent.trim() || e.labels?.length || e.getAttribute("aria-label");
      const controls = [...document.querySelectorAll("button, input, textarea, canvas, progress")];
      return controls.filter((e) => !named(e)).map((e) => e.id || e.outerHTML);
    }""")
    assert unnamed == []
    assert trained.locator("h1").count() == 1 and trained.evaluate("() => document.documentElement.lang") == "en"


def test_a_lost_device_is_explained_and_the_page_goes_on(trained):
    train(trained, epochs=200, wait=False)
    trained.wait_for_function("() => /^Epoch (9|[1-9][0-9])/.test(document.querySelector('#running').value)")
    trained.evaluate("() => pymlPython.runPython('import pyml; await pyml.config.device().lose()')")
    result = finished(trained)
    assert "lost" in result["error"] and result["testAccuracy"] > 0.5
    assert "graphics device was lost" in trained.text_content("#notices")
    trained.fill("#epochs", "1")
    trained.get_by_role("button", name="Train again").click()
    trained.wait_for_function("() => pymlDemo.done && !pymlDemo.error")


def test_the_gallery_leads_to_the_page(deaf, site):
    deaf.goto(f"{site}/index.html")
    deaf.get_by_role("link", name=re.compile("read handwriting")).click()
    deaf.wait_for_url("**/demos/mnist/index.html")
