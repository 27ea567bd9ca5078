#!/usr/bin/env python3
"""Freezes the numbers that tests/test_goldens.py compares with, made by Keras itself on PyTorch.

Needs an environment with `keras==3.15.1 torch==2.13.0` (CPU); pyml does not.

    KERAS_BACKEND=torch python tools/make_goldens.py              write tests/goldens/*.json
    KERAS_BACKEND=torch python tools/make_goldens.py --sensitivity    how far a 5e-7 change of the weights
                                                                  moves each loss history
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
FOLDER = Path(__file__).resolve().parent.parent / "tests" / "goldens"
sys.path.insert(0, str(FOLDER))

import golden_cases as cases  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402


def plain(value):
    """JSON with 8 significant digits, enough for any float32 comparison at 1e-6."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "data": plain(value.ravel().tolist())}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


def write():
    made_by = f"keras {keras.__version__} on {keras.backend.backend()}"
    for group, members in cases.all_cases().items():
        path = FOLDER / f"{group}.json"
        out = {"made_by": made_by, "cases": {name: plain(run(keras)) for name, run in members.items()}}
        path.write_text(json.dumps(out, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{path.name:20s} {len(members):3d} cases {path.stat().st_size / 1024:7.1f} KiB", flush=True)


def sensitivity():
    """A golden is only fair if rounding errors stay small: perturb the weights by 5e-7 and compare, six times."""
    exact = cases.set_hashed_weights
    for name, run in cases.TRAINING.items():
        cases.set_hashed_weights = exact
        losses = np.array(run(keras)["losses"])

        moved = []
        for stream in range(1000, 1006):
            def nudged(model, seed=100, stream=stream):
                exact(model, seed)
                model.set_weights([w * (1 + cases.uniform(stream, w.shape, 5e-7)) for w in model.get_weights()])

            cases.set_hashed_weights = nudged
            moved.append(np.abs(np.array(run(keras)["losses"]) - losses).max())
        print(f"{name:28s} loss {losses[0]:.4f} to {losses[-1]:.4f}, moved by at most {max(moved):.1e}", flush=True)


if __name__ == "__main__":
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--sensitivity", action="store_true")
    sensitivity() if parser.parse_args().sensitivity else write()
