// Small things that the demo pages and the pages exported from them need: no Python here.

import { NOTHING, patience } from "./patience.js";

export const $ = (id) => document.getElementById(id);
export const asked = new URLSearchParams(location.search);

/** The page's record of itself, which `pyml demo` reads: `done`, `error`, `backend` and what the page adds. */
export const demo = (window.pymlDemo = { done: false, error: null, backend: null });

/** Ends a run of the page, with a sentence where it failed. */
export function finish(error = null) {
  demo.error = error;
  demo.done = true;
}

/** A button with a text, for the end of a sentence. */
export function button(text, press) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", press);
  return made;
}

/**
 * A file of the page's site, as it is there now, whatever the browser has kept.
 * Throws an Error whose sentence names it, with its `url` and the `status` of the answer, where it does not come, or not whole.
 */
export async function bring(url, options = { cache: "no-cache" }) {
  const name = new URL(url, location.href).pathname.split("/").pop();
  const failed = (reason, status = 0) => Object.assign(new Error(`Could not download ${name}: ${reason}.`), { status, url });
  const given = new AbortController(), { signal } = given, watch = patience(() => given.abort(new Error(NOTHING)));
  const told = ({ message }, how) => signal.reason?.message ?? how(message);
  try {
    const answer = await watch.wait(name, fetch(url, { ...options, signal })).catch((error) => { throw failed(told(error, (message) => `no answer came (${message})`)); });
    if (!answer.ok) throw failed(`the server answered ${answer.status}`, answer.status);
    if (answer.headers.get("content-type")?.startsWith("text/html") && !/^$|\.html$/.test(name)) throw failed("the server answered with a page");
    const pieces = [], arriving = answer.body.getReader();
    const next = () => watch.wait(name, arriving.read()).catch((error) => { throw failed(told(error, (message) => `it ended early (${message})`)); });
    for (let piece; !(piece = await next()).done;) pieces.push(piece.value);
    return new Response(new Blob(pieces), { headers: answer.headers });
  } finally {
    watch.end();
  }
}

/** The sentence of a Python error, without its traceback and class. */
export function sentence(error) {
  const last = String(error.message ?? error).trim().split("\n").pop();
  return last.replace(/^[\w.]*(Error|Exception|Warning|Lost): /, "");
}

/** Who made a network, and its licence; in which package it came is for the documentation (docs/hub.md). */
export const credit = ({ source, licence }) => `${source.split(";")[0]}. ${licence}.`;

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

const LEFT_OUT = "… what was printed before is left out here\n";

/** The last lines of a text, of which each ends with a newline: as many as a browser lays out quickly. */
export function tail(text, letters = 20_000, lines = 1000) {
  let from = text.length - 1, left = lines;
  while (from > 0 && left > 0 && text.length - from <= letters) left -= text[--from] === "\n" ? 1 : 0;
  return from <= 0 ? text : LEFT_OUT + text.slice(text[from] === "\n" ? from + 1 : from);
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
