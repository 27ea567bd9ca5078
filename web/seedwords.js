// What in the memory of a Python depends on the seed of its hashes, for web/seeds.js to make anew: found once, where a memory is taken.
// Every word is looked at. An object begins with how many refer to it and its type, and what lies around it is as Python and its
// allocator (dlmalloc) leave it; a hash is one where Python computes the same. Layouts are those of CPython 3.14 in 32 bits, in words
// of 4 bytes.
import { HASH, LISTS, chained, entriesOf, isMixed, memoryOf, membersOf, nodesOf } from "./seeds.js";

const TYPE = { name: 3, size: 4, hash: 15, flags: 21, base: 32 };
const SHARED = 7; // words from the end of a class to the keys that its instances share
const FLAGS = { type: 31, dict: 29, str: 28, bytes: 27, tuple: 26 };

/** All that depends on the seed in a memory in which Python runs nothing, as `reseed` takes it. An Error where something is not as expected. */
export function seedWords(module) {
  const memory = memoryOf(module), { B, W, H, hashOf } = memory, end = module._sbrk(0) >>> 2;
  const found = objects(module, memory, end);
  const strings = [...found.str, ...found.bytes].filter((at) => H[at + HASH.str] !== -1 && hashAnew(module, memory, at) === H[at + HASH.str]);
  const hashes = ["tuple", "frozenset", "weakref", "date", "dtype"].flatMap((kind) => found[kind].map((at) => at + HASH[kind]).filter((word) => {
    const before = H[word];
    if (before === -1) return false;
    H[word] = -1;
    const hash = hashOf(4 * (word - HASH[kind]));
    H[word] = before;
    if (hash === -1) module._PyErr_Clear(); // a weak reference to what is gone keeps its own
    else ensure(hash === before, kind, word);
    return hash !== -1;
  }));

  const seedless = [module._PyBaseObject_Type, module._PyLong_Type].map((type) => W[type / 4 + TYPE.hash]); // they compute hashes of these
  const depends = (object) => !seedless.includes(W[W[object / 4 + 1] / 4 + TYPE.hash]);
  const known = new Set(strings), shared = W[module._PyType_Type / 4 + TYPE.size] / 4 - SHARED;
  const keys = new Set([...found.dict.map((at) => W[at + 6]), ...found.type.map((at) => W[at + shared])].filter(Boolean));
  const tables = [...keys].map((from) => from / 4).filter((at) => {
    const mixed = isMixed(memory, at), step = mixed ? 3 : 2, from = entriesOf(memory, at), to = from + step * W[at + 4];
    ensure(isPointer(4 * at, end) && W[at + 4] <= 1 << B[4 * at + 4] && to <= end, "table", at);
    let use = false;
    for (let entry = from; entry < to; entry += step) {
      const key = W[mixed ? entry + 1 : entry];
      if (!key) continue;
      ensure(mixed ? hashOf(key) === H[entry] : known.has(key / 4), "key", entry);
      use ||= !mixed || depends(key);
    }
    return use;
  });
  const sets = found.frozenset.filter((at) => {
    const members = membersOf(memory, at);
    ensure(members.length === W[at + 3] && members.every((entry) => hashOf(W[entry]) === H[entry + 1]), "set", at);
    return members.some((entry) => depends(W[entry]));
  });
  const ordered = found.dict.filter((at) => within(memory, W[at + 1], [module._PyODict_Type]));
  for (const at of ordered) {
    const nodes = nodesOf(memory, at);
    ensure(nodes.length === W[at + 2] && nodes.every((node) => hashOf(W[node]) === H[node + 1]), "OrderedDict", at);
  }
  for (const at of found.results) ensure(hashOf(W[at + 5]) === H[at + 4], "kept result", at);
  return packed({ strings, hashes, tables, sets, ordered, results: found.results, internal: internalTables(module, memory, end) });
}

function ensure(fine, what, at) {
  if (!fine) throw new Error(`the ${what} at ${4 * at} is not as expected`);
}

const isPointer = (word, end) => word > 1024 && word < 4 * end && word % 4 === 0;

/** Whether malloc gave the memory that begins at a word, by its notes before that and at its end. */
function allocated({ W }, at) {
  const head = W[at - 1];
  return at % 2 === 0 && head & 2 && head >= 16 && W[at + (head >>> 3) * 2 - 1] & 1;
}

/** Where the objects lie that keep a hash or a table of such, by their kinds. */
function objects(module, memory, end) {
  const { W } = memory, constants = module._emscripten_stack_get_end() >>> 2, heap = module._emscripten_stack_get_base() >>> 2; // the stack lies between
  const pointer = (word) => isPointer(word, end);
  const alive = (references) => (references > 0 && references < 1 << 20) || (references >= 2 ** 30 && references < 2 ** 31); // so many say that it stays
  const each = (take) => {
    for (let at = 256; at < constants; at++) if (alive(W[at])) take(at, W[at + 1]);
    for (let at = heap; at < end; at++) if (alive(W[at])) take(at, W[at + 1]);
  };
  const oldest = (type) => {
    for (let depth = 0; pointer(type) && depth < 100; depth++, type = W[type / 4 + TYPE.base]) if (!W[type / 4 + TYPE.base]) return type;
    return null;
  };
  const metaclasses = new Set([module._PyType_Type]), types = new Set();
  for (let before = 0; before !== metaclasses.size;) {
    before = metaclasses.size;
    each((at, type) => {
      if (!metaclasses.has(type) || oldest(4 * at) !== module._PyBaseObject_Type) return;
      types.add(4 * at);
      if (within(memory, 4 * at, [module._PyType_Type])) metaclasses.add(4 * at);
    });
  }
  const given = (at) => at > heap && allocated(memory, at);
  const collected = (at) => { // Python's garbage collector has it in a list, or nowhere
    const next = W[at - 2] & ~3;
    return (given(at - 2) || given(at - 4)) && (next ? pointer(next) && (W[next / 4 + 1] & ~3) === 4 * at - 8 : W[at - 1] < 4);
  };
  const text = (at) => at < constants || given(at) || collected(at); // those of classes with attributes are collected
  const tests = {
    str: text, bytes: text, date: given, results: given, tuple: collected, frozenset: collected, weakref: collected, dict: collected,
    type: (at) => types.has(4 * at) && collected(at),
    dtype: (at) => types.has(W[at + 2]) && W[at + 9] > 0 && W[at + 9] <= 16, // its scalar type and alignment; numpy's own are not allocated
  };
  const kinds = new Map([...types].map((type) => [type, kindOf(module, memory, type)]).filter(([, kind]) => kind));
  const found = Object.fromEntries(Object.keys(tests).map((kind) => [kind, []]));
  each((at, type) => {
    const kind = kinds.get(type);
    if (kind && tests[kind](at)) found[kind].push(at);
  });
  return found;
}

/** Which kind of objects a type has, of those that matter. */
function kindOf(module, memory, type) {
  const flags = memory.W[type / 4 + TYPE.flags];
  const bases = { frozenset: [module._PySet_Type, module._PyFrozenSet_Type], weakref: [module.__PyWeakref_RefType] };
  const names = { date: ["datetime.date", "datetime.time", "datetime.timedelta"], dtype: ["numpy.dtype"], results: ["functools._lru_list_elem"] };
  return ["type", "dict", "str", "bytes", "tuple"].find((kind) => (flags >>> FLAGS[kind]) & 1)
    ?? Object.keys(bases).find((kind) => within(memory, type, bases[kind]))
    ?? Object.keys(names).find((kind) => within(memory, type, names[kind], nameOf));
}

/** Whether a type or one of its bases is among those that are wanted. */
function within(memory, type, wanted, as = (_, base) => base) {
  for (let base = type; base; base = memory.W[base / 4 + TYPE.base]) if (wanted.includes(as(memory, base))) return true;
  return false;
}

function nameOf({ B, W }, type) {
  const from = W[type / 4 + TYPE.name];
  return String.fromCharCode(...B.subarray(from, B.indexOf(0, from)));
}

/** The hash of text or bytes, computed from the letters: after the object or elsewhere, of one, two or four bytes each. */
function hashAnew(module, { B, W }, at) {
  const isText = (W[W[at + 1] / 4 + TYPE.flags] >>> FLAGS.str) & 1, state = B[4 * at + 16];
  const from = !isText ? 4 * at + 16 : state & 32 ? 4 * at + (state & 64 ? 20 : 28) : W[at + 7];
  const bytes = W[at + 2] * (isText ? (state >> 2) & 7 : 1);
  return from + bytes < B.length ? module._Py_HashBuffer(from, bytes) : null;
}

/** Python's own tables of hashes: how many entries, how many chains and where, then its functions, the second of them that of hashes. */
function internalTables(module, memory, end) {
  const { W } = memory, table = module.wasmTable, found = [];
  for (let at = module._emscripten_stack_get_base() >>> 2; at < end; at += 2) {
    const count = W[at + 1], isFunction = (i) => W[at + i] > 0 && W[at + i] < table.length;
    if (!W[at] || count < 16 || count & (count - 1) || !isPointer(W[at + 2], end) || ![3, 4, 5, 8, 9].every(isFunction)) continue;
    if (!allocated(memory, at) || W[at - 1] < 44) continue;
    const entries = [...chained(W, at)], hash = table.get(W[at + 4]);
    ensure(entries.length === W[at] && entries.every((entry) => hash(W[entry + 2]) >>> 0 === W[entry + 1]), "internal table", at);
    found.push(at);
  }
  return found;
}

/** Lists of words as one, as `reseed` takes them. */
function packed(lists) {
  const distances = (list) => list.sort((a, b) => a - b).map((at, i) => at - (i ? list[i - 1] : 0));
  return Uint32Array.from([...LISTS.map((name) => lists[name].length), ...LISTS.flatMap((name) => distances(lists[name]))]);
}
