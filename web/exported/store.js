// What only models that train need: their data and its order, and weights that a page keeps, in IndexedDB and as an .npz file, which
// model.load_weights of Python reads.

const OPTIONS = "epochs batchSize shuffle seed validationData onBatchEnd onEpochEnd sampleWeight scale offset".split(" "); // of fit and evaluate
const DATABASE = "pyml-exported", KEPT = "indexeddb://";

/** Options of `fit` that nobody else looks at. */
export function checkFit({ epochs = 1, seed = 0, validationData, onBatchEnd, onEpochEnd }) {
  for (const [name, hear] of Object.entries({ onBatchEnd, onEpochEnd })) {
    if (hear !== undefined && typeof hear !== "function") throw new Error(`fit: ${name} must be a function; received ${JSON.stringify(hear)}.`);
  }
  if (validationData !== undefined && !(Array.isArray(validationData) && validationData.length > 1)) throw new Error("fit: validationData must be [x, y].");
  if (!Number.isInteger(epochs) || epochs < 0) throw new Error(`fit: epochs must be an integer of at least 0; received ${JSON.stringify(epochs)}.`);
  if (!Number.isInteger(seed)) throw new Error(`fit: seed must be an integer; received ${JSON.stringify(seed)}.`);
}

/** Inputs and targets for training, and the size of batches; `tools` are functions of the loader. */
export function rowsOf({ inputs: names, predict: [form], train: plan }, what, x, y, options, tools) {
  tools.checkOptions(what, options, OPTIONS);
  const { batchSize, sampleWeight } = options, sizes = Object.keys(plan.batches).map(Number);
  tools.checkNumbers(what, options);
  const size = batchSize ?? Math.max(...sizes);
  if (!plan.batches[size]) throw new Error(`${what}: batchSize ${size}; this model was exported for batches of ${sizes.join(", ")}.`);
  const inputs = tools.partsOf(names, x, what).map((part, i) => tools.inputOf(names, what, part, form, i, options));
  const specs = plan.batches[size].inputs.slice(plan.count), { rows } = inputs[0];
  const targets = tools.partsOf(plan.targets.map(({ name }) => name), y, what, "targets");
  if (sampleWeight !== undefined && !plan.weighted) throw new Error(`${what}: for sampleWeight, export the model with sample_weight=True.`);
  const weights = plan.weighted ? [sampleWeight ?? new Float32Array(rows).fill(1)] : [];
  const found = [...targets, ...weights].map((part, i) => {
    const { dtype, shape: [, ...shape] } = specs[i], own = plan.targets[i], label = `${what}: ${!own ? "sampleWeight" : targets.length > 1 ? `y "${own.name}"` : "y"}`;
    const { values } = tools.described(part, dtype, label), per = tools.sizeOf(shape);
    if (values.length !== rows * per) {
      const wanted = shape.length ? `${rows} rows of the shape ${tools.told(shape)}, as x has` : `${rows} numbers, one for each row of x`;
      throw new Error(`${label}: expected ${wanted}; received ${values.length}${shape.length ? " numbers" : ""}.`);
    }
    const { classes, ignored } = own ?? {}, odd = classes && values.find((v) => !(v >= 0 && v < classes) && v !== ignored);
    if (odd || odd === 0) throw new Error(`${label}: expected class numbers from 0 to ${classes - 1}, one for each of the model's ${classes} outputs; received ${odd}.`);
    return { values: tools.inMemory(values, dtype), rows };
  });
  const rest = rows % size;
  if (rest && !plan.batches[rest]) {
    throw new Error(`${what}: ${rows} rows in batches of ${size} leave one of ${rest}; this model was exported for batches of ${sizes.join(", ")}: ` +
      `give fewer rows, or export it with batch_sizes=(${size}, ${rest}).`);
  }
  return { parts: [...inputs, ...found], rows, size };
}

/** A random generator of 32-bit state (mulberry32), so that a seed gives the same order everywhere. */
export function generator(seed) {
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
export function shuffled(n, random) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Rows of values, `order` having their numbers; null for the order they have. */
export function taken(values, per, order, start, count) {
  if (!order) return values.subarray(start * per, (start + count) * per);
  const part = new values.constructor(count * per);
  for (let i = 0; i < count; i++) part.set(values.subarray(order[start + i] * per, (order[start + i] + 1) * per), i * per);
  return part;
}

/** The NAME of "indexeddb://NAME"; null for another place. */
export function nameIn(where) {
  if (!String(where).startsWith(KEPT)) return null;
  if (where.length === KEPT.length) throw new Error(`expected ${KEPT}NAME; received no name.`);
  return where.slice(KEPT.length);
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What went wrong with the browser's storage, and what to do instead: it may be full, or a private window may have none. */
function refused(error) {
  return new Error(error?.name === "QuotaExceededError" ? 'save: the browser\'s storage is full; make room there, or download the weights: model.save("NAME.npz").'
    : `the browser keeps nothing here (${error?.message ?? "no access"}); take the weights along: model.save("NAME.npz"), or model.npz().`);
}

async function opened(mode) {
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("states");
    const database = await settled(opening);
    return { database, store: database.transaction("states", mode).objectStore("states") };
  } catch (error) {
    throw refused(error);
  }
}

/** Resolves when the value is kept for good, not when it was accepted: storage may be found full only then. */
export async function kept(name, value) {
  const { database, store } = await opened("readwrite");
  const { transaction } = store;
  try {
    await new Promise((resolve, reject) => {
      const request = store.put(value, name);
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(refused(transaction.error ?? request.error));
    });
  } finally {
    database.close();
  }
}

export async function found(where) {
  const name = nameIn(where);
  if (!name) throw new Error(`load: expected "${KEPT}NAME", or what state() gave; received ${JSON.stringify(where)}.`);
  const { database, store } = await opened("readonly");
  const state = await settled(store.get(name)).catch((error) => { throw refused(error); }).finally(() => database.close());
  if (!state) throw new Error(`load: nothing is kept under ${where}.`);
  return state;
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
export function npz(arrays) {
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
