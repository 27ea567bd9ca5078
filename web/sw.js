// Supplies the isolation headers where a static host cannot set them: with them a page has SharedArrayBuffer
// (a Stop button that interrupts Python) and precise clocks. Nothing is cached and nothing else is changed.
//
// It lies at the root of the site, so that it covers every page. web/pyml.js registers it when the page is not
// isolated; the headers count from the next load on:
//
//   if (!crossOriginIsolated && isSecureContext) navigator.serviceWorker?.register(new URL("../sw.js", import.meta.url));
"use strict";

const HEADERS = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (new URL(request.url).origin !== self.location.origin) return; // other hosts decide for themselves
  if (request.cache === "only-if-cached" && request.mode !== "same-origin") return; // fetch() would refuse it
  event.respondWith(isolated(request));
});

async function isolated(request) {
  const response = await fetch(request);
  if (response.status === 0) return response; // a redirect the browser follows by itself
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
