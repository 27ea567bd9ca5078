"""Packs the cars of vega-datasets, 406 rows with a few values missing, as a csv file."""

import csv
import io
import json
import tarfile
from pathlib import Path

from pyml.assets import pins
from pyml.assets.checks import tar_member
from pyml.assets.download import replacing

COLUMNS = ("Name", "Miles_per_Gallon", "Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration", "Year", "Origin")


def read_cars(tarball: Path) -> list[dict]:
    """The rows of the package's JSON file.

    Raises:
        AssetError: The file is missing or is not the one pinned.
    """
    (member,) = pins.CARS.files
    with tarfile.open(tarball) as archive:
        return json.loads(tar_member(archive, member, pins.CARS_SHA256))


def as_csv(rows: list[dict]) -> str:
    """A header line and a line per row; a missing value is an empty field, and of the dates the year is left."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "Year": row["Year"][:4]})
    return text.getvalue()


def pack(tarball: Path, target: Path) -> None:
    """Writes `target`, the csv file; leaves it alone where it is the same already."""
    data = as_csv(read_cars(tarball)).encode()
    if not (target.is_file() and target.read_bytes() == data):
        with replacing(target) as part:
            part.write_bytes(data)
