"""TypeScript's own compiler on the declarations of an exported model: what the guide writes, and what is a mistake."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import pyml
from pyml import paths

pytestmark = pytest.mark.slow

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "export.md"
USES = """
declare const x: Float32Array, y: Int32Array, canvas: HTMLCanvasElement, video: HTMLVideoElement, frame: VideoFrame;
const several = await model.predict([canvas, canvas], { batchSize: 2, scale: 1 / 255, offset: -0.5 });
const numbers: number[] = [...await model.predict(video)], shape: readonly number[] = several.shape;
await model.predict(frame); await model.predict([[1, 2], [3, 4]]); await model.predict({ first: x, second: canvas });
const found: Record<string, (number | number[])[]> = await model.fit(x, y, { validationData: [x, y], onEpochEnd: () => false });
const state: Record<string, Uint8Array> = await model.state();
const other = await load("./elsewhere/", { device: "wasm", weights: state, threads: 2 });
const device: "webgpu" | "wasm" = other.device, sizes: number[] = other.batchSizes;
other.close();
"""
# each is an error of the compiler, in a line of its own
MISTAKES = """
await model.predict("0.5");
await model.predict(x, { batchsize: 2 });
await model.fit(x, y, { epochs: "3" });
await model.fit(x);
await load({ device: "gpu" });
await load({ devices: "wasm" });
model.device = "wasm";
await model.train(x, y);
"""


@pytest.fixture(scope="module")
def tsc():
    """The compiler, fetched once into the cache of builds."""
    folder = paths.build_dir() / "typescript"
    program = folder / "node_modules" / ".bin" / "tsc"
    if not program.exists():
        if shutil.which("npm") is None:
            pytest.skip("there is no npm")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "typescript@5.9.3"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"npm has no TypeScript to give: {done.stderr.strip()[-200:]}")
    return program


def test_the_declarations_take_what_the_guide_writes_and_mistakes_are_errors(tsc, tmp_path):
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    pyml.export(model, tmp_path / "digits", devices="wasm")
    begin, learn = re.findall(r"```js\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)[:2]
    uses = USES.split("declare const", 1)[1].partition("\n")
    (tmp_path / "right.ts").write_text(f"declare const{uses[0]}\n{begin.replace('const y =', 'const z =')}\n{learn}\n{uses[2]}")
    head = begin.split("const y =")[0] + "declare const x: Float32Array, y: Int32Array;\n"
    (tmp_path / "wrong.ts").write_text(head + MISTAKES)
    options = {"target": "es2022", "module": "esnext", "moduleResolution": "bundler", "strict": True, "noEmit": True,
               "lib": ["es2022", "dom", "dom.iterable"], "types": []}  # fmt: skip
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["right.ts", "wrong.ts"]}))
    done = subprocess.run([str(tsc), "--project", str(tmp_path), "--pretty", "false"], cwd=tmp_path, capture_output=True, text=True)
    told = re.findall(r"^(.+?)\((\d+),\d+\): error", done.stdout, re.MULTILINE)
    first = head.count("\n") + 2
    assert {file for file, _ in told} == {"wrong.ts"}, done.stdout
    assert {int(line) for _, line in told} == set(range(first, first + MISTAKES.strip().count("\n") + 1)), done.stdout
