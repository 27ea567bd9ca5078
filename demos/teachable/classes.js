// The list of classes with their examples. What is learned from them is page.js' and Python's business.
import { isPicture, takeFiles } from "../../web/drop.js";
import { thumbnail } from "../../web/thumbs.js";

/**
 * Classes in an `<ol>`.
 *
 * on.files(number, files)  pictures were chosen for a class, or dropped on it.
 * on.hold(number | null)   the camera button of a class is held, or none any more.
 * on.timed(number, name, button)  the class wants to be recorded by itself.
 * on.remove(examples)      numbers of the examples that were taken away.
 * on.change()              anything else changed: names, classes.
 * on.refuse(name)          a file is not a picture.
 */
export function classList(list, on) {
  const classes = [];
  let next = 0;

  function add(name = `Class ${next + 1}`, number = next) {
    next = Math.max(next, number + 1);
    const one = { number, name, examples: new Set(), item: document.createElement("li") };
    one.item.className = "class";
    one.item.innerHTML = `<p class="controls"><input type="text" class="text" maxlength="40">
      <label class="file">Add pictures <input type="file" accept="image/*" multiple></label>
      <button type="button" class="hold" aria-pressed="false">Hold: camera</button>
      <button type="button" class="timed" aria-pressed="false">Timed</button>
      <button type="button" class="drop">Remove</button><span class="count quiet"></span></p><ul class="thumbs examples"></ul>`;
    const [title, input] = one.item.querySelectorAll("input");
    const [hold, timed, drop] = [".hold", ".timed", ".drop"].map((each) => one.item.querySelector(each));
    title.value = name;
    const label = () => {
      title.setAttribute("aria-label", `Name of ${one.name}`);
      input.setAttribute("aria-label", `Add pictures to ${one.name}`);
      hold.setAttribute("aria-label", `Hold to add pictures of the camera to ${one.name}`);
      timed.setAttribute("aria-label", `Count down and add pictures of the camera to ${one.name}`);
      drop.setAttribute("aria-label", `Remove the class ${one.name}`);
      one.item.querySelector("ul").setAttribute("aria-label", `Examples of ${one.name}`);
    };
    label();
    title.addEventListener("input", () => {
      one.name = title.value.trim() || `Class ${one.number + 1}`;
      label();
      on.change();
    });
    takeFiles({ zone: one.item, input, take: (files) => on.files(one.number, files), accept: isPicture, refuse: on.refuse });
    timed.addEventListener("click", () => on.timed(one.number, one.name, timed));
    holdable(hold, (down) => on.hold(down ? one.number : null));
    drop.addEventListener("click", () => {
      remove(one);
      (list.querySelector("input") ?? document.getElementById("more")).focus();
    });
    classes.push(one);
    list.append(one.item);
    count(one);
    on.change();
    return one.number;
  }

  function remove(one) {
    classes.splice(classes.indexOf(one), 1);
    one.item.remove();
    on.remove([...one.examples]);
    on.change();
  }

  function count({ item, examples }) {
    item.querySelector(".count").textContent = examples.size === 1 ? "1 example" : `${examples.size} examples`;
  }

  return {
    add,
    /** Takes all classes away from the page; Python keeps what it has. */
    clear() {
      for (const { item } of classes.splice(0)) item.remove();
      next = 0;
    },
    removeEmpty: () => classes.filter(({ examples }) => examples.size === 0).forEach(remove),
    /** `[number, name]` of every class, in order. */
    names: () => classes.map(({ number, name }) => [number, name]),
    sizes: () => classes.map(({ examples }) => examples.size),
    has: (number) => classes.some((one) => one.number === number),
    /** Shows an example, a drawable picture, that Python numbered. */
    addExample(number, example, picture) {
      const one = classes.find((each) => each.number === number);
      one.examples.add(example);
      const item = thumbnail(picture, {
        caption: "", title: "Remove this example",
        press: () => {
          const neighbour = item.nextElementSibling ?? item.previousElementSibling;
          item.remove();
          one.examples.delete(example);
          count(one);
          neighbour?.firstElementChild.focus();
          on.remove([example]);
          on.change();
        },
      });
      one.item.querySelector("ul").prepend(item);
      count(one);
      on.change();
    },
  };
}

/** Calls `held(true)` while a button is down, by pointer, Space or Enter, and `held(false)` after. */
function holdable(button, held) {
  const set = (down) => {
    if ((button.getAttribute("aria-pressed") === "true") === down) return;
    button.setAttribute("aria-pressed", down);
    held(down);
  };
  button.addEventListener("pointerdown", (event) => { button.setPointerCapture(event.pointerId); set(true); });
  for (const end of ["pointerup", "pointercancel", "blur"]) button.addEventListener(end, () => set(false));
  const key = (event) => event.key === " " || event.key === "Enter";
  button.addEventListener("keydown", (event) => { if (key(event)) { event.preventDefault(); set(true); } });
  button.addEventListener("keyup", (event) => { if (key(event)) set(false); });
}
