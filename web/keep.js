// What a page keeps in this browser from one visit to the next: texts, and records with pictures or sounds in them.
// Where the browser keeps nothing (a private window, storage that is full or blocked), and in a second tab of a page, pages work without
// and say so: nothing that somebody did here is gone without a word.

const LEAVING = 3000; // ms for a tab that is being closed or reloaded to let go

let lost = null; // why something was not kept, in a sentence
const listeners = [];

/** Calls `hear(sentence)` once something cannot be kept. */
export function onNotKept(hear) {
  listeners.push(hear);
  if (lost) hear(lost);
}

/** A sentence that says that something stays, where it does; else "". */
export const ifKept = (sentence) => (lost ? "" : sentence);

function notKept(reason) {
  if (lost) return;
  lost = `${reason} What you do here is gone when you leave the page: save what you want to keep.`;
  for (const hear of listeners) hear(lost);
}

function failed(error) {
  if (!lost) console.warn("pyml: this browser keeps nothing of this page,", error?.message);
  notKept(error?.name === "QuotaExceededError" ? "The storage of this browser is full." : "This browser keeps nothing of this page.");
}

const tabs = new Map(); // name -> { mine }, undefined until it is known

/** Of several tabs with a page the first one keeps; two that write into one place would each lose what the other wrote. */
function tab(name) {
  if (tabs.has(name)) return tabs.get(name);
  const state = { mine: undefined };
  state.known = new Promise((done) => {
    const decide = (mine) => { state.mine ??= mine; done(); };
    if (!navigator.locks) return decide(true);
    navigator.locks.request(`pyml-demos/${name}`, { signal: AbortSignal.timeout(LEAVING) }, () => {
      decide(true);
      return new Promise(() => {}); // as long as the tab is there
    }).catch((error) => decide(error?.name !== "TimeoutError"));
    return null;
  });
  tabs.set(name, state);
  return state;
}

/** Whether what this tab does is kept under a name: a promise. */
export async function tabKeeps(name) {
  await tab(name).known;
  return tab(name).mine;
}

const elsewhere = () => notKept("This page is open in another tab too, which keeps what is done there.");

/** A text of the page, in localStorage; written at once, so that a reload right after an edit finds it (IndexedDB may not). */
export function keptText(name) {
  const key = `pyml-demos/${name}`;
  const own = tab(name);
  const change = (body) => {
    if (own.mine === false) return elsewhere();
    try {
      return body();
    } catch (error) {
      return failed(error);
    }
  };
  return {
    get() {
      try {
        return localStorage.getItem(key);
      } catch {
        return null; // whoever writes hears of it
      }
    },
    set: (text) => change(() => localStorage.setItem(key, text)),
    forget: () => change(() => localStorage.removeItem(key)),
  };
}

/** Values of the page, as JSON in such a text; what is no JSON, as nothing was. */
export function keptValue(name) {
  const text = keptText(name);
  return {
    get() {
      try {
        return JSON.parse(text.get());
      } catch {
        return null;
      }
    },
    set: (value) => text.set(JSON.stringify(value)),
    forget: text.forget,
  };
}

/**
 * Records of the page, in IndexedDB: { all(), put(key, record), remove(key), clear() }, in the order of their keys.
 * Each resolves when it is done; `all` to [[key, record], ...].
 */
export function keptRecords(name) {
  let opening = null;
  tab(name); // from now on, not from the first change on
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
  const store = async (mode) => (await open()).transaction("records", mode).objectStore("records");
  async function change(body) {
    if (!(await tabKeeps(name))) return elsewhere();
    try {
      const place = await store("readwrite"), { transaction } = place;
      await new Promise((resolve, reject) => { // a full storage says so at the end only
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
        body(place);
      });
    } catch (error) {
      failed(error);
    }
    return undefined;
  }
  return {
    async all() {
      try {
        const place = await store("readonly");
        const [keys, records] = await Promise.all([request(place.getAllKeys()), request(place.getAll())]);
        return keys.map((key, i) => [key, records[i]]);
      } catch {
        return []; // whoever writes hears of it
      }
    },
    put: (key, record) => change((place) => place.put(record, key)),
    remove: (key) => change((place) => place.delete(key)),
    clear: () => change((place) => place.clear()),
  };
}
