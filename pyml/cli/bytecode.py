"""Compiles pyml for the page's Python, so that importing it there does not have to.

The compiler is that very Python: the fetched Pyodide, run by Node. On 262 kB of source its compiler takes
588 ms where loading the compiled form takes 6 ms (Node 20, two busy cores). Sources stay in the wheel, for
tracebacks. Left out is what no program asks for: the columns that underline a part of a line, and the annotations of
pyml's functions; with both, the wheel would be a fifth larger.
"""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from pyml.assets.download import replacing

SITE_PACKAGES = "/lib/python3.14/site-packages"
CACHE_TAG = "cpython-314"
Files: TypeAlias = dict[str, bytes]  # contents by path
SECONDS = 1800  # that Node may take for a step of a build: an end for what hangs, which a busy machine does not reach

SCRIPT = """
import { readFileSync, writeSync } from "node:fs";
const { runtime, jobs, code } = JSON.parse(readFileSync(0, "utf8"));
const { loadPyodide } = await import(runtime);
const py = await loadPyodide({ args: ["-X", "no_debug_ranges"], stdout: () => {} });
py.globals.set("jobs", JSON.stringify(jobs));
const out = Buffer.from(py.runPython(code));
for (let at = 0; at < out.length; ) at += writeSync(1, out, at);
process.exit(0);
"""

COMPILE = """
import ast, base64, json
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash
class Unannotated(ast.NodeTransformer):
    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.returns = None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        return node
    visit_AsyncFunctionDef = visit_FunctionDef
def compiled(path, source):
    try:
        tree = ast.parse(source, path)
        code = compile(Unannotated().visit(tree) if "/site-packages/pyml/" in path else tree, path, "exec", dont_inherit=True)
    except SyntaxError:
        return None
    return base64.b64encode(_code_to_hash_pyc(code, source_hash(source.encode()), False)).decode()
json.dumps({path: compiled(path, source) for path, source in json.loads(jobs).items()})
"""


def with_bytecode(files: Files, runtime: Path, cache: Path, compile_new: bool = True, place: str = SITE_PACKAGES) -> Files:
    """The files of a wheel and, for every module, its compiled form in `__pycache__`.

    Args:
        files: Contents by path in the wheel.
        runtime: The folder of `pyodide.mjs`.
        cache: Folder of compiled modules by the digest of their source.
        compile_new: False takes only what the cache has; a module it lacks is imported from source.
        place: Where the page's Python finds the files.
    """
    sources = {path: data for path, data in files.items() if path.endswith(".py")}
    prefix = "" if place == SITE_PACKAGES else f"{place}/"
    kept = {path: cache / cache_name(prefix + path, data, runtime) for path, data in sources.items()}
    absent = [path for path, file in kept.items() if not file.is_file()]
    if absent and compile_new:
        for path, code in compile_modules({path: sources[path] for path in absent}, runtime, place).items():
            with replacing(kept[path]) as part:
                part.write_bytes(code)
    added = {cached_path(path): file.read_bytes() for path, file in kept.items() if file.is_file()}
    return dict(sorted({**files, **added}.items()))


def cached_path(path: str) -> str:
    """Where Python looks for the compiled form of a module."""
    module = PurePosixPath(path)
    return str(module.parent / "__pycache__" / f"{module.stem}.{CACHE_TAG}.pyc")


def cache_name(path: str, source: bytes, runtime: Path) -> str:
    """Name in the cache: changes with the source, its place and the Pyodide that compiles it."""
    stat = (runtime / "pyodide.asm.wasm").stat()
    return hashlib.sha256(f"{path}\0{stat.st_size}\0{CACHE_TAG} bare\0".encode() + source).hexdigest() + ".pyc"


def compile_modules(sources: Files, runtime: Path, place: str = SITE_PACKAGES) -> Files:
    """Compiled forms by path; empty where Node is missing or too old to run Pyodide, and without modules that
    do not compile."""
    node = shutil.which("node")
    if node is None:
        return {}
    jobs = {f"{place}/{path}": data.decode() for path, data in sources.items()}
    task = {"runtime": (runtime / "pyodide.mjs").as_uri(), "jobs": jobs, "code": COMPILE}
    command = [node, "--input-type=module", "--eval", SCRIPT]
    try:
        done = subprocess.run(command, input=json.dumps(task).encode(), capture_output=True, timeout=SECONDS)
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}
    prefix = place + "/"
    return {path.removeprefix(prefix): base64.b64decode(code) for path, code in answer.items() if code}
