// Keeps the files of this folder, so that the page opens without a network.

const PREFIX = `pyml-app ${registration.scope} `, CACHE = `${PREFIX}VERSION`, FILES = FILE_LIST; // other folders have their own

addEventListener("install", (event) => {
  // anew: what the browser itself has kept may belong to an earlier export
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })))).then(() => skipWaiting()));
});
addEventListener("activate", (event) => {
  const old = async () => Promise.all((await caches.keys()).filter((key) => key.startsWith(PREFIX) && key !== CACHE).map((key) => caches.delete(key)));
  event.waitUntil(old().then(() => clients.claim()));
});
addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(caches.open(CACHE).then(async (cache) => (await cache.match(event.request, { ignoreSearch: true })) ?? fetch(event.request)));
});
