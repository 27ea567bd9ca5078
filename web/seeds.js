// A new hash seed for a memory that was taken with another one. Python's secret is in the hash of every string, and with that in the
// table of every dict and the order of every set, so pages that start from one memory had one seed. But a memory does not
// change: web/seedwords.js finds once, where it is taken, all that depends on the secret; `reseed` draws a secret at every start and
// makes that anew, before Python runs. Layouts are those of CPython 3.14 in 32 bits, in words of 4 bytes: Include/internal/pycore_dict.h,
// Include/cpython/setobject.h, Objects/odictobject.c, Python/hashtable.c.

const SECRET = 24; // bytes
export const HASH = { str: 3, bytes: 3, tuple: 3, frozenset: 6, weakref: 4, date: 2, dtype: 11 }; // where objects keep their own hash
const NEAR = 9; // entries of a set that are tried one behind the other
export const LISTS = ["strings", "hashes", "tables", "sets", "ordered", "results", "internal"];

/**
 * Draws a new secret and makes anew all that goes back to the one before.
 *
 * module  Pyodide's, with a memory in which Python has not run since `words` were found.
 * words   all that depends on it: lists of words, by LISTS, each as its distance from the one before, behind how many each has.
 */
export function reseed(module, words) {
  const memory = memoryOf(module), { B, W, H, hashOf } = memory;
  const { strings, hashes, tables, sets, ordered, results, internal } = listsOf(words);
  globalThis.crypto.getRandomValues(B.subarray(module.__Py_HashSecret, module.__Py_HashSecret + SECRET));
  for (const at of hashes) H[at] = -1; // who asks next computes it
  for (const at of strings) {
    H[at + HASH.str] = -1;
    hashOf(4 * at); // who looks it up does not ask
  }
  for (const at of tables) if (!isMixed(memory, at)) indexKeys(memory, at);
  for (const at of internal) chainAnew(W, at, module.wasmTable.get(W[at + 4]));
  // From here on names are found, so classes with a __hash__ of their own can be asked.
  for (const at of tables) {
    if (!isMixed(memory, at)) continue;
    for (let left = W[at + 4], entry = entriesOf(memory, at); left; left--, entry += 3) if (W[entry + 1]) H[entry] = hashOf(W[entry + 1]);
    indexKeys(memory, at);
  }
  for (const at of sets) placeMembers(memory, at);
  for (const at of ordered) for (const node of nodesOf(memory, at)) H[node + 1] = hashOf(W[node]);
  for (const at of results) H[at + 4] = hashOf(W[at + 5]); // lru_cache keeps them by their arguments
}

/** Views of the memory, which does not grow for what a __hash__ makes, and Python's own hash of an object. */
export function memoryOf(module) {
  module._free(module._malloc(1 << 20));
  return { B: module.HEAPU8, S: module.HEAPU16, W: module.HEAPU32, H: module.HEAP32, hashOf: module._PyObject_Hash };
}

/** Whether the keys of a dict, which begin at a word, are of all kinds, with their hashes beside them; else they are strings. */
export const isMixed = ({ B }, at) => B[4 * at + 6] === 0;
export const entriesOf = ({ B }, at) => at + 5 + (1 << B[4 * at + 5]) / 4;

/** Makes the table of a dict's keys from their hashes; their own order stays. */
function indexKeys(memory, at) {
  const { B, S, W } = memory, size = 1 << B[4 * at + 4], shift = B[4 * at + 5] - B[4 * at + 4];
  const indices = [B, S, W][shift], first = (4 * (at + 5)) >> shift, empty = [0xff, 0xffff, 0xffffffff][shift];
  const mixed = isMixed(memory, at), step = mixed ? 3 : 2, used = W[at + 4];
  indices.fill(empty, first, first + size);
  for (let e = 0, entry = entriesOf(memory, at); e < used; e++, entry += step) {
    const key = W[mixed ? entry + 1 : entry];
    if (!key) continue;
    const hash = mixed ? W[entry] : W[(key >> 2) + HASH.str];
    let i = hash & (size - 1);
    for (let rest = hash; indices[first + i] !== empty;) {
      rest >>>= 5;
      i = (5 * i + rest + 1) & (size - 1);
    }
    indices[first + i] = e;
  }
}

/** Puts the members of a set where their new hashes say. */
function placeMembers(memory, at) {
  const { W, H, hashOf } = memory, table = W[at + 5] >> 2, mask = W[at + 4], all = membersOf(memory, at).map((entry) => W[entry]);
  W.fill(0, table, table + 2 * (mask + 1));
  W[at + 2] = W[at + 3]; // no entry is left of what was removed
  for (const key of all) {
    const hash = hashOf(key);
    let i = hash & mask, near = 0;
    for (let rest = hash >>> 0; W[table + 2 * (i + near)];) {
      if (near < NEAR && i + NEAR <= mask) near += 1;
      else {
        near = 0;
        rest >>>= 5;
        i = (5 * i + 1 + rest) & mask;
      }
    }
    W[table + 2 * (i + near)] = key;
    H[table + 2 * (i + near) + 1] = hash;
  }
}

/** Chains the entries of one of Python's own tables by their new hashes. */
function chainAnew(W, at, hash) {
  const buckets = W[at + 2] / 4, count = W[at + 1], all = [...chained(W, at)];
  W.fill(0, buckets, buckets + count);
  for (const entry of all) {
    W[entry + 1] = hash(W[entry + 2]);
    const bucket = buckets + (W[entry + 1] & (count - 1));
    W[entry] = W[bucket];
    W[bucket] = 4 * entry;
  }
}

/** The entries of one of Python's own tables. */
export function* chained(W, at) {
  for (let b = 0; b < W[at + 1]; b++) for (let entry = W[W[at + 2] / 4 + b] / 4; entry; entry = W[entry] / 4) yield entry;
}

/** The entries of a set that hold a member. */
export function membersOf({ W, H }, at) {
  const all = [];
  for (let entry = W[at + 5] >> 2, last = entry + 2 * W[at + 4]; entry <= last; entry += 2) if (W[entry] && H[entry + 1] !== -1) all.push(entry);
  return all;
}

/** The nodes of an OrderedDict: key, hash, next. */
export function nodesOf({ W }, at) {
  const all = [];
  for (let node = W[at + 8] >> 2; node; node = W[node + 2] >> 2) all.push(node);
  return all;
}

/** The lists in `words`. */
function listsOf(words) {
  let from = LISTS.length;
  return Object.fromEntries(LISTS.map((name, i) => {
    const list = words.slice(from, (from += words[i]));
    for (let at = 1; at < list.length; at++) list[at] += list[at - 1];
    return [name, list];
  }));
}
