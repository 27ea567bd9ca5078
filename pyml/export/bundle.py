"""The JavaScript of an exported model as one file: the modules of `web/exported`, and pyml's own for WebGPU and pictures."""

from __future__ import annotations

import hashlib
import re

from pyml import paths
from pyml.scripts import text_of

SCRIPTS = ("replay", "pixels")  # of pyml's own pages, plain scripts
# each after those that it imports
MODULES = ("arrays.js", "pictures.js", "inputs.js", "wasm.js", "webgpu.js", "model.js")

STORE = "store.js"  # a file of its own, which few pages ever load


def bundled() -> str:
    """The runtime as it is written, in one module that exports what `model.js` exports."""
    parts = []
    for name in SCRIPTS:
        text = re.sub(r"^ *// > left out of exported models\n.*?^ *// <\n", "", text_of(f"{name}.js"), flags=re.MULTILINE | re.DOTALL)
        parts.append(f"const {name} = {text[text.index('(() => {'):].rstrip().removesuffix(';')};")
    for name in MODULES:
        text = re.sub(r"^import [^;]*;\n", "", text_of(f"exported/{name}"), flags=re.MULTILINE)
        if name != "model.js":  # a scope of its own
            given = ", ".join(re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", text, flags=re.MULTILINE))
            text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
            text = f"const {{ {given} }} = (() => {{\n{text}\nreturn {{ {given} }};\n}})();"
        parts.append(text)
    return "\n".join(parts)


def first_line(source: str) -> str:
    """The line that says which source a minified file was made from."""
    return f"// pyml {hashlib.sha256(source.encode()).hexdigest()[:16]}"


def runtime() -> str:
    """The runtime, minified where that was done when pyml was built from these very sources."""
    source = bundled()
    for path in paths.minified():
        if path.is_file() and (text := path.read_text(encoding="utf-8")).startswith(first_line(source)):
            return text
    return source


def store() -> str:
    """What the runtime loads when a model trains, or weights are kept or downloaded; without comments and indentation."""
    return re.sub(r"^\s*(?:(?://|/\*\*).*\n\s*)?", "", text_of(f"exported/{STORE}"), flags=re.MULTILINE)


def declarations() -> str:
    """What TypeScript must know of it."""
    return text_of("exported/model.d.ts")


__all__ = ["STORE", "bundled", "declarations", "first_line", "runtime", "store"]
