"""The networks of `pyml.hub` in Pyodide, as a user runs them; `pyml.mjs` calls this."""

import json
import time

import meter
import numpy as np

import pyml


class Bench:
    """A network and its input, numpy, which goes to the device with every prediction; what it finds is read."""

    def __init__(self, net, network, x):
        side, kind = network["side"], "int32" if network["scale"] == "whole" else "float32"
        self.x = x.reshape(side, side, 3).astype(kind)
        if hasattr(net, "graph"):
            self.x = self.x[None]
            self._run = lambda: net.graph.execute([self.x], network["outputs"])
        else:
            self._run = lambda: [net.probabilities(self.x)]

    def predict(self):
        self.found = [tensor.numpy() for tensor in self._run()]

    def values(self):
        from pyodide.ffi import to_js  # type: ignore[import-not-found]

        return to_js([np.ascontiguousarray(a, np.float32).ravel() for a in self.found])

    def profile(self):
        """Counts of a prediction: dispatches, crossings into JavaScript, Python between device calls; its largest kernels."""
        for _ in range(5):                              # from the fifth picture of a shape on, it is a stream of them
            start = time.perf_counter()
            self.predict()
        seconds = time.perf_counter() - start
        steps = max(2, min(10, int(1 / max(1e-3, seconds))))
        with meter.Meter() as seen:
            for _ in range(steps):
                self.predict()
        return json.dumps({
            "dispatches": round(sum(plan.dispatches for plan in seen.plans) / steps, 2),
            "submits": round(len(seen.plans) / steps, 2),
            "js_calls": round(seen.js_calls / steps, 2),
            "python_ms": round(sum(seen.python) / steps * 1e3, 3),
            "bytes": meter.memory()["bytes"],
        })  # fmt: skip


async def load(network, x):
    """The network of a page's `{name, side, scale, outputs}` (JSON), its weights fetched from the page's site."""
    network = json.loads(network)
    net = await getattr(pyml.hub, f"{network['name']}_async")()
    return Bench(net, network, np.asarray(x.to_py()))


def describe():
    return json.dumps({"version": pyml.__version__, "device": pyml.config.describe()})
