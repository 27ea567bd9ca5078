// The Web Worker that holds Python. Requests are { id, method, args }; answers { id, value } or { id, error };
// everything else that happens is posted as the event that runtime.js emits.
import { startRuntime } from "./runtime.js";

let runtime = null;

const methods = {
  async start(options) {
    runtime = await startRuntime(options, (event) => postMessage({ event }));
    return runtime.info;
  },
  runPython: (code, filename) => runtime.runPython(code, filename),
  call: (name, args) => runtime.call(name, args),
  write: (path, text) => runtime.write(path, text),
  stop: (on) => runtime.stop(on),
};

addEventListener("message", async ({ data: { id, method, args } }) => {
  try {
    postMessage({ id, value: await methods[method](...args) });
  } catch (error) {
    const { name, message, kind, file } = error;
    postMessage({ id, error: { name, message: message ?? String(error), kind, file } });
  }
});
