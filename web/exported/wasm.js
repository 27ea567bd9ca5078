// The programs of an exported model on WebAssembly SIMD: one memory, one module, a table of addresses for each program.

const PAGE = 65536;

export async function openWasm(plan, file) {
  const wanted = plan.modules.find(({ probe }) => WebAssembly.validate(Uint8Array.from(probe)));
  if (!wanted) throw new Error("this browser has no WebAssembly SIMD; use a newer one.");
  const module = await compiled(file, wanted.file);
  const address = [];
  let end = 64;
  for (const bytes of plan.buffers) {
    address.push(end);
    end += Math.ceil(bytes / 64) * 64;
  }
  const tables = {};
  for (const [name, { words }] of Object.entries(plan.programs)) {
    tables[name] = end;
    end += Math.ceil((4 * words.length) / 64) * 64;
  }
  let memory;
  try {
    memory = new WebAssembly.Memory({ initial: Math.ceil(end / PAGE) });
  } catch (error) {
    throw new Error(`this browser has no room for the ${Math.ceil(end / 1e6)} MB of memory that this model needs (${error.message}).`);
  }
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  for (const [name, { words }] of Object.entries(plan.programs)) {
    new Uint32Array(memory.buffer, tables[name], words.length).set(words.map((word) => (word < 0 ? -1 - word : address[word])));
  }
  return {
    name: "wasm",
    write(id, array) {
      new Uint8Array(memory.buffer, address[id]).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    },
    async read(id, bytes) { return new Uint8Array(memory.buffer.slice(address[id], address[id] + bytes)); },
    run(name) { exports[plan.programs[name].run](tables[name]); },
    close() {},
  };
}

async function compiled(file, name) {
  const bytes = await file(name);
  return WebAssembly.compile(bytes);
}
