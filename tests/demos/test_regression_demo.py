"""The regression demo's Python: columns of text beside numbers, gaps in both, values that the training rows lack."""

import asyncio

import numpy as np
import pytest

CITIES = {"Bern": 10.0, "Oslo": 20.0, "Rome": 30.0}


@pytest.fixture(scope="module")
def regression(demo_module):
    return demo_module("regression", "regression")


@pytest.fixture
def rents(tmp_path):
    """Rents that depend on the city alone; one in ten has none, and one row has a city of its own."""
    cities = [*CITIES, *CITIES, *CITIES, ""]
    rows = [f"{i % 7},{cities[i % 10]},{CITIES.get(cities[i % 10], 20.0)}" for i in range(120)]
    path = tmp_path / "rents.csv"
    path.write_text("\n".join(["floor,city,rent", *rows, "3, Bern ,10", "2,Ulm,20", "1,Oslo,"]) + "\n")
    return path


def read(regression, path, features, **options):
    return asyncio.run(regression.read_rows(path, features, "rent", **options))


def test_columns_are_described_with_their_kinds_and_gaps(regression, rents):
    told = asyncio.run(regression.describe(rents))
    assert [(c["name"], c["numbers"], c["missing"]) for c in told["columns"]] == [
        ("floor", True, 0), ("city", False, 12), ("rent", True, 1)]  # fmt: skip
    assert told["columns"][0]["different"] == 7 and told["incomplete"] == 13


def test_rows_without_a_text_are_left_out_or_kept_as_none_of_those_known(regression, rents):
    complete, kept = read(regression, rents, ["city"]), read(regression, rents, ["city"], fill=True)
    assert (len(complete["x"]), complete["left_out"]) == (110, 13) and (len(kept["x"]), kept["left_out"]) == (122, 1)
    assert sorted(complete["texts"][0]) == ["Bern", "Oslo", "Rome", "Ulm"]  # spaces around a text do not count
    assert np.isnan(kept["x"]).sum() == 12


def test_texts_become_inputs_of_0_and_1_and_unknown_ones_are_0_everywhere(regression):
    x = np.array([[0, 5], [1, 7], [2, np.nan], [0, 6], *[[1, 6]] * 4], "float32")
    fit = regression.Fit(x, [["a", "b", "rare"], None], np.arange(8, dtype="float32")[:, None])
    assert not fit.is_test[2:].any() and fit.kinds(0) == (["b", "rare", "a"], 0)  # two of eight are for the test
    inputs = fit.inputs(np.array([[1, 6], [2, 6], [np.nan, np.nan], [9, 6]], "float32"))
    assert inputs[:, :3].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert inputs[2, 3] == 0 and inputs.dtype == np.float32  # the mean of its column


def test_a_column_of_many_texts_keeps_its_commonest(regression):
    x = np.repeat(np.arange(60), 2)[:, None].astype("float32")
    fit = regression.Fit(x, [[f"t{i}" for i in range(60)]], np.arange(120, dtype="float32")[:, None])
    names, others = fit.kinds(0)
    assert len(names) == regression.KINDS == fit.inputs(x).shape[1] and others == 60 - regression.KINDS


def test_what_depends_on_a_text_is_learned_from_it(regression, rents):
    async def errors(features):
        rows = await regression.read_rows(rents, features, "rent", fill=True)
        rows.pop("left_out")
        fit = regression.Fit(**rows, hidden=0, rate=0.1)
        await fit.train(40)
        return await fit.errors()

    with_city, naive = asyncio.run(errors(["city", "floor"]))
    without, _ = asyncio.run(errors(["floor"]))
    assert with_city < 0.1 * naive and without > 0.8 * naive


def test_the_curve_along_a_number_keeps_the_commonest_text(regression, rents):
    rows = read(regression, rents, ["floor", "city"])
    rows.pop("left_out")
    curve = asyncio.run(regression.Fit(**rows).curve(0))
    assert np.isfinite(curve).all() and curve[0, 0] == 0 and curve[-1, 0] == 6


def test_a_text_to_predict_is_refused_with_its_line(regression, rents):
    with pytest.raises(ValueError, match=r"rents\.csv, line 2: column 'city' is float32, and 'Bern' is no such value"):
        asyncio.run(regression.read_rows(rents, ["floor"], "city"))


def test_numbers_that_are_no_float32_when_squared_are_fitted(regression):
    x = np.arange(40, dtype="float32")[:, None]
    fit = regression.Fit(1e30 * x, [None], (3e30 * x + 1e31).astype("float32"), hidden=0, rate=0.1)
    loss, test_loss = asyncio.run(fit.train(100))
    error, naive = asyncio.run(fit.errors())
    assert np.isfinite([loss, test_loss]).all() and error < 0.5 * naive
