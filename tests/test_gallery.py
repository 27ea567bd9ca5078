"""The gallery page is made of the demos' own pages."""

import pytest

from pyml import paths
from pyml.assets import cars, pins
from pyml.assets.download import AssetError
from pyml.cli import demo, gallery

TEMPLATE = f"<ul>\n{gallery.MARK}\n</ul>"


@pytest.fixture
def folder(tmp_path):
    for name, head in {"zebra": "", "regression": '<meta name="description" content="Fits &amp;\n draws.">'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(f'{head}<meta name="needs" content="a camera"><h1 id="x">A &lt; <b>B</b>?</h1>')
    (tmp_path / "no page").mkdir()
    return tmp_path


def test_known_demos_come_first_and_folders_without_a_page_are_none(folder):
    assert gallery.demos(folder) == ["regression", "zebra"]


def test_a_card_has_the_words_of_the_page(folder):
    made = gallery.card(folder / "regression")
    assert '<a href="demos/regression/index.html">A &lt; B?</a>' in made
    assert "<p>Fits &amp; draws.</p>" in made and "a camera" in made


def test_a_picture_is_put_into_the_page(folder):
    assert gallery.NO_PICTURE in gallery.card(folder / "zebra")
    (folder / "zebra" / "picture.svg").write_text("<svg>mine</svg>")
    assert "<svg>mine</svg>" in gallery.gallery(TEMPLATE, folder)


def test_screenshots_take_the_place_of_a_drawing_where_both_themes_are_there(folder, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "zebra-light.png").touch()
    assert gallery.NO_PICTURE in gallery.card(folder / "zebra", pictures)
    (pictures / "zebra-dark.png").touch()
    made = gallery.card(folder / "zebra", pictures)
    assert 'src="pictures/zebra-light.png" alt=""' in made
    assert 'srcset="pictures/zebra-dark.png" media="(prefers-color-scheme: dark)"' in made


def test_a_demo_whose_network_is_not_there_is_grey_and_says_how_it_comes(folder):
    page = folder / "zebra" / "index.html"
    page.write_text('<meta name="networks" content="movenet photos"><h1>A</h1>')
    assert "absent" not in gallery.card(folder / "zebra") and "absent" not in gallery.card(folder / "zebra", networks={"movenet"})
    made = gallery.card(folder / "zebra", networks={"photos"})
    assert 'class="card demo absent"' in made and "pyml hub fetch movenet" in made
    page.write_text('<meta name="networks" content="movenet" data-optional><h1>A</h1>')
    assert "absent" not in gallery.card(folder / "zebra", networks=set())


def test_a_chapter_whose_network_or_data_are_not_there_is_grey(folder):
    (folder / "chapters").mkdir()
    said = '"""A?\n\nB.\n"""\nCHAPTER = {"data": ["a.npz"], "networks": ["b"]}\n'
    (folder / "chapters" / "c.py").write_text(said)
    template = TEMPLATE + gallery.CHAPTERS
    assert "absent" not in gallery.gallery(template, folder)
    assert "absent" not in gallery.gallery(template, folder, networks={"b"}, data={"a.npz"})
    assert "pyml hub fetch b" in gallery.gallery(template, folder, networks=set(), data={"a.npz"})
    made = gallery.gallery(template, folder, networks={"b"}, data=set())
    assert 'class="card demo absent"' in made and "Its data, a.npz, could not be fetched" in made


def test_the_gallery_links_the_python_of_the_pages_and_the_documentation_where_it_is(folder):
    (folder / "zebra" / "zebra.py").touch()
    template = f"{gallery.MARK}{gallery.SOURCES}{gallery.DOCS}"
    assert '<a href="demos/zebra/zebra.py">zebra/zebra.py</a>' in gallery.gallery(template, folder)
    assert "not part of this copy" in gallery.gallery(template, folder)
    assert '<a href="docs/index.html">' in gallery.gallery(template, folder, docs=True)


def test_a_template_without_a_place_is_refused(folder):
    with pytest.raises(ValueError, match="must hold <!-- demos --> once"):
        gallery.gallery("<ul></ul>", folder)


def test_every_demo_of_the_checkout_has_a_title_a_description_and_a_picture():
    demos = paths.checkout() / "demos"
    names = gallery.demos(demos)
    assert {"mnist", "regression", "classify", "teachable", "controller"} <= set(names) <= set(demo.names())
    for name in names:
        page = (demos / name / "index.html").read_text(encoding="utf-8")
        assert "<h1" in page and gallery.described(page, "description"), f"demos/{name}/index.html"
        assert (demos / name / "picture.svg").is_file(), f"demos/{name}"


def test_the_cars_are_a_csv_file_with_gaps(tmp_path):
    tarball = paths.build_dir() / "cache" / "vega-datasets@3.2.1.tgz"
    if not tarball.is_file():
        pytest.skip("make setup keeps the package of the cars")
    cars.pack(tarball, tmp_path / "cars.csv")
    lines = (tmp_path / "cars.csv").read_text().splitlines()
    assert len(lines) == 407 and lines[0] == ",".join(cars.COLUMNS)
    assert lines[1] == "chevrolet chevelle malibu,18,8,307,130,3504,12,1970,USA"
    assert sum(line.split(",")[4] == "" for line in lines) == 6


def test_other_cars_than_the_pinned_ones_are_refused(tmp_path, monkeypatch):
    tarball = paths.build_dir() / "cache" / "vega-datasets@3.2.1.tgz"
    if not tarball.is_file():
        pytest.skip("make setup keeps the package of the cars")
    monkeypatch.setattr(pins, "CARS_SHA256", "0" * 64)
    with pytest.raises(AssetError, match=r"data/cars\.json: checksum differs"):
        cars.pack(tarball, tmp_path / "cars.csv")
