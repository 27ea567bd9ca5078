"""What Python does for the page: looks into a table, fits regression.py to it, and reports every few epochs."""

import asyncio
import json
import time

import numpy as np
from pyml_page import post, stopping
from regression import FEWEST, Fit, describe, read_rows, test_rows
from table import Table

DRAWN = 700  # points of the cloud, at most
BETWEEN_REPORTS = 0.15  # seconds

state = {"table": None, "fit": None, "features": [], "target": "", "axis": None}


async def look_into(text, has_header=None):
    """Reads the text of a csv file; `has_header` says whether its first line holds names, None leaves that to be found out."""
    table = Table(text, has_header)
    told = await describe(table.source, table.texts)
    state["table"] = table
    return {**told, "notes": table.notes, "hasHeader": table.has_header, "fewest": FEWEST}


async def preview(features, target, fill):
    """What the chart shows before the first fit: its rows, along the first column of numbers; None where there is none."""
    table = state["table"]
    try:
        rows = await read_rows(table.source, features, target, fill=fill, texts=table.texts)
    except ValueError:  # Train says why
        return None
    numbers = [i for i, texts in enumerate(rows["texts"]) if texts is None]
    if not numbers:
        return None
    x, y = rows["x"][:, numbers[0]], rows["y"]
    some = drawn(x)
    cloud = scattered(x[some], y[some, 0], test_rows(len(x))[some])
    return {"points": cloud, "curve": [], "x": features[numbers[0]], "y": target, "extent": {"x": span(x), "y": span(y)}}


async def train(features, target, options):
    """Fits a new model; returns how well it predicts rows that it never saw."""
    table = state["table"]
    rows = await read_rows(table.source, features, target, fill=options["fill"], texts=table.texts)
    left_out = rows.pop("left_out")
    fit = Fit(**rows, hidden=options["hidden"], rate=options["rate"])
    numbers = [name for name, texts in zip(features, fit.texts) if texts is None]  # a curve runs along these
    axis = state["axis"] if state["axis"] in numbers else (features[0] if len(features) == len(numbers) == 1 else None)
    state.update(fit=fit, features=features, target=target, axis=axis)
    kinds = {name: fit.kinds(i) for i, name in enumerate(features) if name not in numbers}
    begin = {"rows": len(fit.x), "test": int(fit.is_test.sum()), "leftOut": left_out, "weights": fit.model.count_params()}
    begin |= {"axis": axis, "axes": numbers, "kinds": kinds}
    post("begin", json.dumps({**begin, "view": await view(axis)}))
    epochs, some, began = options["epochs"], 1, time.perf_counter()
    while fit.epoch < epochs and not stopping():
        loss, test_loss = await fit.train(min(some, epochs - fit.epoch))
        if not (np.isfinite(loss) and np.isfinite(test_loss)):
            raise ValueError("The loss is not a number any more: the learning rate is too high for this table.")
        seconds = (time.perf_counter() - began) / fit.epoch
        some = max(1, round(BETWEEN_REPORTS / seconds))
        report = {"epoch": fit.epoch, "of": epochs, "loss": float(loss), "testLoss": float(test_loss)}
        post("progress", json.dumps({**report, "view": await moved()}))
        await asyncio.sleep(0)  # the page may ask for another axis meanwhile
    error, naive = await fit.errors()
    return {"error": error, "naive": naive, "epochs": fit.epoch, "test": int(fit.is_test.sum()), "view": await view(state["axis"])}


def drawn(x):
    """Numbers of the rows that are drawn."""
    return np.linspace(0, len(x) - 1, min(DRAWN, len(x))).astype(int)


def span(values):
    return [float(np.nanmin(values)), float(np.nanmax(values))]


async def moved():
    """What changes while the model learns: the curve, or with the prediction as the axis the points."""
    fit, axis = state["fit"], state["axis"]
    if axis is None:
        return {"points": await points(None)}
    return {"curve": pairs(await fit.curve(state["features"].index(axis)))}


async def view(axis):
    """All that the chart shows: along a feature, or along the prediction where `axis` is None."""
    fit = state["fit"]
    if fit is None:
        return None
    state["axis"] = axis
    y = span(fit.y)
    if axis is None:
        line = pairs(np.array([y, y]).T)
        return {"points": await points(None), "curve": line, "x": "prediction", "y": state["target"], "extent": {"x": y, "y": y}}
    values = fit.x[:, state["features"].index(axis)]
    return {"points": await points(values), **await moved(), "x": axis, "y": state["target"], "extent": {"x": span(values), "y": y}}


async def points(values):
    fit = state["fit"]
    rows = drawn(fit.x)
    across = await fit.predict(fit.x[rows]) if values is None else values[rows]
    return scattered(across, fit.y[rows, 0], fit.is_test[rows])


def scattered(across, down, test):
    return [{"x": float(a), "y": float(b), "split": "test" if t else "training"} for a, b, t in zip(across, down, test) if np.isfinite(a)]


def pairs(curve):
    return [{"x": float(a), "y": float(b)} for a, b in curve]
