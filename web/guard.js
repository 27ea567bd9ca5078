// Says in the page when one of its own scripts did not arrive: a module that fails, or one that it imports, would leave
// the page at "Loading…". A plain script in the <head>, so that it is there first.
"use strict";

(() => {
  const PATIENCE = 30; // seconds in which nothing comes
  const say = (text) => {
    const status = document.getElementById("status");
    if (!status || status.dataset.phase) return; // Python's start speaks for itself
    status.dataset.phase = "failed";
    if (location.protocol === "file:") {
      status.textContent = "A browser runs pages with a network only from a web server, which may be this machine's own: in the page's folder, run “python -m http.server”, then open http://localhost:8000/.";
      return;
    }
    status.textContent = `${text} Check the connection and try again. `;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
    button.addEventListener("click", () => location.reload());
    status.append(button);
  };
  const nameOf = (url) => new URL(url, location.href).pathname.split("/").pop();
  const isScript = (url) => /\.m?js$/.test(new URL(url).pathname);
  const seen = () => performance.getEntriesByType("resource");

  /** What is wrong with a script that came, as far as the browser tells; "" where nothing is known to be. */
  const wrongWith = ({ responseStatus: status = 200, contentType = "" }) => {
    if (status && (status < 200 || status > 399)) return `the server answered ${status}`;
    return contentType.includes("html") ? "the server answered with a page" : "";
  };

  /** The scripts that modules ask for and that have not come. */
  const awaited = async () => {
    const there = new Set(seen().map(({ name }) => name));
    const modules = [...document.querySelectorAll("script[type=module]")];
    const asked = new Set(modules.map(({ src }) => src).filter(Boolean));
    const read = (text, base) => { for (const [, path] of text.matchAll(/from\s*"(\.[^"]+)"/g)) asked.add(new URL(path, base).href); };
    for (const { src, textContent } of modules) if (!src) read(textContent, location.href);
    for (const url of asked) if (there.has(url)) await fetch(url, { cache: "force-cache" }).then((answer) => answer.text()).then((text) => read(text, url), () => {});
    return [...asked].filter((url) => !there.has(url));
  };

  /** The one of these that breaks off, of which a browser has no record: it is asked for again. */
  const cut = async (scripts) => {
    for (const { name } of scripts) {
      const breaks = await fetch(name, { signal: AbortSignal.timeout(5000) }).then((answer) => answer.text()).then(() => false, (error) => error.name !== "TimeoutError");
      if (breaks) return name;
    }
    return null;
  };

  addEventListener("error", async ({ target, filename, message }) => {
    if (target instanceof HTMLScriptElement && target.type === "module") {
      // the event names the first module only; the browser's record tells which file it was
      const scripts = seen().filter(({ name }) => isScript(name));
      const bad = scripts.find((entry) => wrongWith(entry));
      const url = bad?.name ?? scripts.find(({ responseStatus }) => responseStatus === 0)?.name ?? (await cut(scripts)) ?? (await awaited())[0] ?? target.src;
      say(`Could not download ${nameOf(url)}: ${bad ? wrongWith(bad) : "it did not come, or ended early"}.`);
    } else if (filename && isScript(new URL(filename, location.href))) {
      say(`${nameOf(filename)} did not run: ${/SyntaxError/.test(message) ? `it is damaged, or this browser is too old for it (${message})` : message}.`);
    }
  }, true);

  let quiet = 0, count = 0;
  const clock = setInterval(async () => {
    quiet = seen().length === count ? quiet + 1 : 0;
    count = seen().length;
    if (quiet < PATIENCE) return;
    clearInterval(clock);
    const [url] = await awaited();
    if (quiet >= PATIENCE) say(`Could not download ${url ? nameOf(url) : "this page's scripts"}: nothing came for ${PATIENCE} seconds.`);
  }, 1000);
  addEventListener("DOMContentLoaded", () => { clearInterval(clock); quiet = 0; }); // all of them ran
})();
