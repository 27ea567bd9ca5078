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


def version() -> str:
    """The version of Keras whose API this is, as code written for Keras asks for it; pyml's own is `pyml.__version__`.

    Example:
        >>> pyml.version()
        '3.15.1'
    """
    return "3.15.1"


TYPE_CHECKING = False  # true for type checkers; `typing` itself would be a third of the time that `import pyml` takes
if TYPE_CHECKING:  # what `__getattr__` finds
    from typing import Any

    from . import activations as activations
    from . import applications as applications
    from . import array_api as array_api
    from . import backend as backend
    from . import browser as browser
    from . import callbacks as callbacks
    from . import config as config
    from . import constraints as constraints
    from . import core as core
    from . import data as data
    from . import datasets as datasets
    from . import device as device
    from . import distillation as distillation
    from . import dtype_policies as dtype_policies
    from . import errors as errors
    from . import export as export
    from . import hub as hub
    from . import image as image
    from . import initializers as initializers
    from . import io as io
    from . import layers as layers
    from . import losses as losses
    from . import metrics as metrics
    from . import mixed_precision as mixed_precision
    from . import models as models
    from . import ops as ops
    from . import optimizers as optimizers
    from . import preprocessing as preprocessing
    from . import quantizers as quantizers
    from . import random as random
    from . import regularizers as regularizers
    from . import saving as saving
    from . import tree as tree
    from . import utils as utils
    from . import vis as vis
    from . import visualization as visualization
    from . import wrappers as wrappers
    from .core import GradientTape as GradientTape
    from .core import KerasTensor as KerasTensor
    from .core import RematScope as RematScope
    from .core import StatelessScope as StatelessScope
    from .core import SymbolicScope as SymbolicScope
    from .core import Tensor as Tensor
    from .core import Variable as Variable
    from .core import checkpoint as checkpoint
    from .core import custom_gradient as custom_gradient
    from .core import grad as grad
    from .core import grads as grads
    from .core import hessian as hessian
    from .core import jacfwd as jacfwd
    from .core import jacobian as jacobian
    from .core import jacrev as jacrev
    from .core import jvp as jvp
    from .core import program as program
    from .core import remat as remat
    from .core import stop_gradient as stop_gradient
    from .core import value_and_grad as value_and_grad
    from .core import value_and_grads as value_and_grads
    from .core import variable_grads as variable_grads
    from .core import vjp as vjp
    from .core.naming import name_scope as name_scope
    from .dtype_policies import DTypePolicy as DTypePolicy
    from .dtype_policies import FloatDTypePolicy as FloatDTypePolicy
    from .initializers import Initializer as Initializer
    from .layers import Layer as Layer
    from .layers.input_spec import InputSpec as InputSpec
    from .losses import Loss as Loss
    from .metrics import Metric as Metric
    from .models import Input as Input
    from .models import Model as Model
    from .models import Sequential as Sequential
    from .models.function import Function as Function
    from .objects.operation import Operation as Operation
    from .ops import convert_to_tensor as convert_to_tensor
    from .optimizers import Optimizer as Optimizer
    from .quantizers import Quantizer as Quantizer
    from .random import SeedGenerator as SeedGenerator
    from .regularizers import Regularizer as Regularizer

_SUBMODULES = {"activations", "applications", "array_api", "backend", "browser", "callbacks", "config", "constraints", "core",
               "data", "datasets", "device", "distillation", "dtype_policies", "errors", "export", "hub", "image", "initializers",
               "io", "layers", "losses", "metrics", "mixed_precision", "models", "ops", "optimizers", "preprocessing",
               "quantizers", "random", "regularizers", "saving", "tree", "utils", "vis", "visualization", "wrappers"}  # fmt: skip
_NAMES = {
    "Tensor": "core", "Variable": "core", "convert_to_tensor": "ops", "program": "core", "grad": "core",
    "value_and_grad": "core", "custom_gradient": "core", "stop_gradient": "core", "checkpoint": "core", "hessian": "core",
    "GradientTape": "core", "RematScope": "core", "StatelessScope": "core", "SymbolicScope": "core",
    "grads": "core", "value_and_grads": "core", "variable_grads": "core",
    "remat": "core",
    "jacfwd": "core", "jacobian": "core", "jacrev": "core", "jvp": "core", "vjp": "core",
    "KerasTensor": "core", "Input": "models", "Model": "models", "Sequential": "models",
    "Layer": "layers", "Loss": "losses", "Metric": "metrics", "Optimizer": "optimizers", "Initializer": "initializers",
    "Function": "models.function", "InputSpec": "layers.input_spec", "Operation": "objects.operation", "name_scope": "core.naming",
    "DTypePolicy": "dtype_policies", "FloatDTypePolicy": "dtype_policies", "Quantizer": "quantizers", "Regularizer": "regularizers",
    "SeedGenerator": "random",
}  # fmt: skip


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Loads parts when they are first used, so that `import pyml` stays light."""
        if name in _SUBMODULES:
            return importlib.import_module(f"{__name__}.{name}")
        if name in _NAMES:
            importlib.import_module(f"{__name__}.ops")  # gives Tensor its operators
            value = getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
            globals()[name] = value
            return value
        raise importlib.import_module(f"{__name__}.lazily").no_such(__name__, name, __dir__())


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_NAMES})
