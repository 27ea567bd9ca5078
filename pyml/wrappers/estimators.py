"""Estimators around models: what `sklearn.base` asks of a classifier, a regressor and a transformer."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from pyml.errors import to_install
from pyml.models import Model, clone_model
from pyml.tracebacks import shown


def _anew(cls: type, *args: Any, **kwargs: Any) -> Any:
    """An estimator where scikit-learn was not there when this module was loaded; a notebook, or a tab, may have brought it since."""
    again = importlib.reload(sys.modules[__name__])
    if again.sklearn is None:
        package = "scikit-learn" if sys.platform == "emscripten" else "-U scikit-learn"
        raise ImportError(f"{cls.__name__} needs scikit-learn 1.6 or newer; `{to_install(package)}`.")
    importlib.reload(sys.modules["pyml.wrappers"])
    return getattr(again, cls.__name__)(*args, **kwargs)


try:
    import sklearn
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:  # not there, or older than `validate_data`: the classes have their names, and say so when one is made
    sklearn = None
    BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin = (type(name, (), {"__new__": _anew}) for name in "BCRT")

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def _known_target(y: Any) -> str:
    kind: str = type_of_target(y, input_name="y")
    if kind == "unknown":
        raise ValueError(f"Unknown label type for y: {y!r}")
    return kind


class SKLBase(BaseEstimator):
    """What the three share: arguments, `fit`, `predict`, cloning.

    Args:
        model: A compiled Model, which `fit` clones with new weights (with `warm_start` it is trained itself); or a function
            `model(X, y, **model_kwargs)` that makes and compiles one: `X` and `y` are the checked arrays, `y` in the form that the
            model is trained with.
        warm_start: Whether `fit` goes on with the weights of the last one.
        model_kwargs: Dict of more arguments for the function.
        fit_kwargs: Dict of arguments of `Model.fit`; what `fit` gets itself comes before them.

    Attributes:
        model_: The fitted Model.
        history_: The History of its last training.
    """

    @shown
    def __init__(
        self, model: Model | Callable[..., Model], warm_start: bool = False, model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        tags.target_tags.multi_output = True
        return tags

    def __sklearn_clone__(self) -> SKLBase:
        """The same arguments, not fitted. The model is shared where `fit` clones it anyway."""
        trained = self.warm_start and isinstance(self.model, Model)
        return type(self)(**{**self.get_params(deep=False), "model": copy.deepcopy(self.model) if trained else self.model})

    @property
    def epoch_(self) -> int:
        """How many epochs the last `fit` ran; 0 before it."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def set_fit_request(self, **kwargs: bool | str | None) -> SKLBase:
        """Asks for arguments of `fit` by scikit-learn's metadata routing.

        Args:
            kwargs: Names of arguments of `Model.fit`, each with True, False, None or the name that callers give it.

        Raises:
            RuntimeError: Routing is not enabled.

        Example:
            >>> with sklearn.config_context(enable_metadata_routing=True):
            ...     estimator = SKLearnRegressor(model).set_fit_request(sample_weight=True)
        """
        if not sklearn.get_config().get("enable_metadata_routing", False):
            raise RuntimeError("set_fit_request: metadata routing is off; call sklearn.set_config(enable_metadata_routing=True) before.")
        requests = self._get_metadata_request()
        for name, alias in kwargs.items():
            requests.fit.add_request(param=name, alias=alias)
        self._metadata_request = requests
        return self

    def _model_for(self, X: np.ndarray, y: np.ndarray) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            owner = type(self).__name__
            if not callable(self.model):
                raise TypeError(f"{owner}: model must be a model or a function of X and y that makes one. Received: model={self.model!r}")
            made = self.model(X=X, y=y, **(self.model_kwargs or {}))
            if not isinstance(made, Model):
                raise TypeError(f"{owner}: the function model must return a compiled model"
                                f"{'; end it with `return`' if made is None else ''}. It returned {made!r}.")  # fmt: skip
            return made
        return self.model if self.warm_start else clone_model(self.model)

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Trains a model.

        Args:
            X: `(samples, features)`.
            y: Targets, `(samples,)` or `(samples, outputs)`; classes may be any labels.
            kwargs: Arguments of `Model.fit`.

        Raises:
            ValueError: The data are not what scikit-learn's estimators take, or there is one class only.
            RuntimeError: The model is not compiled.
        """
        X, y = validate_data(self, X, y, multi_output=self.__sklearn_tags__().target_tags.multi_output)
        y = self._targets(y)
        model = self._model_for(X, y)
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError(f"{type(self).__name__}.fit: the model must be compiled with a loss and an optimizer; call compile().")
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False))

    def predict(self, X: Any) -> Any:
        """Predictions in the form of the `y` that `fit` got.

        Args:
            X: `(samples, features)`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: `X` has other features than those of `fit`.
        """
        return self._predictions(self._outputs(X))

    def _targets(self, y: np.ndarray) -> np.ndarray:
        """`y` as the model is trained with it: at least `(samples, 1)`."""
        _known_target(y)
        self._target_ndim = y.ndim
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _predictions(self, outputs: np.ndarray) -> np.ndarray:
        """The inverse of `_targets`."""
        return np.squeeze(outputs, axis=1) if self._target_ndim == 1 and outputs.ndim == 2 else outputs


class SKLearnClassifier(ClassifierMixin, SKLBase):
    """A model as a classifier of scikit-learn, for two classes or more; the model gets them one-hot.

    Args:
        model: A compiled Model, which `fit` clones with new weights (with `warm_start` it is trained itself); or a function
            `model(X, y, **model_kwargs)` that makes and compiles one: `X` is `(samples, features)`, `y` `(samples, classes)`.
        warm_start: Whether `fit` goes on with the weights of the last one.
        model_kwargs: Dict of more arguments for the function.
        fit_kwargs: Dict of arguments of `Model.fit`; what `fit` gets itself comes before them.

    Attributes:
        model_: The fitted Model. history_: The History of its training. classes_: `(classes,)`, the labels, sorted.

    Raises:
        ImportError: scikit-learn is not installed, or older than 1.6.

    Source: `keras.wrappers.SKLearnClassifier`.

    Example:
        >>> def two_layers(X, y, units=8):
        ...     model = pyml.Sequential([pyml.Input(X.shape[1:]), pyml.layers.Dense(units, "relu"),
        ...                              pyml.layers.Dense(y.shape[1], "softmax")])
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> estimator = pyml.wrappers.SKLearnClassifier(two_layers, fit_kwargs={"epochs": 2, "verbose": 0})
        >>> estimator.fit(np.random.rand(20, 4), np.repeat(["cat", "dog"], 10)).classes_.tolist()
        ['cat', 'dog']
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        tags.target_tags.multi_output = False
        return tags

    def decision_function(self, X: Any) -> np.ndarray:
        """What the model itself says, `(samples, classes)`: probabilities or logits. Of two classes, as scikit-learn has it, how far the
        second is ahead of the first, `(samples,)`.

        Args:
            X: `(samples, features)`.

        Raises:
            ValueError: The model has not a number for each class.
        """
        scores = self._scores(self._outputs(X))
        return scores if len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Chances of the classes, `(samples, classes)`; Keras' wrapper has none, and soft votes and calibration ask for them.

        Args:
            X: `(samples, features)`.

        Raises:
            ValueError: The model's outputs are no chances: its last activation is not a softmax.
        """
        chances = np.asarray(self._scores(self._outputs(X)), np.float64)
        sums = chances.sum(axis=1, keepdims=True)
        if (chances < 0).any() or not np.allclose(sums, 1, atol=1e-3):
            raise ValueError(
                f"{type(self).__name__}.predict_proba: the model's outputs are not chances that add up to 1; end it with a softmax, "
                "or ask for decision_function."
            )
        chances /= sums
        return chances

    def _scores(self, outputs: np.ndarray) -> np.ndarray:
        if outputs.ndim != 2 or outputs.shape[1] != len(self.classes_):
            raise ValueError(
                f"{type(self).__name__}.predict: the model must give (samples, {len(self.classes_)}), a number for each class. "
                f"Received: {outputs.shape}"
            )
        return outputs

    def _targets(self, y: np.ndarray) -> np.ndarray:
        kind = _known_target(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"Only binary and multiclass target types are supported. Target type: {kind}")
        self.classes_, places = np.unique(y, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        return np.eye(len(self.classes_))[places]

    def _predictions(self, outputs: np.ndarray) -> np.ndarray:
        labels: np.ndarray = self.classes_[self._scores(outputs).argmax(axis=1)]
        return labels


class SKLearnRegressor(RegressorMixin, SKLBase):
    """A model as a regressor of scikit-learn, for one target or more.

    Args:
        model: A compiled Model, which `fit` clones with new weights (with `warm_start` it is trained itself); or a function
            `model(X, y, **model_kwargs)` that makes and compiles one: `X` is `(samples, features)`, `y` `(samples, outputs)`.
        warm_start: Whether `fit` goes on with the weights of the last one.
        model_kwargs: Dict of more arguments for the function.
        fit_kwargs: Dict of arguments of `Model.fit`; what `fit` gets itself comes before them.

    Attributes:
        model_: The fitted Model. history_: The History of its training.

    Raises:
        ImportError: scikit-learn is not installed, or older than 1.6.

    Source: `keras.wrappers.SKLearnRegressor`.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> estimator = pyml.wrappers.SKLearnRegressor(model).fit(np.random.rand(20, 4), np.random.rand(20), verbose=0)
        >>> estimator.history_.epoch, estimator.n_features_in_
        ([0], 4)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags

    def _predictions(self, outputs: np.ndarray) -> np.ndarray:
        return np.asarray(super()._predictions(outputs), np.float64)  # scikit-learn's regressors predict so, and a check wants it


class SKLearnTransformer(TransformerMixin, SKLBase):
    """A model as a transformer of scikit-learn, which is not a Transformer of attention: `transform` gives the model's outputs.

    Args:
        model: A compiled Model, which `fit` clones with new weights (with `warm_start` it is trained itself); or a function
            `model(X, y, **model_kwargs)` that makes and compiles one: `X` is `(samples, features)`, `y` `(samples, outputs)`.
        warm_start: Whether `fit` goes on with the weights of the last one.
        model_kwargs: Dict of more arguments for the function.
        fit_kwargs: Dict of arguments of `Model.fit`; what `fit` gets itself comes before them.

    Attributes:
        model_: The fitted Model. history_: The History of its training.

    Raises:
        ImportError: scikit-learn is not installed, or older than 1.6.

    Source: `keras.wrappers.SKLearnTransformer`.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2), pyml.layers.Dense(4)])
        >>> model.compile("sgd", "mse")
        >>> X = np.random.rand(20, 4)
        >>> pyml.wrappers.SKLearnTransformer(model, fit_kwargs={"verbose": 0}).fit_transform(X, X).shape
        1/1...
        (20, 4)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def transform(self, X: Any) -> Any:
        """The model's outputs.

        Args:
            X: `(samples, features)`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: `X` has other features than those of `fit`.
        """
        return self._outputs(X)
