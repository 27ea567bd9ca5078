"""What the page compiles for its table of cars, as it is set at first, and for a line; `pyml build` ships it."""

from pathlib import Path

from regression import Fit, describe, read_rows
from table import Table


async def main():
    cars = Path("../../data/cars.csv")
    if not cars.is_file():  # the site has it not
        return
    table = Table(cars.read_text(encoding="utf-8"))
    await describe(table.source, table.texts)
    rows = await read_rows(table.source, ["Horsepower"], "Miles_per_Gallon", texts=table.texts)
    rows.pop("left_out")
    for hidden in (16, 0):
        fit = Fit(**rows, hidden=hidden)
        await fit.train(1)
        await fit.curve(0)
        await fit.errors()
