// The browser half of pyml/device/browser.py. GPU objects live here behind integer ids, so that one
// call from Python replays a whole recorded step: 0.2 µs a dispatch instead of 5.8 µs through the bridge.
//
// A plain script whose value is { open }, evaluated by browser.py: it needs no page of ours around it.
// Ids come from the caller for buffers and pipelines and from record() for recordings. A thrown error has
// a `name` that browser.py turns into a Python exception: DeviceLost, KernelError, OutOfMemory, DeviceError.
(() => {
  // > left out of exported models
  "use strict";
  // <

  const RAISED_LIMITS = [
    // > left out of exported models
    "maxUniformBufferBindingSize",
    // <
    "maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage",
    "maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupSizeY", "maxComputeWorkgroupSizeZ", "maxComputeWorkgroupsPerDimension", "maxTextureDimension2D",
  ];
  const WANTED_FEATURES = [
    "shader-f16", "subgroups",
    // > left out of exported models
    "timestamp-query",
    // <
  ];
  const LAYOUT_TYPES = {
    read: { buffer: { type: "read-only-storage" } }, read_write: { buffer: { type: "storage" } }, uniform: { buffer: { type: "uniform" } },
    turn: { buffer: { type: "uniform", hasDynamicOffset: true } },
    texture: { texture: {} },
    // > left out of exported models
    canvas: { storageTexture: { format: "rgba8unorm" } },
    // <
  };
  const COPY = 1, COUNT = 2, REPEAT = 3; // step codes: 0 is a dispatch, the same numbers in browser.py
  const NEXT = 0xffffffff; // of a COUNT: one more than before
  const APART = 256; // bytes between the numbers that "turn" bindings choose from: offsets of bindings are multiples of it
  const STAGING_KEPT = 8; // read-back buffers kept for the next read

  const failure = (name, message) => Object.assign(new Error(message), { name });
  const round4 = (n) => (n + 3) & ~3;

  /** Asks for an adapter and a device; resolves to undefined where the browser has none to give. `told(why)` words a loss. */
  async function open(powerPreference = "high-performance", found = undefined, told = (why) => why) {
    // > left out of exported models
    const gpu = globalThis.navigator?.gpu;
    const asked = globalThis.pymlAdapter; // runtime.js did already; an adapter gives one device
    delete globalThis.pymlAdapter;
    found ??= await (asked ?? gpu?.requestAdapter({ powerPreference }));
    if (!found) return undefined; // Python's None; null would be something else there
    // <
    const adapter = found;
    const requiredLimits = {};
    for (const name of RAISED_LIMITS) if (name in adapter.limits) requiredLimits[name] = adapter.limits[name];
    const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
    return makeEngine(await adapter.requestDevice({ requiredLimits, requiredFeatures }), adapter, told);
  }

  /** One line of text for each error that the shader compiler reports, with its line of WGSL. */
  async function compilerReport(module, source) {
    const lines = source.split("\n");
    const { messages } = await module.getCompilationInfo();
    return messages
      .filter((m) => m.type === "error")
      .map((m) => `line ${m.lineNum}: ${m.message}\n    ${(lines[m.lineNum - 1] ?? "").trim()}`)
      .join("\n");
  }

  function makeEngine(device, adapter, told) {
    const { queue } = device;
    const buffers = new Map(); // id -> GPUBuffer
    const pipelines = new Map(); // id -> { pipeline | null, bind, descriptor, source, failed | null }
    const layouts = new Map(); // "read,read_write" -> { bind, pipeline }
    const recordings = new Map();
    const staging = [];
    const errors = []; // what the device reported since the last read
    // > left out of exported models
    const checking = new Set(); // pipelines made on the spot whose verdict is still out
    // <
    let picture = null; // the texture that pictures arrive in, kept for the next one of the same size
    let lost = null;
    let numbers = null; // a buffer of 0, 1, 2, … for "turn" bindings
    let nextRecording = 1;

    device.lost.then((info) => { lost = info.message || info.reason || "no reason given"; });
    device.onuncapturederror = (event) => {
      const memory = typeof GPUOutOfMemoryError !== "undefined" && event.error instanceof GPUOutOfMemoryError;
      if (errors.length < 8) errors.push(failure(memory ? "OutOfMemory" : "DeviceError", event.error.message));
    };

    const check = () => { if (lost !== null) throw failure("DeviceLost", told(lost)); };
    const bindable = (buffer) => ({ buffer, size: Math.min(buffer.size, device.limits.maxStorageBufferBindingSize) });

    /** Layouts are explicit: layout "auto" drops unused bindings and then rejects the bind group. */
    function layoutFor(bindings) {
      const key = bindings.join();
      let entry = layouts.get(key);
      if (!entry) {
        const entries = bindings.map((kind, binding) => ({
          binding, visibility: GPUShaderStage.COMPUTE, ...LAYOUT_TYPES[kind],
        }));
        const bind = device.createBindGroupLayout({ entries });
        entry = { bind, turn: bindings.indexOf("turn"), pipeline: device.createPipelineLayout({ bindGroupLayouts: [bind] }) };
        layouts.set(key, entry);
      }
      return entry;
    }

    function declare([id, label, source, bindings]) {
      const layout = layoutFor(bindings);
      device.pushErrorScope("validation");
      const module = device.createShaderModule({ code: source, label });
      device.popErrorScope(); // the pipeline of a bad module fails too, and explain() says why
      const descriptor = { label, layout: layout.pipeline, compute: { module, entryPoint: "main" } };
      const kernel = { pipeline: null, bind: layout.bind, turn: layout.turn, descriptor, source, failed: null };
      pipelines.set(id, kernel);
      return kernel;
    }

    async function explain(kernel, message) {
      const report = await compilerReport(kernel.descriptor.compute.module, kernel.source);
      return (kernel.failed = `${kernel.descriptor.label}: ${report || message}`);
    }

    /** Takes kernels, an array or its JSON: [[id, label, source, bindings], ...]. With `wait` they compile side by
     *  side and the promise rejects with what does not; without it record() makes their pipelines. */
    function prepare(given, wait = true) {
      check();
      // > left out of exported models
      if (typeof given === "string") given = JSON.parse(given);
      // <
      const kernels = given.map(declare);
      // > left out of exported models
      if (!wait) return undefined;
      // <
      const finished = compile(kernels);
      finished.catch(() => {}); // a caller need not wait: record() repeats the failure
      return finished;
    }

    async function compile(kernels) {
      const reports = await Promise.all(kernels.map((kernel) =>
        device.createComputePipelineAsync(kernel.descriptor).then(
          (pipeline) => { kernel.pipeline = pipeline; },
          (error) => lost === null && explain(kernel, error.message),
        )));
      check();
      const failed = reports.filter(Boolean);
      if (failed.length) throw failure("KernelError", failed.join("\n"));
    }

    /** The pipeline of a kernel, made on the spot if need be; what is wrong with it is raised at the next read. */
    function pipelineNow(kernel) {
      if (kernel.failed) throw failure("KernelError", kernel.failed);
      // > left out of exported models
      if (!kernel.pipeline) {
        device.pushErrorScope("validation");
        kernel.pipeline = device.createComputePipeline(kernel.descriptor);
        const checked = device.popErrorScope().then(async (scope) => {
          if (scope) errors.unshift(failure("KernelError", await explain(kernel, scope.message)));
        }).catch(() => {}).finally(() => checking.delete(checked));
        checking.add(checked);
      }
      // <
      return kernel.pipeline;
    }

    /** Turns a flat list of steps into bind groups. A run of dispatches shares one compute pass.
     *  [0, pipeline, x, y, z, count, buffer ids...] is a dispatch; [1, source, target, bytes] a copy; [2, id, value] sets
     *  the number that "turn" bindings of that id see, or raises it by one; [3, times, length, steps...] repeats steps. */
    function record(view) {
      check();
      let ints = view;
      // > left out of exported models
      const borrowed = view.getBuffer?.("u32");
      if (borrowed) ints = borrowed.data;
      // <
      const counts = new Map(); // id -> how often it is counted, at most
      const most = highest(ints, 0, ints.length, 1, counts);
      if (counts.size) countTo(most + 1);
      const steps = decode(ints, 0, ints.length);
      // > left out of exported models
      borrowed?.release();
      // <
      recordings.set(nextRecording, steps);
      return nextRecording++;
    }

    /** No number becomes higher than this: how often the one most counted is. */
    function highest(ints, from, to, times, counts) {
      let most = 0;
      for (let at = from; at < to;) {
        if (ints[at] === COUNT) {
          const n = (counts.get(ints[at + 1]) ?? 0) + times;
          counts.set(ints[at + 1], n);
          most = Math.max(most, n);
        } else if (ints[at] === REPEAT) {
          most = Math.max(most, highest(ints, at + 3, at + 3 + ints[at + 2], times * ints[at + 1], counts));
        }
        at = after(ints, at);
      }
      return most;
    }

    const after = (ints, at) => at + [6 + ints[at + 5], 4, 3, 3 + ints[at + 2]][ints[at]];

    /** The numbers from 0, at least n of them; bind groups made before keep the buffer they have. */
    function countTo(n) {
      if (numbers && numbers.size >= n * APART) return;
      const words = new Uint32Array((n * APART) / 4);
      for (let i = 0; i < n; i++) words[(i * APART) / 4] = i;
      numbers = device.createBuffer({ size: words.byteLength, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
      queue.writeBuffer(numbers, 0, words);
    }

    function decode(ints, from, to) {
      const steps = [];
      for (let at = from; at < to; at = after(ints, at)) {
        if (ints[at] === COPY) {
          steps.push({ source: buffers.get(ints[at + 1]), target: buffers.get(ints[at + 2]), bytes: round4(ints[at + 3]) });
        } else if (ints[at] === COUNT) {
          steps.push({ count: ints[at + 1], value: ints[at + 2] });
        } else if (ints[at] === REPEAT) {
          steps.push({ times: ints[at + 1], steps: decode(ints, at + 3, at + 3 + ints[at + 2]) });
        } else {
          steps.push(bound(ints, at));
        }
      }
      return steps;
    }

    function bound(ints, at) {
      const [pipelineId, x, y, z, count] = ints.subarray(at + 1, at + 6);
      const kernel = pipelines.get(pipelineId);
      const entries = [];
      for (let i = 0; i < count; i++) {
        entries.push({ binding: i, resource: i === kernel.turn ? { buffer: numbers, size: 16 } : bindable(buffers.get(ints[at + 6 + i])) });
      }
      const pipeline = pipelineNow(kernel);
      const group = device.createBindGroup({
        // > left out of exported models
        label: kernel.descriptor.label,
        // <
        layout: kernel.bind, entries,
      });
      const turn = kernel.turn < 0 ? undefined : ints[at + 6 + kernel.turn];
      return { pipeline, group, x, y, z, turn };
    }

    /** Calls `dispatch(step, offsets)` and `copy(step)` in the order in which steps run. */
    function play(steps, now, dispatch, copy) {
      for (const step of steps) {
        if (step.group !== undefined) dispatch(step, step.turn === undefined ? undefined : [now.get(step.turn) * APART]);
        else if (step.times !== undefined) for (let i = 0; i < step.times; i++) play(step.steps, now, dispatch, copy);
        else if (step.count !== undefined) now.set(step.count, step.value === NEXT ? now.get(step.count) + 1 : step.value);
        else copy(step);
      }
    }

    /** One encoder, one submit. Copies end the compute pass and the next dispatch opens another.
     *  Uploads (buffer id, offset, bytes, ...) that belong before it come along in the same call. */
    function replay(id, ...uploads) {
      check();
      for (let i = 0; i < uploads.length; i += 3) write(uploads[i], uploads[i + 1], uploads[i + 2]);
      const encoder = device.createCommandEncoder();
      let pass = null;
      let current = null;
      play(recordings.get(id), new Map(), (step, offsets) => {
        pass ??= encoder.beginComputePass();
        if (step.pipeline !== current) pass.setPipeline((current = step.pipeline));
        if (offsets) pass.setBindGroup(0, step.group, offsets);
        else pass.setBindGroup(0, step.group);
        pass.dispatchWorkgroups(step.x, step.y, step.z);
      }, (step) => {
        pass?.end();
        pass = current = null;
        encoder.copyBufferToBuffer(step.source, 0, step.target, 0, step.bytes);
      });
      pass?.end();
      queue.submit([encoder.finish()]);
    }

    // > left out of exported models
    /** GPU nanoseconds of every dispatch of a recording, in order; undefined without timestamp-query. */
    async function timings(id) {
      check();
      if (!device.features.has("timestamp-query")) return undefined;
      const dispatches = [];
      play(recordings.get(id), new Map(), (step, offsets) => dispatches.push([step, offsets ?? []]), () => {});
      const count = dispatches.length * 2;
      const querySet = device.createQuerySet({ type: "timestamp", count });
      const resolved = device.createBuffer({ size: count * 8, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
      const mapped = device.createBuffer({ size: count * 8, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      const encoder = device.createCommandEncoder();
      dispatches.forEach(([step, offsets], i) => {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
        const pass = encoder.beginComputePass({ timestampWrites });
        pass.setPipeline(step.pipeline);
        pass.setBindGroup(0, step.group, offsets);
        pass.dispatchWorkgroups(step.x, step.y, step.z);
        pass.end();
      });
      encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, mapped, 0, count * 8);
      queue.submit([encoder.finish()]);
      await mapped.mapAsync(GPUMapMode.READ);
      const stamps = new BigUint64Array(mapped.getMappedRange());
      const spans = dispatches.map((_, i) => Number(stamps[2 * i + 1] - stamps[2 * i]));
      for (const object of [querySet, resolved, mapped]) object.destroy();
      return spans;
    }

    // <
    function takeStaging(size) {
      const fits = staging.findIndex((buffer) => buffer.size >= size && buffer.size <= 4 * size + 4096);
      if (fits >= 0) return staging.splice(fits, 1)[0];
      const rounded = Math.max(256, 2 ** Math.ceil(Math.log2(size)));
      return device.createBuffer({ size: rounded, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    }

    /** Copies `nbytes` of a buffer into `target`, a writable Python buffer, or returns them as bytes. */
    async function read(id, nbytes, target) {
      check();
      const size = round4(nbytes);
      const box = takeStaging(size);
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffers.get(id), 0, box, 0, size);
      queue.submit([encoder.finish()]);
      try {
        await box.mapAsync(GPUMapMode.READ, 0, size);
      } catch (error) {
        await Promise.race([device.lost, new Promise((later) => setTimeout(later, 200))]); // it settles after this
        check();
        throw failure("DeviceError", error.message);
      }
      const bytes = new Uint8Array(box.getMappedRange(0, size), 0, nbytes);
      let copy;
      // > left out of exported models
      if (target?.getBuffer) {
        const view = target.getBuffer("u8");
        view.data.set(bytes);
        view.release();
      } else
      // <
      copy = bytes.slice();
      box.unmap();
      if (staging.push(box) > STAGING_KEPT) staging.shift().destroy();
      check();
      // > left out of exported models
      await Promise.all(checking);
      // <
      if (errors.length) {
        await queue.onSubmittedWorkDone(); // one mistake is reported once by each call it spoils: collect them all
        throw errors.splice(0)[0];
      }
      return copy;
    }

    /** Queue-ordered upload of a Python buffer or a typed array; the bytes are taken before it returns. */
    function write(id, offset, source) {
      check();
      const buffer = buffers.get(id);
      if (!buffer) return; // freed meanwhile
      let bytes = source;
      // > left out of exported models
      const borrowed = source.getBuffer?.("u8");
      bytes = borrowed ? borrowed.data : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
      // <
      if (bytes.length % 4) { // writeBuffer takes whole words; buffers are padded to them
        const padded = new Uint8Array(round4(bytes.length));
        padded.set(bytes);
        bytes = padded;
      }
      queue.writeBuffer(buffer, offset, bytes);
      // > left out of exported models
      borrowed?.release();
      // <
    }

    /** Runs a kernel whose bindings are given, one thread a pixel. */
    function pixelPass(id, resources, width, height) {
      const kernel = pipelines.get(id);
      const entries = resources.map((resource, binding) => ({ binding, resource }));
      const pipeline = pipelineNow(kernel);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: kernel.bind, entries }));
      pass.dispatchWorkgroups(Math.ceil(width / 8), Math.ceil(height / 8));
      pass.end();
      queue.submit([encoder.finish()]);
    }

    /** Takes a picture apart into a buffer, by pipeline `id` with bindings texture, read_write. `source` is something
     *  that the GPU can copy from, or bytes, four a pixel. False where this browser does not copy from it. Of `fit`, buffers of
     *  more bindings, and how wide and high it makes the picture: exported models resize as they take apart. */
    function unpack(id, bufferId, source, width, height, fit = [[], width, height]) {
      check();
      if (Math.max(width, height) > device.limits.maxTextureDimension2D) return false;
      if (picture?.width !== width || picture.height !== height) {
        picture?.destroy();
        const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT;
        picture = device.createTexture({ size: [width, height], format: "rgba8unorm", usage });
      }
      const to = { texture: picture };
      if (ArrayBuffer.isView(source)) {
        queue.writeTexture(to, source, { bytesPerRow: 4 * width }, [width, height]);
      } else {
        try {
          queue.copyExternalImageToTexture({ source }, to, [width, height]);
        } catch {
          return false; // from another site, or of a kind this browser does not hand to its GPU process
        }
      }
      const [more, columns, rows] = fit;
      pixelPass(id, [picture.createView(), ...[bufferId, ...more].map((one) => bindable(buffers.get(one)))], columns, rows);
      return true;
    }

    // > left out of exported models
    /** Shows a buffer on a canvas, by pipeline `id` with bindings read, canvas. False if the canvas is used for another
     *  kind of drawing, or if WebGPU does not draw on it here. */
    function show(id, bufferId, canvas, width, height) {
      check();
      if (Math.max(width, height) > device.limits.maxTextureDimension2D) return false;
      const context = canvas.getContext("webgpu");
      if (!context) return false;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      context.configure({ device, format: "rgba8unorm", usage: GPUTextureUsage.STORAGE_BINDING, alphaMode: "premultiplied" });
      pixelPass(id, [bindable(buffers.get(bufferId)), context.getCurrentTexture().createView()], width, height);
      return true;
    }

    // <
    return {
      // > left out of exported models
      timings, show,
      destroy(id) {
        buffers.get(id)?.destroy();
        buffers.delete(id);
      },
      forget(id) { recordings.delete(id); },
      isLost: () => lost !== null,
      counts: () => ({ buffers: buffers.size, pipelines: pipelines.size, recordings: recordings.size }),
      drop(id) { pipelines.delete(id); }, // recordings keep the pipelines that they run
      // <
      prepare, record, replay, read, write, unpack, limits: device.limits,
      create(id, nbytes) {
        check();
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
        buffers.set(id, device.createBuffer({ size: nbytes, usage }));
      },
      /** Ends the device, as a driver reset would; the next use reports DeviceLost. */
      lose() { device.destroy(); return device.lost.then(() => undefined); },
      // > left out of exported models
      describe() {
        const limits = {};
        for (const name in device.limits) limits[name] = device.limits[name];
        const { vendor, architecture, device: model, description } = adapter.info;
        const fallback = adapter.info.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
        return JSON.stringify({ vendor, architecture, device: model, description, fallback, limits, features: [...device.features] });
      },
      // <
    };
  }

  return { open };
})();
