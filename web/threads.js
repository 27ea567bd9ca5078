// Threads of the wasm device (pyml/wasm/threads.py): a shared memory, and workers that help the thread Python is on.
//
// The text is evaluated by Python and gives a function; nothing in it needs the page. How threads meet in memory is
// told in pyml/wasm/share.py, whose numbers come in as `at`. A worker sleeps until there is a phase, compiles the module
// of the job from the shared memory itself, and helps; so it needs no message after the first, and a worker that comes
// late or never only leaves its share to the others.
(pyodideMemory, at) => {
  function helper() {
    const KEPT = 128; // modules
    onmessage = ({ data: { memory, at, number } }) => {
      const words = new Int32Array(memory.buffer); // the words below at.RESERVED: a view made before the memory grew will do
      const phase = at.PHASE >> 2, first = at.FIRST >> 2, state = at.STATE + 64 * number;
      const instances = new Map();

      /** The module at an address of the shared memory, or null when the job has changed meanwhile. */
      function instance(address, job) {
        const bytes = memory.buffer;
        const [id, length] = new Int32Array(bytes, address, 2);
        let made = instances.get(id);
        if (!made) {
          const code = new Uint8Array(new Uint8Array(bytes, address + 8, length)); // a copy: engines refuse shared bytes
          if (Atomics.load(words, first) !== job) return null;
          made = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports;
          if (instances.size >= KEPT) instances.delete(instances.keys().next().value);
        } else instances.delete(id);
        instances.set(id, made); // the last used is last
        return made;
      }

      postMessage("ready");
      for (;;) {
        const before = Atomics.load(words, phase), job = Atomics.load(words, first);
        const module = Atomics.load(words, at.MODULE >> 2) >>> 0, table = Atomics.load(words, at.TABLE >> 2) >>> 0;
        if (job !== 0 && Atomics.load(words, first) === job) {
          try {
            instance(module, job)?.help(table, job, state, number);
          } catch (error) {
            if (Atomics.load(words, state >> 2) === 1) { // with work in hand: the leader must hear of it
              Atomics.add(words, at.FAILED >> 2, 1);
              Atomics.store(words, state >> 2, 0);
            }
            // else it could not join: no memory for the module, or one that is gone; the others do its share
          }
        }
        if (Atomics.load(words, phase) !== before) continue;
        Atomics.add(words, at.SLEEPERS >> 2, 1);
        Atomics.wait(words, phase, before);
        Atomics.sub(words, at.SLEEPERS >> 2, 1);
      }
    };
  }

  function sharedMemory() {
    for (const maximum of [65536, 32768, 16384]) { // some systems do not set 4 GiB of addresses aside
      try {
        return new WebAssembly.Memory({ initial: 16, maximum, shared: true });
      } catch (error) {
        if (maximum === 16384) throw error;
      }
    }
  }

  const memory = sharedMemory();
  const words = new Int32Array(memory.buffer);
  const workers = [];
  const mayWait = typeof document === "undefined"; // a page's own thread may not block
  words[at.MAY_WAIT >> 2] = mayWait ? 1 : 0;
  let failure = null, ready = 0, settle = null;
  const decided = new Promise((resolve) => { settle = resolve; });

  const pool = {
    memory,
    decided,
    get ready() { return ready; },
    get failure() { return failure; },
    /** Starts workers; `decided` resolves when all are ready, or one could not start. */
    start(count) {
      const url = URL.createObjectURL(new Blob([`(${helper})();`], { type: "text/javascript" }));
      const fail = (reason) => {
        failure ??= reason || "its script did not load";
        settle();
      };
      try {
        for (let number = 0; number < count; number += 1) {
          const worker = new Worker(url, { name: `pyml ${number + 1}` });
          worker.onmessage = () => {
            ready += 1;
            if (ready === count) { URL.revokeObjectURL(url); settle(); }
          };
          worker.onerror = (event) => { event.preventDefault(); fail(event.message); };
          workers.push(worker);
          worker.postMessage({ memory, at, number });
        }
      } catch (error) {
        fail(error.message);
      }
    },
    /** Ends all workers, whatever they do. */
    stop(reason) {
      failure ??= reason;
      for (const worker of workers.splice(0)) worker.terminate();
      ready = 0;
      words[at.SLEEPERS >> 2] = 0;
      settle();
    },
    size: () => memory.buffer.byteLength,
    grow: (pages) => memory.grow(pages),
    write(address, pointer, length) {
      new Uint8Array(memory.buffer, address, length).set(new Uint8Array(pyodideMemory.buffer, pointer, length));
    },
    read(address, pointer, length) {
      new Uint8Array(pyodideMemory.buffer, pointer, length).set(new Uint8Array(memory.buffer, address, length));
    },
    move(target, source, length) {
      new Uint8Array(memory.buffer).copyWithin(target, source, source + length);
    },
    word: (address) => Atomics.load(words, address >> 2),
    setWord: (address, value) => { Atomics.store(words, address >> 2, value); },
    load(pointer, length) {
      const code = new Uint8Array(pyodideMemory.buffer, pointer, length);
      return new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports.run;
    },
  };
  return pool;
}
