// Shows in one element what the loader is doing: a line of text, a progress bar while files come in, and a
// "Try again" button when one did not.

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

/** Returns a function that receives the loader's events; without an element it stays silent. */
export function showStatus(element) {
  if (!element) return () => null;
  const text = document.createElement("span");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", "Download");
  element.replaceChildren(text, bar);
  bar.hidden = true;
  let phase = "";

  const explain = (error) => {
    if (error.kind === "download") return `${error.message} ${/answered 404/.test(error.message) ? "This copy of the site lacks it." : "Check the connection and try again."}`;
    const last = String(error.message).trim().split("\n").pop();
    return `Python did not start: ${last}`;
  };

  return (event) => {
    if (event.type === "phase") {
      phase = event.text;
      text.textContent = event.name === "ready" ? event.text : `${event.text}…`;
      bar.hidden = event.name === "ready";
      bar.removeAttribute("value");
      element.dataset.phase = event.name;
    } else if (event.type === "download" && element.dataset.phase !== "failed") { // other files come in all the same
      text.textContent = `${phase}: ${megabytes(event.loaded)} of ${megabytes(event.total)} MB`;
      bar.hidden = false;
      bar.max = event.total || 1;
      bar.value = event.loaded;
    } else if (event.type === "failed") {
      element.dataset.phase = "failed";
      bar.hidden = true;
      text.textContent = `${explain(event.error)} `;
      return new Promise((resolve) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = "Try again";
        button.addEventListener("click", () => { button.remove(); resolve(); }, { once: true });
        element.append(button);
      });
    }
    return null;
  };
}
