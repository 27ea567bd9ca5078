"""Where pyml's result dtypes are not those of Keras on torch (`dtypes.json`), each with its reason; `test_dtypes.py` holds the list exact.

Rules that hold for all ops, and so are not differences:
- pyml has no 64 bits: Keras' int64, float64 and complex128 are int32, float32 and complex64.
- What Keras computes counts; what it says of symbolic tensors only where it refuses to compute, and for operands of uint16 and uint32,
  which PyTorch holds as int32 and int64, where it answers with such an integer.
- A cell that Keras refuses both ways has no dtype to compare.

`python tests/goldens/dtype_differences.py` counts the cells and prints the differences as they are now.
"""

import json
from pathlib import Path

import dtype_cases

GROUPS = json.loads(Path(__file__).with_name("dtype_differences.json").read_text(encoding="utf-8"))
NAMES = {letter: dtype for dtype, letter in dtype_cases.LETTERS.items()}


def narrow(dtype):
    return {"int64": "int32", "float64": "float32"}.get(dtype, dtype)


def keras_dtype(cell, symbolic, eager):
    """What Keras answers in one cell, by the rules above."""
    unheld = {"uint16", "uint32"} & set(cell) and eager in ("int32", "int64") and symbolic != "error"
    return narrow(symbolic if unheld or eager == "error" else eager)


def wanted(name, golden):
    """Cell -> Keras' dtype, without the cells that Keras refuses."""
    both = golden if isinstance(golden, dict) else {"symbolic": golden, "eager": golden}
    rows = zip(dtype_cases.cells(name), both["symbolic"], both["eager"], strict=True)
    answers = {cell: keras_dtype(cell, NAMES[symbolic], NAMES[eager]) for cell, symbolic, eager in rows}
    return {cell: dtype for cell, dtype in answers.items() if dtype != "error"}


def found(K, name, golden):
    """"a,b" -> "dtype of K instead of Keras' dtype", of each cell that differs."""
    got = {cell: (dtype_cases.dtype_of(K, name, cell), dtype) for cell, dtype in wanted(name, golden).items()}
    return {",".join(cell): f"{mine} not {dtype}" for cell, (mine, dtype) in got.items() if mine != dtype}


def listed(name):
    """As `found`: the list groups cells by reason, op and what differs."""
    those = [group["ops"][name] for group in GROUPS if name in group["ops"]]
    return {cell: what for differs in those for what, cells in differs.items() for cell in cells.split()}


def main():
    import pyml

    goldens = json.loads(Path(__file__).with_name("dtypes.json").read_text(encoding="utf-8"))
    names = [*dtype_cases.ONE, *dtype_cases.TWO]
    differ = {name: found(pyml, name, goldens[name]) for name in names}
    cells, refused = sum(len(wanted(name, goldens[name])) for name in names), sum(len(dtype_cases.cells(name)) for name in names)
    print(f"{cells} of {refused} cells have a dtype in Keras; {sum(map(len, differ.values()))} differ")
    for name, those in differ.items():
        if those:
            grouped = {what: " ".join(cell for cell in those if those[cell] == what) for what in sorted(set(those.values()))}
            print(json.dumps({name: grouped}))


if __name__ == "__main__":
    main()
