// Says in the page when one of its own scripts did not arrive: a module that fails, or one that it imports, would leave
// the page at "Loading…". A plain script in the <head>, so that it is there first.
"use strict";

(() => {
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

  addEventListener("error", ({ target, filename, message }) => {
    if (target instanceof HTMLScriptElement && target.type === "module") {
      // the event names the first module only; the browser's record tells which file it was
      const scripts = performance.getEntriesByType("resource").filter(({ name }) => /\.js$/.test(new URL(name).pathname));
      const bad = scripts.find(({ responseStatus }) => responseStatus !== undefined && (responseStatus < 200 || responseStatus > 399));
      say(`Could not download ${nameOf(bad?.name ?? target.src)}${bad?.responseStatus ? `: the server answered ${bad.responseStatus}` : ""}.`);
    } else if (filename && /\.js$/.test(new URL(filename, location.href).pathname)) {
      say(`${nameOf(filename)} did not run: ${message}.`);
    }
  }, true);
})();
