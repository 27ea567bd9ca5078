// Weights that a page keeps: in IndexedDB, and as an .npz file, which model.load_weights of Python reads.

const DATABASE = "pyml-exported";

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error(`the browser's storage: ${request.error?.message ?? "no access"}`));
  });
}

async function opened(mode) {
  if (!globalThis.indexedDB) throw new Error("this place has no IndexedDB; use model.npz().");
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("states");
  const database = await settled(opening);
  return { database, store: database.transaction("states", mode).objectStore("states") };
}

/** Resolves when the value is kept for good, not when it was accepted: storage may be found full only then. */
export async function kept(name, value) {
  const { database, store } = await opened("readwrite");
  const { transaction } = store;
  try {
    await new Promise((resolve, reject) => {
      const request = store.put(value, name);
      transaction.oncomplete = resolve;
      transaction.onabort = () => {
        const { name: kind, message } = transaction.error ?? request.error ?? {};
        reject(new Error(kind === "QuotaExceededError" ? "save: the browser's storage is full; make room there, or download the weights: model.save(\"NAME.npz\")."
          : `save: the browser's storage: ${message ?? "no access"}`));
      };
    });
  } finally {
    database.close();
  }
}

export async function found(name) {
  const { database, store } = await opened("readonly");
  return settled(store.get(name)).finally(() => database.close());
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function checksum(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC[(c ^ byte) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

const text = (string) => new TextEncoder().encode(string);

/** An array as the bytes of an .npy file. */
function npy({ bytes, shape, dtype }) {
  const kind = { float32: "<f4", int32: "<i4", uint32: "<u4", bool: "<u4" }[dtype];
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const words = `{'descr': '${kind}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const header = text(words.padEnd(Math.ceil((words.length + 11) / 64) * 64 - 11) + "\n");
  return joined([Uint8Array.of(0x93, 78, 85, 77, 80, 89, 1, 0, header.length & 255, header.length >> 8), header, bytes]);
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function record(signature, numbers) {
  const view = new DataView(new ArrayBuffer(4 + numbers.reduce((n, [size]) => n + size, 0)));
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [size, value] of numbers) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

/** Arrays { name, bytes, shape, dtype } as the bytes of an .npz file. */
export function npz(arrays) {
  const files = [], index = [];
  let at = 0;
  for (const array of arrays) {
    const data = npy(array), name = text(`${array.name}.npy`), crc = checksum(data);
    const common = [[2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc], [4, data.length], [4, data.length], [2, name.length], [2, 0]];
    files.push(record(0x04034b50, [[2, 20], ...common]), name, data);
    index.push(record(0x02014b50, [[2, 20], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), name);
    at += 30 + name.length + data.length;
  }
  const directory = joined(index);
  const end = record(0x06054b50, [[2, 0], [2, 0], [2, arrays.length], [2, arrays.length], [4, directory.length], [4, at], [2, 0]]);
  return joined([...files, directory, end]);
}
