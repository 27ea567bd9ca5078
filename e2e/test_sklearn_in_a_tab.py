"""Models as estimators of scikit-learn in Pyodide: a pipeline, a search, cross-validation, clones, pickles and its own checks."""

import json

import pytest

from pyml import paths
from pyml.assets.download import AssetError
from pyml.assets.runtime import fetch_wheels

FOLDER = "/wheels-of-scikit-learn/"
SETUP = """
    import pyodide_js
    await pyodide_js.loadPackage(URLS)
    import pickle, numpy as np, sklearn, pyml
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils.estimator_checks import check_estimator
    QUIET = {"verbose": 0}
    def dense(X, y, loss="mse", activation=None, rate=0.05):
        pyml.utils.set_random_seed(0)
        model = pyml.Sequential([pyml.Input(X.shape[1:]), pyml.layers.Dense(y.shape[1] if y.ndim > 1 else 1, activation)])
        model.compile(pyml.optimizers.Adam(rate), loss)
        return model
    classes = {"loss": "categorical_crossentropy", "activation": "softmax"}
    classifier = pyml.wrappers.SKLearnClassifier(dense, model_kwargs=classes, fit_kwargs={"epochs": 20, **QUIET})
    X = np.random.default_rng(0).normal(size=(40, 3))
    species = np.where(X[:, 0] > 0, "cat", "dog")
    sklearn.__version__
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """scikit-learn for Pyodide, kept for the next run."""
    runtime, cache = paths.assets_dir() / "pyodide", paths.build_dir() / "cache"
    folder = cache / "pyodide-scikit-learn"
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "pyodide-lock.json"
    lock.write_bytes((runtime / "pyodide-lock.json").read_bytes())
    (folder / "pyodide.mjs").write_bytes((runtime / "pyodide.mjs").read_bytes())
    try:
        found = fetch_wheels(lock, folder, cache, ["scikit-learn"], say=lambda text: None)
    except AssetError as error:
        pytest.skip(str(error))
    return {wheel.name: wheel.read_bytes() for wheel in found if not wheel.name.startswith("numpy-")}


@pytest.fixture(scope="module")
def python(pythons, wheels, site):
    python = pythons("backend=wasm")
    python.page.route(f"**{FOLDER}*", lambda route: route.fulfill(
        body=wheels[route.request.url.rpartition("/")[2]], content_type="application/octet-stream"))  # fmt: skip
    assert python.run(SETUP.replace("URLS", json.dumps([f"{site}{FOLDER}{name}" for name in wheels]))) >= "1.6"
    yield python
    python.page.unroute_all()


@pytest.mark.slow
def test_pipelines_searches_clones_and_pickles_work_in_a_tab(python):
    found = python.run("""
        pipe = make_pipeline(StandardScaler(), classifier).fit(X, species)
        grid = {"fit_kwargs": [{"epochs": 1, **QUIET}, {"epochs": 30, **QUIET}]}
        search = GridSearchCV(classifier, grid, cv=2, scoring="roc_auc").fit(X, species)
        regressor = pyml.wrappers.SKLearnRegressor(dense, model_kwargs={"rate": 0.2}, fit_kwargs={"epochs": 40, **QUIET})
        y = X @ [1.0, 2.0, 3.0]
        again = pickle.loads(pickle.dumps(regressor.fit(X, y)))
        copy = clone(regressor)
        codes = pyml.wrappers.SKLearnTransformer(dense, fit_kwargs=QUIET).fit_transform(X, X).shape
        same = bool((again.predict(X) == regressor.predict(X)).all())
        scores = [pipe.score(X, species), search.best_score_, cross_val_score(regressor, X, y, cv=2).min()]
        [[float(score) for score in scores], search.best_params_["fit_kwargs"]["epochs"], same, copy.epoch_, list(codes)]
    """)
    scores, epochs, same, fitted, codes = found
    assert min(scores[:2]) > 0.8 and scores[2] > 0.5
    assert (epochs, same, fitted, codes) == (30, True, 0, [40, 3])


@pytest.mark.slow
def test_scikit_learns_checks_pass_in_a_tab(python):
    failed, count = python.run("""
        estimator = pyml.wrappers.SKLearnRegressor(dense, model_kwargs={"rate": 0.001}, fit_kwargs=QUIET)
        done = check_estimator(estimator, on_skip=None, on_fail=None)
        failed = [[one["check_name"], repr(one["exception"])[:200]] for one in done if one["status"] not in ("passed", "skipped")]
        [failed, len(done)]
    """)
    assert failed == [] and count > 20
