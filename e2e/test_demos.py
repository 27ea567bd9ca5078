"""The demo pages beside the digits, as a user meets them: the main thing of each, bad input, keyboard, narrow windows."""

import json
import os
import re
import subprocess
import zipfile

import numpy as np
import pytest

from pyml import paths
from pyml.assets import tensorflow_js
from pyml.cli import browser as browsers
from pyml.cli import demo

from .conftest import leave, started
from .demo_page import finished, opened

SHOTS = paths.build_dir() / "screenshots"
LINE = "x,word,y\n" + "".join(f"{x},w{x % 3},{'' if x % 10 == 3 else 2 * x + 1}\n" for x in range(60))


def keep_picture(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)


def csv_file(text, name="mine.csv"):
    return {"name": name, "mimeType": "text/csv", "buffer": text if isinstance(text, bytes) else text.encode()}


def open_csv(page, text, name="mine.csv"):
    page.evaluate("() => { document.querySelector('#table-note').textContent = ''; }")
    page.set_input_files("#file", csv_file(text, name))
    page.wait_for_function("name => document.querySelector('#table-note').textContent.startsWith(name)", arg=name)


def assert_fits_a_phone(page):
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 900})


def assert_named(page):
    """Every control has a name, and the page one heading."""
    unnamed = page.evaluate("""() => {
      const named = (e) => e.textContent.trim() || e.labels?.length || e.getAttribute("aria-label") || e.getAttribute("alt");
      const controls = [...document.querySelectorAll("button, input, select, textarea, canvas:not([aria-hidden]), progress, img")];
      return controls.filter((e) => !named(e)).map((e) => e.id || e.outerHTML);
    }""")
    assert unnamed == [] and page.locator("h1").count() == 1


# ---- regression


@pytest.fixture(scope="module")
def regression(profile, site):
    page = opened(
        profile, f"{site}/demos/regression/index.html?epochs=20", "() => !document.querySelector('#train').disabled || pymlDemo.error"
    )
    yield page
    page.close()
    assert not page.problems


def fit(page, epochs=20):
    page.fill("#epochs", str(epochs))
    page.click("#train")
    page.wait_for_function("() => document.querySelector('#train').disabled || pymlDemo.done")
    return finished(page)


@pytest.mark.quick
def test_a_network_learns_how_far_cars_go_and_the_chart_shows_it(regression):
    result = fit(regression)
    assert result["error"] is None and result["testError"] < 0.65 * result["naiveError"]
    assert "14 rows" in regression.text_content("#table-note")
    assert regression.locator("#fit svg .mark-symbol.role-mark path").count() == 392
    assert regression.locator("#fit svg .mark-line path").get_attribute("d").count("L") > 50
    assert regression.locator("#loss svg .mark-line path").first.get_attribute("d").count("L") >= 3
    keep_picture(regression, "regression")


def test_rows_are_shown_before_the_first_fit_along_the_column_chosen_first(regression):
    """The cars first, then a table of one's own; where no column of numbers is chosen there is nothing to draw."""
    regression.wait_for_function("() => !document.querySelector('#train').disabled")
    cloud = "#fit svg .mark-symbol.role-mark path"
    regression.click("#cars")
    regression.wait_for_selector("#axis:disabled")
    regression.wait_for_function("(cloud) => document.querySelectorAll(cloud).length === 392", arg=cloud)
    assert regression.locator("#axis option").all_text_contents() == ["Horsepower"]
    open_csv(regression, LINE)
    regression.wait_for_function("(cloud) => document.querySelectorAll(cloud).length === 54", arg=cloud)
    regression.check("#fill input[value='1']")
    regression.uncheck("#features input[value=x]")
    regression.check("#features input[value=word]")
    regression.wait_for_function("(cloud) => document.querySelectorAll(cloud).length === 0", arg=cloud)
    assert regression.locator("#problem").text_content() == "" and regression.locator("#axis option").count() == 0
    regression.check("#features input[value=x]")
    regression.wait_for_function("() => document.querySelector('#axis').value === 'x'")
    regression.check("#fill input[value='']")
    regression.click("#cars")
    regression.wait_for_function("() => document.querySelector('#axis').value === 'Horsepower'")


def test_several_columns_are_shown_along_the_prediction_or_any_of_them(regression):
    regression.check("#features input[value=Weight_in_lbs]")
    result = fit(regression)
    assert result["testError"] < 0.55 * result["naiveError"]
    regression.select_option("#axis", "")
    regression.wait_for_function("() => document.querySelector('#fit svg').textContent.includes('prediction')")
    regression.select_option("#axis", "Weight_in_lbs")
    regression.wait_for_function("() => document.querySelector('#fit svg').textContent.includes('Weight_in_lbs')")


def test_a_csv_file_of_the_users_own_is_fitted_and_its_gaps_are_counted(regression):
    open_csv(regression, LINE)
    assert "60 rows, 3 columns; a value is missing in 6 rows" in regression.text_content("#table-note")
    assert regression.locator("#table td.gap").count() == 3
    assert regression.locator("#target option").all_text_contents() == ["x", "y"]
    assert "word text, 3 values" in regression.text_content("#features")
    regression.select_option("#hidden", "0")
    regression.fill("#rate", "0.1")
    result = fit(regression, 60)
    assert result["testError"] < 0.1 * result["naiveError"]


def test_a_column_of_texts_is_learned_from_and_the_page_says_how(regression):
    towns = {"Bern": 10, "Oslo": 20, "Rome": 30}
    rows = [(i % 7, [*towns, ""][i % 4]) for i in range(80)]
    open_csv(regression, "floor,city,rent\n" + "".join(f"{floor},{city},{towns.get(city, 20)}\n" for floor, city in rows))
    assert "city text, 3 values, 20 missing" in regression.text_content("#features")
    regression.check("#features input[value=city]")
    regression.uncheck("#features input[value=floor]")
    regression.select_option("#hidden", "0")
    regression.fill("#rate", "0.1")
    result = fit(regression, 60)
    assert result["testError"] < 0.1 * result["naiveError"]
    assert re.search(r"city is 3 inputs, one for each of (Bern|Oslo|Rome), ", regression.text_content("#columns-note"))
    assert regression.locator("#axis option").all_text_contents() == ["the prediction"]
    assert regression.locator("#fit svg .mark-symbol.role-mark path").count() == 60  # rows without a city are left out


def test_semicolons_and_tabs_part_values_too(regression):
    for mark in ";\t":
        open_csv(regression, LINE.replace(",", mark), f"{ord(mark)}.tsv")
        assert regression.locator("#target option").all_text_contents() == ["x", "y"]


def test_what_was_taken_for_what_is_said_in_words_and_the_user_may_say_otherwise(regression):
    open_csv(regression, "1,5;$3\n" + "".join(f"{i},5;${2 * i}\n" for i in range(12)))
    notes = regression.locator("#table-notes li").all_text_contents()
    assert notes == [
        "Values are separated by semicolons.",
        "The first line looks like values, so it counts as a row and the columns are numbered.",
        "column 1: decimal commas, “1,5” is 1.5.",
        "column 2: units left out, “$3” is 3.",
    ]
    assert "13 rows, 2 columns; no value is missing" in regression.text_content("#table-note")
    assert fit(regression, 1)["error"] is None
    regression.check("#header")
    regression.wait_for_function("() => document.querySelector('#table-note').textContent.includes('12 rows')")
    assert regression.locator("#target option").all_text_contents() == ["1,5", "$3"]


def test_a_table_of_one_row_is_too_little(regression):
    open_csv(regression, "x,y\n1,2\n")
    assert regression.text_content("#result") == "" and regression.text_content("#running") == "Not trained yet."  # what was is another's
    assert regression.is_disabled("#axis") and regression.locator("#fit svg .mark-symbol.role-mark path").count() == 0
    assert "1 row, 2 columns" in regression.text_content("#table-note") and regression.is_disabled("#train")
    assert regression.text_content("#problem") == "A fit needs 8 rows or more; this table has 1."


def test_a_gap_in_a_feature_may_be_filled_with_the_mean(regression):
    open_csv(regression, "x,y\n" + "".join(f"{'NA' if i % 4 == 0 else i},{3 * i}\n" for i in range(40)))
    regression.evaluate("() => { window.begun = []; pymlPython.on('begin', (values) => begun.push(values)); }")
    fit(regression, 1)
    regression.get_by_label("take the mean").check()
    fit(regression, 1)
    regression.get_by_label("leave the row out").check()
    assert [b["leftOut"] for b in regression.evaluate("() => begun")] == [10, 0]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("a,b\n1,2\n3\n", "line 3: expected 2 values"),
        ("a,b\n", "header line and no rows"),
        ("", "the file is empty"),
        ("PK\x03\x04\x14\0\x06", "save the table as csv"),
    ],
)
def test_a_table_that_cannot_be_read_is_explained_in_one_sentence(regression, text, sentence):
    open_csv(regression, LINE)
    open_csv(regression, text, "bad.csv")
    assert sentence in regression.text_content("#table-note")
    assert "Traceback" not in regression.text_content("#table-note")
    assert "What is here is still mine.csv." in regression.text_content("#table-note")


def test_letters_of_spreadsheets_are_read_and_what_was_guessed_is_said(regression):
    text = "größe;y\n" + "".join(f"{i};{2 * i}\n" for i in range(12))
    for encoding, said in ("utf-16", []), ("cp1252", ["It is not UTF-8: its letters are taken for those of Windows (Latin, 1252)."]):
        open_csv(regression, text.encode(encoding), f"{encoding}.csv")
        assert regression.locator("#target option").all_text_contents() == ["größe", "y"]
        notes = ["Values are separated by semicolons.", *said]
        regression.wait_for_function("(n) => document.querySelectorAll('#table-notes li').length === n", arg=len(notes))
        assert regression.locator("#table-notes li").all_text_contents() == notes


def test_a_choice_that_makes_no_sense_is_explained(regression):
    open_csv(regression, LINE)
    regression.uncheck("#features input[value=x]")
    assert "at least one column" in fit(regression, 1)["error"]
    assert "at least one column" in regression.text_content("#problem")
    open_csv(regression, "name,y\n" + "a,1\na,2\n" * 5)
    assert "needs a column of numbers to predict" in regression.text_content("#problem") and regression.is_disabled("#train")
    open_csv(regression, "name,town\n" + "a,b\nc,d\n" * 5)
    assert "needs a column of numbers to predict" in regression.text_content("#problem") and regression.is_disabled("#train")


def test_stop_ends_a_long_training_with_a_result(regression):
    open_csv(regression, LINE)
    regression.fill("#epochs", "5000")
    regression.click("#train")
    regression.wait_for_function("() => document.querySelector('#running').value.startsWith('Epoch')")
    regression.click("#stop")
    assert finished(regression)["error"] is None
    assert re.match(r"Trained \d{1,3} epochs", regression.text_content("#running"))


def test_the_regression_page_needs_no_mouse_and_fits_a_phone(regression):
    open_csv(regression, LINE)
    regression.fill("#epochs", "1")
    regression.click("#train")
    assert finished(regression)["error"] is None  # one chooses what lies along the axis of a fit
    regression.focus("#train")
    reached = set()
    for _ in range(20):
        reached.add(regression.evaluate("() => document.activeElement.id || document.activeElement.type"))
        regression.keyboard.press("Tab")
    assert {"train", "hidden", "epochs", "rate", "axis", "target", "checkbox", "radio", "file", "cars", "table"} <= reached
    assert_named(regression)
    assert_fits_a_phone(regression)


# ---- what is in a photo

DROP = """async ([selector, type, urls]) => {
  const data = new DataTransfer();
  for (const url of urls) {
    const bytes = await (await fetch(url)).blob();
    data.items.add(new File([bytes], url.split("/").pop(), { type: bytes.type }));
  }
  const event = type === "paste" ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true });
  document.querySelector(selector).dispatchEvent(event);
}"""


def photo(name):
    return str(paths.assets_dir() / "models" / "photos" / name)


@pytest.fixture(scope="module")
def networks():
    """Skips where the networks were not fetched."""
    from pyml.hub import store

    for name in ("mobilenet_v1", "efficientnet_lite0", "photos"):
        if store.folder_of(name) is None:
            pytest.skip(f"{name} was not fetched; `make models` does it")


@pytest.fixture(scope="module")
def classify(profile, site, networks):
    page = opened(
        profile, f"{site}/demos/classify/index.html", "() => document.querySelectorAll('#samples button').length === 4 || pymlDemo.error"
    )
    yield page
    page.close()
    assert not page.problems


def named(page, act):
    """What the page says after `act()`: the guesses, likeliest first."""
    page.evaluate("() => { pymlDemo.done = false; pymlDemo.names = null; }")
    act()
    result = finished(page)
    assert result["error"] is None
    return [name for name, _ in result["names"]]


@pytest.mark.quick
def test_a_sample_is_named_with_the_keyboard_alone(classify):
    classify.focus("#file")
    for _ in range(10):
        classify.keyboard.press("Tab")
        if "animal" in (classify.evaluate("() => document.activeElement.title") or ""):
            break
    assert named(classify, lambda: classify.keyboard.press("Enter"))[0] == "Egyptian cat"
    shares = [int(text.rstrip("%")) for text in classify.locator("#bars .share").all_text_contents()]
    assert len(shares) == 5 and shares == sorted(shares, reverse=True) and 40 < shares[0] < 70
    assert classify.text_content("#answer").startswith("An Egyptian cat")
    keep_picture(classify, "classify")


def test_photos_are_chosen_dropped_and_pasted(classify):
    before = classify.locator("#seen li").count()
    names = named(classify, lambda: classify.set_input_files("#file", photo("coffee.png")))
    assert names[0] == "espresso"
    drop = lambda: classify.evaluate(DROP, ["#photo", "drop", ["/models/photos/rocket.jpg"]])
    assert {"missile", "projectile, missile"} & set(named(classify, drop))
    paste = lambda: classify.evaluate(DROP, ["body", "paste", ["/models/photos/chelsea.png"]])
    assert named(classify, paste)[0] == "Egyptian cat"
    assert classify.locator("#seen li").count() == before + 3


def test_the_other_network_looks_at_the_same_photo(classify):
    named(classify, lambda: classify.set_input_files("#file", photo("chelsea.png")))
    other = named(classify, lambda: classify.select_option("#network", "efficientnet_lite0"))
    assert other[0] in ("Egyptian cat", "tabby, tabby cat", "tiger cat")
    assert "EfficientNet" in classify.text_content("#network-note")


def test_of_two_networks_chosen_in_quick_order_the_last_one_says_whose_it_is(classify):
    classify.reload()  # so that one is to be loaded, and comes after one that is there
    classify.wait_for_function("() => document.querySelector('#network-note').textContent.includes('classes')")
    for name in ("efficientnet_lite0", "mobilenet_v1"):
        classify.select_option("#network", name)
    classify.evaluate("() => pymlPython.call('load', 'efficientnet_lite0')")
    classify.wait_for_function("() => document.querySelector('#network-note').textContent.includes('MobileNet')")
    assert classify.is_hidden("#loading")


def test_what_is_no_picture_is_explained(classify):
    classify.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    classify.wait_for_function("() => document.querySelector('#problem').textContent.includes('notes.txt is not a picture')")
    classify.set_input_files("#file", {"name": "torn.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n torn"})
    classify.wait_for_function("() => document.querySelector('#problem').textContent.includes('torn.png: this browser cannot read it')")


def test_the_photo_page_has_names_and_fits_a_phone(classify):
    assert_named(classify)
    assert_fits_a_phone(classify)


@pytest.mark.quick
def test_a_network_that_was_not_fetched_is_offered_and_then_used(page, console, site, networks):
    """A stand-in for the local server's downloads: what it fetches is there from then on."""
    console.allow("404")
    states = {name: ["absent", "fetching", "fetching"] for name in ("mobilenet_v1", "photos")}

    def hub(route):
        name = route.request.url.split("/")[-1]
        if route.request.method == "POST":
            page.context.unroute(f"**/models/{name}/**")
        state = states[name].pop(0) if states[name] else "here"
        facts = {"name": name, "size": 8_634_157, "download": 15_920_346, "state": state, "received": 5_000_000, "total": 15_920_346}
        route.fulfill(status=200, body=json.dumps(facts), content_type="application/json")

    for name in states:
        page.context.route(f"**/models/{name}/**", lambda route: route.fulfill(status=404))
    page.context.route("**/hub/*", hub)
    page.goto(f"{site}/demos/classify/index.html?backend=cpu")
    offer = page.locator("#network-needed")
    offer.get_by_role("button", name="Fetch now").wait_for()
    assert "mobilenet_v1 (8.6 MB) is not here yet. Fetching downloads 15.9 MB, once." in offer.text_content()
    offer.get_by_role("button", name="Fetch now").click()
    page.wait_for_function("() => document.querySelector('#network-note').textContent.includes('1,000 classes')")
    assert offer.text_content() == ""
    photos = page.locator("#photos-needed")
    assert "The sample photos" in photos.text_content()
    photos.get_by_role("button", name="Fetch now").click()
    page.locator("#samples li").nth(3).wait_for()


@pytest.mark.parametrize("name", ["classify", "pose", "controller", "speech", "teachable", "finetune"])
def test_without_a_server_that_fetches_a_page_names_the_command_and_can_be_tried_again(page, console, site, networks, name):
    console.allow("404")
    page.context.route("**/models/**", lambda route: route.fulfill(status=404))
    page.goto(f"{site}/demos/{name}/index.html?backend=cpu")
    if name == "controller":
        page.wait_for_function("() => !document.querySelector('#way').disabled")
        page.select_option("#way", "head")
    offer = page.locator("#network-needed")
    offer.get_by_role("button", name="Try again").wait_for()
    assert re.search(r"The network \w+ \([\d.]+ MB\) is not part of this site. .*pyml hub fetch \w+", offer.text_content())
    assert "Traceback" not in page.inner_text("body")
    page.context.unroute("**/models/**")
    if name in ("classify", "teachable", "controller", "finetune"):  # the others' networks may not be here at all
        offer.get_by_role("button", name="Try again").click()
        page.wait_for_function("() => document.querySelector('#network-needed').textContent === ''")


# ---- teach it your pictures

PICTURE = "() => [...document.querySelector('#picture').getContext('2d').getImageData(0, 0, 224, 224).data]"


@pytest.fixture(scope="module")
def teachable(profile, site, networks):
    page = opened(profile, f"{site}/demos/teachable/index.html", "() => pymlDemo.ready || pymlDemo.error")
    yield page
    leave(page, site)
    assert not page.problems


@pytest.fixture(scope="module")
def camera_browser(driver):
    """A Chromium with two of the fake cameras that it brings: a moving disc and a clock."""
    flags = ("--use-fake-device-for-media-stream=device-count=2", "--use-fake-ui-for-media-stream")
    yield from started(driver, (*browsers.FLAGS, *flags))


def add_examples(page, place, *files):
    """Adds picture files to the class at a place of the list, and waits until Python has them."""
    item = page.locator(".class").nth(place)
    before = item.locator(".examples li").count()
    item.locator("input[type=file]").set_input_files(list(files))
    item.locator(".examples li").nth(before + len(files) - 1).wait_for()


def teach(page):
    page.evaluate("() => { pymlDemo.done = false; }")
    page.click("#train")
    return finished(page)


def shares_after(page, act):
    page.evaluate("() => { pymlDemo.shares = null; }")
    act()
    page.wait_for_function("() => pymlDemo.shares")
    return page.evaluate("() => pymlDemo.shares")


@pytest.fixture(scope="module")
def taught(teachable):
    """The page after it learned a cat from one picture and what is none from two; `said` is what it showed on the way."""
    page = teachable
    page.said = [page.is_disabled("#train"), page.is_disabled("#export")]
    for place, name in enumerate(("cat", "other")):
        page.locator(".class input.text").nth(place).fill(name)
    add_examples(page, 0, photo("chelsea.png"))
    page.said += [page.text_content("#result"), page.is_disabled("#train")]
    add_examples(page, 1, photo("rocket.jpg"), photo("coffee.png"))
    page.set_input_files("#file", photo("chelsea.png"))
    page.result = teach(page)
    return page


@pytest.mark.quick
def test_two_classes_are_learned_from_files_and_a_new_picture_is_named(taught):
    untaught, nothing_to_export, needed, too_few = taught.said
    assert untaught and nothing_to_export and too_few
    assert "Every class needs examples" in needed
    result = taught.result
    assert result["error"] is None and result["accuracy"] == 1
    assert result["shares"]["cat"] > 0.9
    assert shares_after(taught, lambda: taught.set_input_files("#file", photo("rocket.jpg")))["other"] > 0.9
    dropped = shares_after(taught, lambda: taught.evaluate(DROP, ["#view", "drop", ["/models/photos/astronaut.png"]]))
    assert dropped.keys() == {"cat", "other"}


def test_the_nearest_examples_decide_when_asked(taught):
    shares_after(taught, lambda: taught.set_input_files("#file", photo("coffee.png")))
    shares = shares_after(taught, lambda: taught.select_option("#by", "neighbours"))
    assert shares["other"] == pytest.approx(2 / 3) and shares["cat"] == pytest.approx(1 / 3)
    shares_after(taught, lambda: taught.select_option("#by", "head"))


def in_tensorflow_js(folder, pixels):
    """What the real TensorFlow.js computes with the exported model."""
    given = folder / "given.json"
    given.write_text(json.dumps([{"shape": list(pixels.shape), "data": pixels.ravel().tolist(), "dtype": "float32"}]))
    script = paths.checkout() / "tests" / "saving" / "layers_in_node.mjs"
    command = ["node", str(script), "run", str(folder / "model.json"), str(given)]
    environment = {**os.environ, "TFJS_FOLDER": str(tensorflow_js.folder())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)[0]["data"]


def test_the_exported_model_gives_what_the_page_shows(taught, tmp_path):
    from pyml.saving import load_model

    shares = shares_after(taught, lambda: taught.set_input_files("#file", photo("chelsea.png")))
    pixels = np.array(taught.evaluate(PICTURE), "float32").reshape(1, 224, 224, 4)[..., :3]
    taught.select_option("#export-kind", "tfjs")
    with taught.expect_download() as download:
        taught.click("#export")
    with zipfile.ZipFile(download.value.path()) as packed:
        packed.extractall(tmp_path)
    assert download.value.suggested_filename == "teachable-tfjs.zip"
    assert "loadLayersModel" in (tmp_path / "README.txt").read_text()
    assert json.loads((tmp_path / "labels.json").read_text()) == list(shares)
    found = load_model(tmp_path / "model.json").predict(pixels, verbose=0)[0]
    np.testing.assert_allclose(found, list(shares.values()), atol=0.02)
    np.testing.assert_allclose(in_tensorflow_js(tmp_path, pixels), found, atol=1e-3)


def test_examples_and_classes_are_removed_with_the_keyboard(taught):
    taught.click("#more")
    assert taught.evaluate("() => document.activeElement.getAttribute('aria-label')") == "Name of Class 3"
    taught.keyboard.press("Control+A")
    taught.keyboard.type("cup")
    add_examples(taught, 2, photo("coffee.png"))
    assert "The examples changed" in taught.text_content("#result")
    taught.locator(".class").nth(2).get_by_role("button", name="Remove this example").focus()
    taught.keyboard.press("Enter")
    assert taught.locator(".class").nth(2).locator(".count").text_content() == "0 examples"
    assert taught.is_disabled("#train")
    taught.get_by_role("button", name="Remove the class cup").focus()
    taught.keyboard.press("Enter")
    assert taught.locator(".class").count() == 2 and taught.is_enabled("#train")
    assert_named(taught)
    assert_fits_a_phone(taught)


def test_sample_photos_are_learned_at_once(teachable):
    for _ in range(teachable.locator(".class").count()):
        teachable.locator(".class .drop").first.click()
    teachable.click("#samples")
    teachable.wait_for_function("() => document.querySelectorAll('.examples li').length === 18")
    result = teach(teachable)
    assert result["accuracy"] == 1 and result["shares"]["cup"] > 0.8
    keep_picture(teachable, "teachable")


CAMERA = "() => document.querySelector('#video').srcObject?.getVideoTracks()[0].label"


def test_a_camera_gives_examples_while_its_button_is_held(new_page, camera_browser, networks, site):
    page = new_page(browser=camera_browser)
    page.goto(f"{site}/demos/teachable/index.html")
    page.wait_for_function("() => pymlDemo.ready")
    add_examples(page, 0, photo("chelsea.png"))
    assert page.is_hidden("#other")
    page.click("#camera")
    page.locator("#other").wait_for()
    page.focus("#other")
    assert page.evaluate(CAMERA) == "fake_device_0"
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => ({CAMERA})() === 'fake_device_1'")
    assert page.is_visible("#other") and page.evaluate("() => document.activeElement.id") == "other"
    hold = page.locator(".class .hold").nth(1)
    hold.wait_for()
    hold.focus()
    page.keyboard.down(" ")
    page.wait_for_function("() => document.querySelectorAll('.class')[1].querySelectorAll('.examples li').length >= 3")
    page.keyboard.up(" ")
    assert hold.get_attribute("aria-pressed") == "false"
    result = teach(page)
    assert result["error"] is None
    page.wait_for_function("() => pymlDemo.shares?.['Class 2'] > 0.8 && document.querySelector('#timing').textContent.includes('a second')")
    page.click("#camera")
    page.locator("#other").wait_for(state="hidden")
    assert page.evaluate("() => document.querySelector('#video').srcObject") is None


def test_a_browser_that_cannot_wait_in_python_learns_and_exports_on_webgpu(new_page, networks, site):
    page = new_page(fresh=True)  # the other tests' page is open and keeps its classes
    page.goto(f"{site}/demos/teachable/index.html?backend=webgpu&jspi=off&thread=main")
    page.wait_for_function("() => pymlDemo.ready")
    assert "JSPI" in page.text_content("#notices")
    add_examples(page, 0, photo("chelsea.png"))
    add_examples(page, 1, photo("rocket.jpg"))
    page.set_input_files("#file", photo("chelsea.png"))
    assert teach(page)["shares"]["Class 1"] > 0.8
    page.select_option("#export-kind", "tfjs")
    with page.expect_download() as download:
        page.click("#export")
    with zipfile.ZipFile(download.value.path()) as packed:
        assert {"model.json", "labels.json", "README.txt"} < set(packed.namelist())


def test_taught_classes_are_there_after_a_reload_until_the_user_starts_over(new_page, site, networks):
    page = new_page(fresh=True)
    page.goto(f"{site}/demos/teachable/index.html?backend=wasm")
    page.wait_for_function("() => pymlDemo.ready")
    assert page.is_hidden("#over")
    page.fill("#classes li:first-child input[type=text]", "cats")
    add_examples(page, 0, photo("chelsea.png"))
    add_examples(page, 1, photo("rocket.jpg"), photo("coffee.png"))
    page.reload()
    page.wait_for_function("() => pymlDemo.ready")
    assert "of your last visit are back" in page.text_content("#kept-note")
    assert page.input_value("#classes li:first-child input[type=text]") == "cats"
    assert page.locator("#classes .count").all_text_contents() == ["1 example", "2 examples"]
    page.locator("#classes li:nth-child(2) .thumbs button").first.click()  # what is removed stays away
    page.click("#train")
    assert finished(page)["error"] is None
    page.reload()
    page.wait_for_function("() => pymlDemo.ready")
    assert page.locator("#classes .count").all_text_contents() == ["1 example", "1 example"]
    page.click("#over")
    page.wait_for_function("() => window.pymlDemo?.ready && document.querySelector('#over').hidden")
    assert page.locator("#classes .count").all_text_contents() == ["0 examples", "0 examples"]


# ---- the gallery


@pytest.mark.quick
def test_the_gallery_links_every_demo_and_follows_the_system(new_page, site):
    page = new_page(viewport={"width": 320, "height": 700}, service_workers="block")
    page.route("**/pyodide/**", lambda route: None)  # answered never: the demo that opens at the end need not start
    page.goto(f"{site}/index.html")
    links = page.locator(".gallery a")
    found = [links.nth(i).get_attribute("href") for i in range(links.count())]
    assert found == [f"demos/{name}/index.html" for name in demo.names()]
    assert page.locator(".gallery .picture :is(svg, img)").count() == len(found)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 320
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colours.append(page.evaluate("() => getComputedStyle(document.querySelector('.gallery .card')).backgroundColor"))
    assert colours[0] != colours[1]
    page.set_viewport_size({"width": 1280, "height": 900})
    keep_picture(page, "gallery")
    for _ in range(3):  # a link of the text, the first demo, the second
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/demos/regression/index.html")
