"""What the demo pages export: a folder that `python -m http.server` serves, whose page does the same with no Python."""

import zipfile
from contextlib import contextmanager
from itertools import cycle, pairwise

import numpy as np
import pytest

from .demo_page import finished, plain_server, write_code
from .patience import until
from .test_audio_demos import WORDS, hears_words, sentence, write_wav
from .test_audio_demos import hearing as hearing  # a fixture
from .test_camera_demos import photo as astronaut
from .test_demos import add_examples, photo, shares_after, teach
from .test_demos import networks as networks  # a fixture
from .test_exported import COMPILED
from .test_mnist_page import SMALL, draw_seven


def exported(page, tmp_path, offline=False):
    """Presses Export; the folder of the .zip file that the browser downloads."""
    page.set_checked("#offline", offline)
    with page.expect_download() as download:
        page.click("#export")
    name = download.value.suggested_filename
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name.removesuffix(".zip")]
    page.wait_for_function("() => document.querySelector('#export-note').textContent.includes('is among your downloads')")
    return tmp_path / name.removesuffix(".zip")


@contextmanager
def twin(new_page, folder, **options):
    """The exported page, opened from a server of its own; `asked` has what it asked for: URL -> bytes of the answer."""
    with plain_server(folder) as url:
        page = new_page(fresh=True, **options)
        page.asked = {}
        page.on("requestfinished", lambda request: page.asked.update({request.url: request.sizes()["responseBodySize"]}))
        page.on("requestfailed", lambda request: page.asked.update({request.url: None}))
        page.goto(f"{url}/index.html")
        assert finished(page)["error"] is None, page.inner_text("body")
        yield page
        stray = [asked for asked, size in page.asked.items() if not asked.startswith((url, "data:", "blob:")) or size is None]
        assert stray == [] and not any("pyodide" in asked or asked.endswith((".whl", ".py")) for asked in page.asked)
        page.goto("about:blank")  # before its server ends


def shares(page):
    return [int(text.rstrip("% ")) for text in page.locator("#bars .share").all_text_contents()]


def read(page):
    """What a page makes of a seven."""
    draw_seven(page)
    page.wait_for_selector("#reading[aria-busy=false]")
    assert page.locator("#reading").text_content().startswith("Reads as")
    return page.text_content("#reading"), shares(page)


def opens_offline(new_page, folder, reading):
    """The exported page reads on when its server is gone, and its manifest is one."""
    with plain_server(folder) as url:
        page = new_page(fresh=True)
        page.goto(f"{url}/index.html")
        assert finished(page)["error"] is None
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        until(page, "async () => (await navigator.serviceWorker.ready).active.state === 'activated'")
        manifest = page.evaluate("async () => (await fetch(document.querySelector('link[rel=manifest]').href)).json()")
        assert manifest["display"] == "standalone"
        missing = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert {error["errorId"] for error in missing} <= {"in-incognito"}
    page.context.set_offline(True)
    page.reload()
    assert finished(page)["error"] is None
    assert read(page)[0].split("(")[0] == reading.split("(")[0]


@pytest.mark.parametrize("query, offline", [
    ("", True), pytest.param("&backend=webgpu&jspi=off&thread=main", False, marks=pytest.mark.slow)])  # fmt: skip
def test_digits_are_read_without_python_as_they_were_with_it(new_page, site, tmp_path, query, offline):
    page = new_page()
    page.goto(f"{site}/demos/mnist/index.html?digits=2560{query}")
    page.wait_for_function("() => !document.querySelector('#train').disabled")
    assert page.is_disabled("#export")
    write_code(page, SMALL)
    page.fill("#epochs", "2")
    page.click("#train")
    assert finished(page)["error"] is None
    before = read(page)
    folder = exported(page, tmp_path, offline)
    with twin(new_page, folder) as page:
        text, after = read(page)
        assert text.split("(")[0] == before[0].split("(")[0]
        assert max(abs(a - b) for a, b in zip(after, before[1], strict=True)) <= 1
        assert 8 <= len(page.asked) <= 20 and sum(page.asked.values()) < 250_000
        assert page.locator("[data-python], template, #train").count() == 0
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    if offline:
        opens_offline(new_page, folder, before[0])
    page = new_page(fresh=True)  # a double click on the file
    for refused in ("CORS", "ERR_FAILED"):
        page.console.allow(refused)
    page.goto((folder / "index.html").as_uri())
    page.wait_for_function("() => document.querySelector('#status').textContent.includes('python -m http.server')")


COUNTED = "import json\nfrom pyml import kept\njson.dumps([kept.counts['plans made'], kept.counts['kernels compiled']])"


@pytest.mark.slow
def test_a_new_user_trains_exports_and_predicts_elsewhere_and_nobody_waits_for_a_compiler(new_page, site, tmp_path):
    """The page's own network on all digits, in a window that knows nothing; the exported page twice, from another origin."""
    page = new_page(fresh=True)
    page.goto(f"{site}/demos/mnist/index.html?backend=wasm&epochs=1")
    page.wait_for_function("() => !document.querySelector('#train').disabled")
    page.click("#train")
    assert finished(page)["error"] is None
    before = read(page)
    assert page.evaluate("async (code) => JSON.parse(await pymlPython.runPython(code))", COUNTED) == [0, 0]
    folder = exported(page, tmp_path)
    with plain_server(folder) as url:
        assert url != site
        page = new_page(fresh=True)
        page.add_init_script(COMPILED)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        for _ in range(2):
            page.goto(f"{url}/index.html")
            assert finished(page)["error"] is None
            text, after = read(page)
            assert text.split("(")[0] == before[0].split("(")[0]
            assert max(abs(a - b) for a, b in zip(after, before[1], strict=True)) <= 1
            # the module of the network streams, so that the browser keeps its machine code; nothing else is compiled
            assert page.evaluate("compiled") == ["compileStreaming"]
        assert not [address for address in asked if not address.startswith((url, "data:", "blob:"))]
        assert not [address for address in asked if "pyodide" in address or address.endswith((".py", ".whl"))]
        page.goto("about:blank")


@pytest.mark.slow
@pytest.mark.usefixtures("networks")
def test_what_was_taught_names_pictures_without_python(new_page, site, tmp_path):
    page = new_page()
    page.goto(f"{site}/demos/teachable/index.html")
    page.wait_for_function("() => pymlDemo.ready")
    for place, name in enumerate(("cat", "cup & <rocket>")):
        page.locator(".class input.text").nth(place).fill(name)
    add_examples(page, 0, photo("chelsea.png"))
    add_examples(page, 1, photo("rocket.jpg"), photo("coffee.png"))
    assert teach(page)["error"] is None
    before = shares_after(page, lambda: page.set_input_files("#file", photo("chelsea.png")))
    with twin(new_page, exported(page, tmp_path)) as page:
        after = shares_after(page, lambda: page.set_input_files("#file", photo("chelsea.png")))
        assert list(after) == list(before) and after["cat"] == pytest.approx(before["cat"], abs=0.02)
        assert page.locator("#bars .name").all_text_contents() == list(before)
        assert sum(page.asked.values()) < 10_000_000 and "MobileNet" in page.text_content("#base-note")
        near = shares_after(page, lambda: page.select_option("#by", "neighbours"))
        assert near["cat"] == pytest.approx(1 / 3, abs=0.01)  # all three examples vote
        learns_more(page)


def learns_more(page):
    """A photo of somebody is added to the class that it is not like, and learned; a reload remembers, until it is to forget."""
    page.select_option("#by", "head")
    person = lambda: shares_after(page, lambda: page.set_input_files("#file", photo("astronaut.png")))
    before = person()
    least = min(before, key=before.get)
    page.select_option("#which", least)
    page.click("#add")
    page.wait_for_function("() => pymlDemo.examples === 4")
    page.click("#learn")
    page.wait_for_function("() => document.querySelector('#result').textContent.startsWith('Learned')")
    after = person()
    assert after[least] > 0.5 and page.evaluate("() => pymlDemo.accuracy") == 1
    page.reload()
    assert finished(page)["error"] is None
    assert person()[least] == pytest.approx(after[least], abs=1e-3)
    assert page.text_content("#result").startswith("1 of 4 examples")
    page.click("#over")
    page.wait_for_function("() => document.querySelector('#result').textContent.startsWith('It knows 3 examples')")


@pytest.mark.slow
def test_tones_are_seen_without_python(new_page, site, tmp_path):
    def melody(page):
        page.click("#melody")
        page.wait_for_function("() => pymlDemo.columns > 60 && pymlDemo.level > -60")
        return page.evaluate("() => pymlDemo")

    page = new_page()
    page.goto(f"{site}/demos/spectrogram/index.html?backend=wasm")
    page.wait_for_function("() => !document.querySelector('#melody').disabled")
    folder = exported(page, tmp_path)
    with twin(new_page, folder) as page:
        assert sum(page.asked.values()) < 300_000
        assert "window" not in page.text_content("#source-note")  # the choice of one is Python's
        found = melody(page)
        assert any(abs(found["frequency"] - tone) < 3 for tone in (262, 294, 330, 392, 440, 523, 659, 784, 1047))
        assert page.text_content("#window-note") == "Windows of 1024 samples." and page.locator("#window").count() == 0
        page.wait_for_function("() => document.querySelector('#source-note').textContent === 'The end.'")


@pytest.mark.slow
@pytest.mark.usefixtures("networks")
def test_photos_are_named_without_python(new_page, site, tmp_path):
    page = new_page()
    page.goto(f"{site}/demos/classify/index.html?autorun=1")
    before = finished(page)["names"]
    with twin(new_page, exported(page, tmp_path)) as page:
        page.set_input_files("#file", photo("chelsea.png"))
        page.wait_for_function("() => pymlDemo.names")
        after = page.evaluate("() => pymlDemo.names")
        assert after[0][0] == before[0][0] and after[0][1] == pytest.approx(before[0][1], abs=0.1)
        assert len({name for name, _ in after} & {name for name, _ in before}) >= 3
        assert page.locator("#seen button").count() == 1 and "MobileNet" in page.text_content("#network-note")


@pytest.mark.slow
@hears_words
def test_words_are_heard_without_python(new_page, hearing, site, tmp_path):
    page, pick = new_page(browser=hearing), np.random.default_rng(4)
    page.goto(f"{site}/demos/speech/index.html?features=spectra")
    page.wait_for_function("() => pymlDemo.ready")
    for i, word in enumerate(WORDS):
        files = [write_wav(tmp_path / f"{word}{k}.wav", sentence([word], pick, 0.4)) for k in range(5)]
        page.locator("#words input[type=file]").nth(i).set_input_files(files)
        page.wait_for_function(f"() => pymlDemo.counts.{word} === 5")
    page.click("#train")
    assert finished(page)["error"] is None
    (tmp_path / "page").mkdir()
    with twin(new_page, exported(page, tmp_path / "page"), browser=hearing) as page:
        page.click("#microphone")
        page.wait_for_function("() => pymlDemo.heard.length >= 7")
        heard = page.evaluate("() => pymlDemo.heard")
        after = dict(zip(WORDS, (*WORDS[1:], WORDS[0]), strict=True))
        assert sum(after.get(a) == b for a, b in pairwise(heard)) >= len(heard) - 3
        assert page.locator("#bars .name").all_text_contents() == list(WORDS)
        page.click("#microphone")


@pytest.mark.slow
@pytest.mark.parametrize("network", ["movenet", "posenet"])
def test_poses_are_found_without_python(new_page, site, tmp_path, network):
    picture = astronaut()
    page = new_page()
    page.goto(f"{site}/demos/pose/index.html?network={network}")
    assert finished(page)["error"] is None
    look = lambda: page.set_input_files("#file", picture) or page.wait_for_function("() => pymlDemo.looked > 0")
    look()
    before = page.evaluate("() => pymlDemo")
    with twin(new_page, exported(page, tmp_path)) as page:
        look()
        after = page.evaluate("() => pymlDemo")
        assert after["score"] == pytest.approx(before["score"], abs=0.05)
        places = [{name: place for *place, _, name in found["dots"]} for found in (before, after)]
        both = sorted(places[0].keys() & places[1].keys())  # a point that is hardly seen may be drawn in one of them only
        assert {"nose", "left_eye", "right_eye", "left_shoulder", "right_shoulder"} <= set(both)
        np.testing.assert_allclose(*([found[name] for name in both] for found in places), atol=0.03)
        assert page.locator("#points li").count() == 17 and sum(page.asked.values()) < 6_000_000


@pytest.mark.slow
def test_poses_play_the_maze_without_python(new_page, site, tmp_path):
    page = new_page()
    page.goto(f"{site}/demos/controller/index.html?autorun=1&backend=wasm")
    assert finished(page)["error"] is None
    with twin(new_page, exported(page, tmp_path)) as page:
        page.click("#drawn")
        page.click("#play")
        page.focus("#puppet")
        for key, command in (("ArrowLeft", "left"), ("ArrowDown", "down"), ("ArrowRight", "right"), ("ArrowUp", "up")):
            page.keyboard.press(key)
            page.wait_for_function(f"() => pymlDemo.command === '{command}'")
        keys = cycle(("ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"))  # one of them is a way, where there is a maze
        while page.text_content("#maze-note").startswith("0 moves"):  # until the test's own limit
            page.keyboard.press(next(keys))
            page.wait_for_timeout(600)
        assert page.locator("[data-python], template, #train, #takeaway").count() == 0
