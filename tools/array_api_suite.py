"""Runs the Array API test suite (data-apis/array-api-tests) on `pyml.array_api`.

    git clone --recurse-submodules https://github.com/data-apis/array-api-tests
    pip install hypothesis ndindex pytest-json-report
    .venv/bin/python tools/array_api_suite.py array-api-tests [--max-examples 20] [PYTEST ARGUMENTS]

The suite draws arrays of the dtypes that pyml has: float32, int32, uint32, bool and complex64. What it cannot pass stands in
`tests/array_api_skips.txt`, each with its reason. The exit status is pytest's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OTHER_DTYPES = ("float64", "complex128", "int8", "int16", "int64", "uint8", "uint16", "uint64")  # names of what 32 bits make of them


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", type=Path, help="the checkout of the suite, with its submodule")
    parser.add_argument("--max-examples", type=int, default=20, help="how many arrays each test draws")
    parser.add_argument("--backend", default="cpu", help="the device: cpu, wasm or webgpu")
    options, rest = parser.parse_known_args()
    if not (options.suite / "array_api_tests").is_dir():
        parser.error(f"{options.suite} holds no array_api_tests; clone https://github.com/data-apis/array-api-tests with its submodule.")
    environment = {
        **os.environ,
        "ARRAY_API_TESTS_MODULE": "pyml.array_api",
        "ARRAY_API_TESTS_VERSION": "2024.12",
        "ARRAY_API_TESTS_SKIP_DTYPES": ",".join(OTHER_DTYPES),
        "PYML_BACKEND": options.backend,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }
    chosen = [argument for argument in rest if argument.startswith("array_api_tests")] or ["array_api_tests"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen,
               "--skips-file", str(ROOT / "tests/array_api_skips.txt"), f"--max-examples={options.max_examples}",
               "--disable-deadline", *(argument for argument in rest if argument not in chosen)]  # fmt: skip
    return subprocess.run(command, cwd=options.suite, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
