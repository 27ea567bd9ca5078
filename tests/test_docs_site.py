"""The documentation: no dead link, every public name has its place, every name of TensorFlow.js leads to one of pyml's."""

import inspect
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pyml.cli.chapters import chapters  # noqa: E402
from pyml.cli.gallery import demos  # noqa: E402
from tools.docs import declared, made, names, origins, pages, pictures, reference, source, tfjs  # noqa: E402

DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md",
             ROOT / "benchmarks" / "README.md", ROOT / "tests" / "README.md"]  # fmt: skip
FENCE = re.compile(r"^```.*?^```", re.S | re.M)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and mkdocs make of a page's headings."""
    found: Counter[str] = Counter()
    out = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.M):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)).strip().lower()
        slug = words.replace(" ", "-")
        out.add(f"{slug}-{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return out


def test_no_link_of_a_document_is_dead():
    dead = []
    for page in DOCUMENTS:
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            path, _, anchor = target.partition("#")
            if ":" in target:
                continue
            file = (page.parent / path).resolve() if path else page
            made_by_the_site = page.name == "index.md" and path in ("gallery.md", "api/index.md")
            if not made_by_the_site and (not file.exists() or (anchor and anchor not in anchors(file))):
                dead.append(f"{page.name}: {target}")
    assert dead == []


def test_every_public_name_has_one_place_in_the_reference():
    found = [entry.name for _, those in names.entries().values() for entry in those]
    assert len(found) > 1200 and max(Counter(found).values()) == 1
    assert [name for name in names.left() if not name.startswith("pyml.datasets.")] == []  # what reads the files of data sets


def test_every_page_of_the_reference_has_names_and_a_way_in():
    found = names.entries()
    assert [page.path for page, those in found.values() if not those] == []
    index = reference.index(found)
    assert all(f"({page.path}.md)" in index for page in pages.PAGES)


def test_names_without_a_summary_are_few():
    bare = [entry.name for _, those in names.entries().values() for entry in those if not entry.summary]
    assert bare == []


def test_arguments_that_share_a_line_are_told_apart():
    pytest.importorskip("griffe", reason="griffe is not installed; make docs installs it")
    from tools.docs.docstrings import standard

    text = standard("A layer.\n\nArgs:\n    units: How many.\n    kernel, bias: Names.\n\nExample:\n    >>> 1\n    1")
    assert text == "A layer.\n\nArgs:\n    units: How many.\n    kernel: Names.\n    bias: Names.\n\nExamples:\n    >>> 1\n    1"


def test_the_page_of_an_op_says_what_its_declaration_knows():
    known = declared.ops()
    text = declared.completed("Sorts.\n\nExample:\n    >>> 1\n    1", known["pyml.ops.sorting.sort"])
    assert text.split("\n\n") == ["Sorts.", "Raises:\n    DtypeError: An argument holds complex numbers.",
                                  "Source: `numpy.sort`, with which tests compare it.", "Example:\n    >>> 1\n    1"]  # fmt: skip
    told = declared.completed("The largest.\n\nRaises:\n    ShapeError: None.\n\nSource: A book.", known["pyml.ops.reduce.max"])
    assert told == "The largest.\n\nRaises:\n    ShapeError: None.\n    DtypeError: An argument holds complex numbers.\n\nSource: A book."
    assert declared.completed("Zeros.", known["pyml.ops.creation.zeros"]) == "Zeros.\n\nSource: `numpy.zeros`, with which tests compare it."


SOURCED = {"activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics", "ops", "optimizers", "random",
           "regularizers", "schedules"}  # fmt: skip
OF_PYML = {  # base classes, and what the names of Keras are made of
    "pyml.callbacks.MonitorCallback", "pyml.initializers.RandomInitializer",
    "pyml.losses.reduce_weighted_values", "pyml.random.bernoulli_mask", "pyml.random.draw_seed", "pyml.random.make_default_seed",
    "pyml.random.seed_everything",
}  # fmt: skip


def test_the_reference_names_a_source_of_what_computes():
    known, bare, many = declared.ops(), set(), 0
    for page, those in names.entries().values():
        for entry in those if page.path.partition("/")[0] in SOURCED else ():
            text = inspect.getdoc(entry.value) or ""
            text = declared.completed(text, known[entry.defined]) if entry.defined in known else text
            many += 1
            if "Source: " not in origins.completed(text, entry.defined):
                bare.add(entry.name)
    assert many > 650 and bare == OF_PYML


def test_the_name_that_keras_has_is_the_source_where_no_other_is_named():
    assert origins.completed("Adds.", "pyml.layers.merging.Add") == "Adds.\n\nSource: `keras.layers.Add`."
    assert origins.completed("Adds.\n\nExample:\n    >>> 1", "pyml.layers.merging.Add").split("\n\n")[1:] == [
        "Source: `keras.layers.Add`.", "Example:\n    >>> 1"]  # fmt: skip
    assert origins.completed("Draws. Source: a book.", "pyml.layers.merging.Add") == "Draws. Source: a book."
    assert origins.completed("Ours.", "pyml.vis.charts.bar_chart") == "Ours."


def test_what_the_source_makes_as_it_runs_is_written_from_the_object():
    import pyml

    assert made.is_made(pyml.applications.ResNet50) and not made.is_made(pyml.layers.Dense)
    lines = made.markdown("pyml.applications.ResNet50", pyml.applications.ResNet50)
    assert lines[0].startswith("## `pyml.applications.ResNet50`") and any("include_top" in line for line in lines)


def test_links_of_pages_outside_of_docs_hold_in_the_site():
    text = "[a](docs/hub.md#x) [b](CONTRIBUTING.md) [c](tests/README.md) [d](https://x.org) ![e](docs/mnist.png)"
    assert source.moved(text, "README.md", ROOT) == "[a](hub.md#x) [b](contributing.md) c [d](https://x.org) ![e](mnist.png)"


def test_a_cell_of_a_table_escapes_bars_but_not_those_of_code():
    assert reference.cell("`|x|` or a | b. More.") == "`|x|` or a \\| b"


def test_every_name_of_tensorflow_js_leads_to_one_that_is_there():
    rows = [row for rows in tfjs.sections().values() for row in rows]
    assert len(rows) > 500
    missing = []
    for theirs, ours in rows:
        for name in tfjs.named(ours):
            try:
                tfjs.found(name)
            except AttributeError:
                missing.append(f"{theirs}: {name}")
    assert missing == []


def test_the_table_of_tensorflow_js_is_that_of_its_data():
    assert tfjs.PAGE.read_text(encoding="utf-8") == tfjs.page(), "run python -m tools.docs.tfjs"


# the table of its README, at commit 037c3c4
TFJS_EXAMPLES = [
    "abalone-node", "addition-rnn", "addition-rnn-webworker", "baseball-node", "boston-housing", "cart-pole", "chrome-extension",
    "custom-layer", "data-csv", "data-generator", "date-conversion-attention", "electron", "fashion-mnist-vae",
    "interactive-visualizers", "iris", "iris-fitDataset", "jena-weather", "lstm-text-generation", "mnist", "mnist-acgan",
    "mnist-core", "mnist-node", "mnist-transfer-cnn", "mobilenet", "polynomial-regression", "polynomial-regression-core",
    "quantization", "sentiment", "simple-object-detection", "snake-dqn", "translation", "tsne-mnist-canvas",
    "webcam-transfer-learning", "website-phishing",
]  # fmt: skip


def test_every_example_of_tensorflow_js_leads_to_a_page_that_is_there():
    text = (ROOT / "docs" / "from_tensorflow_js.md").read_text(encoding="utf-8").partition("## The examples of")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")][1:]
    named = [name for example, _, _ in rows for name in re.findall(r"`([^`]+)`", example)]
    assert sorted(set(named)) == sorted({*TFJS_EXAMPLES, "visualize-convnet"}) and max(Counter(named).values()) == 1
    pages = {"chapter": {one.name for one in chapters(ROOT / "demos")}, "demo": set(demos(ROOT / "demos"))}
    wrong = []
    for example, _, here in rows:
        found = re.findall(r"(chapter|demo)s? `(\w+)`(?: and `(\w+)`)?", here)
        told = [(kind, name) for kind, *both in found for name in both if name]
        wrong += [f"{example}: {kind} {name}" for kind, name in told if name not in pages[kind]]
        assert told or LINK.search(here) or "every chapter" in here, example
    assert wrong == []


# ---- how it looks


def test_the_site_follows_its_readers_theme_and_shows_one_screenshot_of_each_page():
    palette = (ROOT / "tools" / "docs" / "mkdocs.yml").read_text().partition("palette:")[2]
    assert re.findall('media: "([^"]+)"', palette)[0] == "(prefers-color-scheme)"
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", (ROOT / "tools" / "docs" / "extra.css").read_text())
    hidden_by_the_theme = [body for selector, body in rules if "img" in selector]
    assert hidden_by_the_theme and not any("display" in body for body in hidden_by_the_theme)


# ---- screenshots


def test_pages_are_pictured_again_only_when_their_files_have_changed(tmp_path):
    """As `tools.docs --pictures` asks, which opens only these pages."""
    for name in ("demos/chapters/page.js", "demos/chapters/one.py", "demos/chapters/two.py", "demos/three/index.html", "web/demo.css",
                 "pyml/vis/charts.py"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("first")
    names, looks = ["one", "two", "three"], tmp_path / "build" / "looks"
    looks.mkdir(parents=True)

    def pictured():
        for name in names:
            (looks / f"{name}.stamp").write_text(pictures.stamp(tmp_path, name))

    assert pictures.waiting(tmp_path, names) == names
    (looks / "two.stamp").write_text(pictures.stamp(tmp_path, "two"))      # a run that was broken off after it
    assert pictures.waiting(tmp_path, names) == ["one", "three"]
    for changed, again in (("demos/chapters/one.py", ["one"]), ("demos/three/index.html", ["three"]),
                           ("demos/chapters/page.js", ["one", "two"]), ("web/demo.css", names), ("pyml/vis/charts.py", names)):  # fmt: skip
        pictured()
        assert pictures.waiting(tmp_path, names) == []
        (tmp_path / changed).write_text("other")
        assert pictures.waiting(tmp_path, names) == again, changed


class Links(HTMLParser):
    """What a page of the built site names: addresses of links and of what it loads, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in ("script", "img", "link", "iframe") and given.get("rel") not in ("canonical", "next", "prev"):
            self.loads += [given[name] for name in ("src", "href") if given.get(name)]


@pytest.mark.slow
def test_the_site_is_built_strictly_without_a_dead_link_or_another_host():
    pytest.importorskip("mkdocs", reason="mkdocs is not installed; make docs installs it")
    pytest.importorskip("mkdocstrings_handlers.python", reason="mkdocstrings is not installed; make docs installs it")
    done = subprocess.run([sys.executable, "-m", "tools.docs"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    site = ROOT / "build" / "docs"
    read: dict[Path, Links] = {}
    for page in sorted(site.rglob("*.html")):
        read[page.resolve()] = Links()
        read[page.resolve()].feed(page.read_text(encoding="utf-8"))
    dead = []
    for page, links in read.items():
        if page.name == "404.html":
            continue
        assert [load for load in links.loads if urlsplit(load).netloc] == [], page
        for target in links.links + links.loads:
            parts = urlsplit(target)
            if parts.scheme or target.startswith("javascript"):
                continue
            file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not file.exists() or (parts.fragment and file in read and unquote(parts.fragment) not in read[file].anchors):
                dead.append(f"{page.relative_to(site)}: {target}")
    assert dead == []
    for page, those in names.entries().values():
        told = read[(site / "api" / f"{page.path}.html").resolve()].anchors
        assert [entry.name for entry in those if entry.name not in told] == []
