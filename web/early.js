// Starts Python before the page's own scripts are there, by the worker that web/pyml.js would make a moment later; that takes
// it over where the page wants what a page wants as a rule. An async script in the <head>.
"use strict";

if (!("pymlWorker" in globalThis) && new URLSearchParams(location.search).get("thread") !== "main") { // else pyml.js was faster
  try {
    const worker = new Worker(new URL("worker.js", document.currentScript.src), { type: "module", name: location.search || "?" });
    worker.onerror = (event) => { worker.failed = true; event.preventDefault(); }; // pyml.js makes another one, and says what is wrong
    globalThis.pymlWorker = worker;
  } catch {
    // pyml.js says what is wrong
  }
}
