"""pyml: deep learning in Python that runs on the GPU, in a browser tab and on the desktop, with the Keras 3 API.

Example:
    >>> import numpy as np, pyml
    >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(1)])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> history = model.fit(np.ones((32, 4)), np.ones((32, 1)), verbose=0)
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_SUBMODULES = {"activations", "browser", "callbacks", "config", "constraints", "core", "data", "datasets", "errors", "hub", "image",
               "initializers", "io", "layers", "losses", "metrics", "models", "ops", "optimizers", "random", "regularizers", "saving",
               "utils"}  # fmt: skip
_NAMES = {
    "Tensor": "core", "Variable": "core", "convert_to_tensor": "core", "program": "core", "grad": "core",
    "value_and_grad": "core", "custom_gradient": "core", "stop_gradient": "core",
    "Input": "models", "KerasTensor": "models", "Model": "models", "Sequential": "models",
    "Layer": "layers", "Loss": "losses", "Metric": "metrics", "Optimizer": "optimizers", "Initializer": "initializers",
    "Regularizer": "regularizers", "SeedGenerator": "random",
}  # fmt: skip


def __getattr__(name: str):
    """Loads parts when they are first used, so that `import pyml` stays light."""
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        importlib.import_module(f"{__name__}.ops")  # gives Tensor its operators
        value = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'pyml' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_SUBMODULES, *_NAMES})
