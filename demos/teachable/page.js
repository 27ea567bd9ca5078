// The teachable page: pictures of files and of the camera go to Python, which learns them and names new ones.
// ?autorun=1 teaches it three sample photos; window.pymlDemo says how it went.
import { $, asked, bring, credit, demo, failed, finish, forgetWarnings, sentence, startDemo } from "../../web/demo.js";
import { readPicture } from "../../web/drop.js";
import { squares } from "../../web/frames.js";
import { ifKept, keptRecords, keptValue, onNotKept } from "../../web/keep.js";
import { LEARNING_FILES, learningPart } from "../../web/learning.js";
import { loadingText, needed } from "../../web/networks.js";
import { keptModel, offerProject, pixelsOf, pngOf, PROJECT_FILES } from "../../web/project.js";
import { modelKinds, offerExport } from "../../web/takeaway.js";
import { timedField, timedRecording } from "../../web/timed.js";
import { classList } from "./classes.js";
import { lookingView, SIZE } from "./looking.js";

const SAMPLES = { cat: "chelsea.png", cup: "coffee.png", rocket: "rocket.jpg" };
const CROPS = 6; // examples that are cut out of each sample
const MOST = 200; // examples of a class
const TIMED = 20; // that are taken by themselves, where the field says nothing else
const SPACING = 100; // ms from one picture of the camera to the next: they shall differ a little
const PREVIEW = 112; // pixels of an example that is kept
const SHARED = [...PROJECT_FILES, ...LEARNING_FILES];
const square = squares(SIZE);

let pyml = null;
let held = null; // the class whose camera button is down
let training = false, trained = false, changed = false;
let learned = []; // [number, name] as they were trained
let adding = Promise.resolve(); // pictures are added one after the other
let restoring = true; // nothing is written before what was kept has been read

const kept = keptRecords("teachable"); // { number, features, picture } of every example
const keptClasses = keptValue("teachable/classes");
const keptHead = keptModel("teachable"); // { bytes, classes, learned, settings, sizes }
const keys = new Map(); // example -> the key of its record
const previews = new Map(); // example -> its small picture
const learning = learningPart($("learning"), { epochs: 30 });
let wanted = null; // of a recording by itself: { left, done }
let lastTaken = 0;

// ---- examples

const classes = classList($("classes"), {
  files: (number, files) => addAll(number, files.map((file) => () => readPicture(file))),
  hold: (number) => {
    held = number;
    if (number !== null && !view.filming()) view.openCamera();
  },
  timed: (number, name, press) => timed.toggle(press, {
    name,
    async ready() {
      if (!view.filming()) await view.openCamera();
      return view.filming();
    },
    begin(count, done) {
      wanted = { left: count, done };
      held = number;
    },
    end() { held = wanted = null; },
  }),
  remove: (examples) => {
    changed = true;
    pyml?.call("remove", examples);
    for (const example of examples) {
      kept.remove(keys.get(example));
      previews.delete(example);
    }
  },
  change: () => { keepClasses(); showState(); },
  refuse: (name) => { $("problem").textContent = `${name} is not a picture; choose a JPEG, PNG or WebP file.`; },
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
  showExample(number, example, preview(pixels), features);
}

/** Shows and keeps an example that Python has. */
function showExample(number, example, picture, features, key = null) {
  previews.set(example, picture);
  classes.addExample(number, example, drawable(picture));
  keys.set(example, key ?? `${Date.now()} ${example}`);
  if (key === null) kept.put(keys.get(example), { number, features, picture });
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
  if (!restoring) keptClasses.set(classes.names());
  showKept();
}

function showKept() {
  const some = classes.sizes().some((size) => size > 0);
  $("over").hidden = !some;
  $("kept-note").textContent = some ? ifKept("Classes and examples stay in this browser until you start over.") : "";
}
onNotKept(showKept);

/** Brings back the classes and examples of an earlier visit. */
async function restore() {
  let notBack = 0;
  const names = keptClasses.get();
  if (Array.isArray(names)) {
    classes.removeEmpty();
    for (const [number, name] of names) classes.add(name, number);
    for (const [key, { number, features, picture } = {}] of await kept.all()) {
      if (!classes.has(number)) {
        kept.remove(key);
        continue;
      }
      try {
        showExample(number, await pyml.call("restore", number, features), picture, features, key);
      } catch (error) {
        notBack += 1;
        console.warn("pyml: an example is not brought back,", sentence(error));
      }
    }
  }
  await restoreModel();
  restoring = false;
  keepClasses();
  if (classes.sizes().some((size) => size > 0)) $("kept-note").textContent = `The examples of your last visit are back. ${notBack ? `${notBack} of another version of this page could not be read. ` : ""}${ifKept("They stay in this browser until you start over.")}`;
}

/** Brings back what was learned on an earlier visit. */
async function restoreModel() {
  const model = await keptHead.get();
  if (!model) return;
  try {
    await pyml.call("restore_model", { bytes: model.bytes, classes: model.classes });
  } catch (error) {
    console.warn("pyml: what was learned is not brought back,", sentence(error));
    return;
  }
  ({ learned } = model);
  learning.set(model.settings);
  trained = true;
  changed = JSON.stringify(model.sizes) !== JSON.stringify(classes.sizes());
  if (!changed) $("result").textContent = "What it learned on your last visit is here.";
}

async function keepModel() {
  const model = await pyml.call("trained_model");
  await keptHead.put({ ...model, learned, settings: learning.settings() ?? {}, sizes: classes.sizes() });
}

async function startOver() {
  keptClasses.forget();
  await Promise.all([kept.clear(), keptHead.clear()]);
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
  projects.allow({ save: pyml !== null && !training && (trained || sizes.some((size) => size > 0)), open: pyml !== null && !training });
  if (training) return;
  if (!enough) $("result").textContent = sizes.length < 2 ? "Add another class." : "Every class needs examples.";
  else if (!trained) $("result").textContent = "Ready to train.";
  else if (changed) $("result").textContent = "The examples changed: train again.";
}

async function train() {
  const settings = learning.settings();
  if (training || !settings) return;
  timed.stop();
  training = true;
  Object.assign(demo, { done: false, error: null });
  learning.clear();
  $("problem").textContent = "";
  forgetWarnings();
  $("progress").value = 0;
  $("result").textContent = "Learning…";
  showState();
  await adding;
  const names = classes.names();
  const began = performance.now();
  try {
    const { right, tested } = await pyml.call("train", names, settings.epochs, settings.rate);
    Object.assign(demo, { accuracy: right });
    learned = names;
    trained = true;
    changed = false;
    $("result").textContent = `Learned in ${((performance.now() - began) / 1000).toFixed(1)} s: it names ${(100 * right).toFixed(0)}% ${tested ? `of ${tested} examples right that it never learned` : "of the examples right"}.`;
    await keepModel();
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
  $("result").textContent = `Learning: epoch ${epoch} of ${of}, loss ${loss.toFixed(3)}`;
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
  if (performance.now() - lastTaken < SPACING) return;
  lastTaken = performance.now();
  if (classes.sizes()[classes.names().findIndex(([number]) => number === held)] >= MOST) {
    wanted?.done();
    return;
  }
  const recording = wanted;
  await addExample(held, square(video));
  if (recording && --recording.left <= 0) recording.done();
}

const timed = timedRecording({
  say: (text) => { $("view-note").textContent = text; },
  count: () => Math.min(100, Math.max(1, Number($("timed").querySelector("input").value) || TIMED)),
});

// ---- taking it away

const named = () => classes.names().concat(learned.filter(([number]) => !classes.has(number)));
const takeaway = offerExport($("takeaway"), {
  name: "teachable", title: "4. Take it with you", pack: (files) => pyml.call("export", files, named()),
  kinds: modelKinds("teachable", {
    keras: () => pyml.call("export_keras"),
    tfjs: () => pyml.call("export_tfjs", named()),
    inputs: () => `pictures of ${SIZE} × ${SIZE} × 3 values from 0 to 255`,
    outputs: () => learned.map(([, name]) => name),
  }),
});

const projects = offerProject($("project"), { name: "teachable-project", save: saveProject, open: openProject });

async function saveProject() {
  await adding;
  const pictures = await Promise.all([...previews].map(async ([example, picture]) => [example, await pngOf(picture)]));
  return pyml.call("save_project", classes.names(), learned, pictures, learning.settings() ?? {});
}

/** All of the file is read before anything here is replaced. */
async function openProject(bytes) {
  const opened = await pyml.call("open_project", bytes);
  const pictures = await Promise.all(opened.examples.map(([, , png]) => pixelsOf(png)));
  await pyml.call("accept_project");
  restoring = true;
  classes.clear();
  keys.clear();
  previews.clear();
  await Promise.all([kept.clear(), keptHead.clear()]);
  for (const [number, name] of opened.classes) classes.add(name, number);
  opened.examples.forEach(([example, number, , features], i) => showExample(number, example, pictures[i], features));
  learning.set(opened.settings);
  learning.clear();
  ({ learned } = opened);
  trained = learned.length > 0;
  changed = restoring = false;
  keepClasses();
  if (trained) await keepModel();
  showState();
  $("result").textContent = trained ? "What was learned is here: show it something." : $("result").textContent;
  if (trained) await view.again();
  return `${opened.examples.length} examples of ${opened.classes.length} classes${trained ? ", and what was learned from them" : ""}.`;
}

// ---- wiring

const loadBase = (python) => needed($("network-needed"), async () => {
  $("loading").hidden = false;
  try {
    const base = await python.call("load");
    $("base-note").textContent = `What sees the pictures gives ${base.features.toLocaleString("en")} numbers for each: ${credit(base)}`;
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
$("timed").innerHTML = timedField("Examples that Timed takes", TIMED);
$("by").addEventListener("change", () => view.again());

try {
  const python = await startDemo({
    modules: ["teachable.py"],
    files: SHARED,
    hear: { epoch: onEpoch, figure: learning.figure, loading: (progress) => {
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
