"""Models as scikit-learn's classifiers, regressors and transformers: its own checks, pipelines, searches, files.

scikit-learn takes seconds to import, and `pyml.wrappers` with it: tests do so, so that collecting them stays quick.
"""

import importlib
import pickle
import sys

import numpy as np
import pytest

import pyml

pytestmark = pytest.mark.usefixtures("cpu")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
SPECIES = np.where(X[:, 0] > 0, "cat", "dog")
QUIET = {"verbose": 0}


def dense(X, y, loss="mse", layers=(), activation=None, rate=0.05):
    model = pyml.Sequential([pyml.Input(X.shape[1:]), *(pyml.layers.Dense(units, "relu") for units in layers),
                             pyml.layers.Dense(y.shape[1] if y.ndim > 1 else 1, activation)])  # fmt: skip
    model.compile(pyml.optimizers.Adam(rate), loss)
    return model


def classifier(**kwargs):
    chosen = {"loss": "categorical_crossentropy", "activation": "softmax", **kwargs}
    return pyml.wrappers.SKLearnClassifier(dense, model_kwargs=chosen, fit_kwargs={"epochs": 30, **QUIET})


def linear():
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(1)])
    model.compile(pyml.optimizers.SGD(0.1), "mse")
    return model


def reproducible(X, y, **kwargs):
    pyml.utils.set_random_seed(0)
    return dense(X, y, **kwargs)


CHECKED = [
    lambda: pyml.wrappers.SKLearnClassifier(
        reproducible, fit_kwargs={"epochs": 60, **QUIET},  # so that it finds all classes of thirty samples
        model_kwargs={"loss": "categorical_crossentropy", "activation": "softmax", "layers": (20,), "rate": 0.03}),
    lambda: pyml.wrappers.SKLearnRegressor(reproducible, model_kwargs={"layers": (10,), "rate": 0.001}, fit_kwargs=QUIET),
    lambda: pyml.wrappers.SKLearnTransformer(reproducible, model_kwargs={"layers": (10,), "rate": 0.001}, fit_kwargs=QUIET),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("make", CHECKED, ids=["classifier", "regressor", "transformer"])
def test_scikit_learns_checks_of_estimators_pass(make):
    from sklearn.utils.estimator_checks import check_estimator

    done = check_estimator(make(), on_skip=None, on_fail=None)
    assert len(done) > 20 and {one["check_name"]: one["exception"] for one in done if one["status"] not in ("passed", "skipped")} == {}


def test_labels_come_back_as_they_were_given_and_the_model_learns_them():
    estimator = classifier().fit(X, SPECIES)
    assert estimator.classes_.tolist() == ["cat", "dog"] and estimator.epoch_ == 30
    assert estimator.score(X, SPECIES) > 0.9
    scores = estimator.decision_function(X)
    np.testing.assert_array_equal(estimator.predict(X), estimator.classes_[(scores > 0).astype(int)])
    outputs = estimator.model_.predict(X, verbose=0)
    np.testing.assert_allclose(scores, outputs[:, 1] - outputs[:, 0], rtol=1e-5)


def test_chances_of_the_classes_are_the_models_and_serve_soft_votes():
    from sklearn.ensemble import VotingClassifier
    from sklearn.linear_model import LogisticRegression

    estimator = classifier().fit(X, SPECIES)
    chances = estimator.predict_proba(X)
    np.testing.assert_allclose(chances, estimator.model_.predict(X, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-14)  # which float32 does not keep, and some of scikit-learn asks for
    votes = VotingClassifier([("net", classifier()), ("line", LogisticRegression())], voting="soft").fit(X, SPECIES)
    assert votes.score(X, SPECIES) > 0.9


def test_scores_that_are_no_chances_are_refused_as_such():
    estimator = classifier(activation=None, loss="mse").fit(X, SPECIES)
    with pytest.raises(ValueError, match="not chances that add up to 1; end it with a softmax"):
        estimator.predict_proba(X)
    estimator.model_.set_weights([np.zeros((3, 2)), np.array([0.0, 1.0])])
    np.testing.assert_array_equal(estimator.predict_proba(X), [[0, 1]] * 40)  # sure of it, which is no mistake
    for wrong in ([0.6, 0.5], [-0.5, 1.5]):
        estimator.model_.set_weights([np.zeros((3, 2)), np.array(wrong)])
        with pytest.raises(ValueError, match="not chances that add up to 1"):
            estimator.predict_proba(X)


def test_scikit_learn_hears_what_a_network_is():
    from sklearn.base import clone
    from sklearn.utils import get_tags

    makes = (pyml.wrappers.SKLearnClassifier, pyml.wrappers.SKLearnRegressor, pyml.wrappers.SKLearnTransformer)
    tags = [get_tags(make(dense)) for make in makes]
    assert all(each.non_deterministic for each in tags)
    assert [each.target_tags.multi_output for each in tags] == [False, True, True]
    assert tags[0].classifier_tags.poor_score and tags[1].regressor_tags.poor_score and tags[2].transformer_tags.preserves_dtype == []

    class Maker:
        """A function with parameters of its own, which are none of the estimator's."""

        def __call__(self, X, y):
            return dense(X, y)

        def get_params(self, deep=True):
            return {"rate": 0.1}

    assert clone(makes[1](Maker(), model_kwargs={"rate": 1})).get_params(deep=False)["model_kwargs"] == {"rate": 1}


def test_scores_are_those_of_scikit_learn_of_two_classes_and_of_more():
    from sklearn.model_selection import cross_val_score

    pyml.utils.set_random_seed(2)  # from some starts one fold ends at 0.88
    assert cross_val_score(classifier(), X, SPECIES, cv=2, scoring="roc_auc").min() > 0.9
    three = np.where(X[:, 0] > 0.4, "cat", np.where(X[:, 0] < -0.4, "dog", "emu"))
    estimator = classifier().fit(X, three)
    scores = estimator.decision_function(X)
    assert scores.shape == (40, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(estimator.predict(X), estimator.classes_[scores.argmax(axis=1)])


def test_targets_keep_their_form_in_predictions():
    from sklearn.exceptions import DataConversionWarning

    flat = pyml.wrappers.SKLearnRegressor(dense, fit_kwargs=QUIET)
    assert flat.fit(X, X[:, 0]).predict(X).shape == (40,)
    assert flat.fit(X, X[:, :1]).predict(X).shape == (40, 1)
    assert flat.fit(X, X[:, :2]).predict(X).shape == (40, 2)
    with pytest.warns(DataConversionWarning, match="1d array"):
        assert classifier().fit(X, SPECIES.reshape(-1, 1)).predict(X).shape == (40,)


def test_a_given_model_is_cloned_with_its_compile_arguments_and_left_alone():
    model = linear()
    before = model.get_weights()
    estimator = pyml.wrappers.SKLearnRegressor(model, fit_kwargs={"epochs": 40, **QUIET}).fit(X, X @ [1.0, 2.0, 3.0])
    assert estimator.model_ is not model and estimator.model_.optimizer is not model.optimizer
    assert float(estimator.model_.optimizer.learning_rate) == pytest.approx(0.1)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    np.testing.assert_allclose(estimator.model_.get_weights()[0][:, 0], [1, 2, 3], atol=0.05)
    assert estimator.score(X, X @ [1.0, 2.0, 3.0]) > 0.99


def test_a_warm_start_goes_on_with_the_weights_of_the_last_fit():
    from sklearn.base import clone

    model = linear()
    estimator = pyml.wrappers.SKLearnRegressor(model, warm_start=True, fit_kwargs=QUIET)
    losses = [estimator.fit(X, X[:, 0]).history_.history["loss"][0] for _ in range(5)]
    assert estimator.model_ is model and losses == sorted(losses, reverse=True) and losses[4] < losses[0] / 2
    copy = clone(estimator)
    assert copy.model is not model and not hasattr(copy, "model_")
    np.testing.assert_array_equal(copy.model.get_weights()[0], model.get_weights()[0])


def test_arguments_of_fit_come_before_fit_kwargs_which_stay_as_they_are():
    from sklearn.base import clone
    from sklearn.exceptions import NotFittedError

    chosen = {"epochs": 2, **QUIET}
    estimator = pyml.wrappers.SKLearnRegressor(linear(), fit_kwargs=chosen)
    assert estimator.fit(X, X[:, 0], epochs=3).epoch_ == 3 and chosen == {"epochs": 2, **QUIET}
    copy = clone(estimator)
    assert copy.get_params() == estimator.get_params() and copy.epoch_ == 0
    with pytest.raises(NotFittedError, match="not fitted"):
        copy.predict(X)


def test_pipelines_searches_and_cross_validation_fit_models():
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipe = make_pipeline(StandardScaler(), classifier())
    assert pipe.fit(X, SPECIES).score(X, SPECIES) > 0.8
    grid = GridSearchCV(classifier(), {"fit_kwargs": [{"epochs": 1, **QUIET}, {"epochs": 40, **QUIET}]}, cv=2).fit(X, SPECIES)
    assert grid.best_params_["fit_kwargs"]["epochs"] == 40 and grid.best_estimator_.epoch_ == 40
    regressor = pyml.wrappers.SKLearnRegressor(dense)
    draws = RandomizedSearchCV(regressor, {"fit_kwargs": [QUIET], "model_kwargs": [{"rate": 1e-5}, {"rate": 0.2}]},
                               n_iter=2, cv=2, random_state=0).fit(X, X[:, 0], epochs=8)  # fmt: skip
    assert draws.best_params_["model_kwargs"] == {"rate": 0.2}
    assert cross_val_score(classifier(), X, SPECIES, cv=2).min() > 0.7


def test_a_transformer_gives_the_models_outputs():
    transformer = pyml.wrappers.SKLearnTransformer(dense, model_kwargs={"layers": (2,)}, fit_kwargs=QUIET)
    codes = transformer.fit_transform(X, X)
    np.testing.assert_array_equal(codes, transformer.model_.predict(X.astype("float32"), verbose=0))
    with pytest.raises(ValueError, match=r"2 features.*3 features"):
        transformer.transform(X[:, :2])


def test_a_fitted_estimator_survives_pickling():
    estimator = classifier().fit(X, SPECIES)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.decision_function(X), estimator.decision_function(X))
    assert again.history_.history == estimator.history_.history
    assert again.fit(X, SPECIES, epochs=1).epoch_ == 1


def test_metadata_routing_hands_weights_of_samples_to_fit():
    import sklearn
    from sklearn.pipeline import make_pipeline

    with pytest.raises(RuntimeError, match="set_config"):
        classifier().set_fit_request(sample_weight=True)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe = make_pipeline("passthrough", pyml.wrappers.SKLearnRegressor(linear(), fit_kwargs=QUIET).set_fit_request(sample_weight=True))
        pipe.fit(X, X[:, 0], sample_weight=np.zeros(40))
    assert pipe[-1].history_.history["loss"] == [0]


@pytest.mark.parametrize(("estimator", "y", "error", "match"), [
    (lambda: classifier(), np.zeros(40), ValueError, "only one class"),
    (lambda: classifier(), X[:, 0], ValueError, "binary and multiclass"),
    (lambda: pyml.wrappers.SKLearnRegressor(lambda X, y: pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(1)])),
     X[:, 0], RuntimeError, "must be compiled"),
    (lambda: pyml.wrappers.SKLearnRegressor(dense), np.array([None, {}] * 20), ValueError, "[Uu]nknown label type"),
], ids=["one class", "numbers", "not compiled", "no numbers"])  # fmt: skip
def test_what_cannot_be_fitted_is_refused(estimator, y, error, match):
    with pytest.raises(error, match=match):
        estimator().fit(X, y)


def test_a_model_without_a_number_for_each_class_is_told_so():
    estimator = pyml.wrappers.SKLearnClassifier(lambda X, y: dense(X, y[:, :1]), fit_kwargs=QUIET).fit(X, SPECIES)
    with pytest.raises(ValueError, match=r"must give \(samples, 2\).*\(40, 1\)"):
        estimator.predict(X)


def test_without_scikit_learn_the_error_says_what_to_install_and_it_may_come_after_that(monkeypatch):
    from sklearn.base import clone

    from pyml.wrappers import estimators

    with monkeypatch.context() as missing:
        missing.setitem(sys.modules, "sklearn", None)
        importlib.reload(estimators)
        importlib.reload(pyml.wrappers)
        early = pyml.wrappers.SKLearnRegressor  # an earlier cell has the name
        for name in estimators.__all__:
            with pytest.raises(ImportError, match=f"{name} needs scikit-learn 1.6 or newer; `pip install -U"):
                getattr(pyml.wrappers, name)(linear())
        missing.setattr(sys, "platform", "emscripten")
        with pytest.raises(ImportError, match=r"; `.*await pyodide_js.loadPackage\('scikit-learn'\)`\.$"):
            early(linear())
    estimator = early(linear(), fit_kwargs=QUIET)
    assert type(estimator) is pyml.wrappers.SKLearnRegressor is not early
    assert clone(estimator).fit(X, X[:, 0]).predict(X).shape == (40,)


@pytest.mark.parametrize(("model", "said"), [
    ("a", "SKLearnClassifier: model must be a model or a function of X and y that makes one. Received: model='a'"),
    (lambda X, y: None, "SKLearnClassifier: the function model must return a compiled model; end it with `return`. It returned None."),
])  # fmt: skip
def test_what_makes_no_model_is_told_what_should(model, said, cpu):
    with pytest.raises(TypeError) as caught:
        pyml.wrappers.SKLearnClassifier(model).fit(np.ones((4, 2)), np.array([0, 1, 0, 1]))
    assert str(caught.value) == said
