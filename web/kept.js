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

  /** What `pyml build` put beside the pages: { page: file } in `list`, a URL. Pages are named from the site's root, wherever that lies. */
  async function shipped(page, list) {
    if (!list) return undefined;
    try {
      const answer = await fetch(list);
      const root = new URL("..", list).pathname;
      const inside = decodeURIComponent(page.startsWith(root) ? page.slice(root.length - 1) : page);
      const file = answer.ok ? (await answer.json())[inside] : null;
      const found = file ? await fetch(new URL(file, list)) : null;
      return found?.ok ? new Uint8Array(await found.arrayBuffer()) : undefined;
    } catch {
      return undefined;
    }
  }

  return {
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
