"""web/replay.js without Python: every kernel file in Tint, replay in one call, and how errors arrive."""

import json
import re

import pytest

from pyml import paths

from .python_page import BLANK

BINDING = re.compile(r"@binding\((\d+)\)\s*var(?:<\s*(storage|uniform)\s*(?:,\s*(read_write|read))?\s*>)?\s*\w+:\s*(texture\w*)?")
TEXTURES = {"texture_2d": "texture", "texture_storage_2d": "canvas"}
OPEN = """async () => {
  const source = await (await fetch("/web/replay.js")).text();
  window.engine = await (0, eval)(source).open();
  return JSON.parse(engine.describe());
}"""
TWICE = """
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x < 64u) { y[g.x] = x[g.x] * 2.0; }
}"""

# three buffers, pipeline 1, and a recording of twice(1 -> 2), copy 2 to 3, twice(3 -> 1)
BEGIN = """async (source) => {
  await engine.prepare(JSON.stringify([[1, "twice", source, ["read", "read_write"]]]));
  for (const id of [1, 2, 3]) engine.create(id, 256);
  window.recording = engine.record(new Uint32Array([0, 1, 1, 1, 1, 2, 1, 2,  1, 2, 3, 256,  0, 1, 1, 1, 1, 2, 3, 1]));
}"""


@pytest.fixture(scope="module")
def engine(browser, site):
    """A page with an open device in `window.engine`."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site + BLANK)
    page.facts = page.evaluate(OPEN)
    page.evaluate(BEGIN, TWICE)
    yield page
    context.close()


def kernel_files():
    return sorted(paths.kernels_dir().glob("*.wgsl"))


def bindings(source):
    found = sorted(
        (int(number), TEXTURES.get(texture) or ("uniform" if kind == "uniform" else mode or "read"))
        for number, kind, mode, texture in BINDING.findall(source)
    )
    assert [number for number, _ in found] == list(range(len(found)))
    return [kind for _, kind in found]


def test_every_kernel_file_compiles_in_tint_as_it_stands(engine):
    kernels = [[1000 + i, path.name, path.read_text(), bindings(path.read_text())] for i, path in enumerate(kernel_files())]
    assert kernels
    engine.evaluate("(text) => engine.prepare(text)", json.dumps(kernels))


PATIENT = """async (source) => {
  const { createComputePipelineAsync } = GPUDevice.prototype, asked = [];
  let ready = 0, before = null;
  GPUDevice.prototype.createComputePipelineAsync = function (given) {
    asked.push(given.label);
    return createComputePipelineAsync.call(this, given).then((made) => { before ??= asked.length; ready += 1; return made; });
  };
  const kernels = Array.from({ length: 20 }, (_, i) => [5000 + i, `kernel ${i}`, `${source}\n// ${i}`, ["read", "read_write"]]);
  try {
    await engine.prepare(JSON.stringify(kernels));
  } finally {
    GPUDevice.prototype.createComputePipelineAsync = createComputePipelineAsync;
  }
  return [before, ready];
}"""


def test_all_kernels_of_a_plan_are_asked_for_before_any_is_ready(engine):
    assert engine.evaluate(PATIENT, TWICE) == [20, 20]


def test_one_replay_runs_dispatches_and_copies_in_order(engine):
    assert engine.evaluate("""async () => {
      engine.write(1, 0, new Float32Array(64).fill(3));
      engine.replay(recording);
      engine.replay(recording);
      return [...new Float32Array((await engine.read(1, 8)).buffer)];
    }""") == [48, 48]


def test_uploads_that_come_with_a_replay_arrive_before_it(engine):
    assert engine.evaluate("""async () => {
      engine.replay(recording, 1, 0, new Float32Array(64).fill(5), 1, 4, new Float32Array([7]));
      return [...new Float32Array((await engine.read(1, 8)).buffer)];
    }""") == [20, 28]


def test_uploads_of_odd_sizes_are_padded_to_words(engine):
    assert engine.evaluate(
        """async () => {
          engine.create(10, 16);
          engine.write(10, 0, new Uint8Array([1, 2, 3, 4, 5]));
          return [...(await engine.read(10, 7))];
        }"""
    ) == [1, 2, 3, 4, 5, 0, 0]


def failure(page, body):
    return page.evaluate(f"async () => {{ try {{ {body} }} catch (error) {{ return [error.name, error.message]; }} }}")


def test_a_shader_error_names_the_kernel_and_the_line(engine):
    broken = TWICE.replace("2.0", "nope")
    kernel = json.dumps([[50, "my_kernel", broken, ["read", "read_write"]]])
    name, message = failure(engine, f"await engine.prepare({json.dumps(kernel)});")
    assert name == "KernelError"
    assert "my_kernel: line 5: unresolved value 'nope'" in message
    assert "y[g.x] = x[g.x] * nope" in message


def test_a_kernel_nobody_waited_for_is_made_by_record_and_its_error_raised_at_the_read(engine):
    def run(number, source):
        kernel = json.dumps([[number, "late", source, ["read", "read_write"]]])
        steps = f"new Uint32Array([0, {number}, 1, 1, 1, 2, 1, 2])"
        begin = f"engine.prepare({json.dumps(kernel)}, false);"
        return failure(engine, begin + f"engine.replay(engine.record({steps})); return (await engine.read(2, 4)).length;")

    assert run(60, TWICE.replace("2.0", "3.0")) == 4
    name, message = run(61, TWICE.replace("2.0", "nope"))
    assert name == "KernelError" and "late: line 5: unresolved value 'nope'" in message


def test_an_error_the_device_reports_late_is_raised_at_the_next_read_and_only_there(engine):
    steps = "new Uint32Array([0, 1, 70000, 1, 1, 2, 1, 2])"
    name, message = failure(engine, f"engine.replay(engine.record({steps})); await engine.read(2, 4);")
    assert name == "DeviceError" and "70000" in message
    assert failure(engine, "return (await engine.read(2, 4)).length;") == 4


def test_gpu_times_of_a_recording_are_nanoseconds_per_dispatch(engine):
    if "timestamp-query" not in engine.facts["features"]:
        pytest.skip("this adapter has no timestamp-query")
    spans = engine.evaluate("() => engine.timings(recording)")
    assert len(spans) == 2 and all(span >= 0 for span in spans)


def test_limits_are_the_adapters_not_the_defaults(engine):
    offered = engine.evaluate("async () => (await navigator.gpu.requestAdapter()).limits.maxStorageBufferBindingSize")
    assert engine.facts["limits"]["maxStorageBufferBindingSize"] == offered


def test_a_lost_device_says_so_at_the_next_use_and_to_a_waiting_read(browser, site):
    page = browser.new_context().new_page()
    page.goto(site + BLANK)
    page.evaluate(OPEN)
    waiting = failure(
        page,
        "engine.create(1, 16); const read = engine.read(1, 4); read.catch(() => {});await engine.lose(); await read;",
    )
    assert waiting[0] == "DeviceLost"
    for use in (
        "engine.create(2, 16);",
        "engine.write(1, 0, new Uint8Array(4));",
        "await engine.read(1, 4);",
        "engine.replay(1);",
    ):
        assert failure(page, use)[0] == "DeviceLost"
    page.context.close()
