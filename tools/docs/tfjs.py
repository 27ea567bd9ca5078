"""The table of TensorFlow.js' names, `docs/tensorflow_js_names.md`, from `tests/parity/tfjs.txt`: `python -m tools.docs.tfjs`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "parity" / "tfjs.txt"
PAGE = ROOT / "docs" / "tensorflow_js_names.md"
OURS = re.compile(r"`[^`]*?(pyml(?:\.\w+)+)")
ABOUT = """# Names of TensorFlow.js

Every name of TensorFlow.js 4.22 and tfjs-vis 1.5 that a user calls, with what to write in pyml. Names that several ranks share
(`tf.slice1d`, `tf.slice2d`) are one function here, and options are arguments. [From TensorFlow.js](from_tensorflow_js.md) says what changes
everywhere.

<!-- made by `python -m tools.docs.tfjs` from tests/parity/tfjs.txt -->
"""


def sections() -> dict[str, list[tuple[str, str]]]:
    """Title -> (name of TensorFlow.js, what to write in pyml)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in DATA.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            rows = found.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            theirs, arrow, ours = line.partition(" -> ")
            if not arrow:
                raise SystemExit(f"tfjs.txt: {line!r} has no ` -> `")
            rows.append((theirs, ours))
    return found


def named(text: str) -> list[str]:
    """The names of pyml that a cell speaks of."""
    return OURS.findall(text)


def found(name: str) -> Any:
    """The object behind a dotted name of pyml; raises AttributeError where there is none."""
    import pyml

    value: Any = pyml
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    return value


def page() -> str:
    """The page."""
    lines = [ABOUT]
    for title, rows in sections().items():
        lines += [f"## {title}", "", "| TensorFlow.js | pyml |", "|---|---|"]
        lines += [f"| `{theirs}` | {ours} |" for theirs, ours in rows] + [""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
