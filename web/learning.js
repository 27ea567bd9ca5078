// The settings and the pictures of a training: epochs and learning rate, and what Python draws of it (demos/shared/learning.py).
import { drawing } from "./figures.js";

/** Files of Python that the pages which learn share, for `startDemo`. */
export const LEARNING_FILES = [{ path: "learning.py", url: "../shared/learning.py" }];

/**
 * Makes the part in an element.
 *
 * epochs, rate  what stands in the fields at first.
 *
 * Returns { settings(), set({ epochs, rate }), figure({ name, spec }), clear() }; `settings` gives null, and marks the field, where a number
 * is none.
 */
export function learningPart(place, { epochs, rate = 0.001 }) {
  place.innerHTML = `<details class="learning"><summary>Settings, curves and mistakes</summary>
    <p class="controls"><label>Epochs <input id="epochs" type="number" min="1" max="1000" required></label>
      <label>Learning rate <input id="rate" type="number" min="0.000001" max="1" step="any" required></label></p>
    <p class="quiet">An epoch is one pass over all examples. A higher rate takes larger steps: quicker, until it no longer settles.</p>
    <div class="figures"></div></details>`;
  const [box, fields, figures] = ["details", "input", ".figures"].map((each) => place.querySelectorAll(each));
  const [epochsField, rateField] = fields;
  const drawn = new Map(); // name -> its drawing
  const set = (given) => {
    epochsField.value = given.epochs ?? epochsField.value;
    rateField.value = given.rate ?? rateField.value;
  };
  const redraw = () => { for (const each of drawn.values()) each.redraw(); };
  set({ epochs, rate });
  box[0].addEventListener("toggle", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("resize", redraw);
  return {
    set,
    settings() {
      if (![...fields].every((field) => field.checkValidity())) {
        box[0].open = true;
        for (const field of fields) field.reportValidity();
        return null;
      }
      return { epochs: Number(epochsField.value), rate: Number(rateField.value) };
    },
    figure({ name, spec }) {
      if (!drawn.has(name)) {
        const frame = document.createElement("figure");
        const element = Object.assign(document.createElement("div"), { className: "figure" });
        frame.append(Object.assign(document.createElement("figcaption"), { textContent: name }), element);
        figures[0].append(frame);
        drawn.set(name, drawing(element, name, () => box[0].open));
      }
      drawn.get(name).draw(spec);
    },
    clear() {
      figures[0].replaceChildren();
      drawn.clear();
    },
  };
}
