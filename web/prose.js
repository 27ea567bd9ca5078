// Text with a little Markdown as elements of a page: headings, paragraphs, lists, `code`, **bold**, *emphasis*, [links](https://...).
// Everything is put in as text, so that what somebody wrote into a shared file is never HTML of the page.

/** Elements of a text. */
export function prose(text) {
  const made = [];
  for (const block of text.trim().split(/\n\s*\n/)) {
    const lines = block.split("\n").map((line) => line.trimEnd());
    const heading = /^(#{1,3})\s+(.*)$/.exec(lines[0]);
    if (heading) {
      made.push(element(heading[1].length === 3 ? "h3" : "h2", heading[2]));
      lines.shift();
    }
    if (!lines.length) continue;
    if (/^\s*[-*]\s/.test(lines[0])) {
      const list = document.createElement("ul");
      for (const item of lines.join("\n").split(/^\s*[-*]\s+/m).filter(Boolean)) list.append(element("li", item));
      made.push(list);
    } else made.push(element("p", lines.join("\n")));
  }
  return made;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\((https?:\/\/[^)\s]+|[\w./#-]+)\)/g;

function element(kind, text) {
  const made = document.createElement(kind);
  const flat = text.replace(/\s*\n\s*/g, " ");
  let from = 0;
  for (const found of flat.matchAll(INLINE)) {
    made.append(flat.slice(from, found.index));
    const [, code, bold, leaning, name, address] = found;
    const inner = document.createElement(code ? "code" : bold ? "strong" : leaning ? "em" : "a");
    inner.textContent = code ?? bold ?? leaning ?? name;
    if (address) inner.href = address;
    made.append(inner);
    from = found.index + found[0].length;
  }
  made.append(flat.slice(from));
  return made;
}

/**
 * The cells of a Python file in the format of Jupytext and VS Code: `# %%` begins one of code, `# %% [markdown]` one of text, whose
 * lines are comments; the file's docstring, without its title and the
 * paragraph that the page has at its top, is the first text.
 * Returns [{ kind: "text" | "code", line, text }], lines counted from 1.
 */
export function cells(source) {
  const found = [];
  let now = { kind: "code", line: 1, lines: [] };
  source.split("\n").forEach((line, i) => {
    const begins = /^# ?%%(.*)$/.exec(line);
    if (!begins) return now.lines.push(line);
    found.push(now);
    now = { kind: /\[(markdown|md)\]/.test(begins[1]) ? "text" : "code", line: i + 2, lines: [] };
  });
  found.push(now);
  const made = found.map(({ kind, line, lines }) => ({ kind, line, text: kind === "text" ? lines.map((each) => each.replace(/^# ?/, "")).join("\n") : lines.join("\n") }));
  const intro = /^\s*(?:"""|''')([\s\S]*?)(?:"""|''')/.exec(made[0]?.text ?? "");
  const rest = intro?.[1].trim().split(/\n\s*\n/).slice(2).join("\n\n");
  if (rest) made.unshift({ kind: "text", line: 1, text: rest });
  return made.filter(({ text }) => text.trim());
}
