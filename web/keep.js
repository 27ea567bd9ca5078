// What a page keeps in this browser from one visit to the next: texts, and records with pictures or sounds in them.
// Where the browser keeps nothing (a private window, storage that is full or blocked) pages work without.

/** A text of the page, in localStorage; written at once, so that a reload right after an edit finds it (IndexedDB may not). */
export function keptText(name) {
  const key = `pyml-demos/${name}`;
  const attempt = (body) => { try { return body(); } catch { return null; } };
  return {
    get: () => attempt(() => localStorage.getItem(key)),
    set: (text) => attempt(() => localStorage.setItem(key, text)),
    forget: () => attempt(() => localStorage.removeItem(key)),
  };
}

/**
 * Records of the page, in IndexedDB: { all(), put(key, record), remove(key), clear() }, in the order of their keys.
 * Each resolves when it is done; `all` to [[key, record], ...].
 */
export function keptRecords(name) {
  let opening = null;
  const request = (asked) => new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  function open() {
    opening ??= (() => {
      const asked = indexedDB.open(`pyml-demos/${name}`, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("records");
      return request(asked);
    })();
    return opening;
  }
  async function run(mode, body, otherwise) {
    try {
      return await body((await open()).transaction("records", mode).objectStore("records"));
    } catch (error) {
      console.warn("pyml: this browser keeps nothing of this page,", error?.message);
      return otherwise;
    }
  }
  return {
    all: () => run("readonly", async (store) => {
      const [keys, records] = await Promise.all([request(store.getAllKeys()), request(store.getAll())]);
      return keys.map((key, i) => [key, records[i]]);
    }, []),
    put: (key, record) => run("readwrite", (store) => request(store.put(record, key))),
    remove: (key) => run("readwrite", (store) => request(store.delete(key))),
    clear: () => run("readwrite", (store) => request(store.clear())),
  };
}
