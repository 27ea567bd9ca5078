"""Writes the goldens of this folder that have Keras' numbers: all but `graph_*.json`.

    KERAS_BACKEND=torch python tests/goldens/make_with_keras.py [NAME ...]     the named cases or files anew, or all
    KERAS_BACKEND=torch python tests/goldens/make_with_keras.py --sensitivity  how far a 5e-7 change of the weights
                                                                          moves each loss history

Needs an environment with `keras==3.15.1 torch==2.13.0` (CPU); pyml does not. The samples of `op_samples` are read from pyml's source.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
import application_cases  # noqa: E402
import augmentation_cases  # noqa: E402
import callback_cases  # noqa: E402
import conv_lstm_cases  # noqa: E402
import dataset_cases  # noqa: E402
import distillation_cases  # noqa: E402
import dtype_cases  # noqa: E402
import fit_cases  # noqa: E402
import golden_cases  # noqa: E402
import keras  # noqa: E402
import keras_cases  # noqa: E402
import layer_cases  # noqa: E402
import numpy as np  # noqa: E402
import op_calls  # noqa: E402
import op_samples  # noqa: E402
import option_cases  # noqa: E402
import quantized_cases  # noqa: E402


def files():
    """Path of each file of goldens -> name of each case -> function of the library."""
    modules = (keras_cases, callback_cases, layer_cases, augmentation_cases, conv_lstm_cases, quantized_cases)
    found = {HERE / f"{module.__name__}.json": module.CASES for module in modules}
    found = {path: {case.__name__: case for case in those} for path, those in found.items()}
    found |= {HERE / f"{group}.json": those for group, those in golden_cases.all_cases().items()}
    found[HERE / "fit_cases.json"] = fit_cases.CASES
    found[HERE / "application_cases.json"] = application_cases.CASES
    found[HERE / "dataset_cases.json"] = dataset_cases.CASES
    found[HERE / "distillation_cases.json"] = distillation_cases.CASES
    found[HERE / "option_cases.json"] = option_cases.CASES
    found[HERE / "dtypes.json"] = dtype_cases.all_cases()
    found[HERE / "op_samples.json"] = op_samples.cases(keras)
    found[HERE / "op_slopes.json"] = op_samples.slope_cases(keras)
    for family, calls in op_calls.families().items():
        run = {name: lambda K, call=call: op_calls.run(K, call) for name, call in calls.items()}
        found[op_calls.FOLDER / f"{family}.json"] = run
    return found


def rounded(value):
    """Numbers with nine significant digits, which hold a float32; arrays as nested lists."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def write(path, those, only):
    goldens = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in set(goldens) - set(those) - {"_made_by"}:
        del goldens[name]
    wanted = [name for name in those if not only or name in only or path.stem in only]
    for name in wanted:
        goldens[name] = rounded(those[name](keras))
        goldens["_made_by"] = f"keras {keras.__version__} on {keras.backend.backend()}"
        print(path.stem, name, flush=True)
    if wanted:
        path.write_text(json.dumps(goldens, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def sensitivity():
    """A golden is only fair if rounding errors stay small: perturb the weights by 5e-7 and compare, six times."""
    exact = golden_cases.set_hashed_weights
    for name, run in golden_cases.TRAINING.items():
        golden_cases.set_hashed_weights = exact
        losses = np.array(run(keras)["losses"])
        moved = []
        for stream in range(1000, 1006):
            def nudged(model, seed=100, stream=stream):
                exact(model, seed)
                model.set_weights([w * (1 + golden_cases.uniform(stream, w.shape, 5e-7)) for w in model.get_weights()])

            golden_cases.set_hashed_weights = nudged
            moved.append(np.abs(np.array(run(keras)["losses"]) - losses).max())
        print(f"{name:28s} loss {losses[0]:.4f} to {losses[-1]:.4f}, moved by at most {max(moved):.1e}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="cases to make anew; all without names")
    parser.add_argument("--sensitivity", action="store_true")
    options = parser.parse_args()
    if options.sensitivity:
        sensitivity()
        return
    for path, those in files().items():
        write(path, those, options.names)


if __name__ == "__main__":
    main()
