// Supplies the isolation headers where a static host cannot set them: with them a page has SharedArrayBuffer
// (a Stop button that interrupts Python) and precise clocks. And keeps what a page needed, so that it opens without a network:
// files come from the network as long as there is one, and from what was kept otherwise.
//
// It lies at the root of the site, so that it covers every page. web/pyml.js registers it when the page is not
// isolated, or asks to work offline; the headers count from the next load on. A page says what to keep by
// `postMessage({ keep: [addresses] })`, and what came after its start by `{ also: [addresses] }`.
"use strict";

const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};
const ISOLATED = new Set(["document", "iframe", "frame", "worker", "sharedworker"]);
const SCRIPTS = new Set(["script", "worker", "style"]); // those of a site belong together
const KEPT = "pyml-site";
const NAMED_BY_CONTENT = /-[0-9a-f]{10}\.(gz|wasm)$|\.(wasm|m?js)\?[0-9a-f]{10}$|\.whl$/; // a new build has others

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => {
  if (!self.location.search.includes("next")) event.waitUntil(self.clients.claim()); // sw.js?next answers from the next visit on
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== self.location.origin) return; // other hosts decide for themselves
  if (request.cache === "only-if-cached" && request.mode !== "same-origin") return; // fetch() would refuse it
  event.respondWith(answered(request));
});

self.addEventListener("message", (event) => {
  const { keep: all, also } = event.data ?? {};
  if (all) inTurn(event, () => keep(all));
  if (also) inTurn(event, () => keepAlso(also));
});

let before = Promise.resolve();

/** One after the other, as a page asks for more while the first is not done. Without room the page goes on needing a network. */
function inTurn(event, work) {
  before = before.then(work).catch(() => {});
  event.waitUntil(before);
}

/**
 * Asks the server whether scripts are still as the browser has them: hosts let browsers keep each for minutes by itself, and after an
 * update a new one would meet an old one.
 */
function asked(request) {
  const together = SCRIPTS.has(request.destination) && request.cache === "default" && !NAMED_BY_CONTENT.test(request.url);
  return together ? fetch(request, { cache: "no-cache" }) : fetch(request);
}

async function answered(request) {
  let response;
  try {
    response = await asked(request);
  } catch (error) {
    const kept = request.method === "GET" && (await keptOf(request));
    if (!kept) throw error;
    response = kept;
  }
  return ISOLATED.has(request.destination) ? isolated(response) : response; // others as they are: a browser keeps the machine code of those
}

/** What is kept of a page or file; of a script another build's where its own was forgotten, as pages have some in common. */
async function keptOf(request) {
  const match = (ignoreSearch) => caches.match(request, { cacheName: KEPT, ignoreSearch, ignoreVary: true });
  return (await match(request.mode === "navigate")) ?? (SCRIPTS.has(request.destination) ? match(true) : undefined);
}

function isolated(response) {
  if (response.status === 0 || response.headers.has("Cross-Origin-Embedder-Policy")) return response; // 0: the browser follows it itself
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** Keeps the files of a page's start, those that changed or are not kept yet, and forgets those of former builds that they replace. */
async function keep(addresses) {
  const cache = await caches.open(KEPT), wanted = new Set(addresses.filter(isOwn));
  await forgetFormer(cache, wanted, () => true);
  await add(cache, wanted);
}

/** The same of files that came later: these are not all that there are. */
async function keepAlso(addresses) {
  const cache = await caches.open(KEPT), wanted = new Set(addresses.filter(isOwn));
  await forgetFormer(cache, wanted, (url) => url.includes("/web/programs/"));
  await add(cache, wanted);
}

const isOwn = (address) => new URL(address).origin === self.location.origin;

/** An address without what tells its content or version: what a new build's file of the same use has in common with it. */
const useOf = (url) => url.replace(/[-?][0-9a-f]{10}(?=\.|$)/, "").replace(/-[^/]*\.whl$/, ".whl");

async function forgetFormer(cache, wanted, among) {
  const uses = new Set([...wanted].filter((url) => NAMED_BY_CONTENT.test(url)).map(useOf));
  for (const { url } of await cache.keys()) {
    if (NAMED_BY_CONTENT.test(url) && !wanted.has(url) && among(url) && uses.has(useOf(url))) await cache.delete(url);
  }
}

async function add(cache, wanted) {
  for (const address of wanted) {
    const old = await cache.match(address, { ignoreVary: true });
    if (old && NAMED_BY_CONTENT.test(address)) continue;
    const response = await fetch(address).catch(() => null);
    if (response?.status === 200 && (!old || old.headers.get("etag") !== response.headers.get("etag"))) await cache.put(address, response);
  }
}
