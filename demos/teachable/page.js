// The teachable page: pictures of files and of the camera go to Python, which learns them and names new ones.
// ?autorun=1 teaches it three sample photos; window.pymlDemo says how it went.
import { $, asked, bring, demo, download, failed, finish, forgetWarnings, sentence, startDemo } from "../../web/demo.js";
import { readPicture } from "../../web/drop.js";
import { squares } from "../../web/frames.js";
import { keptRecords, keptText } from "../../web/keep.js";
import { loadingText, needed } from "../../web/networks.js";
import { offerExport } from "../../web/takeaway.js";
import { classList } from "./classes.js";
import { lookingView, SIZE } from "./looking.js";

const SAMPLES = { cat: "chelsea.png", cup: "coffee.png", rocket: "rocket.jpg" };
const CROPS = 6; // examples that are cut out of each sample
const MOST = 200; // examples of a class
const PREVIEW = 112; // pixels of an example that is kept
const square = squares(SIZE);

let pyml = null;
let held = null; // the class whose camera button is down
let training = false, trained = false, changed = false;
let learned = []; // [number, name] as they were trained
let adding = Promise.resolve(); // pictures are added one after the other
let restoring = true; // nothing is written before what was kept has been read

const kept = keptRecords("teachable"); // { number, features, picture } of every example
const keptClasses = keptText("teachable/classes");
const keys = new Map(); // example -> the key of its record

// ---- examples

const classes = classList($("classes"), {
  files: (number, files) => addAll(number, files.map((file) => () => readPicture(file))),
  hold: (number) => {
    held = number;
    if (number !== null && !view.filming()) view.openCamera();
  },
  remove: (examples) => {
    changed = true;
    pyml?.call("remove", examples);
    for (const example of examples) kept.remove(keys.get(example));
  },
  change: () => { keepClasses(); showState(); },
  refuse: (name) => { $("problem").textContent = `${name} is no picture; choose a JPEG, PNG or WebP file.`; },
});

/** Adds pictures, each given by a function that opens it. */
function addAll(number, openings) {
  $("problem").textContent = "";
  for (const open of openings) {
    adding = adding.then(async () => {
      try {
        await addExample(number, square(await open()));
      } catch (error) {
        $("problem").textContent = sentence(error);
      }
    });
  }
  return adding;
}

async function addExample(number, pixels) {
  if (!pyml) throw new Error("The network is still loading; add the pictures again in a moment.");
  if (!classes.has(number)) return;
  const { example, features } = await pyml.call("add", number, pixels);
  changed = true;
  if (!classes.has(number)) { // the class was removed meanwhile
    await pyml.call("remove", [example]);
    return;
  }
  classes.addExample(number, example, drawable(pixels));
  keys.set(example, `${Date.now()} ${example}`);
  kept.put(keys.get(example), { number, features, picture: preview(pixels) });
}

/** A small copy of an example's picture. */
function preview(pixels) {
  const canvas = Object.assign(document.createElement("canvas"), { width: PREVIEW, height: PREVIEW });
  const pen = canvas.getContext("2d");
  pen.drawImage(drawable(pixels), 0, 0, PREVIEW, PREVIEW);
  return pen.getImageData(0, 0, PREVIEW, PREVIEW);
}

// ---- what stays from one visit to the next: names of the classes, and what the network saw in their examples

function keepClasses() {
  if (!restoring) keptClasses.set(JSON.stringify(classes.names()));
  showKept();
}

function showKept() {
  const some = classes.sizes().some((size) => size > 0);
  $("over").hidden = !some;
  $("kept-note").textContent = some ? "Classes and examples stay in this browser until you start over." : "";
}

/** Brings back the classes and examples of an earlier visit. */
async function restore() {
  const names = JSON.parse(keptClasses.get() ?? "null");
  if (names) {
    classes.removeEmpty();
    for (const [number, name] of names) classes.add(name, number);
    for (const [key, { number, features, picture }] of await kept.all()) {
      if (!classes.has(number)) {
        kept.remove(key);
        continue;
      }
      const example = await pyml.call("restore", number, features);
      keys.set(example, key);
      classes.addExample(number, example, drawable(picture));
    }
  }
  restoring = false;
  keepClasses();
  if (classes.sizes().some((size) => size > 0)) $("kept-note").textContent = "The examples of your last visit are back. They stay in this browser until you start over.";
}

async function startOver() {
  keptClasses.forget();
  await kept.clear();
  location.reload();
}

function drawable(pixels) {
  const canvas = Object.assign(document.createElement("canvas"), { width: pixels.width, height: pixels.height });
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

/** The sample photos by name; the page offers to fetch them where the site has none. */
const samplePhotos = () => needed($("photos-needed"), async () => {
  const files = Object.values(SAMPLES).map(async (file) => readPicture(await (await bring(`../../models/photos/${file}`)).blob()));
  const pictures = await Promise.all(files);
  return Object.fromEntries(Object.keys(SAMPLES).map((name, i) => [name, pictures[i]]));
});

/** Three classes of squares cut out of sample photos, and one more square to look at. */
async function addSamples() {
  const photos = await samplePhotos();
  if (!photos) return;
  $("samples").hidden = true;
  classes.removeEmpty();
  for (const [name, picture] of Object.entries(photos)) {
    const number = classes.add(name);
    await addAll(number, Array.from({ length: CROPS }, (_, i) => async () => part(picture, i, CROPS)));
  }
  view.look(await part(photos.cup, 0.5, CROPS), "a part of a sample photo");
}

/** A square of a picture; the number says which. */
function part(picture, i, of) {
  const least = Math.min(picture.width, picture.height);
  const side = Math.round(least * (0.6 + 0.4 * (i / of)));
  const x = Math.round((picture.width - side) * ((i * 0.37) % 1)), y = Math.round((picture.height - side) * ((i * 0.61) % 1));
  return createImageBitmap(picture, x, y, side, side);
}

// ---- learning

function showState() {
  const sizes = classes.sizes();
  const enough = sizes.length > 1 && sizes.every((size) => size > 0);
  $("train").disabled = !pyml || training || !enough;
  takeaway.allow(trained && !training);
  $("tfjs").disabled = !trained || training;
  if (training) return;
  if (!enough) $("result").textContent = sizes.length < 2 ? "Add another class." : "Every class needs examples.";
  else if (!trained) $("result").textContent = "Ready to train.";
  else if (changed) $("result").textContent = "The examples changed: train again.";
}

async function train() {
  if (training) return;
  training = true;
  Object.assign(demo, { done: false, error: null });
  $("problem").textContent = "";
  forgetWarnings();
  $("progress").value = 0;
  $("result").textContent = "Learning…";
  showState();
  await adding;
  const names = classes.names();
  const began = performance.now();
  try {
    const right = await pyml.call("train", names);
    Object.assign(demo, { accuracy: right });
    learned = names;
    trained = true;
    changed = false;
    $("result").textContent = `Learned in ${((performance.now() - began) / 1000).toFixed(1)} s: it names ${(100 * right).toFixed(0)} % of the examples right.`;
  } catch (error) {
    $("problem").textContent = sentence(error);
    $("result").textContent = "Nothing was learned.";
    demo.error = sentence(error);
  }
  training = false;
  showState();
  if (trained) await view.again();
  finish(demo.error);
}

function onEpoch({ epoch, of, loss }) {
  $("progress").value = epoch / of;
  $("result").textContent = `Learning: ${epoch} of ${of} rounds, loss ${loss.toFixed(3)}`;
}

// ---- looking

const view = lookingView({
  able: () => trained && !training,
  ask: async (pixels) => {
    const { shares, ms } = await pyml.call("look", pixels, $("by").value);
    const now = new Map(classes.names()), before = new Map(learned);
    return { entries: shares.map(([number, share]) => ({ name: now.get(number) ?? before.get(number), share })), ms };
  },
  instead: (video) => (held !== null && pyml && !training ? collect(video) : null),
  notes: { waiting: "after training it is named.", camera: "Hold the camera button of a class to add examples." },
});

async function collect(video) {
  if (classes.sizes()[classes.names().findIndex(([number]) => number === held)] < MOST) await addExample(held, square(video));
}

// ---- taking it away

const named = () => classes.names().concat(learned.filter(([number]) => !classes.has(number)));
const takeaway = offerExport($("takeaway"), { name: "teachable", title: "4. Take it with you", pack: (files) => pyml.call("export", files, named()) });

async function save() {
  $("tfjs").disabled = true;
  $("tfjs-note").textContent = "Packing…";
  try {
    const bytes = await pyml.call("export_tfjs", named());
    download("teachable-tfjs.zip", bytes, "application/zip");
    $("tfjs-note").textContent = `teachable-tfjs.zip, ${(bytes.length / 1e6).toFixed(1)} MB: tf.loadLayersModel("model.json") opens it; README.txt says how.`;
  } catch (error) {
    $("problem").textContent = sentence(error);
    $("tfjs-note").textContent = "It was not exported.";
  }
  showState();
}

// ---- wiring

const loadBase = (python) => needed($("network-needed"), async () => {
  $("loading").hidden = false;
  try {
    const { features, source, licence } = await python.call("load");
    $("base-note").textContent = `The base gives ${features.toLocaleString("en")} features of a picture: ${source}. ${licence}.`;
    return true;
  } catch (error) {
    $("base-note").textContent = "";
    throw error;
  } finally {
    $("loading").hidden = true;
  }
});

classes.add();
classes.add();
$("more").addEventListener("click", () => {
  classes.add();
  $("classes").lastElementChild.querySelector("input").focus();
});
$("samples").addEventListener("click", () => addSamples().catch((error) => { $("problem").textContent = sentence(error); }));
$("over").addEventListener("click", startOver);
$("train").addEventListener("click", train);
$("tfjs").addEventListener("click", save);
$("by").addEventListener("change", () => view.again());

try {
  const python = await startDemo({
    modules: ["teachable.py"],
    hear: { epoch: onEpoch, loading: (progress) => {
      $("loading").value = progress.received / progress.total;
      $("base-note").textContent = loadingText(progress);
    } },
  });
  await loadBase(python);
  pyml = python;
  await restore();
  $("samples").hidden = false;
  demo.ready = true;
  showState();
  if (asked.get("autorun") === "1") {
    await addSamples();
    await train();
  }
} catch (error) {
  pyml = null;
  showState();
  failed(error);
}
