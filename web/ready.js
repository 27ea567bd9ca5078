// A Python that is ready at once: the memory of an interpreter that has imported numpy and pyml, kept in a file. `pyml build`
// makes that file in Node (pyml/cli/ready.py), and web/runtime.js starts from it.
//
// Pointers in that memory lead into numpy's libraries, so these lie where they lay when it was taken: each start puts them
// in place before Python itself begins, in the same order, and the memory comes on top. Python's own files of modules
// that are imported already stay away; the others come as one pack. Of the memory only what differs is kept: text and tables
// that Pyodide's and numpy's WebAssembly bring along lie there already when it comes (a quarter fewer bytes to load, with
// free memory set to zero before it is taken).

// Pyodide's own functions end below; a browser has one or two more of them than Node.
const TABLE = 1 << 14;

/** Where packages lie in Python's file system. */
export const SITE_PACKAGES = "/lib/python3.14/site-packages/";

/**
 * The `createPyodideModule` option of loadPyodide: Pyodide's module with libraries in place.
 *
 * factory    promise of the default export of pyodide.asm.mjs.
 * libraries  promise of [[path, WebAssembly.Module]], always in the same order.
 * memory     { kept, whole }: promise of the kept memory, and the Uint8Array it is unpacked into, which is also loadPyodide's
 *            `_loadSnapshot` (that waits for nothing, so WebAssembly is compiled while the memory arrives); null while it is made.
 * hear       receives a copy of the memory in which only the libraries lie.
 */
export function withLibraries(factory, libraries, memory = null, hear = () => {}) {
  return async (settings) => {
    let fresh = null;
    settings.preRun.push((module) => {
      module.addRunDependency("libraries");
      placed(module, libraries).then(() => {
        fresh = withoutEnd(module.HEAPU8);
        hear(fresh);
        module.removeRunDependency("libraries");
      }).catch(settings.quit);
    });
    const failed = new Promise((resolve, reject) => { settings.quit = reject; });
    const module = await Promise.race([(await factory)(settings), failed]);
    if (memory) {
      fill(memory.whole, await memory.kept, fresh);
      fit(module, memory.whole);
    }
    return module;
  };
}

const PIECE = 128; // bytes: what differs from what lies there is told in such pieces

/** A copy of memory up to its last byte that is not zero, in whole pieces. */
function withoutEnd(memory) {
  let end = memory.length;
  while (end && !memory[end - 1]) end--;
  return memory.slice(0, Math.ceil(end / PIECE) * PIECE);
}

const headerOf = (whole) => new DataView(whole.buffer, whole.byteOffset).getUint32(4, true);
const wordsOf = (bytes, from, to) => new Uint32Array(bytes.buffer, bytes.byteOffset + from, (to - from) / 4);

function sumOf(words, sum) {
  for (const word of words) sum = (Math.imul(sum, 31) + word) | 0;
  return sum;
}

/**
 * What of a snapshot is neither zero nor in `fresh`, the memory in which only the libraries lie. In 32-bit words: the bytes of
 * the whole, the number of runs, a sum of what `fresh` has to bring, [where, bytes] of each run; then the runs' contents.
 */
export function differing(whole, fresh) {
  const header = headerOf(whole), runs = [[0, header]];
  let sum = 0;
  for (let at = header; at < whole.length; at += PIECE) {
    const end = Math.min(at + PIECE, whole.length), own = wordsOf(whole, at, end), last = runs.at(-1);
    const there = at - header < fresh.length ? wordsOf(fresh, at - header, end - header) : null;
    if (own.every((word, i) => word === (there ? there[i] : 0))) sum = there ? sumOf(there, sum) : sum;
    else if (last[0] + last[1] === at) last[1] += end - at;
    else runs.push([at, end - at]);
  }
  const table = new Uint32Array([whole.length, runs.length, sum, ...runs.flat()]);
  return [new Uint8Array(table.buffer), ...runs.map(([at, bytes]) => whole.subarray(at, at + bytes))];
}

/** Unpacks what `differing` kept into `whole`, all zeros; an Error where `fresh` is not what it was when that was made. */
function fill(whole, kept, fresh) {
  const [bytes, count, sum] = wordsOf(kept, 0, 12), runs = wordsOf(kept, 12, 12 + 8 * count);
  if (bytes !== whole.length) throw new Error("the memory is of another length");
  let from = 12 + 8 * count, end = 0, found = 0, header = 0;
  const bring = (to) => {
    const part = fresh.subarray(end - header, Math.max(end - header, to - header));
    whole.set(part, end);
    found = sumOf(wordsOf(part, 0, part.length), found);
  };
  for (let i = 0; i < 2 * count; i += 2) {
    if (i) bring(runs[i]);
    whole.set(kept.subarray(from, from + runs[i + 1]), runs[i]);
    from += runs[i + 1];
    end = runs[i] + runs[i + 1];
    header ||= end;
  }
  bring(whole.length);
  if (found !== (sum | 0)) throw new Error("Pyodide's memory begins otherwise than when the memory was taken");
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
