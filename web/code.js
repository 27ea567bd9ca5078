// The code editor of a page: CodeMirror with Python's colours, indentation, marked lines and completion; a plain field for text where
// vendor/codemirror.js did not arrive. What was changed is kept in this browser.
import { keptText } from "./keep.js";
import { patiently } from "./patience.js";

const LIBRARY = new URL("../vendor/codemirror.js", import.meta.url).href;

/**
 * An editor in the place of a `<textarea>`, which stays as its twin where the library does not arrive.
 *
 * area     the textarea; its label names the editor too.
 * kept     the name under which changes are kept, or null.
 * changed  called with (edited) after each change: whether the text is another than the original.
 * typed    called after each change that somebody made here.
 * run      called at Ctrl+Enter or Cmd+Enter.
 * names    gives the names that may follow a dotted one, `names("pyml.layers")`: a promise of [{ label, type, detail }].
 *
 * Resolves to { text, original, begin(original, given), reset(), mark(line, message), goTo(line), readOnly(on), focus() }.
 */
export async function codeEditor({ area, kept = null, changed = () => {}, typed = () => {}, run = () => {}, names = async () => [] }) {
  const store = kept ? keptText(kept) : { get: () => null, set() {}, forget() {} };
  let opening = false;
  const edit = () => {
    if (opening) return;
    const edited = face.text !== face.original;
    if (edited) store.set(face.text);
    else store.forget();
    changed(edited);
    typed();
  };
  let surface;
  try {
    surface = rich(await patiently("codemirror.js", import(LIBRARY)), area, { edit, run, names });
  } catch (error) {
    console.warn("pyml: the plain editor is used,", error?.message);
    surface = plain(area, { edit, run });
  }
  const face = {
    original: "",
    get text() { return surface.text; },
    set text(value) { surface.text = value; },
    /**
     * Takes the site's file as the original; `given`, then what was kept of an earlier visit or typed meanwhile, come first.
     * Returns whether what was given is another's: neither the original nor what was kept.
     */
    begin(original, given = null) {
      face.original = original;
      const other = given !== null && given !== original && given !== store.get();
      opening = true; // a file out of a link is kept from its first change on, not before
      if (given !== null || !surface.text) surface.text = given ?? store.get() ?? original;
      opening = false;
      changed(surface.text !== original);
      return other;
    },
    reset() {
      surface.text = face.original;
      surface.mark(null);
      edit();
    },
    /** Marks a line, from 1, with what is wrong in it; null marks none. */
    mark: (line, message = "") => surface.mark(line, message),
    goTo: (line) => surface.goTo(line),
    readOnly: (on) => surface.readOnly(on),
    focus: () => surface.focus(),
  };
  return face;
}

/** The textarea itself, which marks a line with its background. */
function plain(area, { edit, run }) {
  area.addEventListener("input", () => { area.classList.remove("marked"); edit(); });
  area.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(); });
  return {
    get text() { return area.value; },
    set text(value) { area.value = value; },
    mark(line) {
      area.classList.toggle("marked", line !== null);
      if (line === null) return;
      area.style.setProperty("--line", line - 1);
      const height = parseFloat(getComputedStyle(area).lineHeight);
      const top = (line - 1) * height;
      if (top < area.scrollTop || top > area.scrollTop + area.clientHeight - 3 * height) area.scrollTop = Math.max(0, top - area.clientHeight / 3);
    },
    goTo(line) {
      const lines = area.value.split("\n");
      const from = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
      area.focus({ preventScroll: true });
      area.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
      area.scrollIntoView({ block: "center" });
    },
    readOnly(on) { area.readOnly = on; },
    focus() { area.focus(); },
  };
}

const colour = (name) => `var(--code-${name})`;

/** CodeMirror in the textarea's place. */
function rich(lib, area, { edit, run, names }) {
  const { EditorView, EditorState, Compartment, keymap, tags } = lib;
  const look = EditorView.theme({
    "&": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "6px", fontSize: "0.85rem" },
    "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "2px" },
    ".cm-scroller": { fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, monospace', lineHeight: "1.5", overflow: "auto" },
    ".cm-content": { caretColor: "var(--ink)", padding: "0.6rem 0" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    ".cm-gutters": { backgroundColor: "var(--paper)", color: "var(--quiet)", border: "none" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--line) 35%, transparent)" },
    ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "rgba(var(--cell), 0.28)" },
    ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "rgba(var(--cell), 0.3)", outline: "none" },
    ".cm-tooltip": { backgroundColor: "var(--card)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "6px" },
    ".cm-tooltip-autocomplete > ul > li": { padding: "2px 8px" },
    ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
    ".cm-completionDetail": { color: "inherit", opacity: 0.75, fontStyle: "normal", marginLeft: "0.8em" },
    ".cm-diagnostic-error": { borderLeftColor: "var(--wrong)" },
    ".cm-lintRange-error": { backgroundImage: "none", backgroundColor: "rgba(var(--cell-wrong), 0.28)" },
  });
  const colours = lib.HighlightStyle.define([
    { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.moduleKeyword], color: colour("keyword") },
    { tag: [tags.string, tags.special(tags.string)], color: colour("string") },
    { tag: [tags.number, tags.bool, tags.null], color: colour("number") },
    { tag: [tags.comment, tags.docComment], color: colour("comment") },
    { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className), tags.className], color: colour("name") },
    { tag: tags.invalid, color: "var(--wrong)" },
  ]);
  const locked = new Compartment();
  const label = area.labels?.[0]?.textContent.trim() || area.getAttribute("aria-label") || "Code";
  const view = new EditorView({
    doc: area.value,
    extensions: [
      lib.lineNumbers(), lib.lintGutter(), lib.highlightSpecialChars(), lib.history(), lib.drawSelection(), lib.indentOnInput(), lib.bracketMatching(),
      lib.closeBrackets(), lib.autocompletion({ icons: false }), lib.highlightActiveLine(), lib.highlightActiveLineGutter(),
      lib.python(), lib.pythonLanguage.data.of({ autocomplete: dotted(names) }),
      lib.syntaxHighlighting(colours), look, lib.indentUnit.of("    "), EditorState.tabSize.of(4), locked.of(EditorState.readOnly.of(false)),
      EditorView.editorAttributes.of({ class: "code-editor" }),
      EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        if (update.transactions.some((each) => each.isUserEvent("input") || each.isUserEvent("delete"))) mark(null);
        edit();
      }),
      keymap.of([
        { key: "Mod-Enter", run: () => { run(); return true; } },
        ...lib.closeBracketsKeymap, ...lib.completionKeymap, ...lib.defaultKeymap, ...lib.historyKeymap, lib.indentWithTab,
      ]),
    ],
  });
  area.after(view.dom);
  area.hidden = true;

  function lineAt(number) {
    return view.state.doc.line(Math.min(Math.max(1, number), view.state.doc.lines));
  }
  function mark(number, message = "") {
    if (number === null) return view.dispatch(lib.setDiagnostics(view.state, []));
    const { from, to } = lineAt(number);
    view.dispatch(lib.setDiagnostics(view.state, [{ from, to, severity: "error", message }]));
    // the line in the editor's middle; the page itself stays where it is, since what is wrong may stand elsewhere on it
    view.scrollDOM.scrollTop = view.lineBlockAt(from).top - view.scrollDOM.clientHeight / 2;
  }
  return {
    get text() { return view.state.doc.toString(); },
    set text(value) { view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } }); },
    mark,
    goTo(number) {
      const { from } = lineAt(number);
      view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "start", yMargin: 40 }) });
      view.focus();
      view.dom.scrollIntoView({ block: "nearest" });
    },
    readOnly: (on) => view.dispatch({ effects: locked.reconfigure(EditorState.readOnly.of(on)) }),
    focus: () => view.focus(),
  };
}

/** Completion of what follows a dot or stands in an import, for names that the text imports. */
function dotted(names) {
  return async (context) => {
    const before = context.state.doc.lineAt(context.pos).text.slice(0, context.pos - context.state.doc.lineAt(context.pos).from);
    const imported = /^\s*from\s+([\w.]+)\s+import\s+(?:.*,\s*)?(\w*)$/.exec(before);
    const after = imported ?? /([A-Za-z_][\w.]*)\.(\w*)$/.exec(before);
    if (!after) return null;
    const path = imported ? imported[1] : resolve(after[1], context.state.doc.toString());
    const options = path ? await names(path) : null;
    return options?.length ? { from: context.pos - after[2].length, options, validFor: /^\w*$/ } : null;
  };
}

/** What a dotted name of a text stands for, by the text's imports: `layers` is `pyml.layers`; null where it is none of them. */
export function resolve(dots, text) {
  const [first, ...rest] = dots.split(".");
  for (const [, from, list, module, as] of text.matchAll(/^\s*(?:from\s+([\w.]+)\s+import\s+([^\n#]+)|import\s+([\w.]+)(?:\s+as\s+(\w+))?)/gm)) {
    if (module && (as ?? module.split(".")[0]) === first) return [as ? module : first, ...rest].join(".");
    for (const one of (list ?? "").split(",")) {
      const [name, other] = one.trim().split(/\s+as\s+/);
      if ((other ?? name) === first) return [from, name, ...rest].join(".");
    }
  }
  return null;
}
