"""Writes tests/goldens/keras2_files.json: files that Keras 2 wrote, deflated and in base64, and what their models predict.

    PYTHON_WITH_KERAS_2 tools/make_keras2_files.py                    # such as tensorflow-cpu 2.15 with keras 2.15
    .venv/bin/python tools/make_keras2_files.py --write FOLDER        # the same models, written by pyml
    PYTHON_WITH_KERAS_2 tools/make_keras2_files.py --open FOLDER      # opens them, compares outputs and trains on

Inputs are made by a rule that the test knows, so they are not kept. Keras is not a dependency of pyml.
"""

import argparse
import base64
import json
import os
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "saving"))

from keras2_models import CASES, compiled, inputs_of, train  # noqa: E402

GOLDENS = ROOT / "tests" / "goldens" / "keras2_files.json"


def listed(outputs: Any) -> list[Any]:
    return [np.asarray(o, "float64").round(7).tolist() for o in (outputs if isinstance(outputs, list) else [outputs])]


def written(keras: Any) -> dict[str, Any]:
    """Every model of `CASES` with its files."""
    found = {}
    for name, make in CASES.items():
        keras.utils.set_random_seed(zlib.crc32(name.encode()) % 1000)
        model = make(keras)
        x = inputs_of(model)
        case: dict[str, Any] = {"files": {}}
        if name in compiled:
            train(keras, model, x)
        case["outputs"] = listed(model.predict(x, verbose=0))
        with tempfile.TemporaryDirectory() as folder:
            for ending in (".keras", ".h5", ".weights.h5", "-weights.h5"):
                path = os.path.join(folder, f"m{ending}")
                if ending == ".h5" and name in ("words", "numbers"):
                    continue                           # vocabularies have no place in an .h5
                (model.save_weights if "weights" in ending else model.save)(path)
                case["files"][ending] = base64.b64encode(zlib.compress(Path(path).read_bytes(), 9)).decode()
        if name in compiled:
            case["loss"] = [float(v) for v in train(keras, model, x)]
        found[name] = case
    return found


def written_by_pyml(folder: Path) -> None:
    """Files of pyml for Keras 2 (`.two.`) and for both, what the models predict, and the losses with which training goes on."""
    sys.path.insert(0, str(ROOT))
    import pyml

    outputs, losses = {}, {}
    for name, make in CASES.items():
        pyml.utils.set_random_seed(zlib.crc32(name.encode()) % 1000)
        model = make(pyml)
        x = inputs_of(model)
        if name in compiled:
            train(pyml, model, x)
        outputs[name] = listed(model.predict(x, verbose=0))
        model.save(folder / f"{name}.two.keras", keras_version=2)
        model.save_weights(folder / f"{name}.two.weights.h5", keras_version=2)
        if name not in ("words", "numbers"):           # vocabularies have no place in an .h5
            model.save(folder / f"{name}.two.h5", keras_version=2)
            if name not in ("nested", "attentive"):    # which have no form that both versions open
                model.save(folder / f"{name}.both.h5")
        if name in compiled:
            losses[name] = [float(v) for v in train(pyml, model, x)]
    (folder / "outputs.json").write_text(json.dumps(outputs))
    (folder / "losses.json").write_text(json.dumps(losses))


def opened(keras: Any, folder: Path) -> int:
    """Lines that say which files of pyml Keras 2 opens, with the same outputs."""
    failed = 0
    expected = json.loads((folder / "outputs.json").read_text())
    losses = json.loads((folder / "losses.json").read_text())
    for path in sorted(folder.glob("*.*")):
        name = path.name.partition(".")[0].removesuffix("-weights")
        if name not in CASES:
            continue
        try:
            if "weights" in path.name:
                model = CASES[name](keras)
                model.load_weights(path)
            else:
                model = keras.models.load_model(path)
            x = inputs_of(model)
            for have, want in zip(listed(model.predict(x, verbose=0)), expected[name]):
                np.testing.assert_allclose(have, want, atol=2e-5)
            if name in compiled and ".two." in path.name and "weights" not in path.name:
                np.testing.assert_allclose(train(keras, model, x), losses[name], atol=2e-5)
            print(f"ok      {path.name}")
        except Exception as error:  # one file of many
            failed += 1
            print(f"failed  {path.name}: {type(error).__name__}: {str(error)[:300]}")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--open", type=Path)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    if arguments.write:
        arguments.write.mkdir(parents=True, exist_ok=True)
        written_by_pyml(arguments.write)
        return
    import keras

    if arguments.open:
        sys.exit(opened(keras, arguments.open))
    GOLDENS.write_text(json.dumps({"keras_version": keras.__version__, "cases": written(keras)}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
