"""Each operator of graph-models equals TensorFlow.js, for values on the device and for values known on the host."""

from __future__ import annotations

import json
from pathlib import Path

import graph_cases
import numpy as np
import pytest

from pyml.core.tensor import Tensor
from pyml.saving.tfjs.graph_model import GraphModel
from pyml.saving.tfjs.weights import decode, read_manifest

GOLDENS = json.loads((Path(__file__).parent / "graph_goldens.json").read_text())


def make(description, weights):
    ((_, specs, nbytes),) = read_manifest(description["weightsManifest"], "test")
    return GraphModel(description, decode([weights], specs, nbytes, "test"), "test")


def check(model, given, name):
    count = graph_cases.CASES[name][3]
    found = model.execute(given, [f"y:{i}" for i in range(count)])
    for result, expected in zip(found, GOLDENS[name], strict=True):
        array = result.numpy()
        assert isinstance(result, Tensor)
        assert array.shape == tuple(expected["shape"])
        assert array.dtype.name == expected["dtype"]
        wanted = np.array(expected["data"], float).reshape(expected["shape"])
        np.testing.assert_allclose(array.astype(float), wanted, rtol=2e-5, atol=3e-5)


@pytest.mark.parametrize("name", GOLDENS)
def test_operator_on_the_device_equals_tensorflow_js(device, name):
    description, weights, given = graph_cases.case_graph(name)
    check(make(description, weights), given, name)


@pytest.mark.parametrize("name", GOLDENS)
def test_operator_on_the_host_equals_tensorflow_js(name):
    """Everything constant: the operator is folded when the graph is loaded (or made a Program without inputs)."""
    op, inputs, attrs, _ = graph_cases.CASES[name]
    nodes = [graph_cases.node(f"x{i}", "Const") for i in range(len(inputs))]
    nodes.append(graph_cases.node("y", op, [f"x{i}" for i in range(len(inputs))], **attrs))
    check(make(*graph_cases.graph(nodes, {f"x{i}": v for i, v in enumerate(inputs)})), {}, name)


def test_goldens_cover_the_cases():
    assert set(graph_cases.CASES) == set(GOLDENS)
