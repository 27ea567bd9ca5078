// Compiled programs of a page, kept in the browser's Cache (pyml/kept_page.py). Evaluated by Python; gives an object.
//
// A page has one piece of bytes, which Python packs and unpacks. Of all pages together no more than MOST is kept; those
// that were written longest ago go first. Everything resolves: where nothing can be kept, `load` gives undefined and `save` a reason.
(() => {
  const NAME = "pyml-programs", MOST = 50 * 1024 * 1024;
  const open = async () => {
    if (!globalThis.caches) throw new Error("this page has no storage (it is not a secure context)");
    return caches.open(NAME);
  };
  const keyOf = (page) => new URL(`/pyml-programs?page=${encodeURIComponent(page)}`, globalThis.location?.origin ?? "http://localhost").href;
  const reasonOf = (error) => error?.message || error?.name || String(error);

  const arrived = new Map(); // what `begin` has loaded, by its address: bytes, or the text of the list

  /** The file that `pyml build` put beside a page for a kind of device; `list` is the text of the list at `url`. Pages are named from the site's root. */
  function fileOf(page, url, list, machine) {
    const root = new URL("..", url).pathname;
    const inside = decodeURIComponent(page.startsWith(root) ? page.slice(root.length - 1) : page);
    const hash = JSON.parse(list)[inside]?.[machine];
    return hash && new URL(`programs${inside.split("/").map(encodeURIComponent).join("/")}${machine}-${hash}.gz`, url).href;
  }

  /** Loads what comes with a page, for `shipped` to have it at once. Never rejects: who does not find it here asks for it, or compiles. */
  async function begin(page, url, machine) {
    try {
      const answer = await fetch(url, { cache: "no-cache" });
      if (!answer.ok) return;
      arrived.set(url, await answer.text());
      const file = fileOf(page, url, arrived.get(url), machine);
      const found = file && (await fetch(file, { priority: "low" }));
      if (found?.ok) arrived.set(file, new Uint8Array(await found.arrayBuffer()));
    } catch {
      // no network, or no such site
    }
  }

  /** A file's bytes, one a character, for whom no promise can be waited for; undefined where there is none. */
  function waitedFor(url) {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.overrideMimeType("text/plain; charset=x-user-defined"); // bytes from 0x80 on come as U+F780 to U+F7FF
    request.send();
    return request.status === 200 ? request.responseText : undefined;
  }

  /** What came with a page for a kind of device, or undefined; `url` is that of the list. Waits, and everything in this thread with it. */
  function shipped(page, url, machine) {
    try {
      const list = arrived.get(url) ?? waitedFor(url);
      const file = list && fileOf(page, url, list, machine);
      if (!file) return undefined;
      const found = arrived.get(file) ?? waitedFor(file);
      arrived.clear();
      return typeof found === "string" ? Uint8Array.from(found, (letter) => letter.charCodeAt(0) & 255) : found;
    } catch {
      return undefined;
    }
  }

  return {
    begin,
    shipped,
    /** The bytes of a page, or undefined. */
    async load(page) {
      try {
        const found = await (await open()).match(keyOf(page));
        return found ? new Uint8Array(await found.arrayBuffer()) : undefined;
      } catch {
        return undefined;
      }
    },
    /** Keeps the bytes of a page, which are copied before this returns; resolves to "" or to why it could not. */
    async save(page, view) {
      const bytes = new Uint8Array(view.length);
      bytes.set(view);
      try {
        const cache = await open(), key = keyOf(page);
        const headers = { "content-type": "application/octet-stream", "x-written": String(Date.now()), "x-size": String(bytes.length) };
        const others = [];
        for (const request of await cache.keys()) {
          if (request.url === key) continue;
          const answer = await cache.match(request);
          others.push({ request, written: Number(answer?.headers.get("x-written")) || 0, size: Number(answer?.headers.get("x-size")) || 0 });
        }
        others.sort((a, b) => a.written - b.written);
        let size = bytes.length + others.reduce((sum, other) => sum + other.size, 0);
        for (const other of others) {
          if (size <= MOST) break;
          await cache.delete(other.request);
          size -= other.size;
        }
        await cache.put(key, new Response(bytes, { headers }));
        return "";
      } catch (error) {
        return reasonOf(error);
      }
    },
    clear: async () => (globalThis.caches ? caches.delete(NAME).catch(() => false) : false),
  };
})()
