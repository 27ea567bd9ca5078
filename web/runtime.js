// Starts Pyodide with pyml in it and runs Python there. web/worker.js runs this in a Web Worker and
// web/pyml.js on the main thread; both speak to the page through `emit` and the returned object.
import { NOTHING, patience } from "./patience.js";
import { gathering, lineWriter } from "./printing.js";
import { STDLIB, differing, putLater, putPackages, sizesOf, unpacked, withLibraries } from "./ready.js";
import { reseed } from "./seeds.js";

/** What is asked for by the page's address and must be known before Python starts; the rest may come later. */
export const FIRST = ["ready", "webgpu", "jspi", "backend"];

/** A start-up failure the page can explain: `kind` is "download" or "start", `file` the file that failed. */
class StartError extends Error {
  constructor(kind, message, file = null) {
    super(message);
    this.name = "StartError";
    this.kind = kind;
    this.file = file;
  }
}

const LIBRARY = "python_stdlib.zip"; // Python's own modules
const LOCK = "pyodide-lock.json"; // which packages there are
const ENGINE = "pyodide.asm.wasm"; // Python itself
const SCRIPTS = { "pyodide.mjs": new URL("../pyodide/pyodide.mjs", import.meta.url), "pyodide.asm.mjs": new URL("../pyodide/pyodide.asm.mjs", import.meta.url) };
const UNPACKED = "pyml-python"; // the browser's cache of what takes longer to make than to read
const EVAL_BREAKER = 12, CURRENT_FRAME = 52; // where a PyThreadState of Python 3.14 has why its loop is to stop for a look, and where it is
const SIGNALS = 2; // one of those reasons
const CALLS = 8; // of Python at once that wait in its midst: all lie on its one stack of 10 MB, of which fifty functions of C take 0.1 MB
const ASKED = { cache: "no-cache" }; // files under one name in every build: the server says whether the browser's copy is good
const NAMED = { cache: "force-cache" }; // files named by their content: a browser that asks about one anew drops its machine code
const inWorker = typeof document === "undefined";
const fileName = (url) => new URL(url, globalThis.location?.href).pathname.split("/").pop();

/**
 * Counts the bytes of every fetch while `body` runs, and rejects with the name of the first file that fails: at once,
 * since Pyodide does not settle when its WebAssembly is missing, cut short or damaged; and where nothing comes any more.
 *
 * body(files) gets { early(url), expect(sizes), there(url), must(file, bytes), wait(name, promise) }: `early` begins a download that
 * somebody asks for later, or says what is answered in its place; `expect` tells the bytes of files by their names, so that the total is
 * known before the files answer; `there` says that a file is not downloaded; `must` says how long one has to be; `wait` gives what it
 * is given, a file that is loaded in another way.
 */
async function withDownloadProgress(emit, body) {
  const { fetch: original } = globalThis;
  const { instantiateStreaming } = WebAssembly;
  const seen = { loaded: 0, known: false }, sizes = new Map(), begun = new Map(), counting = new Map();
  const absent = new Set(), named = new Set(), lengths = new Map();
  let fail = null;
  const failed = new Promise((resolve, reject) => {
    fail = (file, reason) => reject(new StartError("download", `Could not download ${file}: ${reason}.`, file));
  });
  failed.catch(() => {});
  const watch = patience((file) => fail(file, NOTHING));
  const tell = (file) => {
    if (!seen.known) return;
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    emit({ type: "download", file, loaded: seen.loaded, total: Math.max(total, seen.loaded) });
  };
  const download = async (input, init) => {
    const file = fileName(input?.url ?? String(input));
    if (file === ENGINE) named.add(String(input));
    let response;
    try {
      response = await watch.wait(file, original.call(globalThis, input, init));
    } catch (error) {
      const answer = init?.integrity ? await original.call(globalThis, input, { method: "HEAD", signal: AbortSignal.timeout(10_000) }).catch(() => null) : null;
      const why = init?.integrity ? "it is damaged, or ended early" : `no answer came (${error.message})`; // else a body fails its checksum
      fail(file, refused(file, answer) ?? why);
      throw error;
    }
    const why = refused(file, response);
    if (why) fail(file, why);
    if (!response.body) return response;
    if (file === LOCK) response.clone().json().catch(({ name }) => { if (name === "SyntaxError") fail(file, "it is damaged, or ended early"); });
    const plain = !response.headers.get("content-encoding"); // else its length is not that of what arrives here
    if (plain || !sizes.has(file)) sizes.set(file, Number(response.headers.get("content-length")) || 0);
    counting.set(file, watch.wait(file, count(file, response.clone().body.getReader()))); // the response itself is the browser's own, which keeps its machine code
    return response;
  };
  const count = async (file, reader) => {
    let here = 0;
    try {
      for (let next; !(next = await reader.read()).done;) {
        watch.heard();
        here += next.value.byteLength;
        seen.loaded += next.value.byteLength;
        tell(file);
      }
      if (here !== (lengths.get(file) ?? here)) fail(file, "it is damaged, or ended early");
      return true;
    } catch (error) {
      fail(file, `it ended early (${error.message})`);
      return false;
    }
  };
  globalThis.fetch = (input, init) => {
    const url = new URL(input?.url ?? String(input), globalThis.location?.href).href;
    const early = begun.get(url);
    begun.delete(url);
    return early ?? download(input, init);
  };
  WebAssembly.instantiateStreaming = async (...args) => {
    try {
      return await instantiateStreaming.apply(WebAssembly, args);
    } catch (error) {
      if ((await counting.get(ENGINE)) === false) throw error; // what its download has to say comes first; another try asks for the rest
      for (const url of named) original.call(globalThis, url, { cache: "reload" }).then((answer) => answer.arrayBuffer()).catch(() => {}); // for another try
      fail(ENGINE, `it is damaged (${error.message})`);
      throw error;
    }
  };
  const files = {
    wait: watch.wait,
    must: (file, bytes) => lengths.set(file, bytes),
    early(url, response = download(url, ASKED)) {
      response.catch(() => {}); // the first that fails ends all this
      begun.set(url, response);
    },
    expect(bytes) {
      for (const [file, size] of Object.entries(bytes)) if (!absent.has(file)) sizes.set(file, size);
      seen.known = true;
      tell("");
    },
    there(url) {
      absent.add(fileName(url));
      sizes.delete(fileName(url));
      tell(""); // the total is smaller now
    },
  };
  try {
    return await Promise.race([body(files), failed]);
  } finally {
    watch.end();
    globalThis.fetch = original;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

/** How a server refused a file, as some do with a page of theirs; undefined where it did not. */
function refused(file, answer) {
  if (answer && !answer.ok) return `the server answered ${answer.status}`;
  if (answer?.headers.get("content-type")?.startsWith("text/html") && !file.endsWith(".html")) return "the server answered with a page";
  return undefined;
}

/** Why a script did not load, which browsers do not say. */
async function whyNot(url, error) {
  if (error instanceof SyntaxError) return "it is damaged, or ended early";
  const answer = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(10_000) }).catch(() => null);
  return refused(fileName(url), answer) ?? "it did not come, or ended early";
}

/** Hides what the page asked to do without, so that tests and users can see the fallbacks. */
function switchOff({ webgpu, jspi }) {
  if (webgpu === "off") Object.defineProperty(globalThis.navigator, "gpu", { value: undefined, configurable: true });
  if (jspi === "off") for (const name of ["Suspending", "promising", "SuspendError"]) delete WebAssembly[name];
}

/** Asks for the adapter that replay.js wants while Python starts. */
function askForAdapter() {
  globalThis.pymlAdapter = globalThis.navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  globalThis.pymlAdapter?.catch(() => {}); // who takes it hears of that
}

/** What `pyml build` has ready, by ready.json: a memory or none, and the bytes of every file of a start. */
async function readyPlan(indexURL) {
  try {
    const answer = await fetch(new URL("ready.json", indexURL), ASKED);
    const plan = answer.ok ? await answer.json() : {};
    return plan.format === 6 ? plan : { sizes: {} };
  } catch {
    return { sizes: {} };
  }
}

/** The browser's cache of unpacked files and memories; none outside secure contexts, and where a browser keeps nothing. */
async function openUnpacked() {
  try {
    return await globalThis.caches?.open(UNPACKED);
  } catch {
    return undefined;
  }
}

/** What `use` makes of the answer for a file named by its content; of a new one where that is damaged, as the browser kept it. */
const loaded = (url, use) => use(fetch(url, NAMED)).catch(() => use(fetch(url, { cache: "reload" })));

/** The bytes of a body, in pieces. */
async function pieces(body) {
  const found = [], arriving = body.getReader();
  for (let next; !(next = await arriving.read()).done;) found.push(next.value);
  return found;
}

/** Files in `folder` that `pyml build` compressed, as earlier visits unpacked them; what this visit has to unpack is kept for later ones. */
function unpacking(folder, there) {
  const opened = openUnpacked(), wanted = new Set(), fresh = new Map(); // url -> pieces
  return {
    /** The bytes of a file, in pieces. */
    async get(url) {
      wanted.add(url);
      const kept = await (await opened)?.match(url).catch(() => null);
      if (kept) there(url);
      if (kept) return [new Uint8Array(await kept.arrayBuffer())];
      const found = await loaded(url, async (answer) => pieces((await answer).body.pipeThrough(new DecompressionStream("gzip"))));
      fresh.set(url, found);
      return found;
    },
    /** Keeps what was unpacked, and forgets files of former builds. */
    async keep() {
      const cache = await opened;
      const former = (url) => url.startsWith(folder) && url.endsWith(".gz") && !wanted.has(url);
      try {
        for (const { url } of fresh.size && cache ? await cache.keys() : []) if (former(url)) await cache.delete(url);
        for (const [url, found] of cache ? fresh : []) await cache.put(url, new Response(new Blob(found)));
      } finally {
        fresh.clear(); // where there is no room the next visit unpacks again
      }
    },
    /** Forgets what was kept of these files: it was of no use. */
    async forget() {
      const cache = await opened;
      for (const url of cache ? wanted : []) await cache.delete(url);
    },
  };
}

/**
 * Starts Pyodide from the memory of one that has imported numpy and pyml; null where it cannot be used: of another build,
 * damaged, or more than this browser gives.
 */
async function bootReady(module, factory, plan, options, mark, { early, there }) {
  const at = (name) => new URL(name, options.indexURL).href, files = unpacking(options.indexURL, there);
  const memory = { bytes: plan.bytes, head: new Uint8Array(plan.head), kept: files.get(at(plan.memory)), reseed };
  const modules = files.get(at(plan.modules)).then(async (found) => new Map(unpacked(new Uint8Array(await new Blob(found).arrayBuffer()))));
  const compiled = async ([path, file]) => [path, await (file ? loaded(at(file), WebAssembly.compileStreaming) : WebAssembly.compile((await modules).get(path)))];
  const libraries = Promise.all(plan.libraries.map(compiled));
  for (const promise of [memory.kept, modules, libraries]) promise.catch(() => {});
  const library = at(LIBRARY);
  early(library, Promise.resolve(new Response(""))); // what of it a start needs is in the memory
  memory.kept.then(() => mark("memory unpacked"), () => {});
  libraries.then(() => mark("numpy's libraries compiled"), () => {});
  try {
    const py = await module.loadPyodide({ ...options, createPyodideModule: withLibraries(factory, libraries, memory), _loadSnapshot: memory.head });
    mark("Python goes on from its memory");
    putPackages(py.FS, await modules, plan.libraries.map(([path]) => path));
    for (const name of ["numpy", "pyml"]) py.loadedPackages[name] = "ready";
    py.runPython(ANEW);
    const loadRest = putLater(py.FS, STDLIB, plan.sizes[LIBRARY], library);
    py.needed = [plan.memory, plan.modules].map(at); // whether this visit loads them or an earlier one did
    py.afterStart = async () => {
      await loadRest().catch(() => {}); // a module that needs it asks again
      await files.keep();
    };
    mark("packages placed");
    return py;
  } catch (error) {
    console.warn("pyml: starting Python from nothing,", error.message);
    early(library);
    await files.forget().catch(() => {});
    return null;
  }
}

/**
 * Starts Pyodide from nothing. Most of such a start is Python setting itself up, so the memory of a fresh interpreter is kept
 * in the browser's cache, and a later visit goes on from there (benchmarks/page_ready.py times both).
 */
async function boot(module, factory, options) {
  const jspi = "Suspending" in WebAssembly, thread = inWorker ? "worker" : "page";
  const keyOf = (form) => new URL(`memory-${form}${module.version}-${thread}-${jspi}`, options.indexURL).href, key = keyOf("seeds-");
  const cache = await openUnpacked();
  cache?.delete(keyOf("")).catch(() => {}); // of a form that had one seed for all visits
  const kept = await cache?.match(key).catch(() => null);
  if (kept) {
    try {
      const whole = new Uint8Array(await kept.arrayBuffer()), memory = { ...sizesOf(whole), kept: [whole], reseed };
      const py = await module.loadPyodide({ ...options, createPyodideModule: withLibraries(factory, [], memory), _loadSnapshot: memory.head });
      py.runPython("import random; random.seed()");
      return py;
    } catch (error) {
      await cache.delete(key); // of another build, or damaged: start from nothing
      console.warn("pyml: starting Python anew,", error.message);
    }
  }
  let fresh = null;
  const createPyodideModule = cache ? withLibraries(factory, [], null, (memory) => { fresh = memory; }) : await factory;
  const py = await module.loadPyodide({ ...options, createPyodideModule, _makeSnapshot: Boolean(cache) });
  if (cache) {
    try {
      const whole = py.makeMemorySnapshot(), { seedWords } = await import("./seedwords.js");
      cache.put(key, new Response(new Blob(differing(whole, fresh, seedWords(py._module))))).catch(() => {}); // no room: the next start is a full one
    } catch (error) {
      console.warn("pyml: this start cannot be kept,", error.message);
    }
    // while memory is kept, Python sees the page's globals through a Proxy, whose objects no browser function accepts
    py.registerJsModule("js", globalThis);
    py.runPython("import sys; sys.modules.pop('js', None)");
  }
  return py;
}

/**
 * Loads Pyodide and pyml.
 *
 * options: indexURL (folder of pyodide.mjs), packages, files ([{ path, url }] put in Python's folder), run (the one of
 * them, by its path, that is run when all is ready),
 * backend (null | "webgpu" | "wasm" | "cpu"), ready ("off" starts Python from nothing), webgpu, jspi and relaxed ("off" hides them), threads (how many
 * the wasm device takes), interrupts (SharedArrayBuffer | null).
 * told(event): { type: "phase" | "download" | "stdout" | "stderr" | "message" | "ask", ... }; who hears "ask" calls answer(number, text).
 * rest: a promise of all options where `options` has only the indexURL and those of FIRST.
 */
export async function startRuntime(options, told, rest = Promise.resolve(options)) {
  const emit = gathering(told);
  switchOff(options);
  if ((options.backend ?? "webgpu") === "webgpu") askForAdapter();
  const phase = (name, text) => emit({ type: "phase", name, text });
  phase("download", "Downloading Python");
  const times = [];
  const mark = (name) => times.push([name, performance.timeOrigin + performance.mark(name).startTime]); // shown in profiles too
  mark("Python's own start begins");
  const py = await withDownloadProgress(emit, async (downloads) => {
    const { early, expect, must, wait } = downloads;
    const at = (name) => new URL(name, options.indexURL).href;
    early(at(LOCK));
    const answered = rest.then(({ files = [] }) => Promise.all(files.map(async ({ path, url }) => [path, await fetch(url, ASKED)])));
    const files = answered.then((answers) => Promise.all(answers.map(async ([path, answer]) => [path, new Uint8Array(await answer.arrayBuffer())])));
    files.catch(() => {}); // the first that fails ends all this
    const script = (name) => wait(name, import(at(name) + SCRIPTS[name].search)).catch(async (error) => {
      throw new StartError("download", `Could not download ${name}: ${await whyNot(at(name), error)}.`, name);
    });
    const factory = script("pyodide.asm.mjs").then((loaded) => loaded.default);
    factory.catch(() => {});
    const bringEngine = (plan) => early(at(ENGINE), plan.engine ? fetch(at(`${ENGINE}?${plan.engine}`), NAMED) : undefined);
    const planned = readyPlan(options.indexURL).then((plan) => (bringEngine(plan), plan));
    const [module, plan] = await Promise.all([script("pyodide.mjs"), planned]);
    mark("scripts loaded");
    const loading = {
      indexURL: options.indexURL,
      ...(inWorker ? { stdin: () => null } : {}), // a worker has no prompt(): reading ends at once, and input() asks the page
    };
    const useReady = plan.memory && options.ready !== "off";
    const { [LIBRARY]: later, ...sizes } = plan.sizes;
    answered.then(() => expect(useReady ? sizes : plan.memory ? {} : plan.sizes), () => {});
    if (later) must(LIBRARY, later); // which is read on without a word
    if (!useReady) early(at(LIBRARY));
    let loaded = useReady && (await bootReady(module, factory, plan, loading, mark, downloads));
    if (useReady && !loaded) bringEngine(plan);
    loaded ||= await boot(module, factory, loading);
    mark("Python started");
    options = await rest;
    const packages = options.packages.filter((name) => !(name in loaded.loadedPackages));
    if (packages.length) await loaded.loadPackage(packages, { messageCallback: () => {} });
    const missing = options.packages.filter((name) => !(name in loaded.loadedPackages));
    if (missing.length) throw new StartError("download", `Could not load ${missing.join(", ")}.`, missing[0]);
    mark("packages loaded");
    for (const [path, bytes] of await files) writeFile(loaded, path, bytes);
    mark("files written");
    return loaded;
  });

  const out = lineWriter((text) => emit({ type: "stdout", text })), err = lineWriter((text) => emit({ type: "stderr", text }));
  keepStacks(py._module);
  py.setStdout(out);
  py.setStderr(err);
  let working = 0; // calls that are not done
  let broken = null; // what every call hears after Python's own code has failed
  const giveUp = new Set(); // of the calls that are not done
  py._api.on_fatal = () => {
    broken = Object.assign(new Error("Python broke down and must be started again: reload the page."), { kind: "broken" });
    for (const each of giveUp) each(broken);
  };
  /** Waits for Python, then sends what it printed, a last line without an end too where nothing else runs that may end it. */
  const heard = async (work) => {
    working += 1;
    let reject = null;
    const over = new Promise((_, no) => { reject = no; });
    try {
      if (broken) throw broken;
      giveUp.add(reject);
      return await Promise.race([work(), over]);
    } catch (error) {
      throw broken ?? error;
    } finally {
      giveUp.delete(reject);
      if (--working === 0 && !broken) {
        flushed();
        out.end();
        err.end();
      }
      emit.flush();
    }
  };
  /** Has Python send what it holds; an interrupt that came too late for its call ends this instead, and not the next call. */
  const flushed = () => {
    try {
      py.runPython(FLUSH);
    } catch {
      py.runPython(FLUSH);
    }
  };
  const calls = fewAtOnce(CALLS);
  let isCoroutine = null;
  const flags = { stopping: false };
  const questions = []; // of input(), by their numbers: who waits for the answer
  py.registerJsModule("pyml_page", {
    post: (kind, text) => emit({ type: "message", kind, value: parse(text) }),
    stopping: () => flags.stopping,
    ask(text) {
      emit.flush();
      if (!inWorker) return globalThis.prompt(text) ?? undefined;
      return new Promise((resolve) => emit({ type: "ask", text, number: questions.push(resolve) - 1 }));
    },
  });
  if (options.interrupts) py.setInterruptBuffer(bell(new Uint8Array(options.interrupts), () => haveItLook(py._module)));

  phase("start", "Starting pyml");
  py.runPython("import numpy");
  mark("numpy imported");
  py.runPython("import pyml.config");
  mark("pyml imported");
  const facts = await py.runPythonAsync(BOOT, { globals: py.toPy({ IN_WORKER: inWorker, backend: options.backend ?? undefined, relaxed: options.relaxed ?? undefined, threads: options.threads ?? undefined, programs: options.programs ?? undefined, page: options.page ?? undefined, shipped: options.shipped ?? undefined }) });
  const info = JSON.parse(facts);
  mark("device open");
  if (options.run) await py.runPythonAsync(py.FS.readFile(options.run, { encoding: "utf8" }), { filename: options.run });
  if (options.run) mark("the page's Python ran");
  info.times = times;
  info.files = [...performance.getEntriesByType("resource").map((entry) => entry.name), ...(py.needed ?? [])];
  tellOfLater(emit);
  phase("ready", `Ready: ${info.summary}`);
  py.afterStart?.().catch(() => {}); // no room: the next visit unpacks again

  const plain = (value) => {
    if (!value?.toJs) return value ?? null;
    const copy = value.toJs({ dict_converter: Object.fromEntries });
    const kept = copy === value || copy instanceof py.ffi.PyProxy; // a figure, a model: what JavaScript has no form for stays in Python
    value.destroy();
    return kept ? null : withNull(copy);
  };
  return {
    info,
    runPython: (code, filename = "<page>") => heard(async () => plain(await py.runPythonAsync(code, { filename }))),
    /** Calls a Python function of the main module by name and waits for its result. */
    call: (name, args) => heard(async () => {
      const callable = py.globals.get(name);
      if (!callable) throw new Error(`Python has no function named ${name}`);
      isCoroutine ??= py.runPython(IS_COROUTINE);
      const converted = args.map((value) => py.toPy(value ?? undefined)); // null would not become None
      try {
        const canWait = "Suspending" in WebAssembly; // JSPI: only then may Python be called in a way that can pause
        if (!canWait) return plain(await callable(...converted));
        const call = async () => plain(await callable.callPromising(...converted));
        return await (isCoroutine(callable) ? call() : calls(call));
      } finally {
        callable.destroy();
        for (const value of converted) value?.destroy?.();
      }
    }),
    write: (path, text) => writeFile(py, path, new TextEncoder().encode(text)),
    stop(on) { flags.stopping = on; },
    /** What the page was told to input(); null ends the program as Ctrl+C does. */
    answer(number, text) { questions[number](text ?? undefined); },
  };
}

/**
 * Calls that wait in Python's midst share one stack; where one goes on, Pyodide copies away what others have where it may write.
 * Of those that began at the very place where it did, 314.0.3 forgets the last without a copy, which then reads what
 * others wrote there: memory out of bounds, or a wait without end. And Python's collector goes along the frames of all calls, which must
 * not lead it where a copy was taken from.
 */
function keepStacks(module) {
  if (!module.StackState) return; // a browser without JSPI, where no call can wait
  const waiting = new Map(), { prototype } = module.StackState, { restore, _save_up_to } = prototype; // each with its thread state
  Object.defineProperty(prototype, "_copy", { // its constructor sets it first
    get() { return this.copied; },
    set(bytes) {
      this.copied = bytes;
      if (!waiting.has(this)) waiting.set(this, { at: (module._PyThreadState_GetUnchecked() + CURRENT_FRAME) >>> 2, frame: 0 });
    },
  });
  prototype._save_up_to = function (stop) {
    const copied = _save_up_to.call(this, stop), mine = waiting.get(this);
    if (copied && !mine.frame) {
      mine.frame = module.HEAP32[mine.at];
      module.HEAP32[mine.at] = 0;
    }
    return copied;
  };
  prototype.restore = function () {
    for (const other of waiting.keys()) if (other !== this && other.stop === this.stop) other._save();
    const copied = restore.call(this), { at, frame } = waiting.get(this);
    if (frame) module.HEAP32[at] = frame;
    waiting.delete(this);
    return copied;
  };
}

/** Does what it is given at once, or where `most` are not done yet, when one of those is. */
function fewAtOnce(most) {
  let doing = 0;
  const waiting = [];
  return async (work) => {
    if (doing < most) doing += 1;
    else await new Promise((resolve) => { waiting.push(resolve); }); // and takes that one's place
    try {
      return await work();
    } finally {
      if (waiting.length) waiting.shift()();
      else doing -= 1;
    }
  };
}

/** What Python gave, with null for None in lists and dictionaries too, where Pyodide puts undefined. */
function withNull(value) {
  if (value === undefined) return null;
  if (Array.isArray(value)) value.forEach((each, i) => { value[i] = withNull(each); });
  else if (value?.constructor === Object) for (const name of Object.keys(value)) value[name] = withNull(value[name]);
  return value;
}

/**
 * The interrupt buffer as Pyodide reads it: it reads a place, then puts 0 there, and an interrupt between the two would be lost.
 * `ring` is called where one is heard.
 */
export function bell(places, ring = () => {}) {
  let heard = 0;
  return {
    get 0() {
      heard = places[0];
      if (heard) ring();
      return heard;
    },
    set 0(quiet) { Atomics.compareExchange(places, 0, heard, quiet); },
  };
}

/**
 * Has the Python that runs look for signals. Beside a call that waits, others run in thread states of their own (and after it, where they
 * ended in another order than they began), but CPython tells of a signal only its first, which may wait for long, or never run again.
 */
function haveItLook({ HEAP32, _PyThreadState_GetUnchecked }) {
  const state = _PyThreadState_GetUnchecked();
  if (state) HEAP32[(state + EVAL_BREAKER) >>> 2] |= SIGNALS;
}

/** Tells the page which files are loaded from now on: modules that come late, data, programs. */
function tellOfLater(emit) {
  const tell = (list) => emit({ type: "message", kind: "files", value: list.getEntries().map((entry) => entry.name) });
  if (globalThis.PerformanceObserver) new PerformanceObserver(tell).observe({ type: "resource" });
}

const BEYOND_JSON = { NaN, Infinity, "-Infinity": -Infinity };

/** JSON as Python writes it, in which NaN and infinities are numbers. */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (found) => (found[0] === '"' ? found : `"\\u0000${found}"`));
    if (marked === text) throw error;
    return JSON.parse(marked, (key, value) => (typeof value === "string" && value[0] === "\0" ? BEYOND_JSON[value.slice(1)] ?? value : value));
  }
}

function writeFile(py, path, bytes) {
  const folder = path.split("/").slice(0, -1).join("/");
  if (folder) py.FS.mkdirTree(folder);
  py.FS.writeFile(path, bytes);
}

// What differs from one visit to the next although the memory is the same.
const ANEW = `
import random, sys
import numpy.random
import pyml.random
random.seed()
numpy.random.seed()
pyml.random.seed_everything(None)
sys.path[:] = dict.fromkeys(sys.path)
del random, numpy, pyml, sys
`;

const IS_COROUTINE = "lambda function: bool(getattr(getattr(function, '__code__', None), 'co_flags', 0) & 0x80)"; // waits on no stack
const FLUSH = "import sys; sys.stdout.flush(); sys.stderr.flush()";

const BOOT = `
import builtins, json, os, sys, warnings

import pyml_page
from pyml import __version__, config
from pyml.interrupting import let_imports_end
from pyodide.ffi import can_run_sync, run_sync

let_imports_end()

if relaxed == "off":
    os.environ["PYML_WASM_RELAXED"] = "0"
if threads:
    os.environ["PYML_WASM_THREADS"] = threads
if programs:
    os.environ["PYML_CACHE"] = programs
for name, value in (("PYML_PAGE", page), ("PYML_PROGRAMS", shipped)):
    if value:
        os.environ[name] = value
await config.init_async(backend)
if "." not in sys.path:
    sys.path.insert(0, ".")

def ask(text="", /):
    "Asks whoever sits before the page for a line."
    if IN_WORKER and not can_run_sync():
        raise RuntimeError("input() cannot wait for an answer in this browser (no JSPI). Write the answer into the code instead, such as name = 'Ada'.")
    answer = pyml_page.ask(str(text))
    if IN_WORKER:
        answer = run_sync(answer)
    if answer is None:
        raise KeyboardInterrupt("input() was cancelled")
    print(text, answer, sep="")
    return answer

builtins.input = ask

def tell(message, category, filename, line, file=None, text=None):
    print(f"{category.__name__}: {message}", file=sys.stderr)
    if "numpy" not in filename:  # its warnings are about single operations
        pyml_page.post("warning", json.dumps(str(message)))

warnings.showwarning = tell
for module in ("pyml", "page"):  # a page trains again and again, and must be told each time
    warnings.filterwarnings("always", category=RuntimeWarning, module=module)
details = config.describe()
facts = dict(line.split(None, 1) for line in details.splitlines())
name, _, reason = facts["backend"].partition(" (")
json.dumps({
    "version": __version__,
    "backend": name,
    "reason": reason.removesuffix(")"),
    "summary": {"webgpu": f"computing on the GPU, {facts.get('adapter', 'unnamed')}", "wasm": "computing on the processor, with WebAssembly"}.get(
        name, "computing on the processor, with numpy"),
    "details": details,
    "canWait": name != "webgpu" or can_run_sync(),
})
`;
