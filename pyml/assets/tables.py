"""Packs the penguins and the weather of vega-datasets as csv files for the chapters of the demos."""

import csv
import io
import json
import tarfile
from pathlib import Path

from pyml.assets import pins
from pyml.assets.checks import tar_member
from pyml.assets.download import replacing

PENGUINS = ("Species", "Island", "Beak Length (mm)", "Beak Depth (mm)", "Flipper Length (mm)", "Body Mass (g)", "Sex")


def pack(tarball: Path, folder: Path) -> list[str]:
    """Writes penguins.csv and weather.csv; leaves alone what is the same already. Returns their names.

    Raises:
        AssetError: A file is missing from the package, or is not the one pinned.
    """
    with tarfile.open(tarball) as archive:
        made = {"penguins.csv": penguins(tar_member(archive, *pins.PENGUINS)), "weather.csv": tar_member(archive, *pins.WEATHER)}
    for name, data in made.items():
        if not ((folder / name).is_file() and (folder / name).read_bytes() == data):
            with replacing(folder / name) as part:
                part.write_bytes(data)
    return list(made)


def penguins(data: bytes) -> bytes:
    """A line for each penguin; what is not known of it is an empty field, as is a sex that is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PENGUINS)
    for row in json.loads(data):
        row["Sex"] = row["Sex"] if row["Sex"] in ("MALE", "FEMALE") else None
        writer.writerow(["" if row[name] is None else row[name] for name in PENGUINS])
    return text.getvalue().encode()
