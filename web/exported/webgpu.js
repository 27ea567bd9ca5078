// The programs of an exported model on WebGPU, by the engine that pyml itself runs on.

const SOFTWARE = ["swiftshader", "llvmpipe", "lavapipe", "softpipe", "basic render", "warp"];

/** Whether the browser's adapter is one of software: known before it opens a device, which takes such an adapter long. */
async function onlySoftware() {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {};
  const names = [vendor, architecture, device, description].join(" ").toLowerCase();
  return isFallbackAdapter || SOFTWARE.some((word) => names.includes(word));
}

/** Undefined where there is no adapter, or only a software one that nobody asked for by name. */
export async function openWebGPU(plan, file, asked) {
  if (!asked && (await onlySoftware())) return undefined;
  const engine = await replay.open();
  if (!engine) return undefined;
  const facts = JSON.parse(engine.describe());
  plan = await plan();
  const most = Math.min(facts.limits.maxBufferSize, facts.limits.maxStorageBufferBindingSize);
  const largest = Math.max(...plan.buffers);
  if (largest > most) throw new Error(`this adapter holds at most ${most} bytes in a buffer, and this model needs ${largest}.`);
  const ready = engine.prepare(JSON.stringify(plan.kernels));
  plan.buffers.forEach((bytes, id) => engine.create(id, bytes));
  await ready;
  const recorded = {};
  for (const [name, { steps }] of Object.entries(plan.programs)) recorded[name] = engine.record(Uint32Array.from(steps));
  return {
    name: "webgpu",
    plan,
    write(id, array) { engine.write(id, 0, new Uint8Array(array.buffer, array.byteOffset, array.byteLength)); },
    read: (id, bytes) => engine.read(id, bytes),
    run(name) { engine.replay(recorded[name]); },
    close() { engine.lose(); },
  };
}
