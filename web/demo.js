// What the demo pages share: starting Python with the page's modules in it, saying what the browser lacks, notices
// and the log. A page has #status, #details, #notices and, where Python prints, #log.
import { $, asked, button, demo, finish, sentence, tail } from "./basics.js";
import { onNotKept } from "./keep.js";
import { addressOptions, loadPyml } from "./pyml.js";

export * from "./basics.js";

/** Shows a sentence above the page's cards; returns its element. */
export function notice(text, bad = false) {
  const box = document.createElement("p");
  box.className = bad ? "notice bad" : "notice";
  box.textContent = text;
  $("notices").append(box);
  return box;
}

onNotKept((text) => notice(text, true));

/** Ends the page's start with what went wrong, and offers another try. */
export function failed(error) {
  const text = sentence(error);
  notice(`${text} `, true).append(button("Try again", () => location.reload()));
  finish(text);
}

/** Lines from Python, in the browser's console and in #log. */
export function log(text) {
  console.log(`pyml: ${text}`);
  const box = $("log");
  if (!box) return;
  box.hidden = false;
  box.textContent = tail(`${box.textContent}${text}\n`);
  box.scrollTop = box.scrollHeight;
}

/**
 * Starts Python and runs page.py in it.
 *
 * modules  Python files beside the page that page.py imports.
 * files    [{ path, url }] further files for Python's folder.
 * page     where page.py is, if not beside the page.
 * hear     { kind: listener } for what page.py posts.
 * print    called with what Python prints, a line or several at once, which otherwise goes into #log.
 */
export async function startDemo({ modules = [], files = [], page = "page.py", hear = {}, print = null } = {}) {
  const own = [...modules.map((name) => ({ path: name, url: name })), { path: "page.py", url: page }];
  const pyml = await loadPyml({ status: $("status"), files: [...own, ...files], run: "page.py", offline: true });
  pyml.on("stdout", log);
  pyml.on("stderr", log);
  if (print) for (const kind of ["stdout", "stderr"]) pyml.on(kind, print);
  pyml.on("warning", warn);
  for (const [kind, listener] of Object.entries(hear)) pyml.on(kind, listener);
  window.pymlPython = pyml; // for the curious, in the browser's console
  demo.backend = pyml.info.backend;
  explain(pyml.info);
  return pyml;
}

const warnings = new Map(); // text -> its notice

/** Shows a warning of Python's, once. */
function warn(text) {
  if (!warnings.has(text)) warnings.set(text, notice(text, true));
}

/** Takes the warnings away: something new begins. */
export function forgetWarnings() {
  for (const box of warnings.values()) box.remove();
  warnings.clear();
}

/** Says in the page what this browser lacks and what that means for the visitor; "What runs here" has the rest. */
function explain({ backend, canWait, details, reason }) {
  const { jspi } = addressOptions();
  $("details").textContent = details;
  if (backend !== "webgpu" && asked.get("backend") !== backend) {
    const why = /adapter is software/.test(reason)
      ? "This browser has no graphics card to compute on, only one that is imitated in software"
      : "This browser offers no WebGPU, so the graphics card cannot be used";
    notice(`${why}. The processor does the work instead: everything on this page works, ${backend === "wasm" ? "if more slowly" : "but much more slowly"}.`);
  }
  if (!canWait) {
    const why = jspi === "off" ? "Waiting inside Python (JSPI) is switched off" : "This browser cannot wait inside Python (no JSPI)";
    notice(`${why}. Everything here works; in your own code write await model.fit_async(…) and await t.data().`);
  }
}
