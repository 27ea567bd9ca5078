"""Small real data sets, by Keras' names."""

from pyml.datasets import mnist

__all__ = ["mnist"]
