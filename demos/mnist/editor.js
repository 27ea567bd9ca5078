// The editor of model.py: what was changed is kept in this browser, and a mistake is shown beside the button and marked.
import { button } from "../../web/demo.js";
import { keptText } from "../../web/keep.js";

/**
 * area     the `<textarea>` with the file.
 * note     element that says whether the file was changed.
 * reset    button that brings the file of the site back.
 * problem  element for what is wrong with the file.
 */
export function editor({ area, note, reset, problem }) {
  const kept = keptText("mnist/model.py");
  let original = "";

  function changed() {
    const edited = area.value !== original;
    if (edited) kept.set(area.value);
    else kept.forget();
    reset.disabled = !edited;
    note.textContent = edited ? "This is your version; it stays in this browser. Start over brings the original back." : "This is the original.";
  }

  /** Marks a line, from 1; null marks none. The mark scrolls with the text. */
  function mark(line) {
    area.classList.toggle("marked", line !== null);
    if (line === null) return;
    area.style.setProperty("--line", line - 1);
    const height = parseFloat(getComputedStyle(area).lineHeight);
    const top = (line - 1) * height;
    if (top < area.scrollTop || top > area.scrollTop + area.clientHeight - 3 * height) area.scrollTop = Math.max(0, top - area.clientHeight / 3);
  }

  function goTo(line) {
    const lines = area.value.split("\n");
    const from = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    area.focus({ preventScroll: true });
    area.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
    area.scrollIntoView({ block: "center" });
    mark(line);
  }

  area.addEventListener("input", () => { mark(null); changed(); });
  reset.addEventListener("click", () => {
    area.value = original;
    mark(null);
    changed();
    area.focus();
  });
  return {
    /** Takes the site's file as the original; what was kept of an earlier visit, or typed meanwhile, comes first. */
    begin(text) {
      original = text;
      if (!area.value) area.value = kept.get() ?? text;
      changed();
    },
    clearProblem() {
      mark(null);
      problem.hidden = true;
      problem.replaceChildren();
    },
    /** Shows `{ text, line }`: what is wrong, and where, with the line itself. */
    showProblem({ text, line }) {
      const message = Object.assign(document.createElement("p"), { textContent: text });
      problem.hidden = false;
      problem.replaceChildren(message);
      if (line === null) return;
      const code = Object.assign(document.createElement("pre"), { textContent: area.value.split("\n")[line - 1].trim() });
      const where = Object.assign(document.createElement("p"), { textContent: `model.py, line ${line}: ` });
      where.append(button("Go to the line", () => goTo(line)));
      problem.prepend(where, code);
      mark(line);
    },
  };
}
