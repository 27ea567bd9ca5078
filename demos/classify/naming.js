// Takes photos from files, drops and the clipboard, and shows what a network sees in them: in the page with Python, and in the
// one that it exports.
import { showBars } from "../../web/bars.js";
import { $, demo, finish, sentence } from "../../web/basics.js";
import { isPicture, readPicture, takeFiles } from "../../web/drop.js";
import { thumbnail } from "../../web/thumbs.js";

const NOTHING = Array.from({ length: 5 }, () => ({ name: "–", share: null }));

/**
 * Shows photos and their names, one after the other.
 *
 * ask  gives { names: [[name, share], ...], note } for a picture; the note says how long it took.
 *
 * Returns { add(open, name), go(), wait(), again() }: `add` takes a photo by a function that opens it, `go` names what waits and
 * what comes, `wait` lets it wait, `again` names the photo that is shown once more.
 */
export function namesPhotos(ask) {
  const waiting = []; // photos still to be named, in order
  let working = null, ready = false;
  let current = null; // the photo shown

  function show(picture, name) {
    current = { picture, name };
    const canvas = $("photo");
    canvas.classList.remove("empty");
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.setAttribute("aria-label", name);
    const pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0);
    const side = Math.min(picture.width, picture.height), x = (picture.width - side) / 2, y = (picture.height - side) / 2;
    pen.fillStyle = "rgba(0, 0, 0, 0.45)"; // what the network does not see
    if (x) { pen.fillRect(0, 0, x, side); pen.fillRect(x + side, 0, x + 1, side); }
    if (y) { pen.fillRect(0, 0, side, y); pen.fillRect(0, y + side, side, y + 1); }
  }

  async function work() {
    while (waiting.length && ready) {
      const { open, name } = waiting.shift();
      try {
        const picture = await open();
        show(picture, name);
        await nameIt(picture, name);
      } catch (error) {
        $("problem").textContent = sentence(error);
        finish(sentence(error));
      }
    }
    working = null;
  }

  async function nameIt(picture, name) {
    $("problem").textContent = "";
    $("answer").textContent = "Looking…";
    const { names, note } = await ask(picture);
    const [label, share] = names[0];
    const short = label.split(",")[0];
    $("answer").textContent = `${/^[aeiou]/i.test(short) ? "An" : "A"} ${short}: it is ${(100 * share).toFixed(0)}% sure.`;
    showBars($("bars"), names.map(([text, part]) => ({ name: text, share: part })));
    $("timing").textContent = note;
    remember(picture, name, short, share);
    demo.summary = `${name}: ${names.map(([text, part]) => `${text} ${(100 * part).toFixed(0)}%`).join("; ")}`;
    demo.names = names;
    finish();
  }

  function remember(picture, name, label, share) {
    $("seen-card").hidden = false;
    const item = thumbnail(picture, { caption: `${label} ${(100 * share).toFixed(0)}%`, title: `${name}: look again`, press: () => add(async () => picture, name) });
    $("seen").prepend(item);
    while ($("seen").children.length > 12) $("seen").lastElementChild.remove();
  }

  function add(open, name) {
    waiting.push({ open, name });
    if (!ready) $("answer").textContent = "Waiting for the network…";
    else working ??= work();
    return working;
  }

  showBars($("bars"), NOTHING);
  takeFiles({
    zone: $("photo-card"), input: $("file"), paste: true, accept: isPicture,
    take: (files) => files.forEach((file) => add(() => readPicture(file), file.name || "the pasted picture")),
    refuse: (name) => { $("problem").textContent = `${name} is not a picture; choose a JPEG, PNG or WebP file.`; },
  });
  return {
    add,
    go() { ready = true; if (waiting.length) working ??= work(); },
    wait() { ready = false; },
    again() { if (current) add(async () => current.picture, current.name); },
  };
}
