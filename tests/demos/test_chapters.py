"""The chapters: their files as pages, and what they promise, on the desktop."""

import ast
import itertools
import math
import sys
import zipfile

import pytest

import pyml
from pyml import paths, vis
from pyml.cli import chapters, gallery

DEMOS = paths.checkout() / "demos"
EVERY = chapters.chapters(DEMOS)
# In a few seconds; the others are slow, and cars has a quick test in a page.
FAST = {"cartpole", "filters", "houses", "irises", "penguins", "phishing", "spam", "spirals"}
# Those in small: other values of some of their names, so that every cell runs and every chart is drawn in a second or two.
SMALL = {
    "augment": {"EPOCHS": 2, "ROUNDS": 2, "EACH": 1},
    "boxes": {"ROUNDS": 2, "COUNT": 100},
    "cards": {"STEPS": 2, "ROUNDS": 2},
    "clothes": {"EPOCHS": 1, "POINTS": 95},
    "dates": {"ROUNDS": 1, "TESTED": 2, "YEARS": 1, "UNITS": 8},
    "finetune": {"EACH": 2, "SIZE": 32, "ROUNDS": 2},
    "forger": {"COUNT": 100, "STEPS": 4, "EVERY": 2},
    "smaller": {"COUNT": 500, "EPOCHS": 1, "PUPIL": 16},
    "snake": {"STEPS": 120, "CURIOUS": 60, "TESTS": 3},
    "sums": {"MOST": 12, "UNITS": 8, "ROUNDS": 2},
    "tuning": {"EPOCHS": 2, "TRIALS": 3},
    "words": {"ROUNDS": 1, "ROUND": 64, "LENGTH": 8, "UNITS": 16, "WIDE": 16, "BLOCKS": 1, "SAMPLE": 5},
}


@pytest.fixture
def run(monkeypatch):
    """Runs a chapter's file on the wasm device, perhaps with other values of some names: its names, and the charts that it draws."""

    def go(chapter, **other):
        for name in chapter.data:
            if not (paths.assets_dir() / "data" / name).is_file():
                pytest.skip("make setup fetches the data of the chapters")
        for name in chapter.networks:
            if not (paths.assets_dir() / "models" / name).is_dir():
                pytest.skip("make setup fetches the networks of the chapters")
        charts = {}
        monkeypatch.syspath_prepend(str(DEMOS / "chapters"))
        before, device = vis.draw_with(lambda title, tab, figure: charts.__setitem__(title, figure)), pyml.config.backend()
        tree = ast.parse((DEMOS / "chapters" / f"{chapter.name}.py").read_text(encoding="utf-8"))
        changed = Changed(other)
        changed.visit(tree)
        assert set(other) <= changed.found, "the chapter has no such name any more"
        names = {"__name__": "chapter_file"}
        try:
            pyml.config.set_backend("wasm")
            exec(compile(tree, chapter.name, "exec"), names)
            return names, charts
        finally:
            vis.draw_with(before)
            pyml.config.set_backend(device)

    return go


class Changed(ast.NodeTransformer):
    """Puts other values in the place of constants that a file gives names to: `A = 1` and `A, B = 1, 2`."""

    def __init__(self, values):
        self.values, self.found = values, set()

    def visit_Assign(self, node):
        names = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else node.targets
        given = node.value.elts if isinstance(node.value, ast.Tuple) and len(names) > 1 else [node.value]
        for i, name in enumerate(names):
            if getattr(name, "id", None) in self.values and i < len(given):
                self.found.add(name.id)
                given[i] = ast.copy_location(ast.Constant(self.values[name.id]), given[i])
        if len(given) == 1:
            node.value = given[0]
        return node


@pytest.mark.parametrize("chapter", [pytest.param(one, id=one.name, marks=[] if one.name in FAST else pytest.mark.slow) for one in EVERY])
def test_a_chapter_reaches_what_it_promises_and_draws(run, chapter):
    names, charts = run(chapter)
    name, sign, bound, unit = chapter.merit
    value = float(names[name])
    assert (value < bound) if sign == "<" else (value > bound), f"{name} = {value} {unit}"
    assert len(charts) >= 3 and all(figure.rows() for figure in charts.values())


@pytest.mark.parametrize("chapter", [pytest.param(one, id=one.name) for one in EVERY if one.name in SMALL])
def test_every_cell_of_a_long_chapter_runs_in_small(run, chapter):
    names, charts = run(chapter, **SMALL[chapter.name])
    assert math.isfinite(names[chapter.merit[0]])
    assert len(charts) >= 3 and all(figure.rows() for figure in charts.values())


def test_every_chapter_has_what_its_page_and_its_card_need():
    pages, names = chapters.pages(DEMOS), {one.name for one in EVERY}
    assert set(pages) == names and not names & set(gallery.demos(DEMOS))
    for one in EVERY:
        assert one.title.endswith("?") and 60 < len(one.description) < 300 and one.merit, one.name
        assert one.picture.is_file(), one.picture
        assert f"<h1>{one.title}</h1>" in pages[one.name] and f'name="data" content="{" ".join(one.data)}"' in pages[one.name]
        assert f'<a href="demos/{one.name}/index.html">' in gallery.gallery("<!-- chapters --><!-- demos -->", DEMOS)


def test_the_text_of_a_chapter_ends_with_the_way_to_the_next_one_and_of_the_last_to_all():
    pages = chapters.pages(DEMOS)
    for one, after in itertools.pairwise(EVERY):
        assert f'<a href="../{after.name}/index.html">On to the next chapter: {after.title}</a>' in pages[one.name]
    assert '<a href="../../index.html">That was the last chapter: back to all of them</a>' in pages[EVERY[-1].name]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"""Only a title."""\nCHAPTER = {}\n', "a paragraph for the gallery"),
        ('"""A?\n\nB."""\nCHAPTER = dict(order=1)\n', "line 4: CHAPTER must be a dict of plain values"),
        ('"""A?\n\nB."""\nCHAPTER = {"merit": ("loss", "=", 1, "")}\n', "merit must be"),
    ],
)
def test_a_file_that_lacks_something_is_named(tmp_path, text, message):
    (tmp_path / "bad.py").write_text(text)
    with pytest.raises(chapters.ChapterError, match=message):
        chapters.read(tmp_path / "bad.py")


def test_words_of_a_chapter_are_text_in_its_page(tmp_path):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "page.html").write_text("<h1>$title</h1>$description $name $data$neighbours")
    (tmp_path / "chapters" / "one.py").write_text('"""A < B?\n\nAll & more.\n\nText."""\nCHAPTER = {"order": 2, "data": ["a.csv"]}\n')
    (tmp_path / "chapters" / "two.py").write_text('"""First?\n\nYes."""\nCHAPTER = {"order": 1}\n')
    pages = chapters.pages(tmp_path)
    assert list(pages) == ["two", "one"]
    assert pages["one"].startswith("<h1>A &lt; B?</h1>All &amp; more. one a.csv") and "previous: First?" in pages["one"]


def test_a_package_is_imported_from_its_zip_and_empty_modules_stand_in_for_what_it_can_spare(demo_module, tmp_path, monkeypatch):
    chapter = demo_module("chapters", "chapter")
    with zipfile.ZipFile(tmp_path / "zipped_for_a_test.zip", "w") as archive:
        archive.writestr("zipped_for_a_test/__init__.py", "import nowhere_at_all\nvalue = 7")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for _ in range(2):  # as when a page runs its file again
        assert chapter.package("zipped_for_a_test", spare=["nowhere_at_all"]).value == 7
    assert chapter.package("json").loads("[1]") == [1]
    for name in ("zipped_for_a_test", "nowhere_at_all"):
        del sys.modules[name]
    with pytest.raises(FileNotFoundError, match="make setup"):
        chapter.package("not_there_either")


def test_a_slider_calls_at_once_and_refuses_a_start_beyond_its_ends(demo_module):
    chapter, seen = demo_module("chapters", "chapter"), []
    chapter.slider("x", 0, 1, 0.5, seen.append)
    chapter.choice("y", ["a", "b"], seen.append)
    assert seen == [0.5, "a"]
    with pytest.raises(ValueError, match="from low to high"):
        chapter.slider("x", 0, 1, 2, seen.append)
    with pytest.raises(FileNotFoundError, match="make setup"):
        chapter.file("none.csv")
