// What the pages with a code editor (code.js) have in common: a mistake shown beside the button and marked in the code, names that
// complete, and a link that holds the code.
import { button, notice, sentence } from "./demo.js";
import { ifKept } from "./keep.js";
import { packed, unpacked } from "./share.js";

/**
 * Shows `{ text, line }`, what is wrong and where, in an element: { show(problem), clear() }.
 *
 * file  the name of the file, where the page has others beside it.
 */
export function problemBox(box, editor, file = null) {
  return {
    clear() {
      editor.mark(null);
      box.hidden = true;
      box.replaceChildren();
    },
    show({ text, line }) {
      box.replaceChildren(Object.assign(document.createElement("p"), { textContent: text }));
      box.hidden = false;
      box.scrollIntoView({ block: "nearest" }); // Ctrl+Enter in the code may be far from it
      if (line === null) return;
      const code = Object.assign(document.createElement("pre"), { textContent: editor.text.split("\n")[line - 1]?.trim() ?? "" });
      const where = Object.assign(document.createElement("p"), { textContent: file ? `${file}, line ${line}: ` : `Line ${line}: ` });
      where.append(button("Go to the line", () => editor.goTo(line)));
      box.prepend(where, code);
      editor.mark(line, text);
    },
  };
}

/**
 * Interrupts what Python was asked to do, where that can be heard.
 *
 * begun     a promise of its first lines: an interrupt before them would end what starts it, and nobody would answer.
 * over      a promise of its end.
 * patience  ms to wait for either.
 */
export async function interruptWork(pyml, begun, over, patience) {
  const late = () => new Promise((resolve) => { setTimeout(resolve, patience); });
  await Promise.race([begun, over, late()]);
  if (pyml.interrupt()) await Promise.race([over, late()]);
}

const IDLE = 2000; // ms after which somebody who has not started anything reads

/**
 * Names of modules for the editor's completion, each asked of Python once: { of(path), prepare(text) }.
 *
 * ask   gives [{ label, type, detail }] of a dotted path: a promise.
 * free  whether Python can be asked now; while it works, only what it told before is known.
 */
export function knownNames(ask, free) {
  const known = new Map();
  const of = async (path) => {
    if (!known.has(path)) {
      if (!free()) return [];
      known.set(path, ask(path).catch(() => []));
    }
    return known.get(path);
  };
  return {
    of,
    /** Asks for the modules that a text imports from pyml, if Python has nothing to do in a moment: many of them are imported for that. */
    prepare(text) {
      const asked = new Set(text.match(/\bpyml(\.\w+)*\b/g));
      for (const [, list] of text.matchAll(/^from pyml import ([^\n#]+)/gm)) for (const name of list.split(",")) asked.add(`pyml.${name.trim().split(/\s/)[0]}`);
      setTimeout(() => asked.forEach(of), IDLE);
    },
  };
}

/** Opens the site's code, or the version in the page's address, in an editor. */
export async function openCode(editor, original) {
  let given = null;
  try {
    given = await unpacked(location.hash);
  } catch (error) {
    notice(sentence(error), true);
  }
  if (editor.begin(original, given)) notice("This link brought somebody else's version of the code. Read it before you run it; Start over brings the original.");
}

/** Puts a link with a text into the address bar and the clipboard; says where it is. */
export async function shareCode(text) {
  const address = new URL(await packed(text), location.href.replace(/[?#].*/, ""));
  history.replaceState(null, "", address.hash);
  try {
    await navigator.clipboard.writeText(address.href);
    return "The link with this code is in the clipboard.";
  } catch {
    return "The link with this code is in the address bar.";
  }
}

/** Takes the code out of the page's address: it is that of a link no more, and would come before what was edited since. */
export function forgetLink() {
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
}

/** What stands below an editor whose text is the original or was edited. */
export const editedText = (edited) => (edited ? `This is your version${ifKept("; it stays in this browser")}. Start over brings the original back.` : "This is the original.");
