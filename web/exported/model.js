// A model that pyml exported, without Python: `const model = await load(); const y = await model.predict(x)`.

import { decoded, described, inMemory, outOf, sizeOf, told } from "./arrays.js";
import { checkNumbers, checkOptions, inputOf, partsOf } from "./inputs.js";
import { openWasm } from "./wasm.js";
import { adapterFor, openWebGPU } from "./webgpu.js";

const store = () => import(new URL("store.js", import.meta.url)); // what few pages need
const PATIENCE = 30; // seconds in which nothing comes
const TOOLS = { checkNumbers, checkOptions, described, inMemory, inputOf, partsOf, sizeOf, told }; // of this file, for that one

/**
 * Loads an exported model.
 *
 * @param from  Its folder, or a file in it, as a URL; by default the folder of this file.
 * @param options  { device }: "webgpu" or "wasm"; without it a GPU where there is one. { weights }: "indexeddb://NAME", what
 *   `save` kept there, in place of the weights in the folder. { threads }: how many there are on "wasm", at most, where the page is
 *   cross-origin isolated; as many as the processor has cores, up to 8.
 */
export async function load(from, options = {}) {
  if (!/string|undef/.test(typeof from) && !(from instanceof URL)) [from, options] = [undefined, from];
  checkOptions("load", options, ["device", "weights", "threads"]);
  const { threads } = options;
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new Error(`load: threads must be an integer of at least 1; received ${JSON.stringify(threads)}.`);
  }
  const base = folderOf(from ?? import.meta.url);
  const [bring, end] = bringing();
  try {
    // This one comes anew each time (a server may take another export for the same file: `unzip` and containers set any date), and the
    // others belong to it by their addresses: whoever has files of an earlier export never computes with half of each.
    const plan = await bring(new URL("plan.json", base), (answer, wait) => wait(answer.json()).catch((error) => { throw new Error(`${error.message} (in ${base})`); }), "reload");
    return await loaded(plan, (name, use) => bring(new URL(`${name}?${plan.made}`, base), use), options);
  } finally {
    end();
  }
}

async function loaded(plan, file, { device: asked, weights, threads }) {
  if (plan.format !== 2) throw new Error(`plan.json has format ${plan.format}, and this loader reads format 2: export the model again.`);
  if (asked !== undefined && !plan.devices.includes(asked)) {
    throw new Error(`load: device must be one of ${plan.devices.join(", ")}, for which this model was exported; received ${JSON.stringify(asked)}.`);
  }
  const opening = opened(plan, asked, file, threads);
  const data = file("weights.bin", async (answer, wait) => restored(plan, await opening, answer, wait)); // while kernels compile
  data.catch(() => {});
  const device = await opening;
  device.ready.catch(() => {});
  const model = new Model(plan, device);
  try {
    await data;
    await device.ready;
    if (weights !== undefined) await model.load(weights);
  } catch (error) {
    device.ready.then(device.close, device.close); // nobody else would free its memory
    throw error;
  }
  if (plan.train) store().catch(() => {}); // so that it is there when the network is not
  return model;
}

function folderOf(from) {
  const here = globalThis.document?.baseURI ?? globalThis.location?.href ?? import.meta.url;
  const url = new URL(from, here);
  if (!/\/$|\.\w+$/.test(url.pathname)) url.pathname += "/";
  return new URL(".", url);
}

/**
 * [bring(url, use, cache), end]: files, until `end`. What `use` makes of a file, as the answer of a server; of a new one where that
 * fails: the browser may have kept half of it, or a page in its place. `use` waits for what comes by its second argument: where
 * nothing comes for too long, all ends.
 */
function bringing() {
  const given = new AbortController(), { signal } = given;
  let waiting = 0, quiet = 0; // seconds; a page that is busy, or asleep, counts none
  const clock = setInterval(() => { if (waiting && ++quiet > PATIENCE) given.abort(new Error(`nothing came for ${PATIENCE} seconds`)); }, 1000);
  const wait = async (what, wrong = "it is damaged, or ended early") => {
    waiting += 1;
    try {
      return await what;
    } catch ({ message }) {
      throw signal.reason ?? new Error(`${wrong} (${message})`);
    } finally {
      waiting -= 1;
      quiet = 0;
    }
  };
  const bring = async (url, use, cache) => {
    try {
      if (url.protocol === "file:" && globalThis.process?.versions?.node) {
        const { readFile } = await import("node:fs/promises");
        return await use(new Response(await readFile(url)), wait);
      }
      const response = await wait(fetch(url, { cache, signal }), "no answer came");
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      if (response.headers.get("content-type")?.startsWith("text/html")) throw new Error("the server answered with a page");
      return await use(response, wait);
    } catch (error) {
      if (!cache) return bring(url, use, "reload");
      throw new Error(`could not load ${url.pathname.split("/").pop()}: ${error.message}`);
    }
  };
  return [bring, () => clearInterval(clock)];
}

/** Gives all states the bytes that the folder has for them as they arrive, straight into the device's memory where that can be. */
async function restored({ states, bytes }, device, { body }, wait) {
  const ids = device.plan.states, reader = body.getReader();
  let i = 0, filled = 0, part = null, left = bytes;
  for (let got = await wait(reader.read()); !got.done; got = await wait(reader.read())) {
    left -= got.value.length;
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
  if (left) throw new Error(`it is ${left > 0 ? "shorter" : "longer"} than it should be.`);
}

async function opened({ devices, software, wasm }, asked, file, threads) {
  if (asked === "webgpu" || (asked === undefined && devices.includes("webgpu"))) {
    const only = asked === "webgpu" || !devices.includes("wasm");
    const has = await adapterFor(only);
    if (!has && only) throw new Error("this browser offers no WebGPU adapter.");
    const plan = has && file(has.software && software ? "software.json" : "webgpu.json", (answer, wait) => wait(answer.json()));
    const found = has && (await openWebGPU(plan, has.adapter, has.software).catch((error) => {
      if (only) throw error;
      console.warn(`WebGPU could not be used (${error.message}); taking WebAssembly.`);
    }));
    if (found) return found;
  }
  return openWasm(wasm, file, threads);
}

/** In the place of a device that was closed. */
const CLOSED = new Proxy({ threads: 0, close() {} }, {
  get(own, key) {
    if (key in own) return own[key];
    throw new Error("this model was closed; load it again.");
  },
});

/** A model on a device. */
export class Model {
  #plan;
  #device;
  #fitting = false; // what training and testing share is the device's: sums of metrics, the batch
  #midst = false; // of an epoch
  #testing = null;

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
    const parts = partsOf(this.#plan.inputs, x, "predict");
    const failures = [], { picture } = this.#device;
    for (const form of this.#plan.predict) {
      let given;
      try {
        given = parts.map((part, i) => inputOf(this.#plan.inputs, "predict", part, form, i, options, picture));
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
    this.#training("fit");
    if (this.#fitting) throw new Error("fit: this model is training; wait until that fit has ended, or end it: with false from onBatchEnd or onEpochEnd.");
    this.#fitting = true;
    try {
      return await this.#fit(x, y, options);
    } finally {
      this.#fitting = this.#midst = false;
    }
  }

  async #fit(x, y, options) {
    const { checkFit, generator, shuffled } = await store();
    const data = await this.#rows("fit", x, y, options);
    checkFit(options);
    const { epochs = 1, shuffle, seed, validationData: unseen, onBatchEnd, onEpochEnd } = options;
    const history = {}, random = generator(seed ?? Math.floor(Math.random() * 2 ** 32));
    const test = { ...options, sampleWeight: unseen?.[2] };
    if (unseen) await this.#rows("fit: validationData", unseen[0], unseen[1], test);
    for (let epoch = 0; epoch < epochs; epoch++) {
      while (this.#testing) await this.#testing.catch(() => {});
      this.#midst = true;
      if (!epoch) this.#device.run("begin");
      this.#device.run("reset");
      const on = onBatchEnd && (async (batch) => onBatchEnd(batch, await this.#logs("train")));
      const ended = await this.#pass("batches", data, shuffle ? shuffled(data.rows, random) : null, on);
      const logs = await this.#logs("train");
      this.#midst = false;
      if (unseen) for (const [name, value] of Object.entries(await this.evaluate(unseen[0], unseen[1], test))) logs[`val_${name}`] = value;
      for (const [name, value] of Object.entries(logs)) (history[name] ??= []).push(value);
      if ((await onEpochEnd?.(epoch, logs)) === false || ended) break;
    }
    return history;
  }

  /** Loss and metrics for rows of x and y, by name. Options: batchSize, sampleWeight. */
  async evaluate(x, y, options = {}) {
    this.#training("evaluate");
    this.#between("evaluate");
    const before = this.#testing;
    const mine = (async () => {
      await before?.catch(() => {});
      const data = await this.#rows("evaluate", x, y, options);
      this.#device.run("reset");
      await this.#pass("tests", data, null);
      return this.#logs("test");
    })();
    this.#testing = mine;
    try {
      return await mine;
    } finally {
      if (this.#testing === mine) this.#testing = null;
    }
  }

  /** The weights as the bytes of an .npz file, which `model.load_weights("name.npz")` of Python reads. */
  async npz() {
    const { weights } = this.#training("npz");
    const { npz } = await store();
    return npz(await Promise.all(weights.map(async ([number, name]) => {
      const { shape, dtype } = this.#plan.states[number];
      return { name, shape, dtype, bytes: await this.#device.read(this.#device.plan.states[number], 4 * sizeOf(shape)) };
    })));
  }

  /** Keeps everything that training changed: "indexeddb://NAME" in the browser, "NAME.npz" as a download of the weights. */
  async save(where) {
    const { kept, nameIn } = await store(), name = nameIn(where);
    if (name) return kept(name, await this.state());
    if (!String(where).endsWith(".npz")) throw new Error(`save: expected "indexeddb://NAME" or "NAME.npz"; received ${JSON.stringify(where)}.`);
    const bytes = await this.npz();
    if (!globalThis.document) throw new Error("save: only a page can download; use model.npz().");
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([bytes])), download: where });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // by then the browser has begun
  }

  /** Goes on from what `save("indexeddb://NAME")` kept, or `state()` returned. */
  async load(from) {
    const state = from && typeof from === "object" ? from : await (await store()).found(from);
    this.#between("load");
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

  #between(what) {
    if (this.#midst) throw new Error(`${what}: an epoch of fit is running; call it in onEpochEnd, or when fit has ended.`);
  }

  #training(what) {
    if (!this.#plan.train) throw new Error(`${what}: this model was exported without training; export it with training=True.`);
    return this.#plan.train;
  }

  /** Inputs and targets for training, and the size of batches. */
  async #rows(what, x, y, options) { return (await store()).rowsOf(this.#plan, what, x, y, options, TOOLS); }

  /** One pass over the rows; whether `on` ended it. */
  async #pass(kind, { parts, rows, size }, order, on) {
    const { taken } = await store();
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
    const bad = vector.at(-1);
    if (bad >= 0) console.warn(`the loss is not a finite number since step ${bad}: try a lower learning rate.`);
    return Object.fromEntries(call.logs.map(([name, shape, at]) => [name, shape.length ? [...vector.subarray(at, at + sizeOf(shape))] : vector[at]]));
  }

  /** Ends the device, and frees its memory. */
  close() {
    this.#device.close();
    this.#device = CLOSED;
  }

  async #whole(call, given) {
    given.forEach((part, i) => {
      const id = this.#device.plan.programs[call.program].inputs[i];
      if (!this.#shown(part, id, 0, part.rows, part.rows)) this.#device.write(id, part.values);
    });
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
      throw new Error(batchSize === undefined ? `predict: received ${rows} rows; ${known}: pass { batchSize: ${sizes.at(-1)} } to cut them.`
        : `predict: batchSize ${batchSize}; ${known}.`);
    }
    const columns = call.outputs.map(() => []);
    for (let start = 0; start < rows; start += size) {
      const here = Math.min(size, rows - start);
      given.forEach((input, i) => {
        const id = this.#device.plan.programs[call.program].inputs[i];
        if (this.#shown(input, id, start, here, size)) return;
        const { values } = input, per = values.length / rows;
        let part = values.subarray(start * per, (start + here) * per);
        if (here < size) { // what is missing repeats the first rows, as in Python
          const filled = new part.constructor(size * per);
          for (let k = 0; k < filled.length; k++) filled[k] = part[k % part.length];
          part = filled;
        }
        this.#device.write(id, part);
      });
      (await this.#run(call)).forEach((part, i) => columns[i].push(part(here)));
    }
    return this.#given(columns.map(joined));
  }

  /** Whether the device took the pictures of an input apart itself. */
  #shown(input, id, start, here, size) {
    return input.pictures && Array.from({ length: size }).every((_, k) => this.#device.picture(input, start + (k % here), id, k));
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
    return names ? Object.fromEntries(names.map((name, i) => [name, values[i]])) : values.length > 1 ? values : values[0];
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
