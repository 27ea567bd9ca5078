"""Models as estimators of scikit-learn, with Keras' names; loaded when asked for, scikit-learn with it where it is installed."""

from pyml.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]
