// What the demo pages share: starting Python with the page's modules in it, saying what the browser lacks, notices
// and the log. A page has #status, #details, #notices and, where Python prints, #log.
import { addressOptions, loadPyml } from "./pyml.js";

export const $ = (id) => document.getElementById(id);
export const asked = new URLSearchParams(location.search);

/** The page's record of itself, which `pyml demo` reads: `done`, `error`, `backend` and what the page adds. */
export const demo = (window.pymlDemo = { done: false, error: null, backend: null });

/** Ends a run of the page, with a sentence where it failed. */
export function finish(error = null) {
  demo.error = error;
  demo.done = true;
}

/** Shows a sentence above the page's cards; returns its element. */
export function notice(text, bad = false) {
  const box = document.createElement("p");
  box.className = bad ? "notice bad" : "notice";
  box.textContent = text;
  $("notices").append(box);
  return box;
}

/** The sentence of a Python error, without its traceback and class. */
export function sentence(error) {
  const last = String(error.message ?? error).trim().split("\n").pop();
  return last.replace(/^[\w.]*(Error|Exception|Warning|Lost): /, "");
}

/** A line from Python, in the browser's console and in #log. */
export function log(text) {
  console.log(`pyml: ${text}`);
  const box = $("log");
  if (!box) return;
  box.hidden = false;
  box.textContent += `${text}\n`;
  box.scrollTop = box.scrollHeight;
}

/**
 * Starts Python and runs page.py in it.
 *
 * modules  Python files beside the page that page.py imports.
 * files    [{ path, url }] further files for Python's folder.
 * hear     { kind: listener } for what page.py posts.
 */
export async function startDemo({ modules = [], files = [], hear = {} } = {}) {
  const own = modules.map((name) => ({ path: name, url: name }));
  const pyml = await loadPyml({ status: $("status"), files: [...own, ...files] });
  pyml.on("stdout", log);
  pyml.on("stderr", log);
  for (const [kind, listener] of Object.entries(hear)) pyml.on(kind, listener);
  await pyml.run("page.py");
  window.pymlPython = pyml; // for the curious, in the browser's console
  demo.backend = pyml.info.backend;
  explain(pyml.info);
  return pyml;
}

/** Says in the page what this browser lacks and what that costs. */
function explain({ backend, canWait, details, reason }) {
  const { webgpu, jspi } = addressOptions();
  $("details").textContent = details;
  if (backend !== "webgpu" && asked.get("backend") !== backend) {
    const none = webgpu === "off" || !navigator.gpu;
    const why = none && backend === "wasm" ? "This browser offers no WebGPU" : `WebGPU is not used: ${reason}`;
    const how = backend === "wasm" ? "on the processor with WebAssembly SIMD instead: everything works" : "with numpy on the processor instead: everything works, much slower";
    notice(`${why}. Python computes ${how}.`);
  }
  if (!canWait) {
    const why = jspi === "off" ? "Waiting inside Python (JSPI) is switched off" : "This browser cannot wait inside Python (no JSPI)";
    notice(`${why}. Everything here works; in your own code write await model.fit_async(…) and await t.data().`);
  }
}

/**
 * A function that does one thing at a time and always ends with the newest: calls made meanwhile replace each other,
 * so that nothing queues. `work(value)` may be asynchronous.
 */
export function newestOnly(work) {
  let next = null;
  let running = null;
  return (value) => {
    next = { value };
    running ??= (async () => {
      try {
        while (next) {
          const { value: newest } = next;
          next = null;
          await work(newest);
        }
      } finally {
        running = null;
      }
    })();
    return running;
  };
}

/** Offers bytes or a Blob as a download under a name. */
export function download(name, content, type = "application/octet-stream") {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
