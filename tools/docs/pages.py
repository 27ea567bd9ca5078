"""The pages of the reference, in the order in which Keras groups them, and which names each takes."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any


@dataclass(frozen=True)
class Page:
    """One page: the names of its modules whose definitions lie in one of its files.

    Args:
        path: Its file below `api/`, without `.md`; a folder is a group of the navigation.
        title: Its heading.
        about: What it says before the names.
        modules: Dotted names of modules of pyml; a name that two have is told under the first.
        files: Patterns of files below `pyml/`, without `.py`; all if empty.
        only: Patterns of the last parts of names; all if empty.
        inherited: Last parts of the names of classes that show the methods that they inherit, too.
        first: Last parts of the names that come before the others.
    """

    path: str
    title: str
    about: str
    modules: tuple[str, ...]
    files: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()
    first: tuple[str, ...] = ()

    def takes(self, name: str, value: Any) -> bool:
        """Whether an object has its place here."""
        if self.only and not any(fnmatch(name.rpartition(".")[2], pattern) for pattern in self.only):
            return False
        if not self.files:
            return True
        file = str(value.__module__).removeprefix("pyml.").replace(".", "/")
        return any(fnmatch(file, pattern) for pattern in self.files)


def _layers(path: str, title: str, about: str, *files: str, **more: Any) -> Page:
    return Page(f"layers/{path}", title, about, ("pyml", "pyml.layers"), tuple(f"layers/{file}" for file in files), **more)


def _ops(path: str, title: str, about: str, *modules: str) -> Page:
    return Page(f"ops/{path}", title, about, modules)


PAGES = (
    Page("models", "Models", "A model holds layers, trains with `fit` and answers with `predict`.", ("pyml", "pyml.models"),
         ("models*", "layers/input_layer"), inherited=("Model",), first=("Sequential", "Model", "Input")),
    _layers("base", "The base layer", "What every layer does, and how to write one of your own.",
            "layer", "input_spec", "wrapper", "lookup", inherited=("Layer",), first=("Layer",)),
    _layers("core", "Core layers", "Products of matrices, embeddings, masks and functions.",
            "dense", "einsum_dense", "embedding", "reversible_embedding", "masking", "plain",
            "activation", "input_layer", "pipeline", "legacy"),
    _layers("convolution", "Convolutions", "Filters that slide over a sequence, a picture or a volume.",
            "conv", "conv_transpose", "depthwise"),
    _layers("pooling", "Pooling", "The largest or the mean value of each window.",
            "pooling", "global_pooling", "adaptive_pooling"),
    _layers("recurrent", "Recurrent layers", "Layers that read a sequence step by step.",
            "recurrent/*", "bidirectional", "time_distributed"),
    _layers("attention", "Attention", "Layers that look up what belongs together.",
            "attention", "simple_attention", "group_query_attention"),
    _layers("normalization", "Normalization", "Values brought to one scale.",
            "batch_normalization", "normalization", "spectral_normalization"),
    _layers("regularization", "Regularization", "Noise and dropout, which act in training alone.", "regularization"),
    _layers("reshaping", "Reshaping", "The same values in another shape.", "reshaping", "borders", "sizes"),
    _layers("merging", "Merging", "Several tensors made one.", "merging", "joining"),
    _layers("volumes", "Volumes", "Convolution, pooling, borders and sizes in three dimensions.", "volumes"),
    _layers("preprocessing", "Preprocessing",
            "Numbers, categories and text made ready for a model; [the guide](../../preprocessing.md) shows them.",
            "preprocessing/*"),
    _layers("augmentation", "Augmentation", "Pictures changed at random.", "augmentation/*"),
    Page("activations", "Activations", "Functions that layers take by name: `Dense(8, activation=\"relu\")`.", ("pyml.activations",)),
    Page("initializers", "Initializers", "Where weights begin.", ("pyml", "pyml.initializers"), ("initializers*",)),
    Page("regularizers", "Regularizers", "Penalties on weights and outputs.", ("pyml", "pyml.regularizers"), ("regularizers*",)),
    Page("constraints", "Constraints", "What weights are held to after each step.", ("pyml.constraints",)),
    Page("optimizers", "Optimizers", "How a gradient becomes a step.",
         ("pyml", "pyml.optimizers"), ("optimizers*",), first=("Optimizer", "Adam", "SGD")),
    Page("schedules", "Learning-rate schedules", "A learning rate that changes with the steps.", ("pyml.optimizers.schedules",)),
    Page("losses", "Losses", "What training makes small. As classes, and as functions of one value a sample.",
         ("pyml", "pyml.losses"), ("losses*",), first=("Loss",)),
    Page("metrics", "Metrics", "What is watched while training.", ("pyml", "pyml.metrics"), ("metrics*",), first=("Metric",)),
    Page("callbacks", "Callbacks", "What happens between epochs and batches.", ("pyml.callbacks",), first=("Callback",)),
    Page("tensors", "Tensors, programs and gradients", "What models are made of, for computations of your own.",
         ("pyml", "pyml.core"), ("core/*", "objects/operation"), first=("Tensor", "Variable", "program", "GradientTape")),
    _ops("numpy", "NumPy ops", "numpy's functions on tensors; [Numerics](../../numerics.md) says how exact each is.", "pyml.ops.numpy"),
    _ops("nn", "Neural network ops", "Activations, convolutions, pooling, normalization and losses as functions.", "pyml.ops.nn"),
    _ops("linalg", "Linear algebra ops", "Decompositions and systems of equations.", "pyml.ops.linalg"),
    _ops("image", "Image ops", "Pictures resized, turned, warped and blurred.", "pyml.ops.image"),
    _ops("core", "Core, FFT and other ops", "Loops, branches, scattering, transforms of Fourier and the rest of `pyml.ops`.", "pyml.ops"),
    Page("random", "Random numbers", "Reproducible under a seed, on every device.", ("pyml", "pyml.random"), ("random/*",)),
    Page("data", "Data", "Streams of examples, files, cameras; [the guide](../data.md) shows them.", ("pyml.data",), first=("Dataset",)),
    Page("datasets", "Data sets", "Small data sets for examples.",
         tuple(f"pyml.datasets.{name}" for name in ("boston_housing", "california_housing", "cifar10", "cifar100", "fashion_mnist", "imdb",
                                                    "mnist", "reuters")), only=("load_data*", "get_*")),
    Page("hub", "Trained networks", "Networks in one line; [the guide](../hub.md) shows them.", ("pyml.hub",)),
    Page("applications", "Applications", "Keras' architectures of image networks, without or with weights of your own.", (
        "pyml.applications", *(f"pyml.applications.{name}" for name in (
            "convnext", "densenet", "efficientnet", "efficientnet_v2", "imagenet_utils", "inception_resnet_v2", "inception_v3", "mobilenet",
            "mobilenet_v2", "mobilenet_v3", "nasnet", "resnet", "resnet50", "resnet_v2", "vgg16", "vgg19", "xception")))),
    Page("saving", "Saving", "Models in files, stores and downloads; [the guide](../saving.md) shows them.", ("pyml.saving",)),
    Page("io", "Weights and artifacts of TensorFlow.js", "What TensorFlow.js has in `tf.io`.", ("pyml.io",)),
    Page("export", "Export", "Models that run without Python; [the guide](../export.md) shows them.", ("pyml.export",)),
    Page("vis", "Charts", "Pictures of data, training and networks; [the guide](../vis.md) shows them.",
         ("pyml.vis", "pyml.vis.show", "pyml.vis.render", "pyml.vis.metrics")),
    Page("browser", "The page", "Pixels between tensors and the page that Python runs in.", ("pyml.browser", "pyml.image")),
    Page("config", "Configuration", "The device, defaults of dtypes and layouts.", ("pyml", "pyml.config", "pyml.backend"),
         ("config", "settings", "pyml")),
    Page("precision", "Precision and quantization", "Dtypes of computations and weights; [the guide](../quantization.md) shows them.",
         ("pyml", "pyml.dtype_policies", "pyml.mixed_precision", "pyml.quantizers"), ("dtype_policies*", "mixed_precision", "quantizers*")),
    Page("utils", "Utilities", "Helpers for data, names and seeds, trees of tensors.",
         ("pyml.utils", "pyml.utils.bounding_boxes", "pyml.tree", "pyml.visualization", "pyml.preprocessing", "pyml.preprocessing.image",
          "pyml.preprocessing.sequence", "pyml.backend")),
    Page("wrappers", "Wrappers and distillation",
         "Models in scikit-learn's pipelines ([guide](../scikit_learn.md)), and small models that learn from large ones.",
         ("pyml.wrappers", "pyml.distillation")),
    Page("errors", "Errors", "What pyml raises beside Python's own; [Troubleshooting](../troubleshooting.md) says what to do.",
         ("pyml.errors",), ("errors",)),
    Page("array_api", "Array API", "The functions of the Python array API; [the guide](../array_api.md) shows them.",
         ("pyml.array_api", "pyml.array_api.linalg", "pyml.array_api.fft")),
)  # fmt: skip
