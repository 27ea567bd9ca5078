// Loads Python and pyml for a page. Everything comes from the folder that this file lies in, on the page's own host or another.
//
//   import { loadPyml } from "../../web/pyml.js";
//   const pyml = await loadPyml({ status: document.querySelector("#status") });
//   await pyml.run("two_moons.py");
//
// Python runs in a Web Worker, so a page stays smooth while a model trains; { worker: false } keeps it on the
// main thread. The address of the page may say ?thread=main, ?backend=wasm, ?webgpu=off, ?jspi=off,
// ?relaxed=off, ?threads=1, ?ready=off or ?programs=off.
import { NOTHING, patience, patiently } from "./patience.js";
import { showStatus } from "./status.js";

const HERE = import.meta.url;
const OWN_HOST = new URL(HERE).origin === location.origin; // browsers start workers, also service workers, from there only

/** What the page's address asks for; options given to loadPyml come first. */
export function addressOptions(search = location.search) {
  const asked = new URLSearchParams(search);
  return {
    worker: asked.get("thread") !== "main",
    backend: asked.get("backend"),
    webgpu: asked.get("webgpu"),
    jspi: asked.get("jspi"),
    relaxed: asked.get("relaxed"),
    threads: asked.get("threads"),
    ready: asked.get("ready"),
    programs: asked.get("programs"),
  };
}

// Those of `loadPyml`, and behind "webgpu" those for tests and for addresses.
const OPTIONS = ["worker", "status", "indexURL", "packages", "files", "backend", "programs", "offline", "run",
  "webgpu", "jspi", "relaxed", "threads", "ready", "page", "shipped"];

/**
 * Starts Python with pyml in it.
 *
 * options:
 *   worker    true (default): in a Web Worker; false: on the page's own thread.
 *   status    element that shows progress and failures, or a function that receives the events.
 *   indexURL  folder of pyodide.mjs and its lock file; default ../pyodide/ beside this file.
 *   packages  names from the lock file; default ["numpy", "pyml"].
 *   files     [{ path, url }] written into Python's working folder before anything runs.
 *   backend   "webgpu", "wasm", "cpu" or null to let pyml choose.
 *   programs  "off": nothing that was compiled is kept for the next visit, nor taken from the last.
 *
 *   offline   true: a service worker keeps what this page needed, so that it opens without a network from the next visit on.
 *   run       the path of one of the files, which is run when all is ready.
 *
 * Throws a TypeError for an option that is none of these.
 *
 * Resolves to an object with info, run, runPython, call, write, on, stop, interrupt, restart and close. Rejects with an
 * Error whose `kind` is "download" (and `file` the file's name) or "start"; with a status element the user is
 * offered another try first, and the promise waits for it.
 */
export async function loadPyml(options = {}) {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown) throw new TypeError(`loadPyml has no option "${unknown}". It has ${OPTIONS.slice(0, OPTIONS.indexOf("webgpu")).join(", ")}.`);
  const settings = {
    indexURL: new URL("../pyodide/", HERE).href,
    packages: ["numpy", "pyml"],
    files: [],
    page: location.pathname.replace(/index\.html$/, ""),
    shipped: new URL("programs.json", HERE).href,
    ...addressOptions(),
    ...options,
  };
  settings.indexURL = new URL(settings.indexURL.replace(/\/?$/, "/"), location.href).href;
  settings.files = settings.files.map(({ path, url }) => ({ path, url: new URL(url, location.href).href }));
  const status = typeof settings.status === "function" ? settings.status : showStatus(settings.status);
  const { offline } = settings;
  delete settings.status;
  delete settings.offline;
  askForIsolation();
  const pyml = client(settings, status);
  const keepAll = offline ? keepingForOffline(pyml, settings.indexURL) : null;
  await pyml.start();
  keepAll?.();
  return pyml;
}

const WORKER = [new URL("./worker.js", HERE), new URL("./runtime.js", HERE), new URL("./ready.js", HERE), new URL("./seeds.js", HERE), new URL("./printing.js", HERE), new URL("./patience.js", HERE)].map(({ href }) => href);
const RUNTIME = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];

/** Whether a text is a module; nothing of one that imports others runs, as these are not found from here. */
async function parses(text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  try {
    await import(url);
  } catch (error) {
    return !(error instanceof SyntaxError);
  } finally {
    URL.revokeObjectURL(url);
  }
  return true;
}

/** What is wrong with a file, a script looked at as a whole; null where nothing is. */
async function wrongWith(url) {
  const whole = WORKER.includes(url);
  let answer = null;
  try {
    answer = await fetch(url, { method: whole ? "GET" : "HEAD", cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) return `the server answered ${answer.status}`;
    if (answer.headers.get("content-type")?.startsWith("text/html")) return "the server answered with a page";
    return !whole || (await parses(await answer.text())) ? null : "it is damaged, or ended early";
  } catch ({ name, message }) {
    if (name === "TimeoutError") return NOTHING;
    return answer ? `it ended early (${message})` : `no answer came (${message})`;
  }
}

/** A failure of the start that names the file behind it: browsers do not say which script of a worker is missing. */
async function explained(error, indexURL) {
  if (error.kind === "download" && error.file) return error;
  for (const url of [...WORKER, ...RUNTIME.map((name) => new URL(name, indexURL).href)]) {
    const file = new URL(url).pathname.split("/").pop(), reason = await wrongWith(url);
    if (reason) return Object.assign(new Error(`Could not download ${file}: ${reason}.`), { kind: "download", file });
  }
  return error;
}

/** Lets a service worker add the isolation headers where the server does not; they come with the next visit. */
function askForIsolation() {
  if (globalThis.crossOriginIsolated || !navigator.serviceWorker || !isSecureContext || !OWN_HOST) return;
  navigator.serviceWorker.register(new URL("../sw.js", HERE)).catch(() => {}); // pages work without it
}

/**
 * Has the service worker keep the files of this page and of Python: those of the start once the function that this gives is called,
 * and from then on each that comes later. Networks are kept by `pyml.hub`.
 */
function keepingForOffline(pyml, indexURL) {
  if (!navigator.serviceWorker || !isSecureContext || !OWN_HOST) return () => {};
  const late = [], networks = new URL("../models/", HERE).href;
  const own = (urls) => [...new Set(urls)].filter((url) => url.startsWith(`${location.origin}/`) && !url.startsWith(networks));
  let keeper = null;
  const also = (urls) => {
    late.push(...urls);
    if (keeper && late.length) keeper.postMessage({ also: own(late.splice(0)) });
  };
  const named = (entries) => entries.map((entry) => entry.name);
  pyml.on("files", also);
  return async () => {
    const files = [...(pyml.info.files ?? []), ...named(performance.getEntriesByType("resource"))];
    new PerformanceObserver((list) => also(named(list.getEntries()))).observe({ type: "resource" });
    try {
      const script = new URL(globalThis.crossOriginIsolated ? "../sw.js?next" : "../sw.js", HERE);
      if (!(await navigator.serviceWorker.getRegistration(new URL("../", HERE)))) await navigator.serviceWorker.register(script);
      const { active } = await navigator.serviceWorker.ready;
      const page = location.href.replace(/[?#].*/, "");
      const versioned = new Set(files.map((url) => url.replace(/\?.*/, ""))); // some by their content
      const runtime = [...RUNTIME, "ready.json"].map((name) => new URL(name, indexURL).href).filter((url) => !versioned.has(url));
      active.postMessage({ keep: own([page, ...files, ...WORKER, ...runtime]) });
      keeper = active;
      also([]);
    } catch {
      // a browser that allows no service worker: pages need a network
    }
  };
}

/** The worker's script; for another host a script of the page's own that imports it. */
function workerScript() {
  const script = new URL("./worker.js", HERE);
  if (OWN_HOST) return script;
  return URL.createObjectURL(new Blob([`import ${JSON.stringify(script.href)};`], { type: "text/javascript" }));
}

/** The worker that early.js made, if it has begun as these settings say. */
function earlyWorker(settings) {
  const { pymlWorker: worker } = globalThis, asked = addressOptions();
  globalThis.pymlWorker = null;
  const same = settings.indexURL === new URL("../pyodide/", HERE).href && ["ready", "webgpu", "jspi"].every((name) => settings[name] === asked[name]);
  if (worker && same && !worker.failed) return worker;
  worker?.terminate();
  return null;
}

const closed = () => Object.assign(new Error("Python was closed; call loadPyml again."), { kind: "ended" });

/** Python behind postMessage. */
function workerConnection(settings) {
  const worker = earlyWorker(settings) ?? new Worker(workerScript(), { type: "module" });
  const waiting = new Map();
  let next = 1, started = false, ended = null;
  const connection = {
    thread: "worker",
    onevent: null,
    onidle: () => {},
    get busy() { return waiting.size > 0; },
    request(method, args) {
      return new Promise((resolve, reject) => {
        if (ended) throw ended; // nobody would ever answer
        worker.postMessage({ id: next, method, args }); // throws where something cannot be sent
        waiting.set(next++, { resolve, reject });
      });
    },
    close(error = closed()) {
      watch.end();
      ended = closed();
      worker.terminate();
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
  const broken = (why) => connection.close(Object.assign(new Error(`Python could not be started: ${why}.`), { kind: "start" }));
  const watch = patience(() => broken(`${NOTHING} of the worker's scripts`));
  watch.wait("worker.js", new Promise(() => {})); // until it says something
  worker.onmessage = ({ data }) => {
    if (!started) watch.end();
    started = true;
    if (data.event) return connection.onevent(data.event);
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (!waiting.size) connection.onidle();
    if (data.error) reject(Object.assign(new Error(data.error.message), data.error));
    else resolve(data.value);
  };
  worker.onerror = (event) => {
    if (started) return; // an error that nobody caught in there; Python goes on
    event.preventDefault();
    const script = /\/([^/?]+\.js)(\?|$)/.exec(event.filename ?? "")?.[1];
    broken(event.message ? `${script ? `${script}: ` : ""}${event.message}` : "a script of the worker did not load");
  };
  return connection;
}

/** Python on this thread, with the same face. */
function pageConnection() {
  let runtime = null;
  const connection = {
    thread: "main",
    onevent: null,
    async request(method, args) {
      if (method !== "start" && !runtime) throw closed();
      if (method !== "start") return runtime[method](...args);
      const { startRuntime } = await patiently("runtime.js", import("./runtime.js"));
      runtime = await startRuntime(args[0], (event) => connection.onevent(event));
      return runtime.info;
    },
    close() { runtime = null; },
  };
  return connection;
}

function client(settings, status) {
  const served = []; // takes cameras and microphones away from the worker
  const serveMedia = async (request) => { served.push((await import("./media.js")).serve(request)); };
  const serveStores = async (request) => (await import("./stores.js")).serve(request);
  let visor = null; // most pages have none
  const showFigure = async (message) => {
    visor ??= import("./visor.js"); // one promise, as those of several imports may be kept in another order
    (await visor).hear(message);
  };
  const listeners = new Map([["pyml-media", [serveMedia]], ["pyml-stores", [serveStores]], ["visor", [showFigure]]]);
  const { worker, ...options } = settings;
  const shared = worker && globalThis.crossOriginIsolated ? new SharedArrayBuffer(1) : null;
  options.interrupts = shared;
  let connection = null;
  const ask = async ({ number, text }) => {
    const asking = connection;
    await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); }); // what was printed and drawn before is seen
    asking.request("answer", [number, prompt(text || "The program asks for a line:")]).catch(() => {}); // Python was ended meanwhile
  };
  const hear = (event) => {
    if (event.type === "message") for (const listen of listeners.get(event.kind) ?? []) listen(event.value);
    else if (event.type === "stdout" || event.type === "stderr") for (const listen of listeners.get(event.type) ?? []) listen(event.text);
    else if (event.type === "ask") ask(event);
    else status(event);
  };
  const close = (error) => {
    for (const takeAway of served.splice(0)) takeAway();
    connection.close(error);
  };
  return {
    info: null,
    thread: worker ? "worker" : "main",
    /** Starts Python, again if it does not start and the user says so. */
    async start() {
      for (;;) {
        const mine = worker ? workerConnection(options) : pageConnection();
        connection = mine;
        mine.onevent = hear;
        mine.onidle = () => { if (shared) new Uint8Array(shared)[0] = 0; }; // an interrupt that came too late is none of the next call
        try {
          this.info = await mine.request("start", [options]);
          return;
        } catch (failure) {
          if (failure.kind === "ended") throw failure; // by `close` or another `restart`: nothing is wrong, and the newest goes on
          mine.close();
          const again = status({ type: "failed", error: await explained(failure, options.indexURL) });
          if (!again?.then) throw failure;
          await again;
          if (!worker) location.reload(); // a page remembers which modules failed
        }
      }
    },
    /**
     * Ends Python whatever it does, and starts it anew: files are fetched and run again, all else is gone. Requests
     * that wait reject with an Error whose `kind` is "ended". Only a worker can be ended; false on the main thread.
     */
    async restart() {
      if (!worker) return false;
      close(Object.assign(new Error("Python was ended."), { kind: "ended" }));
      if (shared) new Uint8Array(shared)[0] = 0;
      await this.start();
      return true;
    },
    /** Fetches a Python file, relative to the page, and runs it. */
    async run(file) {
      const response = await fetch(new URL(file, location.href), { cache: "no-cache" });
      if (!response.ok) throw new Error(`Could not download ${file}: the server answered ${response.status}.`);
      const source = await response.text().catch((error) => { throw new Error(`Could not download ${file}: it ended early (${error.message}).`); });
      return this.runPython(source, file);
    },
    /** Runs Python source; top-level await works. Resolves to the value of the last expression, null where JavaScript has no form for it. */
    runPython: (code, filename) => connection.request("runPython", [code, filename]),
    /** Calls a Python function of the main module; waits when it is a coroutine. */
    call: (name, ...args) => connection.request("call", [name, args]),
    /** Writes a text file into Python's working folder. */
    write: (path, text) => connection.request("write", [path, text]),
    /** Listens to "stdout" and "stderr", by lines or, where very many come, by texts of several lines; or to what Python sends with pyml_page.post(kind, json). */
    on(kind, listener) {
      if (!listeners.has(kind)) listeners.set(kind, []);
      listeners.get(kind).push(listener);
    },
    /** Raises a flag that Python sees as pyml_page.stopping(). */
    stop: (on = true) => connection.request("stop", [on]),
    /** Raises KeyboardInterrupt in Python, if it does something; false where the page is not cross-origin isolated. */
    interrupt() {
      if (shared && connection.busy) new Uint8Array(shared)[0] = 2;
      return shared !== null;
    },
    close: () => close(),
  };
}
