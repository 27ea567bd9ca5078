// Keeps a model in localStorage again and again, the page ending or the room being full at each operation; used by test_stores.py.
import { open } from "../../web/stores.js";

class Ended extends Error {}

/** What stays when a page ends, with room for `room` characters. */
function storage(kept, at = Infinity, room = Infinity) {
  let count = 0;
  const step = () => { count += 1; if (count >= at) throw new Ended("the page has ended"); };
  const size = () => [...kept].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return {
    get length() { return kept.size; },
    get count() { return count; },
    key: (i) => [...kept.keys()][i],
    getItem: (key) => kept.get(key) ?? null,
    setItem(key, value) {
      step();
      if (size() - (kept.has(key) ? key.length + kept.get(key).length : 0) + key.length + value.length > room) {
        throw Object.assign(new Error("no room"), { name: "QuotaExceededError" });
      }
      kept.set(key, value);
    },
    removeItem(key) { step(); kept.delete(key); },
  };
}

globalThis.document = {};
const text = (value) => JSON.stringify({ modelTopology: { value }, weightSpecs: [value], format: "f" });
const keep = (value, bytes = 60) => open().save("localstorage", "m", text(value), new Uint8Array(bytes).fill(value).buffer, true);

async function value() {
  const found = await open().load("localstorage", "m");
  if (found.failed) return found.failed;
  const artifacts = JSON.parse(found.value.text), bytes = [...new Uint8Array(found.value.data)];
  const all = new Set([artifacts.modelTopology.value, ...artifacts.weightSpecs, ...bytes]);
  return all.size === 1 ? bytes[0] : `a mixture of ${[...all]}`;
}

const found = [];
for (let at = 1; ; at += 1) {
  const kept = new Map();
  globalThis.localStorage = storage(kept);
  await keep(1);
  globalThis.localStorage = storage(kept, at);
  await keep(2);
  const ended = globalThis.localStorage.count >= at;
  globalThis.localStorage = storage(kept);
  found.push(await value());
  if (!ended) break;
}
const full = [];
for (let room = 600; room < 3000; room += 37) {             // enough for the old model
  const kept = new Map();
  globalThis.localStorage = storage(kept);
  await keep(1);
  globalThis.localStorage = storage(kept, Infinity, room);
  const answer = await keep(2, 400);
  globalThis.localStorage = storage(kept);
  full.push([answer.failed ?? "kept", await value(), [...kept.keys()].some((key) => key.startsWith("pyml_pending/"))]);
}
const tight = new Set();                                    // the page ends where the room is short, and the next one has no more
for (let room = 900; room < 3000; room += 37) {
  for (let at = 1, ended = true; ended; at += 1) {
    const kept = new Map();
    globalThis.localStorage = storage(kept);
    await keep(1);
    globalThis.localStorage = storage(kept, at, room);
    await keep(2, 400);
    ended = globalThis.localStorage.count >= at;
    globalThis.localStorage = storage(kept, Infinity, room);
    tight.add(await value());
  }
}
const damaged = [];                                         // what somebody else wrote under the key of what is being kept
for (const other of ["{", "null", "[1]"]) {
  const kept = new Map();
  globalThis.localStorage = storage(kept);
  await keep(1);
  kept.set("pyml_pending/other", other);
  damaged.push(await value());
}
console.log(JSON.stringify({ found, full, tight: [...tight], damaged }));
