"""Pictures of data, of training and of what a network sees: figures that draw themselves in pages and notebooks."""

from typing import TYPE_CHECKING

from pyml.lazily import parts as _parts

if TYPE_CHECKING:
    from pyml.vis import metrics as metrics
    from pyml.vis import render as render
    from pyml.vis import show as show
    from pyml.vis.attending import attention as attention
    from pyml.vis.attributions import grad_cam as grad_cam
    from pyml.vis.attributions import integrated_gradients as integrated_gradients
    from pyml.vis.attributions import saliency as saliency
    from pyml.vis.boundaries import decision_boundary as decision_boundary
    from pyml.vis.charts import bar_chart as bar_chart
    from pyml.vis.charts import histogram as histogram
    from pyml.vis.charts import line_chart as line_chart
    from pyml.vis.charts import scatter_plot as scatter_plot
    from pyml.vis.classified import confusion_matrix as confusion_matrix
    from pyml.vis.classified import per_class_accuracy as per_class_accuracy
    from pyml.vis.classified import precision_recall_curve as precision_recall_curve
    from pyml.vis.classified import roc_curve as roc_curve
    from pyml.vis.connections import neurons as neurons
    from pyml.vis.figure import Figure as Figure
    from pyml.vis.grids import heatmap as heatmap
    from pyml.vis.grids import image_grid as image_grid
    from pyml.vis.grids import table as table
    from pyml.vis.landscapes import loss_slice as loss_slice
    from pyml.vis.networks import layer as layer
    from pyml.vis.networks import model_graph as model_graph
    from pyml.vis.networks import model_summary as model_summary
    from pyml.vis.networks import values_distribution as values_distribution
    from pyml.vis.panel import Visor as Visor
    from pyml.vis.panel import draw_with as draw_with
    from pyml.vis.panel import visor as visor
    from pyml.vis.projecting import projector as projector
    from pyml.vis.projections import pca as pca
    from pyml.vis.projections import tsne as tsne
    from pyml.vis.rates import find_learning_rate as find_learning_rate
    from pyml.vis.seen import activations as activations
    from pyml.vis.seen import filters as filters
    from pyml.vis.seen import occlusion as occlusion
    from pyml.vis.training import fit_callbacks as fit_callbacks
    from pyml.vis.training import history as history

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
    "pca": "projections", "tsne": "projections", "decision_boundary": "boundaries", "neurons": "connections",
    "projector": "projecting", "loss_slice": "landscapes",
    "Visor": "panel", "visor": "panel", "draw_with": "panel",
}  # fmt: skip
_MODULES = {"metrics", "render", "show"}

__all__ = sorted({*_NAMES, *_MODULES})
if not TYPE_CHECKING:
    __getattr__, __dir__ = _parts(__name__, _NAMES, _MODULES)
