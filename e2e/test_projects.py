"""Projects: what a page has learned, its examples and its code, in one file that another browser opens."""

import io
import json
import zipfile

import numpy as np
import pytest

from .conftest import KEPT
from .demo_page import code_of, finished, write_code
from .python_page import BLANK
from .test_audio_demos import WORDS, sentence, write_wav
from .test_demos import add_examples, photo, shares_after, teach
from .test_demos import networks as networks  # a fixture
from .test_mnist_page import SMALL, draw_seven


def saved(page, tmp_path):
    """Presses Save project; the file."""
    with page.expect_download() as download:
        page.click("#save-project")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def opened(page, file):
    """Chooses a project's file; what the page says of it."""
    page.evaluate("() => { document.querySelector('#project-note').textContent = ''; }")
    page.set_input_files("#open-project", file)
    page.wait_for_function("() => document.querySelector('#project-note').textContent && !document.querySelector('#open-project').disabled")
    return page.text_content("#project-note")


def forget_all(page, site):
    """Makes of the page's browser another one, in which nothing of the site is kept."""
    page.goto("about:blank")
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", {"origin": site, "storageTypes": KEPT})


def in_memory(data, name="other.zip"):
    return {"name": name, "mimeType": "application/zip", "buffer": data}


def without(path, *names, **facts):
    """A project's bytes without some of its files, and with other facts."""
    changed = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(changed, "w") as other:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "project.json":
                content = json.dumps({**json.loads(content), **facts})
            if name not in names:
                other.writestr(name, content)
    return changed.getvalue()


def read_seven(page):
    page.click("#clear")
    page.wait_for_function("() => document.querySelector('#reading').value === 'Write a digit.'")
    draw_seven(page)
    page.wait_for_selector("#reading[aria-busy=false]")
    assert page.locator("#reading").text_content().startswith("Reads as")
    return page.text_content("#reading"), page.locator("#bars .share").all_text_contents()


def test_a_digits_project_reads_the_same_in_another_browser_and_damaged_files_change_nothing(new_page, site, tmp_path):
    address = f"{site}/demos/mnist/index.html?digits=2560&backend=wasm"
    page = new_page()
    page.goto(address)
    page.wait_for_function("() => !document.querySelector('#train').disabled")
    write_code(page, SMALL)
    page.fill("#epochs", "1")
    page.click("#train")
    assert finished(page)["error"] is None
    before, result = read_seven(page), page.text_content("#result")
    path = saved(page, tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["model.keras", "model.py", "project.json"]
        assert archive.read("model.py").decode() == SMALL
    whole = path.read_bytes()
    middle = len(whole) // 2
    for data, says in [
        (whole[: len(whole) // 2], "It is damaged or not whole; choose another copy of it."),
        (whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :], "It is damaged or not whole"),
        (without(path, page="speech"), "It is a project of the page “speech”; open it there."),
        (without(path, "model.py"), "model.py is missing"),
        (without(path, "project.json"), "It is not a whole project"),
        (b"hello", "It is damaged"),
    ]:
        said = opened(page, in_memory(data))
        assert said.startswith("other.zip was not opened. ") and says in said and said.endswith("Everything here is as it was.")
    assert code_of(page) == SMALL and page.text_content("#result") == result and read_seven(page) == before

    page.reload()  # it is here on the next visit too
    page.wait_for_function("() => !document.querySelector('#train').disabled")
    assert page.text_content("#result") == result and read_seven(page) == before

    forget_all(page, site)  # another browser: nothing of all that is kept
    page.goto(address)
    page.wait_for_function("() => !document.querySelector('#train').disabled")
    assert page.is_disabled("#export") and "Conv2D" in code_of(page)
    assert "the code and the trained network are here" in opened(page, path)
    assert code_of(page) == SMALL and page.input_value("#epochs") == "1"
    assert page.text_content("#result") == result and read_seven(page) == before
    page.get_by_role("button", name="Bring back what was here before").click()
    page.wait_for_function("() => document.querySelector('#project-note').textContent.startsWith('What was here before: the code is here')")
    assert "Conv2D" in code_of(page)


@pytest.mark.slow
@pytest.mark.usefixtures("networks")
def test_a_teachable_project_names_the_same_in_another_browser(new_page, site, tmp_path):
    page = new_page()
    page.goto(f"{site}/demos/teachable/index.html")
    page.wait_for_function("() => pymlDemo.ready")
    for place, name in enumerate(("cat", "other")):
        page.locator(".class input.text").nth(place).fill(name)
    add_examples(page, 0, photo("chelsea.png"))
    add_examples(page, 1, photo("rocket.jpg"), photo("coffee.png"))
    page.locator(".learning summary").click()
    page.fill("#epochs", "12")
    assert teach(page)["error"] is None
    page.locator(".learning svg").first.wait_for()
    before = shares_after(page, lambda: page.set_input_files("#file", photo("chelsea.png")))
    path = saved(page, tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert sum(name.endswith(".png") for name in archive.namelist()) == 3
    assert "The model in it" in opened(page, in_memory(without(path, learned=[[0, "cat"]])))
    assert page.locator(".class .count").all_text_contents() == ["1 example", "2 examples"]

    page.reload()
    page.wait_for_function("() => pymlDemo.ready")
    assert shares_after(page, lambda: page.set_input_files("#file", photo("chelsea.png"))) == pytest.approx(before, abs=1e-3)
    page.click("#train")  # from the examples of before
    assert finished(page)["error"] is None

    forget_all(page, site)
    page.goto(f"{site}/demos/teachable/index.html")
    page.wait_for_function("() => pymlDemo.ready")
    assert "3 examples of 2 classes, and what was learned from them" in opened(page, path)
    assert page.locator(".class .count").all_text_contents() == ["1 example", "2 examples"]
    assert page.input_value("#epochs") == "12"
    assert shares_after(page, lambda: page.set_input_files("#file", photo("chelsea.png"))) == pytest.approx(before, abs=1e-3)
    assert teach(page)["error"] is None


RECOGNISED = """pymlPython.runPython(`import json
words = state["words"]
json.dumps([await words.recognise(clips[0]) for clips in words.clips.values()])`)"""


@pytest.mark.slow
def test_a_project_of_words_hears_the_same_in_another_browser(new_page, site, tmp_path):
    page, pick = new_page(), np.random.default_rng(4)
    page.goto(f"{site}/demos/speech/index.html?features=spectra&epochs=8")
    page.wait_for_function("() => pymlDemo.ready")
    for i, word in enumerate(WORDS):
        files = [write_wav(tmp_path / f"{word}{k}.wav", sentence([word], pick, 0.4)) for k in range(4)]
        page.locator("#words input[type=file]").nth(i).set_input_files(files)
        page.wait_for_function(f"() => pymlDemo.counts.{word} === 4")
    page.click("#train")
    assert finished(page)["error"] is None
    before = json.loads(page.evaluate(RECOGNISED))
    path = saved(page, tmp_path)
    assert "whole" in opened(page, in_memory(path.read_bytes()[:-200]))

    page.reload()
    page.wait_for_function("() => pymlDemo.ready")
    np.testing.assert_allclose(json.loads(page.evaluate(RECOGNISED)), before, atol=1e-3)

    forget_all(page, site)
    page.goto(f"{site}/demos/speech/index.html?features=spectra")
    page.wait_for_function("() => pymlDemo.ready")
    assert f"{4 * len(WORDS)} examples of {len(WORDS)} words, and what was learned from them" in opened(page, path)
    np.testing.assert_allclose(json.loads(page.evaluate(RECOGNISED)), before, atol=0.02)  # its sounds have 16 bits
    for kind, name in (("keras", "words.keras"), ("tfjs", "words-tfjs.zip")):
        page.select_option("#export-kind", kind)
        with page.expect_download() as download:
            page.click("#export")
        assert download.value.suggested_filename == name
    page.click("#train")
    assert finished(page)["error"] is None


PREDICTED = """pymlPython.runPython(`import json
controller = state["controller"]
json.dumps([await controller.predict(some[0]) for some in controller.pictures.values()])`)"""


@pytest.mark.slow
def test_a_controller_project_steers_the_same_in_another_browser(new_page, site, tmp_path):
    page = new_page()
    page.goto(f"{site}/demos/controller/index.html?autorun=1&backend=wasm&epochs=6")
    assert finished(page)["error"] is None
    before, counts = json.loads(page.evaluate(PREDICTED)), page.evaluate("() => pymlDemo.counts")
    path = saved(page, tmp_path)
    assert "whole" in opened(page, in_memory(path.read_bytes()[1000:-2000]))
    page.goto(f"{site}/demos/controller/index.html?backend=wasm")
    page.wait_for_function("() => pymlDemo.ready")
    np.testing.assert_allclose(json.loads(page.evaluate(PREDICTED)), before, atol=1e-3)

    forget_all(page, site)
    page.goto(f"{site}/demos/controller/index.html?backend=wasm")
    page.wait_for_function("() => pymlDemo.ready")
    assert page.is_disabled("#play")
    assert f"{sum(counts.values())} pictures, and what was learned from them" in opened(page, path)
    assert page.is_enabled("#play") and page.evaluate("() => pymlDemo.counts") == counts
    np.testing.assert_allclose(json.loads(page.evaluate(PREDICTED)), before, atol=1e-3)
    page.click("#train")
    assert finished(page)["error"] is None


def test_a_countdown_ends_when_what_it_would_fill_is_removed_and_does_not_begin_without_a_camera(page, site):
    page.goto(f"{site}{BLANK}")
    ended = page.evaluate("""async () => {
      const { timedRecording } = await import("/web/timed.js");
      const said = [], button = document.body.appendChild(document.createElement("button"));
      button.textContent = "Timed";
      const running = timedRecording({ say: (text) => said.push(text, button.textContent), count: () => 1 });
      const start = (ready) => running.toggle(button, { name: "left", ready, begin: () => { said.push("begun"); }, end: () => {} });
      const refused = await start(async () => { said.push("there is no camera"); return false; });
      const over = start(() => true);
      setTimeout(() => { said.push(button.textContent); button.remove(); });
      return [refused, await over, running.going(), button.textContent, ...said];
    }""")
    assert ended[:4] == [False, False, False, "Timed"]
    assert ended[4:] == ["there is no camera", "left: it begins in 3…", "Timed", "In 3…", "left: stopped.", "Timed"]


@pytest.mark.slow
def test_a_countdown_and_then_pictures_by_themselves(new_page, site):
    page = new_page()
    page.goto(f"{site}/demos/controller/index.html?backend=wasm")
    page.wait_for_function("() => pymlDemo.ready")
    page.click("#drawn")
    page.locator("#timed-field input").fill("3")
    page.click("#timed")
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('Up: it begins in ')")
    page.wait_for_function("() => document.querySelector('#source-note').textContent.startsWith('All four are recorded')")
    assert page.evaluate("() => pymlDemo.counts") == {"up": 3, "down": 3, "left": 3, "right": 3}
    page.click("#timed")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.querySelector('#source-note').textContent === 'Up: stopped.'")
    assert page.evaluate("() => pymlDemo.counts.up") == 3
