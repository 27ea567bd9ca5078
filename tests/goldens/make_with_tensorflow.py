"""Writes `preprocessing_cases.json` and `directory_cases.json`: Keras computes text, adapts to batches and reads folders with TensorFlow
alone.

    KERAS_BACKEND=tensorflow python tests/goldens/make_with_tensorflow.py [NAME ...]      the named cases anew, or all

Needs an environment with `keras==3.15.1 tensorflow-cpu==2.21.0 scipy pillow`; pyml does not. The functions of the second file are those
of Keras 2.15 as well (`tensorflow-cpu==2.15.1`), which wrote it.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import directory_cases
import keras
import preprocessing_cases


def rounded(value):
    """Numbers with seven significant digits; bytes as text."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def main():
    for module in (directory_cases, preprocessing_cases):
        path = Path(module.__file__).with_suffix(".json")
        goldens = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        made = [case for case in module.CASES if not sys.argv[1:] or case.__name__ in sys.argv[1:]]
        for case in made:
            goldens[case.__name__] = rounded(case(keras))
        if made:
            goldens = {case.__name__: goldens[case.__name__] for case in module.CASES}
            goldens["_made_by"] = f"keras {keras.__version__} on {keras.backend.backend()}"
            path.write_text(json.dumps(goldens, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
