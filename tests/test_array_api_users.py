"""Code written for any array library gives the same on tensors: generic programs, scikit-learn and scipy."""

import os
import subprocess
import sys

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pyml import array_api as xp

# ---- programs of the standard alone: array-api-strict refuses anything else


def standardized(xp, x):
    return (x - xp.mean(x, axis=0)) / (xp.std(x, axis=0, correction=1) + 1.0)


def softmax(xp, x):
    powers = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return powers / xp.sum(powers, axis=-1, keepdims=True)


def distances(xp, x):
    squares = xp.sum(xp.square(x), axis=1)
    return xp.sqrt(xp.clip(squares[:, None] + squares[None, :] - 2 * xp.matmul(x, x.mT), min=0.0))


def whitened(xp, x):
    centred = x - xp.mean(x, axis=0)
    values, vectors = xp.linalg.eigh(xp.matmul(centred.mT, centred) / x.shape[0] + xp.eye(x.shape[1]))
    return xp.abs(xp.matmul(centred, vectors / xp.sqrt(values)))


def fitted(xp, x):
    design = xp.concat([x, xp.ones((x.shape[0], 1))], axis=1)
    gram = xp.matmul(design.mT, design) + xp.eye(design.shape[1])
    return xp.linalg.solve(gram, xp.matmul(design.mT, xp.sum(x, axis=1)))


def moving_averages(xp, x):
    sums = xp.cumulative_sum(x, axis=0, include_initial=True)
    return (sums[2:, ...] - sums[:-2, ...]) / 2


def histogram(xp, x):
    edges = xp.linspace(-8, 8, 9)
    places = xp.searchsorted(edges, xp.reshape(x, (-1,)), side="right")
    return xp.sum(xp.astype(places[:, None] == xp.arange(10)[None, :], xp.int32), axis=0)


def ranks(xp, x):
    return xp.argsort(xp.argsort(x, axis=0), axis=0)


def clipped(xp, x):
    out = xp.asarray(x, copy=True)
    out[out > 2] = 2.0
    out[:, 0] = xp.flip(out[:, 0])
    out[0, ...] += 1.0
    return xp.roll(xp.permute_dims(out, (1, 0)), 1, axis=1)


def kept(xp, x):
    return x[xp.any(x > 0, axis=1)]


def power_spectrum(xp, x):
    return xp.square(xp.abs(xp.fft.rfft(x, axis=0)))


def encoded(xp, x):
    found = xp.unique_inverse(xp.round(x))
    return xp.take(found.values, xp.reshape(found.inverse_indices, (-1,)), axis=0)


PROGRAMS = [standardized, softmax, distances, whitened, fitted, moving_averages, histogram, ranks, clipped, kept, power_spectrum, encoded]
NUMBERS = st.integers(-40, 40).map(lambda v: v / 8)
MATRICES = npst.arrays(np.float32, npst.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=5), elements=NUMBERS)


@pytest.mark.parametrize("program", PROGRAMS)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # of devices
@given(x=MATRICES)
def test_a_program_of_the_standard_gives_the_same(program, x, device):
    found, expected = program(xp, xp.asarray(x)), program(strict, strict.asarray(x))
    assert found.shape == expected.shape
    assert found.dtype.startswith(str(expected.dtype).rpartition(".")[2].rstrip("0123456789"))  # 32 bits of 64
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=2e-3, atol=2e-3)


# ---- scikit-learn and scipy dispatch where SCIPY_ARRAY_API was set before they were imported


ESTIMATORS = """
import sys
import numpy as np, sklearn
from scipy import cluster, integrate, signal, special, stats
from sklearn import metrics
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler, StandardScaler
import pyml
from pyml import array_api as xp

pyml.config.set_backend(sys.argv[1])
X, y = load_iris(return_X_y=True)
X, y = X.astype(np.float32), y.astype(np.int32)
guess = np.roll(y, 7)
DONE = {
    "LDA.transform": lambda X, y, g: LinearDiscriminantAnalysis().fit(X, y).transform(X),
    "LDA.predict": lambda X, y, g: LinearDiscriminantAnalysis().fit(X, y).predict(X),
    "PCA.explained_variance": lambda X, y, g: PCA(3, svd_solver="full").fit(X).explained_variance_,
    "PCA.transform": lambda X, y, g: abs(PCA(2, svd_solver="covariance_eigh").fit(X).transform(X)),
    "Ridge": lambda X, y, g: Ridge(solver="svd").fit(X, X[:, 0] * 2).predict(X),
    "GaussianNB": lambda X, y, g: GaussianNB().fit(X, y).predict_proba(X),
    "StandardScaler": lambda X, y, g: StandardScaler().fit_transform(X),
    "MinMaxScaler": lambda X, y, g: MinMaxScaler().fit_transform(X),
    "confusion_matrix": lambda X, y, g: metrics.confusion_matrix(y, g),
    "rbf_kernel": lambda X, y, g: metrics.pairwise.rbf_kernel(X[:9]),
}
SCORES = {name: getattr(metrics, name) for name in ("accuracy_score", "zero_one_loss", "balanced_accuracy_score")}
for name in ("f1_score", "precision_score", "recall_score"):
    SCORES[name] = lambda y, g, f=getattr(metrics, name): f(y, g, average="macro")
ERRORS = ["r2_score", "mean_squared_error", "mean_absolute_error", "root_mean_squared_error", "max_error", "explained_variance_score",
          "median_absolute_error", "mean_absolute_percentage_error"]
for name, score in SCORES.items():
    DONE[name] = lambda X, y, g, f=score: f(y, g)
for name in ERRORS:
    DONE[name] = lambda X, y, g, f=getattr(metrics, name): f(X[:, 0], X[:, 2] + 1.0)
OF_SCIPY = {
    **{name: getattr(special, name) for name in ("logsumexp", "softmax", "log_softmax", "expit", "erf", "gammaln", "entr", "ndtr", "i0")},
    "xlogy": lambda x: special.xlogy(x, x + 1),
    **{name: getattr(stats, name) for name in ("skew", "kurtosis", "zscore", "variation", "gmean", "hmean", "sem", "entropy", "moment")},
    "ttest_ind": lambda x: stats.ttest_ind(x[:10, :], x[10:, :]).statistic,
    "ttest_1samp": lambda x: stats.ttest_1samp(x, 1.0).pvalue,
    "pearsonr": lambda x: stats.pearsonr(x[:, 0], x[:, 1]).statistic,
    "trapezoid": lambda x: integrate.trapezoid(x, axis=0),
    "detrend": lambda x: signal.detrend(x, axis=0),
    "whiten": cluster.vq.whiten,
}
for name, call in OF_SCIPY.items():
    DONE["scipy " + name] = lambda X, y, g, f=call: f(X)
few = [name for name in DONE if name.startswith(("LDA", "PCA", "accuracy", "r2", "mean_sq", "scipy soft", "scipy skew"))]
given = [xp.asarray(a) for a in (X, y, guess)]
chosen = list(DONE) if sys.argv[1] == "cpu" else few
for name in chosen:
    expected = DONE[name](X, y, guess)
    with sklearn.config_context(array_api_dispatch=True):
        found = DONE[name](*given)
    assert isinstance(found, pyml.Tensor) == (np.ndim(expected) > 0 or name.startswith("scipy")), (name, type(found))
    np.testing.assert_allclose(np.asarray(found), expected, rtol=2e-3, atol=2e-3, err_msg=name)
undispatched = LogisticRegression().fit(*given[:2]).predict(given[0])
assert type(undispatched) is np.ndarray
np.testing.assert_array_equal(undispatched, LogisticRegression().fit(X, y).predict(X))
print(len(chosen))
"""


@pytest.mark.parametrize(("backend", "calls"), [("cpu", 49), *(pytest.param(b, 9, marks=pytest.mark.slow) for b in ("wasm", "webgpu"))])
def test_estimators_metrics_and_statistics_compute_on_tensors(backend, calls):
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ESTIMATORS, backend], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) == calls
