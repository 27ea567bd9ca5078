"""Writes `graph_cases.json`: what TensorFlow.js computes for `graph_cases`.

    TFJS_FOLDER=folder/with/node_modules .venv/bin/python tests/goldens/make_with_tensorflow_js.py
"""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import graph_cases

HERE = Path(__file__).parent


def main() -> None:
    lines = []
    for name, (_, _, _, count) in graph_cases.CASES.items():
        graph, weights, given = graph_cases.case_graph(name)
        plain = {k: {"shape": list(v.shape), "dtype": v.dtype.name, "data": v.reshape(-1).tolist()} for k, v in given.items()}
        outputs = [f"y:{i}" if i else "y" for i in range(count)]
        lines.append(json.dumps({"graph": graph, "weights": base64.b64encode(weights).decode(), "given": plain, "outputs": outputs}))
    run = subprocess.run(["node", HERE / "graph_in_node.mjs"], input="\n".join(lines), capture_output=True, text=True, check=True)
    found = dict(zip(graph_cases.CASES, map(json.loads, run.stdout.strip().splitlines()), strict=True))
    for name in [n for n, v in found.items() if "error" in v]:
        print(f"{name}: {found.pop(name)['error'][:150]}")
    for results in found.values():
        for result in results:
            result["data"] = [round(v, 7) if isinstance(v, float) else v for v in result["data"]]
    (HERE / "graph_cases.json").write_text(json.dumps(found) + "\n")
    print(f"{len(found)} cases")


if __name__ == "__main__":
    main()
