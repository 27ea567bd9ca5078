"""The data of the chapters, packed out of packages of the registries."""

import csv
import io
import tarfile

import pytest

from pyml import paths
from pyml.assets import mails, pins, tables
from pyml.assets.download import AssetError


def tarball(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    return path


def test_what_is_not_known_of_a_penguin_is_an_empty_field():
    text = b"""[{"Species": "Adelie", "Island": "Dream", "Beak Length (mm)": null, "Beak Depth (mm)": 18.5, "Flipper Length (mm)": 180,
      "Body Mass (g)": 3700, "Sex": "."}]"""
    row = next(csv.DictReader(io.StringIO(tables.penguins(text).decode())))
    assert row["Beak Length (mm)"] == row["Sex"] == "" and row["Beak Depth (mm)"] == "18.5"


def test_another_table_than_the_pinned_one_is_refused(tmp_path):
    package = tarball(tmp_path / "vega.tgz", {pins.PENGUINS[0]: b"[]"})
    with pytest.raises(AssetError, match=r"data/penguins\.json: checksum differs"):
        tables.pack(package, tmp_path)
    with pytest.raises(AssetError, match=r"holds no file data/penguins\.json"):
        tables.pack(tarball(tmp_path / "none.tgz", {}), tmp_path)


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
    package = tarball(tmp_path / "mails.tgz", names)
    monkeypatch.setattr(mails, "EACH", 2)
    mails.pack(package, tmp_path / "mails.csv")
    rows = list(csv.DictReader((tmp_path / "mails.csv").open()))
    found = [(row["label"], row["text"].split()[0]) for row in rows]
    assert found == [("ham", "one"), ("spam", "offer"), ("ham", "two"), ("spam", "money")]
    monkeypatch.setattr(mails, "EACH", 3)
    with pytest.raises(AssetError, match="expected 3 mails of either kind"):
        mails.pack(package, tmp_path / "mails.csv")


def test_the_fetched_data_are_whole():
    folder = paths.assets_dir() / "data"
    for name, lines in {"penguins.csv": 345, "weather.csv": 1462, "mails.csv": 2001}.items():
        if (folder / name).is_file():
            assert (folder / name).read_bytes().count(b"\n") == lines
