"""Writes `preprocessing_cases.json`: Keras computes text, and adapts to batches, with TensorFlow alone.

    KERAS_BACKEND=tensorflow python tests/goldens/make_with_tensorflow.py [NAME ...]      the named cases anew, or all

Needs an environment with `keras==3.15.1 tensorflow-cpu==2.21.0 scipy`; pyml does not.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
import keras
import preprocessing_cases

FILE = Path(__file__).resolve().parent / "preprocessing_cases.json"


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
    goldens = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for case in preprocessing_cases.CASES:
        if not sys.argv[1:] or case.__name__ in sys.argv[1:]:
            goldens[case.__name__] = rounded(case(keras))
    goldens = {case.__name__: goldens[case.__name__] for case in preprocessing_cases.CASES}
    goldens["_made_by"] = f"keras {keras.__version__} on {keras.backend.backend()}"
    FILE.write_text(json.dumps(goldens, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
