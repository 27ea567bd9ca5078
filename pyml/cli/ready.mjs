// Takes the memory that pages start from, in Node: pyml/cli/ready.py runs this with a task on its standard input.
import { readFileSync, writeFileSync } from "node:fs";
const { runtime, web, library, work, code, proof } = JSON.parse(readFileSync(0, "utf8"));
// Python remembers whether its browser can pause it (JSPI). Node cannot; with these Python believes so, and where a browser
// cannot either, the functions that would pause are the ones that say it.
WebAssembly.Suspending ??= function (imported) { return imported; };
WebAssembly.promising ??= (exported) => async (...given) => exported(...given);
const [{ differing, withLibraries, unpacked, putPackages }, { reseed }, { seedWords }] = await Promise.all(
  ["ready.js", "seeds.js", "seedwords.js"].map((name) => import(web + name)));
const { loadPyodide } = await import(new URL("pyodide.mjs", runtime).href);
const factory = import(new URL("pyodide.asm.mjs", runtime).href).then((module) => module.default);
const read = (name) => unpacked(new Uint8Array(readFileSync(`${work}/${name}`)));
const libraries = read("libraries").map(([path, bytes]) => [path, new WebAssembly.Module(bytes)]);
let fresh;
const module = withLibraries(factory, libraries, null, (memory) => { fresh = memory; });
const py = await loadPyodide({ createPyodideModule: module, stdLibURL: library, _makeSnapshot: true });
putPackages(py.FS, read("files"), libraries.map(([path]) => path));
writeFileSync(`${work}/answer.json`, py.runPython(code));
clear(py._module);
const whole = py.makeMemorySnapshot();
const seeds = await found(differing(whole, fresh)).catch((error) => { console.error(String(error)); });
writeFileSync(`${work}/memory`, Buffer.concat(differing(whole, fresh, seeds)));
process.exit(0);

// What depends on the seed of hashes, once it is proven that a Python with another seed misses nothing; nothing where it is not.
async function found(pieces) {
  let words;
  await again(pieces, (module) => { words = seedWords(module); });
  const renewed = await again(pieces, (module) => reseed(module, words));
  const missed = renewed.runPython(proof);
  if (missed) throw new Error(missed);
  return words;
}

// The Python that goes on from the memory; `take` has its module before it does.
async function again(pieces, take) {
  const head = new Uint8Array(new DataView(whole.buffer, whole.byteOffset).getUint32(4, true));
  const memory = { kept: pieces, head, bytes: whole.length }, make = withLibraries(factory, libraries, memory);
  const createPyodideModule = async (settings) => {
    const module = await make(settings);
    take(module);
    return module;
  };
  return loadPyodide({ createPyodideModule, _loadSnapshot: head, stdLibURL: library });
}

// Sets free memory to zero, which compresses to nothing: Python's allocator is dlmalloc, so all that is free below the end of
// the heap is what malloc still gives from there.
function clear(module) {
  const { _malloc, _free } = module, end = module._sbrk(0), taken = [];
  for (let size = 1 << 20; size >= 16; size = size > 64 ? Math.floor(size * 0.8) & ~7 : size - 8) {
    for (let at; (at = _malloc(size)); taken.push(at)) {
      if (at + size > end) { _free(at); break; }
      module.HEAPU8.fill(0, at, at + size);
    }
  }
  taken.forEach(_free);
}
