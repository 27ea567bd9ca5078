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

/** Where packages, and Python's own modules, lie in Python's file system. */
export const SITE_PACKAGES = "/lib/python3.14/site-packages/", STDLIB = "/lib/python314.zip";

/**
 * The `createPyodideModule` option of loadPyodide: Pyodide's module with libraries in place.
 *
 * factory    promise of the default export of pyodide.asm.mjs.
 * libraries  promise of [[path, WebAssembly.Module]], always in the same order.
 * memory     { kept, head, bytes, reseed }: promise of the kept memory, in pieces as they arrived; the Uint8Array its head is written into,
 *            which is also loadPyodide's `_loadSnapshot` (that waits for nothing, so WebAssembly is compiled while the memory
 *            arrives); how many bytes the memory has; and what draws a new seed in it (web/seeds.js). null while it is made.
 * hear       receives a copy of the memory in which only the libraries lie.
 */
export function withLibraries(factory, libraries, memory = null, hear = () => {}) {
  return async (settings) => {
    let fresh = null;
    settings.preRun.push((module) => {
      module.addRunDependency("libraries");
      placed(module, libraries).then(() => {
        fresh = withoutEnd(module.HEAPU8, module._sbrk(0)); // nothing was written to beyond that
        hear(fresh);
        module.removeRunDependency("libraries");
      }).catch(settings.quit);
    });
    const failed = new Promise((resolve, reject) => { settings.quit = reject; });
    const make = await factory, module = await compilingOnce(() => Promise.race([make(settings), failed]));
    if (memory) fit(module, await memory.kept, memory, fresh);
    if (memory) memory.kept = null; // Python runs as long as the page, and would hold it
    return module;
  };
}

/** While `body` runs, equal small modules are compiled once: Emscripten puts each of 261 functions of Pyodide's into one, of 40 kinds. */
async function compilingOnce(body) {
  const { Module } = WebAssembly, made = new Map();
  WebAssembly.Module = new Proxy(Module, {
    construct(target, [bytes]) {
      if (!(bytes instanceof Uint8Array) || bytes.length > 256) return new target(bytes);
      const kind = String.fromCharCode(...bytes);
      if (!made.has(kind)) made.set(kind, new target(bytes));
      return made.get(kind);
    },
  });
  try {
    return await body();
  } finally {
    WebAssembly.Module = Module;
  }
}

const PIECE = 128; // bytes: what differs from what lies there is told in such pieces

/** A copy of memory up to its last byte before `used` that is not zero, in whole pieces. */
function withoutEnd(memory, used) {
  const words = wordsOf(memory, 0, memory.length);
  let end = Math.ceil(used / 4);
  while (end && !words[end - 1]) end--;
  return memory.slice(0, Math.ceil((4 * end) / PIECE) * PIECE);
}

const headerOf = (whole) => new DataView(whole.buffer, whole.byteOffset).getUint32(4, true);
const wordsOf = (bytes, from, to) => new Uint32Array(bytes.buffer, bytes.byteOffset + from, (to - from) / 4);

function sumOf(words, sum) {
  for (let i = 0; i < words.length; i += 1) sum = (Math.imul(sum, 31) + words[i]) | 0; // millions of them
  return sum;
}

/**
 * What of a snapshot is neither zero nor in `fresh`, the memory in which only the libraries lie. In 32-bit words: the bytes of
 * the whole, the number of runs, a sum of what `fresh` has to bring, [where, bytes] of each run; then the runs' contents, and what
 * `reseed` takes, if anything.
 */
export function differing(whole, fresh, seeds = new Uint32Array()) {
  const header = headerOf(whole), runs = [[0, header]];
  let sum = 0;
  for (let at = header; at < whole.length; at += PIECE) {
    const end = Math.min(at + PIECE, whole.length), own = wordsOf(whole, at, end), last = runs.at(-1);
    const there = at - header < fresh.length ? wordsOf(fresh, at - header, end - header) : null;
    if (own.every((word, i) => word === (there ? there[i] : 0))) sum = there ? sumOf(there, sum) : sum;
    else if (last[0] + last[1] === at) last[1] += end - at;
    else runs.push([at, end - at]);
  }
  const table = new Uint32Array([whole.length, runs.length, sum, seeds.length, ...runs.flat()]);
  return [new Uint8Array(table.buffer), ...runs.map(([at, bytes]) => whole.subarray(at, at + bytes)), new Uint8Array(seeds.buffer)];
}

/** What `withLibraries` has to know of a memory that is there as a whole. */
export function sizesOf(kept) {
  const words = new Uint32Array(kept.buffer, kept.byteOffset, 6);
  return { bytes: words[0], head: new Uint8Array(words[5]) };
}

/** Reads pieces of bytes one after the other, as if they were one. */
function reader(pieces) {
  let piece = 0, at = 0;
  /** Calls `take(bytes, offset)` with the next `count` bytes, in as many parts as they lie in. */
  function each(count, take) {
    for (let done = 0; done < count;) {
      if (piece === pieces.length) throw new Error("the memory ends early");
      const part = pieces[piece].subarray(at, at + count - done);
      take(part, done);
      done += part.length;
      at += part.length;
      if (at === pieces[piece].length) { piece += 1; at = 0; }
    }
  }
  return {
    each,
    words(count) {
      const bytes = new Uint8Array(4 * count);
      each(bytes.length, (part, offset) => bytes.set(part, offset));
      return new Uint32Array(bytes.buffer);
    },
  };
}

/**
 * Writes a kept memory into the module's own, with what this browser has there and Node has not; its head into `head`. Of the
 * rest every byte is written only once: what `differing` left out is as `fresh` has it. What depends on the seed of hashes
 * is made anew. An Error where `fresh` is not what it was when that was made.
 */
function fit(module, pieces, { head, bytes, reseed }, fresh) {
  // The function through which Python calls others: in WebAssembly where that can, so that JSPI can pause what it calls.
  const trampoline = module.__PyRuntime + module.HEAP32[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET / 4];
  const caller = module.HEAP32[trampoline / 4];
  const size = bytes - head.length, used = module._sbrk(0);
  if (size > module.HEAP8.length && !module.growMemory(size)) throw new Error(`the browser gives no ${size} bytes of memory`);
  const { HEAPU8: memory } = module, kept = reader(pieces);
  const [whole, count, sum, seeds] = kept.words(4), runs = kept.words(2 * count);
  if (whole !== bytes || runs[1] !== head.length) throw new Error("the memory is of another length");
  kept.each(head.length, (part, offset) => head.set(part, offset));
  let end = 0, found = 0;
  const bring = (to) => {
    const part = fresh.subarray(end, Math.max(end, to)), zeros = Math.max(end, fresh.length);
    memory.set(part, end);
    found = sumOf(wordsOf(part, 0, part.length), found);
    if (zeros < Math.min(to, used)) memory.fill(0, zeros, Math.min(to, used)); // what lies further back was never written to
  };
  for (let i = 2; i < 2 * count; i += 2) {
    const from = runs[i] - head.length;
    bring(from);
    kept.each(runs[i + 1], (part, offset) => memory.set(part, from + offset));
    end = from + runs[i + 1];
  }
  bring(size);
  if (found !== (sum | 0)) throw new Error("Pyodide's memory begins otherwise than when the memory was taken");
  module.HEAP32[trampoline / 4] = caller;
  if (seeds) reseed(module, kept.words(seeds));
}

async function placed(module, libraries) {
  const all = await libraries;
  const { wasmTable: table } = module;
  if (table.length > TABLE) throw new Error(`Pyodide has ${table.length} functions, more than ${TABLE}`);
  table.grow(TABLE - table.length);
  for (const [path, compiled] of all) {
    const name = SITE_PACKAGES + path, allowUndefined = path !== all.at(-1)[0]; // looks for what others miss once, at the end
    module.preloadedWasm[name] = await module.loadWebAssemblyModule(compiled, { loadAsync: true, nodelete: true, allowUndefined }, name, {});
  }
}

/** The files of a pack: the length of its table, the table [[path, bytes], ...] as JSON, and their contents. */
export function unpacked(pack) {
  const start = 4 + new DataView(pack.buffer, pack.byteOffset).getUint32(0, true);
  let at = start;
  const files = JSON.parse(new TextDecoder().decode(pack.subarray(4, start))).map(([path, size]) => [path, pack.subarray(at, (at += size))]);
  if (at !== pack.length) throw new Error(`the files' pack has ${pack.length} bytes, not ${at}`);
  return files;
}

/** Puts files, a Map of their bytes, and the names of the libraries, where Python looks for packages. */
export function putPackages(fs, files, libraries) {
  const folders = new Map(); // path -> node; writeFile would look for each file's folder again, and open and close it
  const put = (path, bytes) => {
    const cut = path.lastIndexOf("/") + 1, folder = SITE_PACKAGES + path.slice(0, cut);
    if (!folders.has(folder)) {
      fs.mkdirTree(folder);
      folders.set(folder, fs.lookupPath(folder).node);
    }
    const parent = folders.get(folder), node = parent.node_ops.mknod(parent, path.slice(cut), 0o100666, 0);
    Object.assign(node, { contents: bytes, usedBytes: bytes.length });
  };
  const loaded = new Set(libraries); // Python only wants to see a file
  for (const [path, bytes] of files) if (!loaded.has(path)) put(path, bytes);
  for (const path of libraries) put(path, new Uint8Array());
}

/**
 * Puts a Zip file whose bytes come later; who reads it before they are there waits until they are loaded. Where they cannot be,
 * it is of zeros that time: an import says that the file is a bad one then, an ImportError as for other modules that are not there,
 * which who can do without the module expects. Returns a function that begins to load them.
 */
export function putLater(fs, path, size, url) {
  fs.writeFile(path, new Uint8Array());
  const { node } = fs.lookupPath(path);
  let bytes = null;
  const checked = (found) => (found?.length === size ? found : null); // it is there, and of this build
  node.usedBytes = size;
  Object.defineProperty(node, "contents", {
    configurable: true, get: () => (bytes ??= checked(loadedNow(url))) ?? new Uint8Array(size), set: (given) => { bytes = given; },
  });
  return async () => {
    const answer = await fetch(url, { cache: "no-cache" });
    if (answer.ok) bytes ??= checked(new Uint8Array(await answer.arrayBuffer()));
  };
}

/** The bytes of a file, while all else on this thread waits; null where it cannot be loaded. */
function loadedNow(url) {
  const request = new XMLHttpRequest(), inWorker = typeof document === "undefined";
  request.open("GET", url, false);
  if (inWorker) request.responseType = "arraybuffer"; // a page's own thread may not ask for that, but for a letter for each byte
  else request.overrideMimeType("text/plain; charset=x-user-defined");
  try {
    request.send();
  } catch {
    return null;
  }
  if (request.status !== 200) return null;
  return inWorker ? new Uint8Array(request.response) : Uint8Array.from(request.responseText, (letter) => letter.charCodeAt(0));
}
