const replay = (() => {
  "use strict";

  const RAISED_LIMITS = [
    "maxBufferSize", "maxStorageBufferBindingSize", "maxUniformBufferBindingSize", "maxStorageBuffersPerShaderStage",
    "maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupSizeY", "maxComputeWorkgroupSizeZ", "maxComputeWorkgroupsPerDimension", "maxTextureDimension2D",
  ];
  const WANTED_FEATURES = ["shader-f16", "timestamp-query", "subgroups"];
  const LAYOUT_TYPES = {
    read: { buffer: { type: "read-only-storage" } }, read_write: { buffer: { type: "storage" } }, uniform: { buffer: { type: "uniform" } },
    turn: { buffer: { type: "uniform", hasDynamicOffset: true } },
    texture: { texture: {} }, canvas: { storageTexture: { format: "rgba8unorm" } },
  };
  const COPY = 1, COUNT = 2, REPEAT = 3; // step codes: 0 is a dispatch, the same numbers in browser.py
  const NEXT = 0xffffffff; // of a COUNT: one more than before
  const APART = 256; // bytes between the numbers that "turn" bindings choose from: offsets of bindings are multiples of it
  const STAGING_KEPT = 8; // read-back buffers kept for the next read

  const failure = (name, message) => Object.assign(new Error(message), { name });
  const round4 = (n) => (n + 3) & ~3;

  /** Asks for an adapter and a device; resolves to undefined where the browser has none to give. */
  async function open(powerPreference = "high-performance", found = undefined) {
    const gpu = globalThis.navigator?.gpu;
    const asked = globalThis.pymlAdapter; // runtime.js did already; an adapter gives one device
    delete globalThis.pymlAdapter;
    const adapter = found ?? (await (asked ?? gpu?.requestAdapter({ powerPreference })));
    if (!adapter) return undefined; // Python's None; null would be something else there
    const requiredLimits = {};
    for (const name of RAISED_LIMITS) if (adapter.limits[name] !== undefined) requiredLimits[name] = adapter.limits[name];
    const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
    return makeEngine(await adapter.requestDevice({ requiredLimits, requiredFeatures }), adapter);
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

  function makeEngine(device, adapter) {
    const { queue } = device;
    const buffers = new Map(); // id -> GPUBuffer
    const pipelines = new Map(); // id -> { pipeline | null, bind, descriptor, source, failed | null }
    const layouts = new Map(); // "read,read_write" -> { bind, pipeline }
    const recordings = new Map();
    const staging = [];
    const errors = []; // what the device reported since the last read
    const checking = new Set(); // pipelines made on the spot whose verdict is still out
    let picture = null; // the texture that pictures arrive in, kept for the next one of the same size
    let lost = null;
    let numbers = null; // a buffer of 0, 1, 2, … for "turn" bindings
    let nextRecording = 1;

    device.lost.then((info) => { lost = info.message || info.reason || "no reason given"; });
    device.onuncapturederror = (event) => {
      const memory = typeof GPUOutOfMemoryError !== "undefined" && event.error instanceof GPUOutOfMemoryError;
      if (errors.length < 8) errors.push(failure(memory ? "OutOfMemory" : "DeviceError", event.error.message));
    };

    const check = () => { if (lost !== null) throw failure("DeviceLost", lost); };
    const bindable = (buffer) => Math.min(buffer.size, device.limits.maxStorageBufferBindingSize);

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
      const kernels = (typeof given === "string" ? JSON.parse(given) : given).map(declare);
      if (!wait) return undefined;
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
      if (!kernel.pipeline) {
        device.pushErrorScope("validation");
        kernel.pipeline = device.createComputePipeline(kernel.descriptor);
        const checked = device.popErrorScope().then(async (scope) => {
          if (scope) errors.unshift(failure("KernelError", await explain(kernel, scope.message)));
        }).catch(() => {}).finally(() => checking.delete(checked));
        checking.add(checked);
      }
      return kernel.pipeline;
    }

    /** Turns a flat list of steps into bind groups. A run of dispatches shares one compute pass.
     *  [0, pipeline, x, y, z, count, buffer ids...] is a dispatch; [1, source, target, bytes] a copy; [2, id, value] sets
     *  the number that "turn" bindings of that id see, or raises it by one; [3, times, length, steps...] repeats steps. */
    function record(view) {
      check();
      const borrowed = view.getBuffer?.("u32");
      const ints = borrowed ? borrowed.data : view;
      const counts = new Map(); // id -> how often it is counted, at most
      const most = highest(ints, 0, ints.length, 1, counts);
      if (counts.size) countTo(most + 1);
      const steps = decode(ints, 0, ints.length);
      borrowed?.release();
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
        const buffer = buffers.get(ints[at + 6 + i]);
        entries.push({ binding: i, resource: i === kernel.turn ? { buffer: numbers, size: 16 } : { buffer, size: bindable(buffer) } });
      }
      const pipeline = pipelineNow(kernel);
      const group = device.createBindGroup({ label: kernel.descriptor.label, layout: kernel.bind, entries });
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
      if (target?.getBuffer) {
        const view = target.getBuffer("u8");
        view.data.set(bytes);
        view.release();
      } else {
        copy = bytes.slice();
      }
      box.unmap();
      if (staging.push(box) > STAGING_KEPT) staging.shift().destroy();
      check();
      await Promise.all(checking);
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
      const borrowed = source.getBuffer?.("u8");
      let bytes = borrowed ? borrowed.data : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
      if (bytes.length % 4) { // writeBuffer takes whole words; buffers are padded to them
        const padded = new Uint8Array(round4(bytes.length));
        padded.set(bytes);
        bytes = padded;
      }
      queue.writeBuffer(buffer, offset, bytes);
      borrowed?.release();
    }

    return {
      prepare, record, replay, read, write,
      create(id, nbytes) {
        check();
        const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
        buffers.set(id, device.createBuffer({ size: nbytes, usage }));
      },
      /** Ends the device, as a driver reset would; the next use reports DeviceLost. */
      lose() { device.destroy(); return device.lost.then(() => undefined); },
      describe() {
        const limits = {};
        for (const name in device.limits) limits[name] = device.limits[name];
        const { vendor, architecture, device: model, description } = adapter.info;
        const fallback = adapter.info.isFallbackAdapter ?? adapter.isFallbackAdapter ?? false;
        return JSON.stringify({ vendor, architecture, device: model, description, fallback, limits, features: [...device.features] });
      },
    };
  }

  return { open };
})();
const { sizeOf, told, described, inMemory, outOf, decoded } = (() => {
// Numbers between JavaScript and a device: what is taken for which dtype, and what is wrong with what is not.

const MEMORY = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, bool: Uint32Array };
const WHOLE = [Uint8Array, Uint8ClampedArray, Uint16Array];
const TAKEN = {
  float32: [Float32Array],
  int32: [Int32Array, Int16Array, Int8Array, ...WHOLE],
  uint32: [Uint32Array, ...WHOLE],
  bool: [Uint8Array],
};

const sizeOf = (shape) => shape.reduce((n, m) => n * m, 1);
const told = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
const named = (value) => (value === null ? "null" : value?.constructor?.name ?? typeof value);

/** The shape of nested arrays, which must be regular. */
function shapeOf(nested, what) {
  if (!Array.isArray(nested) && !ArrayBuffer.isView(nested)) return [];
  if (ArrayBuffer.isView(nested)) return [...(nested.shape ?? [nested.length])];
  const inner = nested.map((part) => shapeOf(part, what));
  if (inner.some((shape) => String(shape) !== String(inner[0]))) throw new Error(`${what}: the rows have different lengths.`);
  return [nested.length, ...(inner[0] ?? [])];
}

/** What was given as { values: typed array or flat array, shape: known shape or null }. */
function described(x, dtype, what) {
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) {
    if (!TAKEN[dtype].some((kind) => x instanceof kind)) {
      throw new Error(`${what}: expected ${dtype} numbers in a ${TAKEN[dtype][0].name}; received a ${named(x)}.`);
    }
    if (x.shape && sizeOf(x.shape) !== x.length) throw new Error(`${what}: shape ${told(x.shape)} does not fit ${x.length} numbers.`);
    return { values: x, shape: x.shape ? [...x.shape] : null };
  }
  if (!Array.isArray(x)) throw new Error(`${what}: expected a ${TAKEN[dtype][0].name}, nested arrays of numbers, or a picture; received ${named(x)}.`);
  const shape = shapeOf(x, what);
  const values = x.flat(Infinity).flatMap((part) => (ArrayBuffer.isView(part) ? [...part] : [part]));
  for (const v of values) {
    const fits = dtype === "bool" ? typeof v === "boolean" || v === 0 || v === 1
      : typeof v === "number" && (dtype === "float32" || (Number.isInteger(v) && (dtype === "int32" ? v === (v | 0) : v === v >>> 0)));
    if (!fits) throw new Error(`${what}: expected ${dtype} numbers; received ${typeof v === "string" ? JSON.stringify(v) : v}.`);
  }
  return { values, shape };
}

/** The values as they lie in a device's memory. */
function inMemory(values, dtype) {
  const Kind = MEMORY[dtype];
  if (dtype === "bool") return Kind.from(values, (v) => (v ? 1 : 0));
  return values instanceof Kind ? values : Kind.from(values);
}

/** Bytes read from a device as numbers with their `shape`. */
function outOf(bytes, shape, dtype) {
  const values = new MEMORY[dtype](bytes.buffer, bytes.byteOffset, sizeOf(shape));
  return Object.assign(dtype === "bool" ? Uint8Array.from(values) : values, { shape });
}

/** A state's values from its bytes in the file of weights. */
function decoded({ shape, as }, bytes) {
  const size = sizeOf(shape), { buffer } = bytes;
  if (as === "float16") return globalThis.Float16Array ? new Float32Array(new Float16Array(buffer, 0, size)) : fromHalf(new Uint16Array(buffer, 0, size));
  if (as !== "int8") return bytes;
  const channels = shape[shape.length - 1], values = new Float32Array(size);
  const scale = new Float32Array(buffer, 0, channels), whole = new Int8Array(buffer, 4 * channels, size);
  for (let i = 0, c = 0; i < size; i++) {
    values[i] = whole[i] * scale[c];
    if (++c === channels) c = 0;
  }
  return values;
}

/** Float32Array from 16-bit floats. */
function fromHalf(bits) {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const h = bits[i], sign = (h & 0x8000) << 16, rest = h & 0x7fff;
    if (rest >= 0x7c00) words[i] = sign | 0x7f800000 | ((rest & 0x3ff) << 13);
    else if (rest >= 0x400) words[i] = sign | ((rest << 13) + 0x38000000);
    else words[i] = sign | new Uint32Array(new Float32Array([rest * 2 ** -24]).buffer)[0];
  }
  return new Float32Array(words.buffer);
}

return { sizeOf, told, described, inMemory, outOf, decoded };
})();
const { isPicture, pixelsOf, resized } = (() => {
// Pixels of whatever shows a picture, as numbers from 0 to 255: what pyml.browser.from_pixels gives, and resizing.

const sized = (source) => {
  if (typeof VideoFrame !== "undefined" && source instanceof VideoFrame) return [source.displayWidth, source.displayHeight];
  if (source.videoWidth !== undefined) return [source.videoWidth, source.videoHeight];
  return [source.width, source.height]; // an <img> as large as it is shown: tf.browser.fromPixels and from_pixels take it so
};

const KINDS = ["ImageData", "ImageBitmap", "HTMLImageElement", "HTMLCanvasElement", "OffscreenCanvas", "HTMLVideoElement", "VideoFrame"];

const isPicture = (x) => KINDS.some((kind) => globalThis[kind] && x instanceof globalThis[kind]);

/** { data, width, height }: four bytes a pixel. */
function pixelsOf(source, what) {
  const [width, height] = sized(source);
  const waiting = source.complete === false || (source.readyState !== undefined && source.readyState < 2);
  if (waiting || !width || !height) throw new Error(`${what}: the picture has not been loaded yet, or has no pixels.`);
  if (source.data && source.width * source.height * 4 === source.data.length) return source;
  const canvas = typeof OffscreenCanvas !== "undefined" ? new OffscreenCanvas(width, height)
    : Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Channels of a picture, resized as pyml.ops.image.resize does with bilinear interpolation: pixel centres at halves. */
function resized({ data, width, height }, toHeight, toWidth, channels) {
  const out = new Float32Array(toHeight * toWidth * channels), { fround } = Math;
  if (toHeight === height && toWidth === width) {
    for (let p = 0, o = 0; p < data.length; p += 4) for (let c = 0; c < channels; c++) out[o++] = data[p + c];
    return out;
  }
  const places = (n, m) => Array.from({ length: m }, (_, i) => {
    const at = Math.max(0, Math.min(n - 1, ((i + 0.5) * n) / m - 0.5)), low = Math.floor(at);
    return [low, Math.min(low + 1, n - 1), fround(at - low)];
  });
  const columns = places(width, toWidth);
  let o = 0;
  for (const [top, bottom, v] of places(height, toHeight)) {
    for (const [left, right, u] of columns) {
      for (let c = 0; c < channels; c++) {
        const at = (row, column) => data[(row * width + column) * 4 + c];
        const above = fround(at(top, left) * fround(1 - u) + at(top, right) * u);
        const below = fround(at(bottom, left) * fround(1 - u) + at(bottom, right) * u);
        out[o++] = above * fround(1 - v) + below * v;
      }
    }
  }
  return out;
}

return { isPicture, pixelsOf, resized };
})();
const { kept, found, npz } = (() => {
// Weights that a page keeps: in IndexedDB, and as an .npz file, which model.load_weights of Python reads.

const DATABASE = "pyml-exported";

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error(`the browser's storage: ${request.error?.message ?? "no access"}`));
  });
}

async function opened(mode) {
  if (!globalThis.indexedDB) throw new Error("this place has no IndexedDB; use model.npz().");
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("states");
  const database = await settled(opening);
  return { database, store: database.transaction("states", mode).objectStore("states") };
}

/** Resolves when the value is kept for good, not when it was accepted: storage may be found full only then. */
async function kept(name, value) {
  const { database, store } = await opened("readwrite");
  const { transaction } = store;
  try {
    await new Promise((resolve, reject) => {
      const request = store.put(value, name);
      transaction.oncomplete = resolve;
      transaction.onabort = () => {
        const { name: kind, message } = transaction.error ?? request.error ?? {};
        reject(new Error(kind === "QuotaExceededError" ? "save: the browser's storage is full; make room there, or download the weights: model.save(\"NAME.npz\")."
          : `save: the browser's storage: ${message ?? "no access"}`));
      };
    });
  } finally {
    database.close();
  }
}

async function found(name) {
  const { database, store } = await opened("readonly");
  return settled(store.get(name)).finally(() => database.close());
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function checksum(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC[(c ^ byte) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

const text = (string) => new TextEncoder().encode(string);

/** An array as the bytes of an .npy file. */
function npy({ bytes, shape, dtype }) {
  const kind = { float32: "<f4", int32: "<i4", uint32: "<u4", bool: "<u4" }[dtype];
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const words = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const header = text(words.padEnd(Math.ceil((words.length + 11) / 64) * 64 - 11) + "\n");
  return joined([Uint8Array.of(0x93, 78, 85, 77, 80, 89, 1, 0, header.length & 255, header.length >> 8), header, bytes]);
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function record(signature, numbers) {
  const view = new DataView(new ArrayBuffer(4 + numbers.reduce((n, [size]) => n + size, 0)));
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [size, value] of numbers) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

/** Arrays { name, bytes, shape, dtype } as the bytes of an .npz file. */
function npz(arrays) {
  const files = [], index = [];
  let at = 0;
  for (const array of arrays) {
    const data = npy(array), name = text(`${array.name}.npy`), crc = checksum(data);
    const common = [[2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc], [4, data.length], [4, data.length], [2, name.length], [2, 0]];
    files.push(record(0x04034b50, [[2, 20], ...common]), name, data);
    index.push(record(0x02014b50, [[2, 20], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), name);
    at += 30 + name.length + data.length;
  }
  const directory = joined(index);
  const end = record(0x06054b50, [[2, 0], [2, 0], [2, arrays.length], [2, arrays.length], [4, directory.length], [4, at], [2, 0]]);
  return joined([...files, directory, end]);
}

return { kept, found, npz };
})();
const { generator, shuffled, taken } = (() => {
// The order of rows, and rows taken from arrays.

/** A random generator of 32-bit state (mulberry32), so that a seed gives the same order everywhere. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The numbers below n in a random order. */
function shuffled(n, random) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Rows of values, `order` having their numbers; null for the order they have. */
function taken(values, per, order, start, count) {
  if (!order) return values.subarray(start * per, (start + count) * per);
  const part = new values.constructor(count * per);
  for (let i = 0; i < count; i++) part.set(values.subarray(order[start + i] * per, (order[start + i] + 1) * per), i * per);
  return part;
}

return { generator, shuffled, taken };
})();
const { openWasm } = (() => {
// The programs of an exported model on WebAssembly SIMD: one memory, one module, a table of addresses for each program. In an
// isolated page several threads run them, which meet in that memory as pyml/wasm/share.py says.

const PAGE = 65536, MOST = 8, APART = 128; // threads, and bytes between the scratch memories of two

const up = (n, to) => Math.ceil(n / to) * to;

/** What a worker does: it sleeps until there is a phase, and helps. Its text is all that it gets of this file. */
function helper() {
  self.onmessage = ({ data: { memory, module, meet, number } }) => {
    const words = new Int32Array(memory.buffer), state = meet.STATE + 64 * number;
    const at = (name) => meet[name] >> 2, word = (name) => Atomics.load(words, at(name));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    for (;;) {
      const before = word("PHASE"), job = word("FIRST"), program = word("MODULE"), table = word("TABLE");
      if (job && word("FIRST") === job) {
        try {
          exports[`help${program}`](table, job, state, number);
        } catch { // a kernel stopped: whoever leads must hear of it
          Atomics.add(words, at("FAILED"), Atomics.exchange(words, state >> 2, 0));
        }
      }
      if (word("PHASE") !== before) continue;
      Atomics.add(words, at("SLEEPERS"), 1);
      Atomics.wait(words, at("PHASE"), before);
      Atomics.sub(words, at("SLEEPERS"), 1);
    }
  };
}

/** Workers that help; one that does not start, or starts late, leaves its share to the others. */
function helpers(count, job) {
  const url = URL.createObjectURL(new Blob([`(${helper})()`], { type: "text/javascript" }));
  try {
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    return Array.from({ length: count }, (_, number) => {
      const worker = new Worker(url, { name: `pyml ${number + 1}` });
      worker.onerror = (event) => event.preventDefault();
      worker.postMessage({ ...job, number });
      return worker;
    });
  } catch {
    return []; // a page that forbids them
  }
}

/** The number of threads: what was asked for, else that of the processor's cores; one where the page has no shared memory. */
function threadsFor(asked) {
  const able = globalThis.crossOriginIsolated === true && typeof Worker === "function";
  return able ? Math.min(asked ?? navigator.hardwareConcurrency ?? 1, MOST) : 1;
}

async function openWasm(plan, answer, asked) {
  const able = plan.modules.filter(({ probe }) => WebAssembly.validate(Uint8Array.from(probe)));
  if (!able.length) throw new Error("this browser has no WebAssembly SIMD; use a newer one.");
  const shared = able.find(({ threads }) => threads), threads = shared ? threadsFor(asked) : 1;
  const compiling = compiled(answer((threads > 1 ? shared : able.find((one) => !one.threads)).file));
  compiling.catch(() => {});
  const { scratch, meet } = plan, address = [], tables = {};
  let end = up(meet.RESERVED, 64);
  plan.buffers.forEach((bytes, id) => {
    address.push(end);
    end += id === scratch ? up(bytes, APART) * threads : up(bytes, 64);
  });
  for (const [name, { words }] of Object.entries(plan.programs)) {
    tables[name] = end;
    end += up(4 * words.length * threads, 64);
  }
  const pages = Math.ceil(end / PAGE);
  let memory;
  try {
    memory = new WebAssembly.Memory(threads > 1 ? { initial: pages, maximum: pages, shared: true } : { initial: pages });
  } catch (error) {
    throw new Error(`this browser has no room for the ${Math.ceil(end / 1e6)} MB of memory that this model needs (${error.message}).`);
  }
  const bytes = new Uint8Array(memory.buffer), meeting = new Int32Array(memory.buffer, 0, meet.RESERVED >> 2);
  for (const [name, { words }] of Object.entries(plan.programs)) {
    for (let thread = 0; thread < threads; thread++) {
      const own = words.map((word) => (word < 0 ? -1 - word : address[word] + (word === scratch ? thread * up(plan.buffers[word], APART) : 0)));
      new Uint32Array(memory.buffer, tables[name] + 4 * thread * words.length, words.length).set(own);
    }
  }
  meeting[meet.MAY_WAIT >> 2] = typeof document === "undefined" ? 1 : 0; // a page's own thread may not block
  let exports, workers = [];
  const stop = () => {
    for (const worker of workers) worker.terminate();
    workers = [];
    meeting.fill(0);
  };
  return {
    name: "wasm",
    get threads() { return 1 + workers.length; },
    plan,
    ready: compiling.then(async (module) => {
      ({ exports } = await WebAssembly.instantiate(module, { env: { memory } }));
      if (threads > 1) workers = helpers(threads - 1, { memory, module, meet });
    }),
    memory: (id, count) => bytes.subarray(address[id], address[id] + count),
    write(id, array) { bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), address[id]); },
    async read(id, count) { return bytes.slice(address[id], address[id] + count); },
    run(name) {
      const { run } = plan.programs[name];
      try {
        exports[`run${run}`](tables[name], run);
      } catch (error) {
        stop(); // whoever helps may be anywhere
        throw new Error(`the model stopped: ${error.message}`);
      }
    },
    close: stop,
  };
}

async function compiled(answer) {
  const response = await answer;
  const streams = response.headers.get("content-type")?.startsWith("application/wasm");
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

return { openWasm };
})();
const { adapterFor, openWebGPU } = (() => {
// The programs of an exported model on WebGPU, by the engine that pyml itself runs on.

const SOFTWARE = ["swiftshader", "llvmpipe", "lavapipe", "softpipe", "basic render", "warp"];

/** { adapter, software }: the browser's; undefined where there is none, or only a software one that nobody asked for by name. */
async function adapterFor(asked) {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter({ powerPreference: "high-performance" });
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter?.info ?? {};
  const names = [vendor, architecture, device, description].join(" ").toLowerCase();
  const software = isFallbackAdapter || SOFTWARE.some((word) => names.includes(word)); // known before a device is opened, which takes long
  return adapter && (asked || !software) ? { adapter, software } : undefined;
}

/** `plan` may be on its way still: the device opens meanwhile. */
async function openWebGPU(plan, adapter) {
  const engine = await replay.open("high-performance", adapter);
  const facts = JSON.parse(engine.describe());
  plan = await plan;
  const most = Math.min(facts.limits.maxBufferSize, facts.limits.maxStorageBufferBindingSize);
  const largest = Math.max(...plan.buffers);
  if (largest > most) throw new Error(`this adapter holds at most ${most} bytes in a buffer, and this model needs ${largest}.`);
  const compiled = engine.prepare(plan.kernels); // all at once, while weights arrive
  plan.buffers.forEach((bytes, id) => engine.create(id, bytes));
  const recorded = {};
  return {
    name: "webgpu",
    threads: 1,
    plan,
    ready: compiled.then(() => {
      for (const [name, { steps }] of Object.entries(plan.programs)) recorded[name] = engine.record(Uint32Array.from(steps));
    }),
    write(id, array) { engine.write(id, 0, new Uint8Array(array.buffer, array.byteOffset, array.byteLength)); },
    read: (id, bytes) => engine.read(id, bytes),
    run(name) { engine.replay(recorded[name]); },
    close() { engine.lose(); },
  };
}

return { adapterFor, openWebGPU };
})();
// A model that pyml exported, without Python: `const model = await load(); const y = await model.predict(x)`.


const FIT_OPTIONS = ["epochs", "batchSize", "shuffle", "seed", "validationData", "onBatchEnd", "onEpochEnd", "sampleWeight", "scale", "offset"];

/** An option that does not exist is a mistake: usually a name that is spelled another way. */
function checkOptions(what, options, names) {
  const wrong = Object.keys(options).find((name) => !names.includes(name));
  if (wrong !== undefined) throw new Error(`${what}: there is no option "${wrong}"; the options are ${names.join(", ")}.`);
}

/** Numbers among options, which would give no numbers where they are none. */
function checkNumbers(what, options) {
  const wrong = ["batchSize", "scale", "offset"].find((name) => options[name] !== undefined && !Number.isFinite(options[name]));
  if (wrong) throw new Error(`${what}: ${wrong} must be a number; received ${JSON.stringify(options[wrong])}.`);
}

/**
 * Loads an exported model.
 *
 * @param from  Its folder, or a file in it, as a URL; by default the folder of this file.
 * @param options  { device }: "webgpu" or "wasm"; without it a GPU where there is one. { weights }: "indexeddb://NAME", what
 *   `save` kept there, in place of the weights in the folder. { threads }: how many there are on "wasm", at most, where the page is
 *   cross-origin isolated; as many as the processor has cores, up to 8.
 */
export async function load(from, options = {}) {
  if (from !== null && typeof from === "object" && !(from instanceof URL)) [from, options] = [undefined, from];
  checkOptions("load", options, ["device", "weights", "threads"]);
  const { device: asked, weights, threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new Error(`load: threads must be an integer of at least 1; received ${JSON.stringify(threads)}.`);
  }
  const base = from === undefined ? new URL(".", import.meta.url) : folderOf(from);
  const file = (name) => answered(new URL(name, base));
  const data = file("weights.bin");
  data.catch(() => {});
  const plan = await (await file("plan.json")).json();
  if (plan.format !== 2) throw new Error(`plan.json has format ${plan.format}, and this loader reads format 2: export the model again.`);
  if (asked !== undefined && !plan.devices.includes(asked)) {
    throw new Error(`load: device must be one of ${plan.devices.join(", ")}, for which this model was exported; received ${JSON.stringify(asked)}.`);
  }
  const device = await opened(plan, asked, file, threads);
  device.ready.catch(() => {});
  const model = new Model(plan, device);
  await restored(plan, device, await data); // while kernels compile
  await device.ready;
  if (weights !== undefined) await model.load(weights);
  return model;
}

function folderOf(from) {
  const here = globalThis.document?.baseURI ?? globalThis.location?.href ?? import.meta.url;
  const url = new URL(from, here);
  if (!/\/$|\.\w+$/.test(url.pathname)) url.pathname += "/";
  return new URL(".", url);
}

/** A file, as the answer of a server. */
async function answered(url) {
  if (url.protocol === "file:" && globalThis.process?.versions?.node) {
    const { readFile } = await import("node:fs/promises");
    return new Response(await readFile(url));
  }
  const name = url.pathname.split("/").pop();
  const response = await fetch(url).catch((error) => { throw new Error(`could not load ${name}: ${error.message}`); });
  if (!response.ok) throw new Error(`could not load ${name}: the server answered ${response.status}`);
  return response;
}

/** Gives all states the bytes that the folder has for them as they arrive, straight into the device's memory where that can be. */
async function restored({ states, bytes }, device, { body }) {
  const ids = device.plan.states, reader = body.getReader();
  let i = 0, filled = 0, part = null;
  for (let got = await reader.read(); !got.done; got = await reader.read()) {
    for (let from = 0; from < got.value.length && i < states.length;) {
      const length = (states[i + 1]?.at ?? bytes) - states[i].at, direct = device.memory && !states[i].as;
      part ??= direct ? device.memory(ids[i], length) : new Uint8Array(length);
      const count = Math.min(got.value.length - from, length - filled);
      part.set(got.value.subarray(from, from + count), filled);
      from += count;
      filled += count;
      if (filled < length) continue;
      if (!direct) device.write(ids[i], decoded(states[i], part));
      i += 1;
      filled = 0;
      part = null;
    }
  }
  if (i < states.length && states[i].at + filled < bytes) throw new Error("could not load weights.bin: it is shorter than it should be.");
}

async function opened({ devices, software, wasm }, asked, file, threads) {
  if (asked === "webgpu" || (asked === undefined && devices.includes("webgpu"))) {
    const only = asked === "webgpu" || !devices.includes("wasm");
    const has = await adapterFor(only);
    if (!has && only) throw new Error("this browser offers no WebGPU adapter.");
    const plan = has && file(has.software && software ? "software.json" : "webgpu.json").then((answer) => answer.json());
    const found = has && (await openWebGPU(plan, has.adapter).catch((error) => {
      if (only) throw error;
      console.warn(`WebGPU could not be used (${error.message}); taking WebAssembly.`);
    }));
    if (found) return found;
  }
  return openWasm(wasm, file, threads);
}

/** A model on a device. */
export class Model {
  #plan;
  #device;

  constructor(plan, device) {
    this.#plan = plan;
    this.#device = device;
    this.name = plan.name;
    this.device = device.name;
    this.inputs = plan.inputs.map((name, i) => ({ name, shapes: plan.predict.map((form) => form.shapes[i]) }));
  }

  /** How many threads work; one but on "wasm" in an isolated page. */
  get threads() { return this.#device.threads; }

  /** The numbers of rows that `predict` takes at once. */
  get batchSizes() { return Object.keys(this.#plan.predict[0].batches ?? {}).map(Number); }

  /**
   * Predictions for inputs: a typed array, nested arrays, a picture or several; for several inputs an array of those, or an
   * object by name. Options: { batchSize } cuts many rows into batches of a size that was exported; { scale, offset } is what
   * pixels are multiplied by, and what is added then.
   */
  async predict(x, options = {}) {
    checkOptions("predict", options, ["batchSize", "scale", "offset"]);
    checkNumbers("predict", options);
    const parts = this.#parts(x);
    const failures = [];
    for (const form of this.#plan.predict) {
      let given;
      try {
        given = parts.map((part, i) => this.#taken("predict", part, form, i, options));
      } catch (error) {
        failures.push(error.message);
        continue;
      }
      return form.whole ? this.#whole(form.whole, given) : this.#batched(form, given, options.batchSize);
    }
    throw new Error(failures.length === 1 ? failures[0] : `predict: none of the sizes that were exported fits:\n${[...new Set(failures)].join("\n")}`);
  }

  /**
   * Trains on rows of x and y. Options: epochs (1), batchSize (the largest that was exported), shuffle (false), seed,
   * sampleWeight (a number for each row), validationData [x, y, sampleWeight], onBatchEnd(batch, logs), onEpochEnd(epoch, logs); these may be async, and `false` ends training.
   *
   * @returns what each epoch logged, by name, in arrays.
   */
  async fit(x, y, options = {}) {
    checkOptions("fit", options, FIT_OPTIONS);
    const { epochs = 1, shuffle = false, seed, validationData, onBatchEnd, onEpochEnd } = options;
    for (const [name, hear] of Object.entries({ onBatchEnd, onEpochEnd })) {
      if (hear !== undefined && typeof hear !== "function") throw new Error(`fit: ${name} must be a function; received ${JSON.stringify(hear)}.`);
    }
    if (validationData !== undefined && !(Array.isArray(validationData) && validationData.length > 1)) throw new Error("fit: validationData must be [x, y].");
    const unseen = { ...options, sampleWeight: validationData?.[2] };
    const data = this.#rows("fit", x, y, options);
    const history = {}, random = generator(seed ?? Math.floor(Math.random() * 2 ** 32));
    if (!Number.isInteger(epochs) || epochs < 0) throw new Error(`fit: epochs must be an integer of at least 0; received ${epochs}.`);
    if (validationData) this.#rows("fit: validationData", validationData[0], validationData[1], unseen);
    this.#device.run("begin");
    for (let epoch = 0; epoch < epochs; epoch++) {
      this.#device.run("reset");
      const on = onBatchEnd && (async (batch) => onBatchEnd(batch, await this.#logs("train")));
      const ended = await this.#pass("batches", data, shuffle ? shuffled(data.rows, random) : null, on);
      const logs = await this.#logs("train");
      if (validationData) for (const [name, value] of Object.entries(await this.evaluate(validationData[0], validationData[1], unseen))) logs[`val_${name}`] = value;
      for (const [name, value] of Object.entries(logs)) (history[name] ??= []).push(value);
      if ((await onEpochEnd?.(epoch, logs)) === false || ended) break;
    }
    return history;
  }

  /** Loss and metrics for rows of x and y, by name. Options: batchSize, sampleWeight. */
  async evaluate(x, y, options = {}) {
    checkOptions("evaluate", options, FIT_OPTIONS);
    const data = this.#rows("evaluate", x, y, options);
    this.#device.run("reset");
    await this.#pass("tests", data, null);
    return this.#logs("test");
  }

  /** The weights as the bytes of an .npz file, which `model.load_weights("name.npz")` of Python reads. */
  async npz() {
    const { weights } = this.#training("npz");
    return npz(await Promise.all(weights.map(async ([number, name]) => {
      const { shape, dtype } = this.#plan.states[number];
      return { name, shape, dtype, bytes: await this.#device.read(this.#device.plan.states[number], 4 * sizeOf(shape)) };
    })));
  }

  /** Keeps everything that training changed: "indexeddb://NAME" in the browser, "NAME.npz" as a download of the weights. */
  async save(where) {
    if (String(where).startsWith("indexeddb://")) return kept(where.slice(12), await this.state());
    if (!String(where).endsWith(".npz")) throw new Error(`save: expected "indexeddb://NAME" or "NAME.npz"; received ${JSON.stringify(where)}.`);
    const bytes = await this.npz();
    if (!globalThis.document) throw new Error("save: only a page can download; use model.npz().");
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([bytes])), download: where });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /** Goes on from what `save("indexeddb://NAME")` kept, or `state()` returned. */
  async load(from) {
    const state = typeof from === "string" ? await found(from.replace("indexeddb://", "")) : from;
    if (!state) throw new Error(`load: nothing is kept under ${from}.`);
    const names = this.#plan.states.map(({ name }) => name);
    const odd = names.find((name, i) => state[name]?.length !== 4 * sizeOf(this.#plan.states[i].shape));
    if (odd) throw new Error(`load: what is kept belongs to another model: it has no ${odd} of this shape.`);
    names.forEach((name, i) => this.#device.write(this.#device.plan.states[i], state[name]));
  }

  /** Everything the model knows, bytes by name: weights, the optimizer's memory, metrics, random state. */
  async state() {
    const { states } = this.#plan;
    const bytes = await Promise.all(states.map(({ shape }, i) => this.#device.read(this.#device.plan.states[i], 4 * sizeOf(shape))));
    return Object.fromEntries(states.map(({ name }, i) => [name, bytes[i]]));
  }

  #training(what) {
    if (!this.#plan.train) throw new Error(`${what}: this model was exported without training; export it with training=True.`);
    return this.#plan.train;
  }

  /** Inputs and targets for training, and the size of batches. */
  #rows(what, x, y, options) {
    const { batchSize, sampleWeight } = options;
    checkNumbers(what, options);
    const plan = this.#training(what), sizes = Object.keys(plan.batches).map(Number);
    const size = batchSize ?? Math.max(...sizes);
    if (!plan.batches[size]) throw new Error(`${what}: batchSize ${size}; this model was exported for batches of ${sizes.join(", ")}.`);
    const inputs = this.#parts(x, what).map((part, i) => this.#taken(what, part, this.#plan.predict[0], i, options));
    const specs = plan.batches[size].inputs.slice(plan.count), count = specs.length - (plan.weighted ? 1 : 0);
    const targets = count === 1 ? [y] : y;
    if (!Array.isArray(targets) || targets.length !== count) throw new Error(`${what}: expected an array of ${count} targets.`);
    if (sampleWeight !== undefined && !plan.weighted) throw new Error(`${what}: for sampleWeight, export the model with sample_weight=True.`);
    const weights = plan.weighted ? [sampleWeight ?? new Float32Array(inputs[0].rows).fill(1)] : [];
    const found = [...targets, ...weights].map((part, i) => {
      const { dtype, shape: [, ...shape] } = specs[i], label = `${what}: ${i < count ? "y" : "sampleWeight"}`, per = sizeOf(shape);
      const { values } = described(part, dtype, label), rows = values.length / per;
      if (rows !== inputs[0].rows) throw new Error(`${label}: expected ${inputs[0].rows} rows of the shape ${told(shape)}, as x has; received ${values.length} numbers.`);
      return { values: inMemory(values, dtype), rows };
    });
    const { rows } = inputs[0], rest = rows % size;
    if (rest && !plan.batches[rest]) {
      throw new Error(`${what}: ${rows} rows in batches of ${size} leave one of ${rest}; this model was exported for batches of ${sizes.join(", ")}: ` +
        `give fewer rows, or export it with batch_sizes=(${size}, ${rest}).`);
    }
    return { parts: [...inputs, ...found], rows, size };
  }

  /** One pass over the rows; whether `on` ended it. */
  async #pass(kind, { parts, rows, size }, order, on) {
    for (let start = 0, batch = 0; start < rows; start += size, batch++) {
      const count = Math.min(size, rows - start), { program } = this.#plan.train[kind][count];
      parts.forEach(({ values }, i) => {
        this.#device.write(this.#device.plan.programs[program].inputs[i], taken(values, values.length / rows, order, start, count));
      });
      this.#device.run(program);
      if (on && (await on(batch)) === false) return true;
      if (batch % 16 === 15) await new Promise((later) => setTimeout(later)); // the page paints
    }
    return false;
  }

  async #logs(kind) {
    const call = this.#training("fit").results[kind];
    const [vector] = (await this.#run(call)).map((part) => part());
    const bad = vector[call.length - 1];
    if (bad >= 0) console.warn(`the loss is not a finite number since step ${bad}: try a lower learning rate.`);
    return Object.fromEntries(call.logs.map(([name, shape, at]) => [name, shape.length ? [...vector.subarray(at, at + sizeOf(shape))] : vector[at]]));
  }

  /** Ends the device, and frees its memory. */
  close() { this.#device.close(); }

  #parts(x, what = "predict") {
    const names = this.#plan.inputs;
    const plain = x !== null && typeof x === "object" && Object.getPrototypeOf(x) === Object.prototype;
    if (plain) {
      const missing = names.filter((name) => !(name in x)), more = Object.keys(x).filter((name) => !names.includes(name));
      if (missing.length || more.length) throw new Error(`${what}: expected the inputs ${names.join(", ")}; received ${Object.keys(x).join(", ") || "none"}.`);
      return names.map((name) => x[name]);
    }
    if (names.length === 1) return [x];
    if (!Array.isArray(x) || x.length !== names.length) {
      throw new Error(`${what}: expected an array of ${names.length} inputs (${names.join(", ")}), or an object by name.`);
    }
    return x;
  }

  /** One input: its values, and how many rows they are. */
  #taken(who, x, form, i, { scale = 1, offset = 0 }) {
    const name = this.#plan.inputs[i], shape = form.shapes[i], what = `${who}: input "${name}"`;
    const [sample] = form.whole ? [form.whole] : Object.values(form.batches);
    const { dtype } = sample.inputs[i];
    const pictures = isPicture(x) ? [x] : Array.isArray(x) && x.length && x.every(isPicture) ? x : null;
    if (pictures) {
      const [height, width, channels = 1] = form.whole && shape.length === 4 ? shape.slice(1) : shape;
      if (shape.length < 2 || channels > 4) throw new Error(`${what}: expected values of the shape ${told(shape)}, which no picture has.`);
      const size = height * width * channels, values = new Float32Array(pictures.length * size);
      pictures.forEach((picture, k) => values.set(resized(pixelsOf(picture, what), height, width, channels), k * size));
      if (scale !== 1 || offset !== 0) for (let k = 0; k < values.length; k++) values[k] = Math.fround(Math.fround(values[k] * scale) + offset);
      return { values: inMemory(dtype === "float32" ? values : values.map(Math.round), dtype), rows: pictures.length, dtype };
    }
    const given = described(x, dtype, what), size = sizeOf(shape);
    if (form.whole) {
      if (given.values.length !== size || (Array.isArray(x) && String(given.shape) !== String(shape))) {
        throw new Error(`${what}: expected ${size} numbers of the shape ${told(shape)}; received ${given.shape ? `the shape ${told(given.shape)}` : given.values.length}.`);
      }
      return { values: inMemory(given.values, dtype), rows: 0, dtype };
    }
    const wanted = `(rows, ${shape.join(", ")})`.replace(", )", ",)");
    let rows = given.values.length / size;
    if (given.shape) {
      const inner = given.shape.slice(-shape.length || given.shape.length);
      const fits = given.shape.length === shape.length + 1 ? String(given.shape.slice(1)) === String(shape) : String(given.shape) === String(shape);
      const flat = given.shape.length === 1 && ArrayBuffer.isView(x);
      if (!fits && !flat) throw new Error(`${what}: expected the shape ${wanted}; received ${told(given.shape)}.`);
      if (fits && given.shape.length === shape.length && inner.length) rows = 1;
    }
    if (!Number.isInteger(rows) || rows < 1) {
      throw new Error(`${what}: expected ${size} numbers for each row, of the shape ${wanted}; received ${given.values.length} numbers.`);
    }
    return { values: inMemory(given.values, dtype), rows, dtype };
  }

  async #whole(call, given) {
    given.forEach(({ values }, i) => this.#device.write(this.#device.plan.programs[call.program].inputs[i], values));
    return this.#given((await this.#run(call)).map((part) => part()));
  }

  async #batched(form, given, batchSize) {
    const { rows } = given[0], sizes = Object.keys(form.batches);
    const odd = given.findIndex((part) => part.rows !== rows);
    if (odd > 0) throw new Error(`predict: input "${this.#plan.inputs[odd]}" has ${given[odd].rows} rows, and "${this.#plan.inputs[0]}" has ${rows}.`);
    const size = batchSize ?? rows;
    const call = form.batches[size];
    if (!call) {
      const known = `this model was exported for batches of ${sizes.join(", ")}`;
      throw new Error(batchSize === undefined ? `predict: received ${rows} rows; ${known}: pass { batchSize: ${sizes[sizes.length - 1]} } to cut them.`
        : `predict: batchSize ${batchSize}; ${known}.`);
    }
    const columns = call.outputs.map(() => []);
    for (let start = 0; start < rows; start += size) {
      const here = Math.min(size, rows - start);
      given.forEach(({ values }, i) => {
        const per = values.length / rows;
        let part = values.subarray(start * per, (start + here) * per);
        if (here < size) { // what is missing repeats the first rows, as in Python
          const filled = new part.constructor(size * per);
          for (let k = 0; k < filled.length; k++) filled[k] = part[k % part.length];
          part = filled;
        }
        this.#device.write(this.#device.plan.programs[call.program].inputs[i], part);
      });
      (await this.#run(call)).forEach((part, i) => columns[i].push(part(here)));
    }
    return this.#given(columns.map(joined));
  }

  /** Runs a program; its outputs as functions of how many rows are wanted. */
  async #run(call) {
    const { outputs } = this.#device.plan.programs[call.program];
    this.#device.run(call.program);
    const raw = await Promise.all(outputs.map((id, i) => this.#device.read(id, 4 * sizeOf(call.outputs[i].shape))));
    return call.outputs.map(({ shape, dtype }, i) => (rows) => {
      const own = rows === undefined || !shape.length ? shape : [rows, ...shape.slice(1)];
      return outOf(raw[i].subarray(0, 4 * sizeOf(own)), own, dtype);
    });
  }

  #given(values) {
    const names = this.#plan.outputs;
    if (names) return Object.fromEntries(names.map((name, i) => [name, values[i]]));
    return values.length === 1 ? values[0] : values;
  }
}

/** Parts of several batches as one array. */
function joined(parts) {
  if (parts.length === 1) return parts[0];
  const all = new parts[0].constructor(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const rows = parts.reduce((n, part) => n + part.shape[0], 0);
  return Object.assign(all, { shape: [rows, ...parts[0].shape.slice(1)] });
}
