"""What the page compiles for its table of cars, as it is set at first, and for a line; `pyml build --programs` ships it."""

from pyodide.http import pyfetch
from regression import Fit, describe, read_rows
from table import Table


async def main():
    answer = await pyfetch("../data/cars.csv")
    if not answer.ok:  # the site has it not
        return
    table = Table(await answer.string())
    await describe(table.source, table.texts)
    rows = await read_rows(table.source, ["Horsepower"], "Miles_per_Gallon", texts=table.texts)
    rows.pop("left_out")
    for hidden in (16, 0):
        fit = Fit(**rows, hidden=hidden)
        await fit.train(1)
        await fit.curve(0)
        await fit.errors()
