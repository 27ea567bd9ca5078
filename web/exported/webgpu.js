// The programs of an exported model on WebGPU, by the engine that pyml itself runs on.

import { bytesOf } from "./arrays.js";

const SOFTWARE = ["swiftshader", "llvmpipe", "lavapipe", "softpipe", "basic render", "warp"];

const LOST = (why) => `the GPU was lost (${why}): load the model again.`;

/** { adapter, software }: the browser's; undefined where there is none, or only a software one that nobody asked for by name. */
export async function adapterFor(asked) {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {};
  const names = [vendor, architecture, device, description].join(" ").toLowerCase();
  const software = isFallbackAdapter || SOFTWARE.some((word) => names.includes(word)); // known before a device is opened, which takes long
  return adapter && (asked || !software) ? { adapter, software } : undefined;
}

/** `plan` may be on its way still: the device opens meanwhile. */
export async function openWebGPU(plan, adapter, software) {
  const engine = await replay.open(undefined, adapter, LOST);
  plan = await plan;
  const most = Math.min(engine.limits.maxBufferSize, engine.limits.maxStorageBufferBindingSize);
  const largest = Math.max(...plan.buffers);
  if (largest > most) {
    engine.lose(); // WebAssembly takes over, and this would keep its memory
    throw new Error(`this adapter holds at most ${most} bytes in a buffer, and this model needs ${largest}.`);
  }
  const compiled = engine.prepare(plan.kernels); // all at once, while weights arrive
  const fit = plan.buffers.length;
  [...plan.buffers, 32].forEach((bytes, id) => engine.create(id, bytes));
  const recorded = {};
  return {
    name: "webgpu",
    threads: 1,
    plan,
    ready: compiled.then(() => {
      for (const [name, { steps }] of Object.entries(plan.programs)) recorded[name] = engine.record(Uint32Array.from(steps));
    }),
    write(id, array) { engine.write(id, 0, bytesOf(array)); },
    /** Brings picture k of an input to row `row` of buffer `id`, resized; false where this browser does not copy it. Software
     *  adapters have none: they take four times as long for it as the processor. */
    picture: !software && plan.picture && (({ pictures, size: [height, width, channels], scale, offset }, k, id, row) => {
      const { source, data, width: from, height: high } = pictures[k];
      const words = Uint32Array.of(width, height, channels, row * height * width * channels, 0, 0), { buffer } = words;
      new Float32Array(buffer, 16).set([scale, offset]);
      engine.write(fit, 0, new Uint8Array(buffer));
      return engine.unpack(plan.picture, id, source ?? data, from, high, [[fit], width, height]);
    }),
    read: (id, bytes) => engine.read(id, bytes),
    run(name) { engine.replay(recorded[name]); },
    close() { engine.lose(); },
  };
}
