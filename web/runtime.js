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

/** Counts the bytes of every fetch while `body` runs; names the file of the first download that fails. */
async function withDownloadProgress(emit, body) {
  const original = globalThis.fetch;
  const seen = { loaded: 0, total: 0, failed: null };
  const fail = (file, reason) => { seen.failed ??= { file, reason }; };
  globalThis.fetch = async (input, init) => {
    const file = fileName(input?.url ?? String(input));
    let response;
    try {
      response = await original.call(globalThis, input, init);
    } catch (error) {
      fail(file, error.message);
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
          fail(file, error.message);
          controller.error(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
    return new Response(counted, { status: response.status, statusText: response.statusText, headers: response.headers });
  };
  try {
    return await body();
  } catch (error) {
    if (!seen.failed) throw error;
    const { file, reason } = seen.failed;
    throw new StartError("download", `Could not download ${file}: ${reason}.`, file);
  } finally {
    globalThis.fetch = original;
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
 * options: indexURL (folder of pyodide.mjs), packages, files ([{ path, url }] put in Python's folder),
 * backend (null | "webgpu" | "wasm" | "cpu"), webgpu, jspi and relaxed ("off" hides them), threads (how many
 * the wasm device takes), interrupts (SharedArrayBuffer | null).
 * emit(event): { type: "phase" | "download" | "stdout" | "stderr" | "message", ... }.
 */
export async function startRuntime(options, emit) {
  switchOff(options);
  const phase = (name, text) => emit({ type: "phase", name, text });
  phase("download", "Downloading Python");
  const py = await withDownloadProgress(emit, async () => {
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
    for (const { path, url } of options.files ?? []) {
      const response = await fetch(url);
      if (!response.ok) throw new StartError("download", `Could not download ${path}.`, path);
      writeFile(loaded, path, new Uint8Array(await response.arrayBuffer()));
    }
    return loaded;
  });

  const flags = { stopping: false };
  py.registerJsModule("pyml_page", {
    post: (kind, text) => emit({ type: "message", kind, value: JSON.parse(text) }),
    stopping: () => flags.stopping,
  });
  if (options.interrupts) py.setInterruptBuffer(new Uint8Array(options.interrupts));

  phase("start", "Starting pyml");
  const facts = await py.runPythonAsync(BOOT, { globals: py.toPy({ backend: options.backend ?? undefined, relaxed: options.relaxed ?? undefined, threads: options.threads ?? undefined }) });
  const info = JSON.parse(facts);
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

function writeFile(py, path, bytes) {
  const folder = path.split("/").slice(0, -1).join("/");
  if (folder) py.FS.mkdirTree(folder);
  py.FS.writeFile(path, bytes);
}

const BOOT = `
import json, os, sys
from pyml import __version__, config
from pyodide.ffi import can_run_sync

if relaxed == "off":
    os.environ["PYML_WASM_RELAXED"] = "0"
if threads:
    os.environ["PYML_WASM_THREADS"] = threads
await config.init_async(backend)
if "." not in sys.path:
    sys.path.insert(0, ".")
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
