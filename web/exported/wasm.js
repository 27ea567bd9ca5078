// The programs of an exported model on WebAssembly SIMD: one memory, one module, a table of addresses for each program. In an
// isolated page several threads run them, which meet in that memory as pyml/wasm/share.py says.

import { bytesOf } from "./arrays.js";

const PAGE = 65536, MOST = 8, APART = 128; // threads, and bytes between the scratch memories of two

const up = (n, to) => Math.ceil(n / to) * to;

/** What a worker does: it sleeps until there is a phase, and helps. Its text is all that it gets of this file. */
function helper() {
  self.onmessage = ({ data: { memory, module, meet, number } }) => {
    const words = new Int32Array(memory.buffer), state = meet.STATE + 64 * number;
    const at = (name) => meet[name] >> 2, word = (name) => Atomics.load(words, at(name));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    for (;;) {
      const before = word("PHASE"), job = word("FIRST"), program = word("MODULE"), table = word("TABLE");
      if (job && word("FIRST") === job) {
        try {
          exports[`help${program}`](table, job, state, number);
        } catch { // a kernel stopped: whoever leads must hear of it
          Atomics.add(words, at("FAILED"), Atomics.exchange(words, state >> 2, 0));
        }
      }
      if (word("PHASE") !== before) continue;
      Atomics.add(words, at("SLEEPERS"), 1);
      Atomics.wait(words, at("PHASE"), before);
      Atomics.sub(words, at("SLEEPERS"), 1);
    }
  };
}

/** Workers that help; one that does not start, or starts late, leaves its share to the others. */
function helpers(count, job) {
  const url = URL.createObjectURL(new Blob([`(${helper})()`], { type: "text/javascript" }));
  try {
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    return Array.from({ length: count }, (_, number) => {
      const worker = new Worker(url, { name: `pyml ${number + 1}` });
      worker.onerror = (event) => event.preventDefault();
      worker.postMessage({ ...job, number });
      return worker;
    });
  } catch {
    return []; // a page that forbids them
  }
}

/** The number of threads: what was asked for, else that of the processor's cores; one where the page has no shared memory. */
function threadsFor(asked) {
  const able = globalThis.crossOriginIsolated === true && typeof Worker === "function";
  return able ? Math.min(asked ?? navigator.hardwareConcurrency ?? 1, MOST) : 1;
}

export async function openWasm(plan, file, asked) {
  const able = plan.modules.filter(({ probe }) => WebAssembly.validate(Uint8Array.from(probe)));
  if (!able.length) throw new Error("this browser has no WebAssembly SIMD; use a newer one.");
  const shared = able.find(({ threads }) => threads), threads = shared ? threadsFor(asked) : 1;
  const compiling = file((threads > 1 ? shared : able.find((one) => !one.threads)).file, compiled);
  compiling.catch(() => {});
  const { scratch, meet } = plan, address = [], tables = {};
  let end = up(meet.RESERVED, 64);
  plan.buffers.forEach((bytes, id) => {
    address.push(end);
    end += id === scratch ? up(bytes, APART) * threads : up(bytes, 64);
  });
  for (const [name, { words }] of Object.entries(plan.programs)) {
    tables[name] = end;
    end += up(4 * words.length * threads, 64);
  }
  const pages = Math.ceil(end / PAGE);
  let memory;
  try {
    memory = new WebAssembly.Memory(threads > 1 ? { initial: pages, maximum: pages, shared: true } : { initial: pages });
  } catch (error) {
    throw new Error(`this browser has no room for the ${Math.ceil(end / 1e6)} MB of memory that this model needs (${error.message}).`);
  }
  const bytes = new Uint8Array(memory.buffer), meeting = new Int32Array(memory.buffer, 0, meet.RESERVED >> 2);
  for (const [name, { words }] of Object.entries(plan.programs)) {
    for (let thread = 0; thread < threads; thread++) {
      const own = words.map((word) => (word < 0 ? -1 - word : address[word] + (word === scratch ? thread * up(plan.buffers[word], APART) : 0)));
      new Uint32Array(memory.buffer, tables[name] + 4 * thread * words.length, words.length).set(own);
    }
  }
  meeting[meet.MAY_WAIT >> 2] = typeof document === "undefined" ? 1 : 0; // a page's own thread may not block
  let exports, workers = [];
  const stop = () => {
    for (const worker of workers) worker.terminate();
    workers = [];
    meeting.fill(0);
  };
  return {
    name: "wasm",
    get threads() { return 1 + workers.length; },
    plan,
    ready: compiling.then(async (module) => {
      ({ exports } = await WebAssembly.instantiate(module, { env: { memory } }));
      if (threads > 1) workers = helpers(threads - 1, { memory, module, meet });
    }),
    memory: (id, count) => bytes.subarray(address[id], address[id] + count),
    write(id, array) { bytes.set(bytesOf(array), address[id]); },
    async read(id, count) { return bytes.slice(address[id], address[id] + count); },
    run(name) {
      const { run } = plan.programs[name];
      try {
        exports[`run${run}`](tables[name], run);
      } catch (error) {
        stop(); // whoever helps may be anywhere
        throw new Error(`the model stopped: ${error.message}`);
      }
    },
    close: stop,
  };
}

async function compiled(response, wait) {
  const streams = response.headers.get("content-type")?.startsWith("application/wasm");
  try {
    return await wait(streams ? WebAssembly.compileStreaming(response) : response.arrayBuffer().then(WebAssembly.compile));
  } catch (error) {
    throw /security policy/i.test(error.message) ? new Error("this page's Content Security Policy forbids WebAssembly: script-src needs 'wasm-unsafe-eval'.") : error;
  }
}
