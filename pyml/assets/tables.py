"""Packs tables of npm packages as csv files for the chapters of the demos: penguins, weather, houses, irises, names of sites."""

import csv
import io
import json
import re
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pyml.assets import pins
from pyml.assets.checks import tar_member
from pyml.assets.download import replacing

# Of the houses: what the first study counted of people's colour and status is left out.
HOUSES = ("crim", "zn", "indus", "chas", "nox", "rm", "age", "dis", "rad", "tax", "ptratio", "medv")
NAME = re.compile(r"(?=.{4,60}$)[a-z0-9-]+(\.[a-z0-9-]+)+")
IRISES = ("sepal_length", "sepal_width", "petal_length", "petal_width", "species")
PENGUINS = ("Species", "Island", "Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)", "Sex")


def pack(tarball: Path, folder: Path) -> list[str]:
    """Writes penguins.csv and weather.csv; leaves alone what is the same already. Returns their names.

    Raises:
        AssetError: A file is missing from the package, or is not the one pinned.
    """
    with tarfile.open(tarball) as archive:
        made = {"penguins.csv": penguins(tar_member(archive, *pins.PENGUINS)), "weather.csv": tar_member(archive, *pins.WEATHER)}
    for name, data in made.items():
        put(folder / name, data)
    return list(made)


def pack_houses(tarball: Path, target: Path) -> None:
    """Writes the houses, without two of their columns.

    Raises:
        AssetError: The file is missing from the package, or is not the one pinned.
    """
    with tarfile.open(tarball) as archive:
        rows = csv.DictReader(io.StringIO(tar_member(archive, pins.HOUSES.files[0], pins.HOUSES_SHA256).decode()))
    put(target, table(HOUSES, ([row[name] for name in HOUSES] for row in rows)))


def pack_irises(tarball: Path, target: Path) -> None:
    """Writes the irises.

    Raises:
        AssetError: The file is missing from the package, or is not the one pinned.
    """
    with tarfile.open(tarball) as archive:
        put(target, table(IRISES, json.loads(tar_member(archive, pins.IRISES.files[0], pins.IRISES_SHA256))))


def pack_names(frauds: Path, sites: Path, target: Path) -> None:
    """Writes names of sites: the honest ones, and a quarter of those that steal passwords, so that there are two of these for one of those.

    Raises:
        AssetError: A file is missing from its package, or is not the one pinned.
    """
    with tarfile.open(frauds) as archive:
        lists = json.loads(tar_member(archive, pins.FRAUDS.files[0], pins.FRAUDS_SHA256))
    with tarfile.open(sites) as archive:
        linked = json.loads(tar_member(archive, pins.SITES.files[0], pins.SITES_SHA256))
    bad = sorted(name for name in lists["blacklist"] if NAME.fullmatch(name))
    good = {*lists["whitelist"], *(site["rootDomain"].removeprefix("www.") for site in linked)}
    rows = [(name, 0) for name in sorted(good.difference(bad)) if NAME.fullmatch(name)] + [(name, 1) for name in bad[::4]]
    put(target, table(("name", "fraud"), rows))


def put(target: Path, data: bytes) -> None:
    """Writes a file, unless it is the same already."""
    if not (target.is_file() and target.read_bytes() == data):
        with replacing(target) as part:
            part.write_bytes(data)


def table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A csv file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue().encode()


def penguins(data: bytes) -> bytes:
    """A line for each penguin; what is not known of it is an empty field, as is a sex that is none."""
    rows = json.loads(data)
    for row in rows:
        row["Sex"] = row["Sex"] if row["Sex"] in ("MALE", "FEMALE") else None
    return table(PENGUINS, (["" if row[name] is None else row[name] for name in PENGUINS] for row in rows))
