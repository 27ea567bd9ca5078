"""Pictures of data, of training and of what a network sees: figures that draw themselves in pages and notebooks."""

from pyml.lazily import parts as _parts

_NAMES = {
    "Figure": "figure",
    "line_chart": "charts", "scatter_plot": "charts", "bar_chart": "charts", "histogram": "charts",
    "heatmap": "grids", "image_grid": "grids", "table": "grids",
    "confusion_matrix": "classified", "per_class_accuracy": "classified", "roc_curve": "classified",
    "precision_recall_curve": "classified",
    "values_distribution": "networks", "model_summary": "networks", "layer": "networks", "model_graph": "networks",
    "history": "training", "fit_callbacks": "training",
    "find_learning_rate": "rates",
    "activations": "seen", "attention": "attending", "filters": "seen", "occlusion": "seen", "saliency": "attributions",
    "integrated_gradients": "attributions", "grad_cam": "attributions",
    "pca": "projections", "tsne": "projections", "decision_boundary": "boundaries", "neurons": "neurons",
    "projector": "projecting", "loss_slice": "landscapes",
    "Visor": "panel", "visor": "panel", "draw_with": "panel",
}  # fmt: skip
_MODULES = {"metrics", "render", "show"}

__all__ = sorted({*_NAMES, *_MODULES})
__getattr__, __dir__ = _parts(__name__, _NAMES, _MODULES)
