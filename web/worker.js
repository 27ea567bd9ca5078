// The Web Worker that holds Python. Requests are { id, method, args }; answers { id, value } or { id, error };
// everything else that happens is posted as the event that runtime.js emits.
import { FIRST, startRuntime } from "./runtime.js";

const waiting = []; // what happened before the page listened
let emit = (event) => waiting.push(event);
let runtime = null, give = null, begun = null;

// web/early.js made this worker, before the page's scripts were there: its name is the page's query.
if (self.name.startsWith("?")) {
  const asked = new URLSearchParams(self.name);
  const first = Object.fromEntries(FIRST.map((name) => [name, asked.get(name)]));
  const rest = new Promise((resolve) => { give = resolve; });
  begun = startRuntime({ ...first, indexURL: new URL("../pyodide/", import.meta.url).href }, (event) => emit(event), rest);
  begun.catch(() => {}); // `start` hears of it
}

const methods = {
  async start(options) {
    emit = (event) => postMessage({ event });
    waiting.splice(0).forEach(emit);
    give?.(options);
    runtime = await (begun ?? startRuntime(options, emit));
    return runtime.info;
  },
  runPython: (code, filename) => runtime.runPython(code, filename),
  call: (name, args) => runtime.call(name, args),
  write: (path, text) => runtime.write(path, text),
  stop: (on) => runtime.stop(on),
  answer: (number, text) => runtime.answer(number, text),
};

addEventListener("message", async ({ data: { id, method, args } }) => {
  try {
    postMessage({ id, value: await methods[method](...args) });
  } catch (error) {
    const { name, message, kind, file } = error;
    postMessage({ id, error: { name, message: message ?? String(error), kind, file } });
  }
});
