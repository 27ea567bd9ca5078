// A Python that is ready at once: the memory of an interpreter that has imported numpy and pyml, kept in a file. `pyml build`
// makes that file in Node (pyml/cli/ready.py), and web/runtime.js starts from it.
//
// Pointers in that memory lead into numpy's libraries, so these lie where they lay when it was taken: each start puts them
// in place before Python itself begins, in the same order, and the memory comes on top. Python's own files of modules
// that are imported already stay away; the others come as one pack.

// Pyodide's own functions end below; a browser has one or two more of them than Node.
const TABLE = 1 << 14;

/** Where packages lie in Python's file system. */
export const SITE_PACKAGES = "/lib/python3.14/site-packages/";

/**
 * The `createPyodideModule` option of loadPyodide: Pyodide's module with libraries in place.
 *
 * factory    promise of the default export of pyodide.asm.mjs.
 * libraries  promise of [[path, WebAssembly.Module]], always in the same order.
 * memory     promise of the kept memory, or null while it is made.
 */
export function withLibraries(factory, libraries, memory = null) {
  return async (settings) => {
    settings.preRun.push((module) => {
      module.addRunDependency("libraries");
      placed(module, libraries).then(() => module.removeRunDependency("libraries"), settings.quit);
    });
    const failed = new Promise((resolve, reject) => { settings.quit = reject; });
    const module = await Promise.race([(await factory)(settings), failed]);
    if (memory) fit(module, await memory);
    return module;
  };
}

/** Makes room for a kept memory, and writes into it what this browser has and Node has not. */
function fit(module, kept) {
  const view = new DataView(kept.buffer, kept.byteOffset, kept.byteLength);
  const header = view.getUint32(4, true);
  const bytes = kept.byteLength - header;
  if (bytes > module.HEAP8.length && !module.growMemory(bytes)) throw new Error(`the browser gives no ${bytes} bytes of memory`);
  // The function through which Python calls others: in WebAssembly where that can, so that JSPI can pause what it calls.
  const trampoline = module.__PyRuntime + module.HEAP32[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET / 4];
  view.setInt32(header + trampoline, module.HEAP32[trampoline / 4], true);
}

async function placed(module, libraries) {
  const all = await libraries;
  const { wasmTable: table } = module;
  if (table.length > TABLE) throw new Error(`Pyodide has ${table.length} functions, more than ${TABLE}`);
  table.grow(TABLE - table.length);
  for (const [path, compiled] of all) {
    const name = SITE_PACKAGES + path;
    module.preloadedWasm[name] = await module.loadWebAssemblyModule(compiled, { loadAsync: true, nodelete: true }, name, {});
  }
}

/** The files of a pack: the length of its table, the table [[path, bytes], ...] as JSON, and their contents. */
export function unpacked(pack) {
  const start = 4 + new DataView(pack.buffer, pack.byteOffset).getUint32(0, true);
  let at = start;
  return JSON.parse(new TextDecoder().decode(pack.subarray(4, start))).map(([path, size]) => [path, pack.subarray(at, (at += size))]);
}

/** Puts the files of a pack, and the names of the libraries, where Python looks for packages. */
export function putPackages(fs, files, libraries) {
  const made = new Set();
  const put = (path, bytes) => {
    const folder = SITE_PACKAGES + path.slice(0, path.lastIndexOf("/") + 1);
    if (!made.has(folder)) fs.mkdirTree(folder);
    made.add(folder);
    fs.writeFile(SITE_PACKAGES + path, bytes, { canOwn: true });
  };
  for (const [path, bytes] of files) put(path, bytes);
  for (const path of libraries) put(path, new Uint8Array()); // it is loaded; Python only wants to see a file
}
