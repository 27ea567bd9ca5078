"""Writes goldens.json and layer_goldens.json with Keras' numbers.

    KERAS_BACKEND=torch python tests/keras/make_goldens.py     (in an environment with keras==3.15.1 and torch)

Names of cases make only those anew.
"""

import json
import sys
from pathlib import Path

import cases
import keras
import layer_cases

FILES = {"goldens.json": cases.CASES, "layer_goldens.json": layer_cases.CASES}


def rounded(value):
    """Numbers with nine significant digits, which hold a float32."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


def write(name, cases, only):
    path = Path(__file__).with_name(name)
    goldens = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for case in cases:
        if not only or case.__name__ in only:
            goldens[case.__name__] = rounded(case(keras))
            goldens["_made_by"] = f"keras {keras.__version__} on {keras.backend.backend()}"
            path.write_text(json.dumps(goldens, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
            print(case.__name__, flush=True)


def main():
    for name, those in FILES.items():
        write(name, those, sys.argv[1:])


if __name__ == "__main__":
    main()
