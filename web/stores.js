// Models kept by the browser, in the places and forms of TensorFlow.js: `pyml.saving` reads and writes them.
//
// Every function resolves to { value } or { failed, message } and never rejects. IndexedDB is there in workers too;
// localStorage and downloads are the page's, so a worker asks its page over a MessagePort (remote here, serve on the page).
// A model is { text, data }: its description as JSON, and an ArrayBuffer of all weights; or of a whole file of Keras, whose name
// the description has as `file`.

const DATABASE = "tensorflowjs", MODELS = "models_store", INFO = "model_info_store";
const PREFIX = "tensorflowjs_models/";                 // of keys in localStorage: PREFIX + name + "/" + part
const PENDING = "pyml_pending/";                       // PENDING + name: all parts of a model that is being kept
const PARTS = ["info", "model_topology", "weight_specs", "weight_data", "model_metadata"];
const PATIENCE = 5000;                                 // ms until a page that says nothing counts as absent
const KINDS = { QuotaExceededError: "quota", SecurityError: "blocked", InvalidStateError: "blocked", NotFoundError: "foreign", VersionError: "foreign" };
const failed = (kind, message = "") => Object.assign(new Error(message), { kind });

async function answer(call) {
  try {
    return { value: (await call()) ?? null };
  } catch (error) {
    return { failed: error?.kind ?? KINDS[error?.name] ?? "other", message: error?.message ?? String(error) };
  }
}

const length = (value) => (value == null ? 0 : new TextEncoder().encode(JSON.stringify(value)).length);
const describe = (artifacts, data) => ({
  dateSaved: new Date(),
  modelTopologyType: "JSON",
  modelTopologyBytes: length(artifacts.modelTopology),
  weightSpecsBytes: length(artifacts.weightSpecs),
  weightDataBytes: data.byteLength,
});

/** One buffer: TensorFlow.js may also have stored a list of them. */
function joined(data) {
  if (data == null) return new ArrayBuffer(0);
  const parts = (Array.isArray(data) ? data : [data]).map((part) => {
    if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    if (part instanceof ArrayBuffer) return new Uint8Array(part);
    throw failed("damaged", "its weights are not bytes");
  });
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all.buffer;
}

const request = (asked) => new Promise((resolve, reject) => {
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});

/** Runs `body(info store, model store)` in one transaction, which holds as a whole or not at all. */
async function transaction(mode, body) {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    for (const store of [MODELS, INFO]) opening.result.createObjectStore(store, { keyPath: "modelPath" });
  };
  const database = await request(opening);
  try {
    const whole = database.transaction([INFO, MODELS], mode, { durability: "strict" });
    const ended = new Promise((resolve, reject) => {
      whole.oncomplete = resolve;
      whole.onabort = () => reject(whole.error ?? failed("other", "the browser gave up"));
    });
    ended.catch(() => {});                             // what body throws comes first
    let value;
    try {
      value = await body(whole.objectStore(INFO), whole.objectStore(MODELS));
    } catch (error) {
      try { whole.abort(); } catch { /* it has ended */ }
      throw error;
    }
    await ended;
    return value;
  } finally {
    database.close();
  }
}

const indexeddb = {
  save: (name, { text, data }, overwrite) => {
    const artifacts = JSON.parse(text), modelArtifactsInfo = describe(artifacts, data);
    return transaction("readwrite", async (info, models) => {
      if (!overwrite && await request(info.getKey(name)) !== undefined) throw failed("exists");
      info.put({ modelPath: name, modelArtifactsInfo });
      await request(models.put({ modelPath: name, modelArtifacts: { ...artifacts, weightData: data }, modelArtifactsInfo }));
      return JSON.stringify(modelArtifactsInfo);
    });
  },
  async load(name) {
    const [known, found] = await transaction("readonly", async (info, models) =>
      Promise.all([request(info.getKey(name)), request(models.get(name))]));
    if (found === undefined) throw known === undefined ? failed("missing") : failed("damaged", "it is listed, but has no content");
    if (!found.modelArtifacts) throw failed("damaged", "it has no content");
    const { weightData, ...artifacts } = found.modelArtifacts;
    return { text: JSON.stringify(artifacts), data: joined(weightData) };
  },
  list: () => transaction("readonly", async (info) => JSON.stringify(Object.fromEntries(
    (await request(info.getAll())).map((entry) => [entry.modelPath, entry.modelArtifactsInfo ?? null])))),
  remove: (name) => transaction("readwrite", async (info, models) => {
    const [known, content] = await Promise.all([request(info.get(name)), request(models.getKey(name))]);
    if (known === undefined && content === undefined) throw failed("missing");
    info.delete(name);
    await request(models.delete(name));
    return JSON.stringify(known?.modelArtifactsInfo ?? null);
  }),
};

const STEP = 0x8000;                                   // arguments that every engine takes in one call
function encode(data) {
  const bytes = new Uint8Array(data), parts = [];
  for (let i = 0; i < bytes.length; i += STEP) parts.push(String.fromCharCode(...bytes.subarray(i, i + STEP)));
  return btoa(parts.join(""));
}
const decode = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

const keysOf = (name) => PARTS.map((part) => `${PREFIX}${name}/${part}`);

/** Writes all parts of a model. Without the first key there is no model: it goes first and comes last. */
function put(name, values) {
  const keys = keysOf(name);
  for (const key of keys) localStorage.removeItem(key);
  for (let i = keys.length - 1; i >= 0; i -= 1) if (values[i] !== null) localStorage.setItem(keys[i], values[i]);
}

/**
 * Replaces a model: its parts cannot be written at once, so the new ones are kept together first, under one key. If the page ends
 * in between, `settle` finishes the writing. Where there is no room for both, the old model goes before the new one comes.
 */
function replace(name, values) {
  const old = keysOf(name).map((key) => localStorage.getItem(key)), pending = PENDING + name;
  let beside = old[0] !== null;
  try {
    if (beside) localStorage.setItem(pending, JSON.stringify(values));
  } catch { beside = false; }
  try {
    try {
      put(name, values);
    } catch (error) {
      if (!beside) throw error;
      localStorage.removeItem(pending);                // makes room
      put(name, values);
    }
  } catch (error) {
    put(name, old);                                    // it had room before
    throw error;
  } finally {
    localStorage.removeItem(pending);
  }
}

/** Finishes what a page that ended had begun to keep. */
function settle() {
  const begun = [];
  for (let i = 0; i < localStorage.length; i += 1) if (localStorage.key(i).startsWith(PENDING)) begun.push(localStorage.key(i));
  for (const key of begun) {
    const values = partsIn(localStorage.getItem(key)), name = key.slice(PENDING.length);
    try {
      if (values) put(name, values);
    } catch {
      localStorage.removeItem(key);                    // makes room, or no model could be read any more
      put(name, values);
    }
    localStorage.removeItem(key);
  }
}

/** The parts of a model that were kept together; null where something else stands there, which must not hide all other models. */
function partsIn(text) {
  try {
    const values = JSON.parse(text);
    return Array.isArray(values) && values.length === PARTS.length ? values : null;
  } catch {
    return null;
  }
}

const localstorage = {
  save(name, { text, data }, overwrite) {
    settle();
    const { modelTopology, weightSpecs, ...metadata } = JSON.parse(text);
    const info = JSON.stringify(describe({ modelTopology, weightSpecs }, data));
    if (localStorage.getItem(keysOf(name)[0]) !== null && !overwrite) throw failed("exists");
    const values = [info, JSON.stringify(modelTopology), JSON.stringify(weightSpecs), encode(data), JSON.stringify(metadata)];
    replace(name, values);
    return info;
  },
  load(name) {
    settle();
    const [info, topology, specs, weights, metadata] = keysOf(name).map((key) => localStorage.getItem(key));
    if (info === null) throw failed("missing");
    for (const [part, value] of Object.entries({ topology, "weight specs": specs, weights })) {
      if (value === null) throw failed("damaged", `its ${part} are missing`.replace("topology are", "topology is"));
    }
    try {
      const artifacts = { ...JSON.parse(metadata ?? "{}"), modelTopology: JSON.parse(topology), weightSpecs: JSON.parse(specs) };
      return { text: JSON.stringify(artifacts), data: decode(weights) };
    } catch (error) {
      throw failed("damaged", error.message);
    }
  },
  list() {
    settle();
    const found = {};
    for (let i = 0; i < localStorage.length; i += 1) {
      const key = localStorage.key(i);
      if (!key.startsWith(PREFIX) || !key.endsWith("/info") || key.length <= PREFIX.length + 5) continue;
      let info = null;
      try { info = JSON.parse(localStorage.getItem(key)); } catch { /* listed all the same, so that it can be removed */ }
      found[key.slice(PREFIX.length, -5)] = info;
    }
    return JSON.stringify(found);
  },
  remove(name) {
    settle();
    const keys = keysOf(name), info = localStorage.getItem(keys[0]);
    if (keys.every((key) => localStorage.getItem(key) === null)) throw failed("missing");
    for (const key of keys) localStorage.removeItem(key);
    try { JSON.parse(info); } catch { return "null"; }
    return info ?? "null";
  },
};

const downloads = {
  async save(name, { text, data }) {
    const { weightSpecs, ...artifacts } = JSON.parse(text), info = describe({ ...artifacts, weightSpecs }, data);
    const description = { ...artifacts, weightsManifest: [{ paths: [`./${name}.weights.bin`], weights: weightSpecs }] };
    const [ending] = /(\.weights)?\.\w+$/.exec(artifacts.file ?? "") ?? [""];
    const files = ending ? [[name.endsWith(ending) ? name : name + ending, data, "application/octet-stream"]]
      : [[`${name}.json`, JSON.stringify(description), "application/json"], [`${name}.weights.bin`, data, "application/octet-stream"]];
    for (const [file, content, type] of files) {
      const href = URL.createObjectURL(new Blob([content], { type }));
      Object.assign(document.createElement("a"), { href, download: file }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000); // by then the browser has begun
      await new Promise((resolve) => { setTimeout(resolve, 50); }); // two at once, and some browsers keep one only
    }
    return JSON.stringify(info);
  },
};

const STORES = { indexeddb, localstorage, downloads };
const run = (scheme, method, args) => answer(() => {
  const [name, model, overwrite] = args;
  return STORES[scheme][method](name, model, overwrite);
});

/** A worker's way to the stores that only its page has. */
function remote() {
  if (typeof DedicatedWorkerGlobalScope === "undefined" || !(globalThis instanceof DedicatedWorkerGlobalScope)) return null;
  const { port1, port2 } = new MessageChannel();
  const waiting = new Map();
  let number = 0, greeted = null;
  port1.onmessage = ({ data: { id, result } }) => { waiting.get(id)?.(result); waiting.delete(id); };
  const ask = (...message) => new Promise((resolve) => {
    waiting.set(++number, resolve);
    port1.postMessage([number, ...message]);
  });
  const silent = new Promise((resolve) => { setTimeout(resolve, PATIENCE, { failed: "page", message: "" }); });
  postMessage({ event: { type: "message", kind: "pyml-stores", value: { port: port2 } } }, [port2]);
  return async (...message) => {
    greeted ??= Promise.race([ask("hello"), silent]);
    const hello = await greeted;
    return hello.failed ? hello : ask(...message);
  };
}

/** Lets Python in a worker use this page's stores, over a port. */
function serve({ port }) {
  port.onmessage = async ({ data: [id, scheme, method, args] }) => {
    port.postMessage({ id, result: scheme === "hello" ? { value: null } : await run(scheme, method, args) });
  };
}

/** What Python calls, on whichever thread it runs: method(scheme, ...args). */
function open() {
  let away = null;
  const call = (scheme, method, ...args) => {
    if (scheme === "indexeddb" || typeof document !== "undefined") return run(scheme, method, args);
    away ??= remote() ?? (async () => ({ failed: "page", message: "" }));
    return away(scheme, method, args);
  };
  return {
    save: (scheme, name, text, bytes, overwrite) => call(scheme, "save", name, { text, data: joined(bytes) }, overwrite),
    load: (scheme, name) => call(scheme, "load", name),
    list: (scheme) => call(scheme, "list"),
    remove: (scheme, name) => call(scheme, "remove", name),
  };
}

export { open, serve };
