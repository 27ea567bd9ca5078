// Starts Pyodide with pyml in it and runs Python there. web/worker.js runs this in a Web Worker and
// web/pyml.js on the main thread; both speak to the page through `emit` and the returned object.

/** A start-up failure the page can explain: `kind` is "download" or "start", `file` the file that failed. */
export class StartError extends Error {
  constructor(kind, message, file = null) {
    super(message);
    this.name = "StartError";
    this.kind = kind;
    this.file = file;
  }
}

const fileName = (url) => new URL(url, globalThis.location?.href).pathname.split("/").pop();

/**
 * Counts the bytes of every fetch while `body` runs, and rejects with the name of the first file that fails: at once,
 * since Pyodide does not settle when its WebAssembly is missing, cut short or damaged.
 */
async function withDownloadProgress(emit, body) {
  const { fetch: original } = globalThis;
  const { instantiateStreaming } = WebAssembly;
  const seen = { loaded: 0, total: 0 };
  let fail = null;
  const failed = new Promise((resolve, reject) => {
    fail = (file, reason) => reject(new StartError("download", `Could not download ${file}: ${reason}.`, file));
  });
  failed.catch(() => {});
  globalThis.fetch = async (input, init) => {
    const file = fileName(input?.url ?? String(input));
    let response;
    try {
      response = await original.call(globalThis, input, init);
    } catch (error) {
      const answer = init?.integrity ? await original.call(globalThis, input, { method: "HEAD" }).catch(() => null) : null;
      fail(file, answer && !answer.ok ? `the server answered ${answer.status}` : error.message); // any other body fails its checksum
      throw error;
    }
    if (!response.ok) fail(file, `the server answered ${response.status}`);
    if (!response.body) return response;
    seen.total += Number(response.headers.get("content-length")) || 0;
    const reader = response.body.getReader();
    const counted = new ReadableStream({
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          seen.loaded += value.byteLength;
          emit({ type: "download", file, loaded: seen.loaded, total: Math.max(seen.total, seen.loaded) });
          controller.enqueue(value);
        } catch (error) {
          fail(file, `it ended early (${error.message})`);
          controller.error(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
    return new Response(counted, { status: response.status, statusText: response.statusText, headers: response.headers });
  };
  WebAssembly.instantiateStreaming = async (...args) => {
    try {
      return await instantiateStreaming.apply(WebAssembly, args);
    } catch (error) {
      fail("pyodide.asm.wasm", `it is damaged (${error.message})`); // what its download had to say came first
      throw error;
    }
  };
  try {
    return await Promise.race([body(), failed]);
  } finally {
    globalThis.fetch = original;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

/** Hides what the page asked to do without, so that tests and users can see the fallbacks. */
function switchOff({ webgpu, jspi }) {
  if (webgpu === "off") Object.defineProperty(globalThis.navigator, "gpu", { value: undefined, configurable: true });
  if (jspi === "off") for (const name of ["Suspending", "promising", "SuspendError"]) delete WebAssembly[name];
}

/**
 * Starts Pyodide. Most of a start is Python setting itself up, so the memory of a fresh interpreter is kept in the
 * browser's cache, and a later visit goes on from there (benchmarks/page_ready.py times both).
 */
async function boot(module, options) {
  const jspi = "Suspending" in WebAssembly, thread = typeof document === "undefined" ? "worker" : "page";
  const key = new URL(`memory-${module.version}-${thread}-${jspi}`, options.indexURL).href;
  const cache = await globalThis.caches?.open("pyml-python").catch(() => null); // none outside secure contexts
  const kept = await cache?.match(key).catch(() => null);
  if (kept) {
    try {
      return await module.loadPyodide({ ...options, _loadSnapshot: new Uint8Array(await kept.arrayBuffer()) });
    } catch (error) {
      await cache.delete(key); // of another build, or damaged: start from nothing
      console.warn("pyml: starting Python anew,", error.message);
    }
  }
  const py = await module.loadPyodide({ ...options, _makeSnapshot: Boolean(cache) });
  if (cache) {
    try {
      cache.put(key, new Response(py.makeMemorySnapshot())).catch(() => {}); // no room: the next start is a full one
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
 * backend (null | "webgpu" | "wasm" | "cpu"), webgpu, jspi and relaxed ("off" hides them), threads (how many
 * the wasm device takes), interrupts (SharedArrayBuffer | null).
 * emit(event): { type: "phase" | "download" | "stdout" | "stderr" | "message", ... }.
 */
export async function startRuntime(options, emit) {
  switchOff(options);
  const phase = (name, text) => emit({ type: "phase", name, text });
  phase("download", "Downloading Python");
  const py = await withDownloadProgress(emit, async () => {
    const files = Promise.all((options.files ?? []).map(async ({ path, url }) => [path, new Uint8Array(await (await fetch(url)).arrayBuffer())]));
    files.catch(() => {}); // the first that fails ends all this
    const entry = new URL("pyodide.mjs", options.indexURL).href;
    const module = await import(entry).catch((error) => {
      throw new StartError("download", `Could not download pyodide.mjs: ${error.message}.`, "pyodide.mjs");
    });
    const loaded = await boot(module, {
      indexURL: options.indexURL,
      stdout: (text) => emit({ type: "stdout", text }),
      stderr: (text) => emit({ type: "stderr", text }),
    });
    await loaded.loadPackage(options.packages, { messageCallback: () => {} });
    const missing = options.packages.filter((name) => !(name in loaded.loadedPackages));
    if (missing.length) throw new StartError("download", `Could not load ${missing.join(", ")}.`, missing[0]);
    for (const [path, bytes] of await files) writeFile(loaded, path, bytes);
    return loaded;
  });

  const flags = { stopping: false };
  py.registerJsModule("pyml_page", {
    post: (kind, text) => emit({ type: "message", kind, value: parse(text) }),
    stopping: () => flags.stopping,
  });
  if (options.interrupts) py.setInterruptBuffer(new Uint8Array(options.interrupts));

  phase("start", "Starting pyml");
  const facts = await py.runPythonAsync(BOOT, { globals: py.toPy({ backend: options.backend ?? undefined, relaxed: options.relaxed ?? undefined, threads: options.threads ?? undefined }) });
  const info = JSON.parse(facts);
  if (options.run) await py.runPythonAsync(py.FS.readFile(options.run, { encoding: "utf8" }), { filename: options.run });
  phase("ready", `Ready: ${info.summary}`);

  const plain = (value) => {
    if (!value?.toJs) return value ?? null;
    const copy = value.toJs({ dict_converter: Object.fromEntries });
    value.destroy();
    return copy;
  };
  return {
    info,
    runPython: async (code, filename = "<page>") => plain(await py.runPythonAsync(code, { filename })),
    /** Calls a Python function of the main module by name and waits for its result. */
    async call(name, args) {
      const callable = py.globals.get(name);
      if (!callable) throw new Error(`Python has no function named ${name}`);
      const converted = args.map((value) => py.toPy(value ?? undefined)); // null would not become None
      try {
        const canWait = "Suspending" in WebAssembly; // JSPI: only then may Python be called in a way that can pause
        return plain(await (canWait ? callable.callPromising(...converted) : callable(...converted)));
      } finally {
        callable.destroy();
        for (const value of converted) value?.destroy?.();
      }
    },
    write: (path, text) => writeFile(py, path, new TextEncoder().encode(text)),
    stop(on) { flags.stopping = on; },
  };
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

const BOOT = `
import json, os, sys, warnings

import pyml_page
from pyml import __version__, config
from pyodide.ffi import can_run_sync

if relaxed == "off":
    os.environ["PYML_WASM_RELAXED"] = "0"
if threads:
    os.environ["PYML_WASM_THREADS"] = threads
await config.init_async(backend)
if "." not in sys.path:
    sys.path.insert(0, ".")

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
    "summary": f"{name} on {facts.get('adapter', 'this machine')}",
    "details": details,
    "canWait": name != "webgpu" or can_run_sync(),
})
`;
