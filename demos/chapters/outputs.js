// The right half of a chapter's page: its text, and under each cell of code what that printed, drew and offers to move.
import { prose } from "../../web/prose.js";
import { newestOnly, sentence, tail } from "../../web/demo.js";
import { drawing } from "../../web/figures.js";
import { sight } from "./sight.js";

const SPACING = 200; // ms between two looks of what is printed on and on: a page that lays out text all the time hears no click
const ARROWS = { ArrowLeft: "←", ArrowUp: "↑", ArrowRight: "→", ArrowDown: "↓" };

/**
 * root   element that is filled.
 * goTo   called with the line of a cell that was asked for.
 * moved  (number, value): tells Python of a control; a promise of the text beside it.
 */
export function outputs(root, { goTo, moved }) {
  let code = []; // a record of each cell of code
  let now = null;
  let waits = null, printed = -SPACING; // a look that is due, and when the last one was
  let ends = []; // of what looks through a camera

  const places = new Map(); // element of a figure -> its drawing, and for which width that is
  const watch = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const place = places.get(target);
      if (!place || Math.abs(place.width - contentRect.width) < 2) continue;
      place.width = contentRect.width; // a second figure beside it, another window
      place.drawing.redraw();
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const { drawing: each } of places.values()) each.redraw(); });

  const add = (parent, kind, className, properties = {}) => {
    const made = Object.assign(document.createElement(kind), properties);
    made.className = className;
    parent.append(made);
    return made;
  };

  function blind() {
    for (const end of ends) end();
    ends = [];
  }

  function show(parts) {
    blind();
    root.replaceChildren();
    watch.disconnect();
    places.clear();
    code = [];
    now = null;
    clearTimeout(waits);
    waits = null;
    for (const { kind, line, text } of parts) {
      if (kind === "text") {
        root.append(...prose(text));
        continue;
      }
      const box = add(root, "div", "cell");
      box.hidden = true;
      const last = line + text.trimEnd().split("\n").length - 1;
      const from = line + /^\n*/.exec(text)[0].length;
      const link = add(box, "button", "cell-lines", { type: "button", textContent: from === last ? `line ${from}` : `lines ${from} to ${last}`, title: "Show these lines in the code" });
      link.addEventListener("click", () => goTo(from));
      code.push({ box, text: "", printed: null, figures: new Map(), grid: null, controls: null, answer: null });
    }
  }

  /** Shows what the cell has printed. */
  function showPrinted() {
    clearTimeout(waits);
    waits = null;
    if (!now?.text || now.printed?.textContent === now.text) return;
    printed = performance.now();
    now.box.hidden = false;
    now.printed ??= add(now.box, "pre", "printed", { tabIndex: 0 });
    now.printed.setAttribute("aria-label", "What this cell printed");
    now.printed.textContent = now.text;
    now.printed.scrollTop = now.printed.scrollHeight;
  }

  function idle() {
    for (const { box } of code) box.classList.remove("busy");
  }

  function begin(number) {
    showPrinted();
    idle();
    now = code[number];
    now.box.classList.add("busy");
  }

  return {
    show,
    begin,
    /** What is printed from now on belongs to a cell that does not run: one of its controls is answered. */
    printing(number) {
      showPrinted();
      now = code[number] ?? now;
    },
    end() {
      showPrinted();
      idle();
    },
    /** What controls asked for is gone: Python was started again. */
    freeze() {
      blind();
      for (const each of root.querySelectorAll(".cell-controls :is(input, select, button)")) each.disabled = true;
    },
    print(text) {
      if (!now) return;
      now.text = tail(`${now.text}${text}\n`);
      waits ??= setTimeout(showPrinted, Math.max(0, SPACING - (performance.now() - printed)));
    },
    figure({ cell, name, spec }) {
      const { box, figures } = code[cell] ?? {};
      if (!box) return;
      box.hidden = false;
      code[cell].grid ??= add(box, "div", "figures");
      if (!figures.has(name)) {
        const frame = add(code[cell].grid, "figure", spec.width > 400 || spec.usermeta?.least > 260 ? "figure-wide" : "");
        add(frame, "figcaption", "", { textContent: name });
        const element = add(frame, "div", "figure");
        figures.set(name, drawing(element, name));
        places.set(element, { drawing: figures.get(name), width: element.clientWidth });
        watch.observe(element);
      }
      figures.get(name).draw(spec);
    },
    control({ cell, number, kind, label, text, low, high, step, value, options, size }) {
      const { box } = code[cell] ?? {};
      if (!box) return;
      box.hidden = false;
      if (!code[cell].controls) {
        code[cell].controls = document.createElement("div");
        code[cell].controls.className = "cell-controls";
        if (code[cell].grid) code[cell].grid.before(code[cell].controls);
        else box.append(code[cell].controls);
      }
      const answer = (code[cell].answer ??= document.createElement("output")); // one for all: they ask about the same thing
      if (text) answer.value = text;
      const tell = async (wanted) => {
        try {
          answer.value = await moved(number, wanted);
        } catch (error) {
          answer.value = sentence(error);
        }
      };
      if (kind === "camera") {
        const group = add(code[cell].controls, "div", "controls");
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", label);
        add(group, "span", "", { textContent: label });
        ends.push(sight(group, { size, tell, say: (sentence) => { answer.value = sentence; } }));
        code[cell].controls.append(answer);
        return;
      }
      if (kind === "buttons") {
        const group = add(code[cell].controls, "div", "controls");
        group.setAttribute("role", "group");
        group.setAttribute("aria-label", label);
        add(group, "span", "", { textContent: label });
        for (const [i, option] of options.entries()) add(group, "button", "", { type: "button", textContent: option }).addEventListener("click", () => tell(i));
        group.addEventListener("keydown", (event) => {
          const meant = [...group.querySelectorAll("button")].find(({ textContent }) => textContent.includes(ARROWS[event.key]));
          if (!meant) return;
          event.preventDefault(); // the page would scroll
          meant.focus();
          meant.click();
        });
        code[cell].controls.append(answer);
        return;
      }
      const row = add(code[cell].controls, "label", "");
      add(row, "span", "", { textContent: label });
      const input = kind === "slider" ? add(row, "input", "", { type: "range", min: low, max: high, step, value })
        : kind === "text" ? add(row, "input", "text", { type: "text", value }) : add(row, "select", "");
      const here = add(row, "span", "number", { textContent: kind === "slider" ? value : "" });
      for (const [i, option] of (options ?? []).entries()) add(input, "option", "", { value: i, textContent: option });
      code[cell].controls.append(answer);
      const newest = newestOnly(tell);
      input.addEventListener("input", () => {
        if (kind === "slider") here.textContent = Number(input.value);
        newest(kind === "text" ? input.value : Number(input.value));
      });
    },
  };
}
