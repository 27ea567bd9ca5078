"""Figures of pyml.vis: their specifications and numbers, sane pictures of strange data, files and notebooks."""

import datetime
import doctest
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import vis
from pyml.vis.training import FitCallbacks, Paced

NAN, INF = float("nan"), float("inf")
R = np.random.default_rng(0)
MODULES = [path.stem for path in sorted(Path(pyml.__file__).parent.glob("vis/*.py")) if ">>> " in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
    module = importlib.import_module(f"pyml.vis.{name}")
    result = doctest.testmod(module, extraglobs={"np": np, "pyml": pyml, "model": model})
    assert result.attempted > 0 and result.failed == 0


def test_importing_pyml_loads_no_figures():
    code = "import pyml, sys; pyml.vis; print([name for name in sys.modules if name.startswith('pyml.vis.')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# ---- numbers
def test_matrices_and_curves_are_those_of_scikit_learn():
    from sklearn import metrics as reference  # takes seconds to import

    for seed in range(5):
        rng = np.random.default_rng(seed)
        y, p, w = rng.integers(0, 4, 200), rng.integers(0, 4, 200), rng.random(200)
        assert vis.metrics.confusion_matrix(y, p) == reference.confusion_matrix(y, p).tolist()
        assert np.allclose(vis.metrics.confusion_matrix(y, p, weights=w), reference.confusion_matrix(y, p, sample_weight=w))
        assert np.isclose(vis.metrics.accuracy(y, p), reference.accuracy_score(y, p))
        recall = reference.recall_score(y, p, average=None)
        assert np.allclose([one["accuracy"] for one in vis.metrics.per_class_accuracy(y, p)], recall)
        b, s = rng.integers(0, 2, 200), rng.random(200).round(1 + seed % 2)  # with ties
        for ours, theirs in zip(vis.metrics.roc_curve(b, s), reference.roc_curve(b, s, drop_intermediate=False)):
            assert np.allclose(ours, theirs)
        fpr, tpr, _ = vis.metrics.roc_curve(b, s)
        assert np.isclose(vis.metrics.auc(fpr, tpr), reference.roc_auc_score(b, s))
        theirs = reference.precision_recall_curve(b, s)
        for ours, other in zip(vis.metrics.precision_recall_curve(b, s), theirs):
            assert np.allclose(ours[-len(other):] if len(ours) > len(other) else ours, other)
        assert np.isclose(vis.metrics.average_precision(b, s), reference.average_precision_score(b, s))


def test_rows_of_scores_are_the_class_of_the_highest():
    figure = vis.confusion_matrix(np.eye(3)[[0, 1, 2]], np.eye(3)[[0, 2, 2]], class_names=["a", "b", "c"])
    assert [row["value"] for row in figure.rows()] == [1, 0, 0, 0, 0, 1, 0, 0, 1]


def test_a_histogram_counts_as_numpy_does_and_says_what_is_left_out():
    values = np.r_[R.normal(size=200), NAN, INF, 0.0]
    figure = vis.histogram(values, max_bins=7)
    assert [row["count"] for row in figure.rows()] == np.histogram(values[np.isfinite(values)], 7)[0].tolist()
    note = figure.spec["title"]["subtitle"]
    assert "values 203" in note and "NaN 1" in note and "infinite 1" in note and "zeros 1" in note


def test_thinned_lines_keep_their_peaks_and_gaps_and_say_so():
    y = np.sin(np.arange(10_000) / 900)
    y[5000], y[7000], y[3000] = 9.0, -9.0, NAN
    rows = vis.line_chart(y).rows()
    found = {row["x"]: row["y"] for row in rows}
    assert len(rows) <= 2000 and found[5000] == 9 and found[7000] == -9 and found[3000] is None
    assert vis.scatter_plot(R.random((10_000, 2))).spec["title"]["subtitle"] == "2,000 of 10,000 points are drawn."


FORMS = [
    ([1, 2, 3], [("Series 1", 0, 1), ("Series 1", 1, 2), ("Series 1", 2, 3)]),
    ([[1, 2], [3, 4, 5]], [("Series 1", 0, 1), ("Series 1", 1, 2), ("Series 2", 0, 3), ("Series 2", 1, 4), ("Series 2", 2, 5)]),
    ({"a": [1], "b": [(5, 2)]}, [("a", 0, 1), ("b", 5, 2)]),
    ({"values": [[{"x": 1, "y": 2}], [{"x": 3, "y": None}]], "series": ["a", "b"]}, [("a", 1, 2), ("b", 3, None)]),
    (np.array([[1.0, 2, 3]]), [("Series 1", 0, 1), ("Series 1", 1, 2), ("Series 1", 2, 3)]),
    ([(5, 1), (6, 3), (7, 2)], [("Series 1", 5, 1), ("Series 1", 6, 3), ("Series 1", 7, 2)]),
]


@pytest.mark.parametrize("data, rows", FORMS)
def test_lines_come_in_every_form(data, rows):
    assert [(row["series"], row["x"], row["y"]) for row in vis.line_chart(data).rows()] == rows


# ---- strange data
STRANGE = {
    "empty": [], "one": [3.0], "nan": [NAN, NAN], "inf": [INF, 1.0, -INF], "equal": [2.0, 2.0, 2.0], "zeros": [0.0, 0.0],
    "huge": [1e300, -1e300], "tensor": lambda: pyml.convert_to_tensor([1.0, 2.0]), "bool": [True, False], "array": np.zeros((0,)),
}  # fmt: skip


@pytest.mark.parametrize("chart", ["line_chart", "bar_chart", "histogram", "values_distribution"])
def test_strange_values_give_a_picture_that_json_can_hold(chart):
    for name, data in STRANGE.items():
        data = data() if callable(data) else data
        figure = getattr(vis, chart)(data, title=name)
        assert json.loads(figure.to_json())["title"]["text"] == name
        if name in ("empty", "array"):
            assert figure.rows() == [{"text": "There is nothing to show."}]


def test_strange_matrices_pictures_and_tables_give_a_picture():
    for figure in (
        vis.heatmap(np.zeros((0, 0))), vis.heatmap([[NAN, 1], [INF, 2]]), vis.heatmap(np.ones((3, 3))), vis.heatmap([[NAN]]),
        vis.image_grid(np.zeros((0, 3, 3))), vis.image_grid([np.full((2, 2), NAN)]), vis.image_grid([np.ones((2, 3)), np.ones((4, 4, 3))]),
        vis.table([]), vis.table([[None, NAN, INF]]), vis.confusion_matrix(np.zeros((0, 0))), vis.confusion_matrix(np.zeros((3, 3))),
        vis.per_class_accuracy([2], [2]), vis.per_class_accuracy([]), vis.history({}), vis.history({"loss": [NAN, None, INF]}),
        vis.confusion_matrix([[5, 0], [0, 5]], shade_diagonal=False), vis.scatter_plot([]), vis.scatter_plot([[1, 1], [1, 1]]),
    ):  # fmt: skip
        assert json.loads(figure.to_json())["$schema"]


def test_rows_and_columns_without_values_keep_their_places():
    for figure in (vis.heatmap([[NAN, 1], [INF, 2]]), vis.confusion_matrix([[NAN, 1], [INF, 2]])):
        encoding = (figure.spec.get("layer") or [figure.spec])[0]["encoding"]
        assert [encoding[axis]["scale"]["domain"] for axis in "xy"] == [["0", "1"]] * 2
    assert [row["y"] for row in vis.line_chart(np.ma.masked_array([1, 2, 3], [0, 1, 0])).rows()] == [1, None, 3]
    assert vis.confusion_matrix([[NAN]]).rows() == [{"text": "All values are NaN or infinite."}]


def test_dates_lie_along_x_in_every_form_they_come_in():
    days, then = [datetime.date(2024, 3, 1), datetime.date(2024, 3, 3)], datetime.datetime(2024, 3, 1, 12)
    numpys = np.array(days, "datetime64[D]")
    for data in (list(zip(days, [1, 2])), list(zip(numpys, [1, 2])), [{"x": day, "y": i} for i, day in enumerate(days, 1)],
                 {"a": list(zip(days, [1, 2]))}, Frame([1, 2], index=days), Frame([[1, 0], [2, 0]], index=numpys)):  # fmt: skip
        figure = vis.line_chart(data)
        assert [(row["date"], row["x"], row["y"]) for row in figure.rows()[:2]] == [
            ("2024-03-01", 19783 * 864e5, 1), ("2024-03-03", 19785 * 864e5, 2)]  # fmt: skip
        assert figure.spec["encoding"]["x"] == {"field": "x", "type": "temporal", "title": "date", "scale": {"type": "utc"}}
    point = vis.scatter_plot([(then, 1), (None, 2)])
    assert [row.get("date") for row in point.rows()] == ["2024-03-01 12:00:00", None]
    assert np.ptp(point.spec["encoding"]["x"]["scale"]["domain"]) == 2 * 864e5
    assert len(vis.confusion_matrix(days, numpys).rows()) == 4  # names there


def test_ticks_of_counts_and_steps_are_whole_in_notebooks_too():
    steps = vis.line_chart([3, 2, 1]).spec["encoding"]["x"]["axis"]
    assert steps == {"tickMinStep": 1, "tickCount": {"expr": "min(ceil(width / 40), 2)"}}
    assert vis.history({"loss": [3, 2, 1]}).spec["encoding"]["x"]["axis"] == {"format": "d", **steps}
    assert vis.histogram([1, 1, 2]).spec["encoding"]["y"]["axis"]["tickCount"] == {"expr": "min(ceil(height / 40), 2)"}


class Frame:
    """What is asked of a data frame of pandas or polars; with `index`, of pandas."""

    def __init__(self, values, **index):
        self.values, self.ndim, self.shape = np.array(values), np.ndim(values), np.shape(values)
        self.__dict__.update(index, **({"columns": ["a", "b"]} if self.ndim == 2 else {}))

    def to_numpy(self):
        return self.values

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype)

    def __getitem__(self, name):
        return Frame(self.values[:, self.columns.index(name)])


def test_rows_of_a_table_may_have_their_keys_in_any_order_and_come_of_data_frames():
    for values in ([{"a": 1, "b": "x"}, {"b": "y", "a": 2}], {"a": [1, 2], "b": ["x", "y"]}, Frame([[1, "x"], [2, "y"]])):
        assert [(row["column"], row["text"]) for row in vis.table(values).rows()] == [("a", "1"), ("b", "x"), ("a", "2"), ("b", "y")]


def test_classes_may_be_named_as_scikit_learn_takes_them():
    true, said = ["hen", "cat", "dog", "cat"], np.array(["hen", "dog", "dog", "cat"])
    cells = {(row["y"], row["x"]): row["value"] for row in vis.confusion_matrix(true, said).rows() if row["value"]}
    assert cells == {("hen", "hen"): 1, ("cat", "dog"): 1, ("dog", "dog"): 1, ("cat", "cat"): 1}
    ordered = vis.per_class_accuracy(true, said, class_names=["dog", "cat", "hen", "cow"]).rows()
    assert [(row["class"], row["count"]) for row in ordered] == [("dog", 1), ("cat", 2), ("hen", 1), ("cow", 0)]


def test_columns_and_rows_of_data_frames_name_what_is_drawn():
    numbers, rows = Frame([[1.0, 2], [3, 4]], index=np.array(["u", "v"])), Frame([5, 6], index=np.array(["u", "v"]))
    assert [(row["series"], row["y"]) for row in vis.line_chart(numbers).rows()] == [("a", 1), ("a", 3), ("b", 2), ("b", 4)]
    cloud = vis.scatter_plot(numbers)
    assert [cloud.spec["encoding"][axis]["title"] for axis in "xy"] == ["a", "b"] and cloud.rows()[1]["y"] == 4
    assert vis.bar_chart(rows).rows() == [{"label": "u", "value": 5}, {"label": "v", "value": 6}]
    assert [(row["x"], row["y"]) for row in vis.heatmap(numbers).rows()] == [("a", "u"), ("b", "u"), ("a", "v"), ("b", "v")]
    assert [part["title"]["text"] for part in vis.history(numbers).spec["vconcat"]] == ["a", "b"]


REFUSED = {
    "vis.line_chart(['a', 'b'])": "line_chart: expected numbers",
    "vis.line_chart([1], colour='red')": "no option colour; there are series, title, width",
    "vis.line_chart([[1], [2]], series=['a'])": "series must name 2 series. Received: 1",
    "vis.line_chart([{'x': 1}])": "every point must have x and y",
    "vis.scatter_plot([1, 2, 3])": "expected pairs of x and y",
    "vis.bar_chart([1, 2], labels=['a'])": "labels must name 2 bars",
    "vis.bar_chart({'a': [1, 2], 'b': [3, 4]})": "one number for each bar. Received shape (2, 2)",
    "vis.histogram(np.array(['2024-01-01'], 'datetime64[D]'))": "histogram: dates and times have a place along x of line_chart",
    "vis.line_chart([datetime.date(2024, 1, 1)])": "in tuples of a date and a number",
    "vis.line_chart([(datetime.date(2024, 1, 1), 2), (3, 4)])": "expected a date or time for every x",
    "vis.line_chart([1e308, -1e308])": "values from -1e+308 to 1e+308 are too far apart",
    "vis.image_grid(np.zeros((8, 8)))": "A single picture goes into a list",
    "vis.image_grid(np.zeros((1, 0, 8)))": "of one pixel or more",
    "vis.image_grid([[['a']]])": "a picture must be of numbers. Received dtype <U1",
    "vis.projector(np.eye(3), pictures=[])": "there is no option pictures; there are labels, images, texts",
    "vis.heatmap([[1]], x_labels='a')": "there are x_tick_labels, y_tick_labels, title",
    "vis.histogram([1], max_bins=0)": "max_bins must be a positive integer",
    "vis.heatmap(np.zeros((200, 200)))": "more cells than the 10,000",
    "vis.heatmap([[1]], x_tick_labels=['a', 'b'])": "must have 1 names. Received: 2",
    "vis.heatmap([[1]], color_map='rainbow')": "one of viridis",
    "vis.table([[1], [1, 2]])": "Row 1 has 2",
    "vis.table({'a': [1, 2], 'b': [1]})": "as many values; None is an empty cell. Received: 2 in 'a', 1 in 'b'",
    "vis.table([{'a': 1}, {'b': 1}])": "must have the keys 'a'. Row 1 has 'b'",
    "vis.confusion_matrix([0, 1], [[NAN, NAN], [0, 1]])": "predictions hold scores that are NaN",
    "vis.per_class_accuracy([0, 2**70], [0, 1])": "labels must be classes from 0 on",
    "vis.image_grid(np.zeros((2, 3, 3, 7)))": "Received shape (3, 3, 7)",
    "vis.confusion_matrix([[1, 2]])": "square matrix",
    "vis.confusion_matrix([0, 1], [0])": "as many predictions as labels",
    "vis.confusion_matrix([0.5], [0])": "labels must be classes",
    "vis.confusion_matrix(['a', 'b'], [0, 1])": "labels are names and the others are not",
    "vis.per_class_accuracy(['a'], ['b'], class_names=['a'])": "'b' is not among class_names; there are a.",
    "vis.roc_curve([1, 1], [0.1, 0.2])": "hold both classes",
    "vis.roc_curve([0, 2], [0.1, 0.2])": "must be 0 or 1",
    "vis.roc_curve([0, 1], [0.1, NAN])": "scores must be finite",
    "vis.history({'loss': [1]}, ['acc'])": "no metric 'acc'; there are 'loss'",
    "vis.history(3)": "Received 3",
    "vis.history({'loss': ['a']})": "expected a number for each epoch in 'loss'",
    "vis.per_class_accuracy([[1], [1, 2]], [0, 1])": "per_class_accuracy: expected rows of equal length",
    "vis.history({'a': pyml.callbacks.History()})": "history: expected one training. Draw several one by one",
    "vis.fit_callbacks(callbacks=['on_fit'])": "Received: on_fit",
    "vis.layer(pyml.layers.Dense(3, name='d'))": "'d' has no weights yet",
    "vis.layer(pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)]), 'dense')": "write layer(model.get_layer('dense'))",
    "vis.line_chart([1]).save('x.gif')": "must end in .json, .html, .svg or .png",
    "vis.line_chart([1]).themed('blue')": "theme must be",
    "vis.render.linechart(3, [1])": "container must be a surface",
}


@pytest.mark.parametrize("source", REFUSED)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(source):
    with pytest.raises((ValueError, TypeError)) as caught:
        eval(source)
    assert REFUSED[source] in str(caught.value)


# ---- where figures go
def test_notebooks_get_vega_lite_and_a_table_with_escaped_text_where_it_does_not_hide_the_chart(monkeypatch):
    monkeypatch.setitem(sys.modules, "IPython", sys)   # JupyterLab would show the table
    assert set(vis.bar_chart({"a": 1})._repr_mimebundle_()) == {"application/vnd.vegalite.v5+json", "text/plain"}
    monkeypatch.delitem(sys.modules, "IPython")
    bundle = vis.bar_chart({"<b>": 1}, title="<i>")._repr_mimebundle_()
    assert bundle["application/vnd.vegalite.v5+json"]["mark"]["type"] == "bar"
    assert "&lt;b&gt;" in bundle["text/html"] and "<i>" not in bundle["text/html"]


def test_no_null_is_needed_where_a_kernel_loses_it(monkeypatch):
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(2), pyml.layers.Dense(1)])
    figures = [
        vis.line_chart({"a": [1, NAN], "b": [2, 1]}), vis.bar_chart([1, 2], color=["red", "blue"]), vis.table([[1]]),
        vis.model_graph(model), vis.image_grid(np.zeros((2, 3, 3)), labels="ab"),
        vis.projector(np.eye(4), labels=[0, 0, 1, 1], dimensions=3),
        vis.neurons(model, [[0, 1], [1, 0]], resolution=4), vis.decision_boundary(model, [[0, 1], [1, 0]], [0, 1], resolution=4),
    ]  # fmt: skip
    for figure in figures:
        monkeypatch.setattr(sys, "platform", "emscripten")
        spec = figure._repr_mimebundle_()["application/vnd.vegalite.v5+json"]
        monkeypatch.undo()
        assert "null" in json.dumps(figure.themed()) and "null" not in json.dumps(emptied(spec))
    lines, table = (one._repr_mimebundle_()["application/vnd.vegalite.v5+json"] for one in (figures[0], figures[2]))
    assert lines["encoding"]["color"]["title"] is None and table["layer"][0]["encoding"]["x"]["axis"] is None  # elsewhere as ever


def emptied(spec):
    """A specification without its data."""
    if isinstance(spec, dict):
        return {key: emptied(value) for key, value in spec.items() if key != "data"}
    return [emptied(one) for one in spec] if isinstance(spec, list) else spec


def test_files_hold_the_figure(tmp_path):
    figure = vis.bar_chart({"</script>": 1}, title="t")
    figure.save(tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text()) == figure.spec
    if (pyml.paths.assets_dir() / "vendor" / "vega.min.js").is_file():
        figure.save(tmp_path / "x.html")
        assert '"\\u003c/script>"' in (tmp_path / "x.html").read_text()
        for made, fluid in ((vis.line_chart([1, 2]), True), (vis.line_chart([1, 2], width=300, height=300), False),
                            (vis.image_grid(np.zeros((3, 4, 4))), False), (vis.table([["x" * 80]]), False)):
            made.save(tmp_path / "y.html")             # pictures and wide tables keep their width
            assert ('"width": "container"' in (tmp_path / "y.html").read_text()) == fluid


def test_the_rows_of_a_curve_are_its_points():
    assert vis.roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).rows()[0] == {"x": 0.0, "y": 0.0, "series": "Series 1"}


def test_pictures_are_saved_by_vl_convert_where_it_is(tmp_path):
    pytest.importorskip("vl_convert")
    figure = vis.line_chart({"a": [1, NAN, 3], "b": [2, 1]}, title="Rain")
    figure.save(tmp_path / "x.svg", theme="dark")
    text = (tmp_path / "x.svg").read_text()
    assert "Rain" in text and "#4da3e0" in text and "#1d2226" in text
    figure.save(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


def test_without_vl_convert_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(ImportError, match=r"pip install vl-convert-python"):
        vis.line_chart([1, 2]).save(tmp_path / "x.png")


def test_show_says_in_a_terminal_how_to_save(capsys):
    figure = vis.line_chart([1, 2], title="t")
    assert figure.show() is figure and "save('figure.html')" in capsys.readouterr().out


def test_every_name_of_tfjs_vis_draws_on_a_surface():
    surface = vis.visor().surface({"name": "s", "tab": "tests"})
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    points = {"values": [{"x": 1, "y": 2}, {"x": 2, "y": 3}]}
    accuracy = vis.metrics.per_class_accuracy([0, 1], [0, 1])
    drawn = [
        vis.render.linechart(surface, points, {"xLabel": "a", "yAxisDomain": [0, 5], "seriesColors": ["#123456"]}),
        vis.render.scatterplot(surface, points, {"zoomToFit": True}),
        vis.render.barchart(surface, [{"index": 0, "value": 50}], {"fontSize": 9}),
        vis.render.histogram(surface, [{"value": 1}, {"value": 2}], {"maxBins": 2}),
        vis.render.heatmap(surface, {"values": [[1, 2, 3], [4, 5, 6]], "xTickLabels": ["a", "b"]}, {"colorMap": "greyscale"}),
        vis.render.confusion_matrix(surface, {"values": [[1, 0], [0, 1]], "tickLabels": ["a", "b"]}, {"shadeDiagonal": False}),
        vis.render.table(surface, {"headers": ["a"], "values": [[1]]}),
        vis.show.history(surface, {"loss": [1, 2]}, ["loss"], {"zoomToFitAccuracy": True}),
        vis.show.per_class_accuracy(surface, accuracy, ["a", "b"]), vis.show.values_distribution(surface, np.ones(3)),
        vis.show.layer(surface, model.layers[0]), vis.show.model_summary(surface, model),
    ]  # fmt: skip
    assert all(isinstance(figure, vis.Figure) for figure in drawn) and surface.figure is drawn[-1]
    assert drawn[0].spec["encoding"]["x"]["title"] == "a" and drawn[0].spec["encoding"]["y"]["scale"]["domain"] == [0, 5]
    assert [row["value"] for row in drawn[4].rows()] == [1, 4, 2, 5, 3, 6]  # values[i] is a column there
    assert vis.show.fit_callbacks({"name": "s"}, ["loss"], {"callbacks": ["onEpochEnd"]}).shown == ["on_epoch_end"]


# ---- models and training
def test_live_charts_read_logs_only_at_the_points_they_draw():
    reads = []

    class Logs(dict):
        def __getitem__(self, name):
            reads.append(name)
            return super().__getitem__(name)

    live = vis.fit_callbacks(every=4)
    live.on_train_begin()
    for batch in range(10):
        live.on_train_batch_end(batch, Logs(loss=float(batch)))
    assert [row["loss"] for row in live.batches] == [0, 4, 8] and len(reads) == 3
    assert [row["x"] for row in live.figures()["on_batch_end"].rows()] == [1, 5, 9]


def test_logs_are_read_less_often_where_that_would_take_more_than_a_hundredth_of_the_time():
    now = [0.0]

    class Logs(dict):
        def __getitem__(self, name):
            now[0] += 0.0007                           # what a reading takes
            return super().__getitem__(name)

    live = FitCallbacks(callbacks=["on_batch_end"], clock=lambda: now[0])
    live.on_train_begin()
    for batch in range(1000):
        now[0] += 0.001                                # a step
        asked = live.looks_at_logs()
        live.on_train_batch_end(batch, Logs(loss=1.0))
        assert asked == (live._at[-1] == batch + 1)
    assert live._at[:2] == [1, 11] and set(np.diff(live._at[1:])) <= {140, 150}
    slow = FitCallbacks(callbacks=["on_batch_end"], clock=lambda: 0.05 * slow._seen)
    slow.on_train_begin()
    for batch in range(40):
        slow.on_train_batch_end(batch, {"loss": 1.0})
    assert slow._at == [1, 11, 21, 31]


def test_drawing_takes_little_of_the_time_and_the_last_is_drawn():
    now, done = [0.0], []
    paced = Paced(clock=lambda: now[0])

    def work(step):
        done.append(step)
        now[0] += 0.001                                # a millisecond, so that the next is due 125 later

    for step in range(350):
        paced.do("loss", lambda step=step: work(step))
        now[0] += 0.001
    assert len(done) == 3 and set(np.diff(done)) <= {125, 126}
    paced.finish()
    assert done[-1] == 349
    paced.finish()
    assert len(done) == 4


def test_what_goes_wrong_in_training_is_said_once():
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3, "relu", name="dead"), pyml.layers.Dense(1, name="out")])
    model.layers[0].set_weights([np.array([[-1.0, 1, -1], [-2, 1, 0]]), np.array([0.0, 0, -1])])
    model.compile(pyml.optimizers.SGD(0.0), "mse")
    live = vis.fit_callbacks()
    with pytest.warns(UserWarning, match="2 of the 3 units of layer 'dead'"):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[live])
    assert len(live.warnings) == 1
    model.layers[1].set_weights([np.full((3, 1), NAN), np.zeros(1)])
    with pytest.warns(UserWarning):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, verbose=0, callbacks=[live])
    assert any("the loss is nan" in text for text in live.warnings) and any("not finite" in text for text in live.warnings)


def test_a_graph_has_a_box_for_each_layer_below_those_it_reads():
    inputs = pyml.Input((4,), name="in")
    left, right = pyml.layers.Dense(3, name="left")(inputs), pyml.layers.Dense(3, name="right")(inputs)
    model = pyml.Model(inputs, pyml.layers.Add(name="sum")([left, right]))
    figure = vis.model_graph(model)
    levels = {box["name"]: box["level"] for box in figure.spec["data"]["values"]}
    assert levels == {"in": 0, "left": 1, "right": 1, "sum": 2}
    assert len(figure.spec["layer"][0]["data"]["values"]) == 4


def test_a_loss_that_explodes_is_told_from_one_that_leaves_zero(recwarn):
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    for losses, said in (([1e-13, 1e-6], 0), ([2.0, 3.0, 5000.0], 1)):
        live = vis.fit_callbacks(callbacks=["on_epoch_end"])
        live.set_model(model)
        live.on_train_begin()
        for epoch, loss in enumerate(losses):
            live.on_epoch_end(epoch, {"loss": loss})
        assert len(live.warnings) == said and all("gradients explode" in text for text in live.warnings)


def test_labels_of_a_heat_map_that_read_the_same_stay_apart_and_level():
    figure = vis.heatmap(np.eye(12), list("2007-04-03 a"), list("2007-04-03 b"))
    drawn = [row["x"] for row in figure.rows()[:12]]
    assert len(set(drawn)) == 12 and "".join(drawn).replace("\u200b", "") == "2007-04-03 a"
    assert figure.spec["encoding"]["x"]["axis"]["labelAngle"] == 0


def test_a_heat_map_of_a_few_names_shows_all_of_them_slanted_where_it_is_narrow():
    axis = vis.heatmap(np.eye(3), ["Adelie", "Chinstrap", "Gentoo"], list("abc")).spec["encoding"]["x"]["axis"]
    assert axis["labelAngle"] == {"expr": "width < 180 ? -40 : 0"} and axis["labelOverlap"] is False
    assert axis["labelAlign"] == {"expr": "width < 180 ? 'right' : 'center'"}
    assert axis["minExtent"] == {"expr": "width < 340 ? 49 : 0"}  # room for "Chinstrap", whatever the plot's width becomes
    assert axis["titleY"] == {"expr": "width < 180 ? 53 : 24"}
    titled = vis.heatmap(np.eye(3), ["Adelie", "Chinstrap", "Gentoo"], list("abc"), x_label="species").spec["encoding"]["x"]["axis"]
    assert titled["minExtent"] == {"expr": "width < 340 ? 65 : 0"}  # and for the title, which would be cut off
    bars = vis.bar_chart({"like today": 2.2, "like the season": 3.2, "dense": 2.3, "SimpleRNN": 2.3, "GRU": 2.1})
    assert bars.spec["encoding"]["x"]["axis"]["minExtent"] == {"expr": "width < 544 ? 72 : 0"}  # no legend is beside them


def test_pictures_are_not_read_aloud_byte_by_byte_and_bars_may_lie():
    named, bare = vis.image_grid(np.zeros((2, 4, 4)), labels="ab").spec, vis.image_grid(np.zeros((2, 4, 4))).spec
    assert named["layer"][0]["encoding"]["description"]["field"] == "label" and bare["layer"][0]["mark"]["aria"] is False
    lying = vis.bar_chart({"a long name of a bar": 1, "b": 2}, horizontal=True, x_label="metres").spec
    assert lying["encoding"]["y"]["field"] == "label" and lying["encoding"]["x"]["title"] == "metres"


def test_every_class_of_a_small_confusion_matrix_is_named_and_titles_take_no_height_from_tables():
    for n, overlap in ((10, False), (20, True)):
        figure = vis.confusion_matrix(np.arange(n), np.arange(n), class_names=[f"digit {i}" for i in range(n)])
        assert f'"labelOverlap": {json.dumps(overlap)}' in json.dumps(figure.spec)
    for counts, most in (([[2, 2], [2, 2]], 2), ([[0, 0], [0, 0]], 1), ([[7, NAN], [3, 5]], 7)):  # light text is on dark cells only
        assert vis.confusion_matrix(counts).spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == [0, most]
    figure = vis.table([[1, 2]], title="Two numbers")
    assert figure.spec["autosize"]["type"] == "fit-x" and figure.spec["height"] == 2 * 20


def test_names_of_series_have_as_many_columns_as_have_room_and_points_at_the_ends_are_whole():
    long = vis.scatter_plot({"the pupil of the large network": [[0, 0]], "that in 8 bits": [[1, 1]]}, width=240)
    short = vis.scatter_plot({str(i): [[i, i]] for i in range(9)})
    assert long.themed("light")["config"]["legend"]["columns"] == 1 and short.themed("light")["config"]["legend"]["columns"] == 6
    assert short.spec["mark"]["clip"] is False
    assert vis.scatter_plot([[0, 0], [9, 9]], x_axis_domain=[0, 1]).spec["mark"]["clip"] is True


def test_a_summary_says_the_class_where_the_name_does_not_and_what_learns_where_some_does_not():
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3, name="hidden"), pyml.layers.Dropout(0.5, name="dropout_7")])
    assert [row["text"] for row in vis.model_summary(model).rows()] == ["hidden (Dense)", "(None, 3)", "15", "dropout_7", "(None, 3)", "0"]
    model.layers[0].trainable = False
    assert [row["text"] for row in vis.model_summary(model).rows()][:4] == ["hidden (Dense)", "(None, 3)", "15", "no"]


def test_a_layer_shows_its_weights_and_their_gradients():
    dense = pyml.layers.Dense(3, name="out")
    dense.build((None, 4))
    dense.set_weights([np.arange(12.0).reshape(4, 3), np.zeros(3)])
    spec = vis.layer(dense, {"kernel": np.full((4, 3), -2.0)}).spec
    facts, kernel, gradient, bias = spec["vconcat"]
    texts = [row["text"] for row in facts["data"]["values"]]
    assert spec["description"] == "Layer out" and texts[1] == "Dense" and "15" in texts
    assert [part["title"]["text"] for part in (kernel, gradient, bias)] == ["kernel (4, 3)", "gradient of kernel", "bias (3,)"]
    assert "min 0, max 11" in kernel["title"]["subtitle"] and "min -2, max -2" in gradient["title"]["subtitle"]


# ---- tfjs-vis 1.5, as its types have it: the options of each chart, and what its visor does besides handing out elements of the page
ALWAYS = {"width": 300, "height": 200, "xLabel": "a", "yLabel": "b", "fontSize": 9, "xType": "quantitative", "yType": "quantitative"}
XY = {**ALWAYS, "xAxisDomain": [0, 9], "yAxisDomain": [0, 9], "zoomToFit": True, "seriesColors": ["#123456"]}
STATS = {"numVals": 3, "min": 1.0, "max": 2.0, "numNans": 0, "numZeros": 0, "numInfs": 0}
TFJS_OPTIONS = {
    "linechart": ({"values": [{"x": 1, "y": 2}], "series": ["one"]}, XY),
    "scatterplot": ({"values": [{"x": 1, "y": 2}], "series": ["one"]}, XY),
    "barchart": ([{"index": 0, "value": 5}], {**ALWAYS, "xType": "nominal", "color": "#123456"}),
    "histogram": ([{"value": 1}, {"value": 2}], {**ALWAYS, "maxBins": 2, "color": "#123456", "stats": STATS}),
    "heatmap": ({"values": [[1, 2], [3, 4]], "xTickLabels": ["a", "b"], "yTickLabels": ["c", "d"]},
                {**ALWAYS, "xType": "ordinal", "yType": "ordinal", "colorMap": "greyscale", "domain": [0, 9], "rowMajor": True}),
    "confusion_matrix": ({"values": [[1, 2], [3, 4]], "tickLabels": ["a", "b"]},
                         {**ALWAYS, "xType": "ordinal", "yType": "ordinal", "shadeDiagonal": True, "showTextOverlay": True,
                          "colorMap": "greyscale"}),
    "table": ({"headers": ["a"], "values": [[1]]}, {"fontSize": 9}),
}  # fmt: skip


@pytest.mark.parametrize("name", TFJS_OPTIONS)
def test_every_option_of_tfjs_vis_is_taken(name):
    data, opts = TFJS_OPTIONS[name]
    surface = vis.visor().surface({"name": name, "tab": "options"})
    text = getattr(vis.render, name)(surface, data, opts).to_json()
    for option in opts:                                # and each changes the picture by itself, from what it is without it
        if option not in ("xType", "yType", "zoomToFit", "showTextOverlay", "shadeDiagonal", "rowMajor"):
            fewer = {key: value for key, value in opts.items() if key != option}
            assert getattr(vis.render, name)(None, data, fewer).to_json() != text, option
    with pytest.raises(TypeError, match="no option nothing"):
        getattr(vis.render, name)(None, data, {"nothing": 1})


def test_options_that_turn_something_off_do():
    matrix, points = {"values": [[1, 2], [3, 4]], "tickLabels": ["a", "b"]}, {"values": [{"x": 5, "y": 5}, {"x": 6, "y": 6}]}
    plain = vis.render.confusion_matrix(None, matrix).to_json()
    assert vis.render.confusion_matrix(None, matrix, {"shadeDiagonal": False}).to_json() != plain
    assert vis.render.confusion_matrix(None, matrix, {"showTextOverlay": False}).to_json() != plain
    assert vis.render.linechart(None, points, {"zoomToFit": True}).to_json() != vis.render.linechart(None, points).to_json()
    columns, rows = (vis.render.heatmap(None, {"values": [[1, 2], [3, 4]]}, {"rowMajor": major}) for major in (False, True))
    assert [row["value"] for row in columns.rows()] == [1, 3, 2, 4] and [row["value"] for row in rows.rows()] == [1, 2, 3, 4]


def test_the_visor_has_the_methods_of_tfjs_vis():
    visor = vis.visor()
    assert not visor.is_open()
    surface = visor.surface({"name": "a", "tab": "t"})
    assert visor.surface("a", "t") is surface and visor.tabs == ["t"] and visor.is_open()
    visor.close()
    assert not visor.is_open()
    visor.toggle()
    assert visor.is_open()
    visor.toggle()
    visor.open()
    assert visor.is_open()
    visor.set_active_tab("t")


# ---- colours and axes
# Machado, Oliveira and Fernandes 2009, "A Physiologically-based Model for Simulation of Color Vision Deficiency": linear RGB, severity 1
EYES = {
    "usual": np.eye(3),
    "without long waves": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "without middle waves": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "without short waves": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def seen(colour, eyes):
    """A colour in CIE 1976 L*a*b*, as some eyes see it."""
    code = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    light = np.array(EYES[eyes]) @ np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(light, 0, 1)
    f = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 0.008856))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_keep_apart_for_all_kinds_of_eyes(theme):
    """2.3 is the least difference that can be seen; 10 is seen at a glance. Lines differ in dashes and points in shapes besides."""
    chart = vis.line_chart({str(i): [i, 1] for i in range(10)}).themed(theme)
    colours = chart["encoding"]["color"]["scale"]["range"]
    dashes = chart["encoding"]["strokeDash"]["scale"]["range"]
    assert len(set(colours)) == 10 and len({tuple(dash) for dash in dashes}) == 7
    assert "shape" in vis.scatter_plot({str(i): [[i, 1]] for i in range(7)}).spec["encoding"]
    many = vis.line_chart({str(i): [i, 1] for i in range(40)}).spec["encoding"]
    assert len({(c, tuple(d)) for c, d in zip(*(many[name]["scale"]["range"] for name in ("color", "strokeDash")))}) == 40
    close = []
    for eyes in EYES:
        places = [seen(colour, eyes) for colour in [*colours, chart["background"]]]
        close += [(eyes, i, j) for i in range(11) for j in range(i) if np.linalg.norm(places[i] - places[j]) < 10]
    assert close == []


def test_the_page_has_the_colours_of_figures():
    from pyml.vis import theme

    text = (pyml.paths.checkout() / "web" / "figures.js").read_text(encoding="utf-8")
    assert all(f'"{dim}": "{bright}"' in text for dim, bright in theme.ON_DARK.items())
    assert json.dumps(theme.SERIES) in text


def test_points_between_gaps_are_seen_and_legends_keep_their_lines():
    figure = vis.line_chart({"a": [1, NAN, 3, 4], "b": [NAN, 2, NAN, NAN]})
    assert [(row["series"], row["x"]) for row in figure.rows() if row.get("alone")] == [("a", 0), ("b", 1)]
    assert "datum.alone" in json.dumps(figure.spec["mark"]["point"])
    assert all(figure.spec["encoding"][name]["legend"]["symbolType"] == "stroke" for name in ("color", "strokeDash"))
    assert vis.line_chart([1, 2, NAN, 3, 4]).spec["mark"]["point"] is False  # no point for each of a long line
    assert vis.line_chart(np.zeros((40, 3))).spec["encoding"]["color"]["legend"]["symbolLimit"] == 9


@pytest.mark.parametrize("values, form", [
    ([1, 2], None), ([0, 0], None), ([1e9 + 1, 1e9 + 2], None), ([-2e20, 3e20], ".3~g"), ([1e-12, 2e-12], ".4~g"), ([5e9, 5.1e9], ".5~g"),
])  # fmt: skip
def test_numbers_of_axes_are_short_and_differ(values, form):
    axes = [vis.line_chart(values, zoom_to_fit=True).spec["encoding"]["y"].get("axis", {}),
            vis.heatmap([values]).spec["encoding"]["color"]["legend"]]  # fmt: skip
    assert [axis.get("format") for axis in axes] == [form, form]


def test_every_bar_and_class_has_its_place():
    spec = vis.bar_chart([1, NAN, 3], labels=["a", "b", "a"]).spec
    places = spec["encoding"]["x"]["scale"]["domain"]
    assert [text.rstrip("\u200b") for text in places] == ["a", "b", "a"] and len(set(places)) == 3
    assert places == [row["label"] for row in spec["data"]["values"]] and spec["title"]["subtitle"] == "1 value is missing."
    assert vis.bar_chart([0, 0]).spec["encoding"]["y"]["scale"] == {"domain": [0, 1]}
    assert vis.per_class_accuracy([0, 0, 2], [0, 1, 2]).spec["layer"][0]["encoding"]["y"]["scale"]["domain"] == ["0", "1", "2"]


def test_values_near_each_other_have_as_many_bins_as_floats_allow():
    values = 1e9 + np.spacing(1e9) * np.arange(4)
    assert [row["count"] for row in vis.histogram(values).rows()] == [1, 1, 2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_long_titles_take_two_lines_and_leave_room_for_the_plot(theme):
    words = "a title that is longer than its picture is wide, as one writes them in a hurry"
    spec = vis.line_chart([1, 2], title=words, x_label=words).themed(theme)
    assert len(spec["title"]["text"]) == 2 and " ".join(spec["title"]["text"]) == words
    assert spec["config"]["axisX"]["titleLimit"] == 300 and spec["config"]["axisY"]["titleLimit"] == 160
    stacked = vis.history({"loss": [1, 2], "accuracy": [0, 1]}).themed(theme)
    assert stacked["config"]["axisY"]["titleLimit"] == stacked["vconcat"][0]["height"] == 160  # the plot's alone
    short = vis.line_chart([1, 2], title="short").themed(theme)
    assert short["title"]["text"] == "short" and short["config"]["axisY"]["titleLimit"] == 180


def test_axes_say_what_they_are_given():
    units = {"x_label": "time in s", "y_label": "mass in kg"}
    drawn = [vis.line_chart([1, 2], **units), vis.scatter_plot([[1, 2]], **units), vis.bar_chart([1, 2], **units),
             vis.histogram([1, 2], **units), vis.heatmap([[1, 2]], **units), vis.history({"loss": [1, 2]}, **units)]  # fmt: skip
    for figure in drawn:
        assert [figure.spec["encoding"][axis]["title"] for axis in "xy"] == ["time in s", "mass in kg"], figure.spec["mark"]
    nameless = vis.line_chart([1, 2]).spec["encoding"]
    assert all(nameless[axis]["title"] for axis in "xy")


# ---- every function, with every kind of strange data
def strange_model():
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3, "relu", name="hidden"), pyml.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "mse")
    return model


KINDS = {"empty": [], "ragged": [[1.0, 2.0], [3.0]], "nan": [[NAN, NAN], [NAN, NAN]], "equal": [[2.0, 2.0]] * 4}
DRAWS = {
    **{name: getattr(vis, name) for name in (
        "line_chart", "scatter_plot", "bar_chart", "histogram", "values_distribution", "heatmap", "image_grid", "table",
        "confusion_matrix", "per_class_accuracy", "history", "pca", "projector")},
    "tsne": lambda data: vis.tsne(data, perplexity=1, iterations=2),
    "roc_curve": lambda data: vis.roc_curve([int(i % 2) for i in range(len(data))], [row[0] for row in data]),
    "precision_recall_curve": lambda data: vis.precision_recall_curve([int(i % 2) for i in range(len(data))], [row[0] for row in data]),
    "decision_boundary": lambda data: vis.decision_boundary(strange_model(), data, [0] * len(data), resolution=4),
    "neurons": lambda data: vis.neurons(strange_model(), data, resolution=4),
    "find_learning_rate": lambda data: vis.find_learning_rate(strange_model(), data, np.ones((len(data), 1)), steps=5),
    "loss_slice": lambda data: vis.loss_slice(strange_model(), data, np.ones((len(data), 1)), resolution=3),
    "activations": lambda data: vis.activations(strange_model(), data[0] if data else data, "hidden"),
    "saliency": lambda data: vis.saliency(strange_model(), data[0] if data else data, 0),
    "integrated_gradients": lambda data: vis.integrated_gradients(strange_model(), data[0] if data else data, 0, steps=2),
}  # fmt: skip
OF_PICTURES = {"attention", "filters", "occlusion", "grad_cam"}                # `tests/vis/test_seeing.py` refuses other inputs
OF_MODELS = {"layer", "model_summary", "model_graph", "fit_callbacks"}        # take no data
OTHERS = {"Figure", "Visor", "visor", "draw_with", "metrics", "render", "show"}


@pytest.mark.parametrize(("draw", "says"), [
    (lambda: vis.line_chart(np.zeros((1000, 2))), "line_chart: 1,000 series are more than 200"),
    (lambda: vis.line_chart([10**400]), "line_chart: a number is too large for float64"),
    (lambda: vis.histogram(np.array([1 + 2j])), "histogram: complex numbers have no place on an axis"),
    (lambda: vis.values_distribution(["a"]), "values_distribution: expected numbers"),
    (lambda: vis.bar_chart(np.zeros(1001)), "bar_chart: 1,001 bars are more than the 1,000 that are drawn"),
    (lambda: vis.bar_chart([{"x": 1, "y": 2}]), "bar_chart: a dict must have index and value. Received one of: x, y."),
    (lambda: vis.histogram([{"x": 1}]), "histogram: a dict must have value. Received one of: x."),
    (lambda: vis.heatmap({"rows": [[1]]}), "heatmap: a dict must have values. Received one of: rows."),
    (lambda: vis.confusion_matrix(np.zeros((101, 101))), "confusion_matrix: 101 classes are more than the 100 that are drawn"),
    (lambda: vis.confusion_matrix(np.eye(3), class_names="ab"), "confusion_matrix: class_names must name 3 classes"),
    (lambda: vis.histogram([-1.7e308, 1.7e308]), "histogram: values from -1.7e+308 to 1.7e+308 are too far apart"),
    (lambda: vis.confusion_matrix({}), "confusion_matrix: a dict must have values. Received one of: nothing."),
    (lambda: vis.per_class_accuracy([0.5], [1]), "per_class_accuracy: labels must be classes"),
    (lambda: vis.per_class_accuracy([0, 1]), "per_class_accuracy: expected labels and predictions"),
    (lambda: vis.per_class_accuracy([{"share": 1}]), "per_class_accuracy: a dict must have accuracy and count."),
    (lambda: vis.table([1, 2]), "table: every row must be a list or a dict. Received: 1"),
    (lambda: vis.table(["cat"]), "table: every row must be a list or a dict. Received: 'cat'"),
    (lambda: vis.table(3), "table: expected rows"),
    (lambda: vis.image_grid({"a": 1}), "image_grid: expected an array of pictures or a list of them"),
    (lambda: vis.model_summary(np.ones(9)), "model_summary: expected a model. Received: a ndarray"),
    (lambda: vis.model_graph("model.keras"), "model_graph: expected a model. Received: 'model.keras'"),
    (lambda: vis.layer("hidden"), "layer: expected a layer, such as model.get_layer('dense'). Received: 'hidden'"),
    (lambda: vis.decision_boundary(None, [[0, 0]], [0]), "decision_boundary: expected a model. Received: None"),
    (lambda: vis.activations([], np.ones(2), 0), "activations: expected a model. Received: a list"),
    (lambda: vis.saliency(strange_model(), np.ones(2), "cat"), "saliency: class_index must be a number of the model's 1 outputs"),
])  # fmt: skip
def test_what_is_no_data_of_a_chart_is_said_in_one_line_that_names_the_chart(draw, says):
    with pytest.raises((ValueError, TypeError)) as caught:
        draw()
    assert str(caught.value).startswith(says) and "\n" not in str(caught.value)


def test_no_function_that_draws_is_left_out_below():
    assert set(vis.__all__) == {*DRAWS, *OF_PICTURES, *OF_MODELS, *OTHERS}


@pytest.mark.parametrize("name", DRAWS)
def test_every_function_meets_empty_ragged_nan_and_equal_data(name):
    drawn = 0
    for kind, data in KINDS.items():
        try:
            figure = DRAWS[name](data)
        except (ValueError, TypeError) as error:
            text = str(error)
            assert text and "\n" not in text.strip() and "inhomogeneous" not in text, f"{kind}: {text}"
            continue
        drawn += 1
        assert json.loads(figure.to_json())["$schema"], kind
    assert drawn


def test_a_metric_of_several_classes_has_a_curve_for_each():
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[pyml.metrics.F1Score()])
    x, y = np.ones((4, 3), "float32"), np.eye(2, dtype="float32")[[0, 1, 0, 1]]
    live = pyml.vis.fit_callbacks(every=1)
    found = model.fit(x, y, validation_data=(x, y), epochs=2, verbose=0, callbacks=[live])
    of_classes = pyml.vis.history(found, metrics=["f1_score", "val_f1_score"]).spec
    for spec in (of_classes, live.figures()["on_epoch_end"].spec["vconcat"][0]):
        rows = spec["data"]["values"]
        assert sorted({row["series"] for row in rows}) == ["training 0", "training 1", "validation 0", "validation 1"], rows[:2]
        last = [row["y"] for row in rows if row["series"].startswith("training")][1::2]
        np.testing.assert_allclose(sorted(last), sorted(found.history["f1_score"][-1]), rtol=1e-6)
