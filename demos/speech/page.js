// The speech page: sound from the microphone or a file goes to Python, which waits for words in it; they are examples
// while a word is being recorded, and are recognised otherwise. window.pymlDemo says how it goes.
import { showBars } from "../../web/bars.js";
import { movingColumns } from "../../web/columns.js";
import { $, asked, demo, failed, finish, forgetWarnings, sentence, startDemo } from "../../web/demo.js";
import { ifKept, keptRecords, keptValue, onNotKept } from "../../web/keep.js";
import { LEARNING_FILES, learningPart } from "../../web/learning.js";
import { loadingText, needed } from "../../web/networks.js";
import { keptModel, offerProject, PROJECT_FILES } from "../../web/project.js";
import { mono, readSound } from "../../web/sound.js";
import { modelKinds, offerExport } from "../../web/takeaway.js";
import { timedField, timedRecording } from "../../web/timed.js";
import { listening, RATE } from "./listening.js";

const BANDS = 40;
const WANTED = 4; // examples of a word that are enough to begin
const FIRST = ["left", "right", "stop"];
const MOST = 8; // words
const TIMED = 6; // examples that are taken by themselves, where the field says nothing else

Object.assign(demo, { counts: {}, accuracy: null, features: null });
const picture = movingColumns($("columns"));
picture.begin(BANDS);
const rows = new Map(); // word -> its row
const kept = keptRecords("speech"); // { word, clip } of every example
const keptWords = keptValue("speech/words");
let clips = 0; // that were kept on this visit
let restoring = true; // nothing is written before what was kept has been read

let pyml = null, begin = null;
const started = new Promise((resolve) => { begin = resolve; }); // once Python can be asked
let recording = null; // the word that is being recorded
let training = false, trained = false;
let learned = []; // the words as they were trained
const learning = learningPart($("learning"), { epochs: 40 });
const keptNetwork = keptModel("speech"); // { bytes, names, features, settings }

// ---- words

function addWord(name) {
  const item = document.createElement("li");
  item.innerHTML = `<div class="controls"><input type="text" maxlength="30" aria-label="Word"><button type="button" class="record" aria-pressed="false"></button>
    <button type="button" class="timed" aria-pressed="false">Timed</button> <label class="file">Files <input type="file" accept="audio/*" multiple></label><button type="button" class="forget">Forget</button>
    <span class="count quiet"></span></div><div class="clips" aria-hidden="true"></div>`;
  const [text, record, byItself, file, forget] = ["input[type=text]", ".record", ".timed", "input[type=file]", ".forget"].map((part) => item.querySelector(part));
  const row = { item, name, record, count: 0, keys: [], added: () => {} }; // keys of its records
  text.value = name;
  rows.set(name, row);
  text.addEventListener("change", () => rename(row, text));
  record.addEventListener("click", () => {
    if (recording !== row.name) return setRecording(row.name);
    $("source-note").textContent = `“${row.name}”: ${row.item.querySelector(".count").textContent}. Go on with another word, or train.`;
    return setRecording(null);
  });
  byItself.addEventListener("click", () => timed.toggle(byItself, {
    name: row.name,
    async ready() {
      if (!sound.on()) await sound.useMicrophone();
      return sound.on();
    },
    async begin(wanted, done) {
      const before = row.count;
      row.added = () => { if (row.count >= before + wanted) done(); };
      await setRecording(row.name);
      if (recording !== row.name) return done();
      $("source-note").textContent = `Say “${row.name}” ${wanted === 1 ? "once" : `${wanted} times, a breath apart`}; it ends by itself.`;
    },
    end() {
      row.added = () => {};
      if (recording === row.name) setRecording(null);
    },
  }));
  file.addEventListener("change", async () => { await addFiles(row, [...file.files]); file.value = ""; });
  forget.addEventListener("click", () => forgetWord(row));
  $("words").append(item);
  showCount(row);
}

/** Another name is another word: allowed while it has no examples. */
function rename(row, text) {
  const name = text.value.trim();
  if (!name || rows.has(name) || row.count) {
    text.value = row.name;
    if (name !== row.name) $("source-note").textContent = row.count ? "Forget the examples of a word before you rename it." : "Words need different names.";
    return;
  }
  rows.delete(row.name);
  row.name = name;
  rows.set(name, row);
  showCount(row);
  keepWords();
}

async function forgetWord(row) {
  setRecording(null);
  if (row.count === 0 && rows.size > 2) {
    rows.delete(row.name);
    row.item.remove();
  } else {
    await pyml?.call("forget", row.name);
    for (const key of row.keys.splice(0)) kept.remove(key);
    row.count = 0;
    row.item.querySelector(".clips").replaceChildren();
  }
  delete demo.counts[row.name];
  showCount(row);
  keepWords();
}

function showCount(row) {
  row.item.querySelector(".count").textContent = row.count === 1 ? "1 example" : `${row.count} examples`;
  row.record.textContent = recording === row.name ? "Recording…" : "Record";
  row.record.setAttribute("aria-pressed", String(recording === row.name));
  row.record.setAttribute("aria-label", `Record ${row.name}`);
  row.item.querySelector(".timed").setAttribute("aria-label", `Count down, then take ${row.name}`);
  row.item.querySelector(".forget").textContent = row.count || rows.size <= 2 ? "Forget" : "Remove";
  $("more").disabled = rows.size >= MOST;
  const ready = [...rows.values()].filter(({ count }) => count > 0);
  $("train").disabled = !pyml || training || ready.length < 2;
  projects.allow({ save: pyml !== null && !training && ready.length > 0, open: demo.ready === true && !training });
  const missing = [...rows.values()].filter(({ count }) => count < WANTED).map(({ name }) => name);
  if (!trained && !training) $("running").value = missing.length ? `More examples wanted of: ${missing.join(", ")}.` : "Enough examples: train.";
}

async function setRecording(word) {
  recording = word;
  for (const row of rows.values()) showCount(row);
  if (word === null) return;
  if (!sound.on()) await sound.useMicrophone();
  if (sound.on()) $("source-note").textContent = `Say “${word}”, a breath, again… Press the button when it is enough.`;
  else setRecording(null);
}

async function addFiles(row, files) {
  if (!demo.ready) $("source-note").textContent = "The files are listened to as soon as Python is there.";
  await started;
  for (const file of files) {
    try {
      keep(row, await pyml.call("add", row.name, mono(await readSound(file, RATE))));
    } catch (error) {
      const text = sentence(error);
      $("source-note").textContent = text.startsWith(file.name) ? text : `${file.name}: ${text}`;
    }
  }
}

// ---- what stays from one visit to the next: the words and the sound of their examples

function keep(row, example) {
  added(row, example);
  row.keys.push(`${Date.now()} ${clips++}`);
  kept.put(row.keys.at(-1), { word: row.name, clip: example.clip });
  keepWords();
}

function keepWords() {
  if (!restoring) keptWords.set([...rows.keys()]);
  showKept();
}

function showKept() {
  const some = [...rows.values()].some(({ count }) => count > 0);
  $("over").hidden = !some;
  $("kept-note").textContent = some ? ifKept("Words and recordings stay in this browser until you start over.") : "";
}
onNotKept(showKept);

/** Brings back the words of an earlier visit. */
async function restore() {
  let notBack = 0;
  const words = keptWords.get();
  if (Array.isArray(words)) {
    for (const row of rows.values()) row.item.remove();
    rows.clear();
    for (const word of words) addWord(word);
    for (const [key, { word, clip } = {}] of await kept.all()) {
      const row = rows.get(word);
      if (!row) {
        kept.remove(key);
        continue;
      }
      $("kept-note").textContent = "Bringing your words back…";
      try {
        added(row, await pyml.call("restore", word, clip));
        row.keys.push(key);
      } catch (error) {
        notBack += 1;
        console.warn("pyml: a recording is not brought back,", sentence(error));
      }
    }
  }
  await restoreNetwork();
  restoring = false;
  keepWords();
  if (!$("over").hidden) $("kept-note").textContent = `The recordings of your last visit are back. ${notBack ? `${notBack} of another version of this page could not be read. ` : ""}${ifKept("They stay in this browser until you start over.")}`;
}

/** Brings back what was learned on an earlier visit. */
async function restoreNetwork() {
  const network = await keptNetwork.get();
  if (!network) return;
  try {
    if (!(await pyml.call("restore_model", { bytes: network.bytes, names: network.names, features: network.features }))) return;
  } catch (error) {
    console.warn("pyml: what was learned is not brought back,", sentence(error));
    return;
  }
  learning.set(network.settings);
  taken(network.names);
  $("result").textContent = "What it learned on your last visit is here. Speak!";
}

async function keepNetwork() {
  await keptNetwork.put({ ...await pyml.call("trained_model"), settings: learning.settings() ?? {} });
}

/** Something was learned, here or elsewhere. */
function taken(names) {
  trained = true;
  learned = names;
  takeaway.allow(true);
  showBars($("bars"), names.map((name) => ({ name, share: null })));
  if (!training) $("running").value = "Trained.";
}

async function startOver() {
  keptWords.forget();
  await Promise.all([kept.clear(), keptNetwork.clear()]);
  location.reload();
}

function added(row, { count, columns, bins, image }) {
  row.count = demo.counts[row.name] = count;
  const canvas = Object.assign(document.createElement("canvas"), { width: columns, height: bins });
  const small = movingColumns(canvas);
  small.begin(bins);
  small.add(columns, image);
  row.item.querySelector(".clips").append(canvas);
  showCount(row);
  row.added();
}

// ---- what is heard

const sound = listening({
  anew() {
    if (!demo.ready) throw new Error("Python is still starting; try again in a moment.");
    return pyml.call("listen_anew");
  },
  paused: () => training,
  ended: () => setRecording(null),
  begun: "The microphone is on. Press Record at a word and say it four to eight times, a breath apart.",
  async hear(samples) {
    const row = rows.get(recording);
    const answer = await pyml.call("listen", samples, row ? row.name : null);
    if (answer.columns) picture.add(answer.columns, answer.image);
    for (const clip of answer.added) keep(row, clip);
    for (const { word } of answer.heard) for (const each of rows.values()) each.item.classList.toggle("best", each.name === word);
    return answer.heard;
  },
});

// ---- training

async function train() {
  const settings = learning.settings();
  if (training || !settings) return;
  timed.stop();
  setRecording(null);
  training = true;
  learning.clear();
  Object.assign(demo, { done: false, error: null, accuracy: null });
  $("problem").textContent = $("result").textContent = "";
  forgetWarnings();
  $("train").disabled = true;
  takeaway.allow(false);
  $("stop").disabled = false;
  $("running").value = "Compiling the network…";
  await pyml.stop(false);
  const began = performance.now();
  try {
    const { accuracy, tested, parameters, names } = await pyml.call("train", settings.epochs, settings.rate);
    taken(names);
    await keepNetwork();
    demo.accuracy = accuracy;
    $("running").value = `${parameters.toLocaleString("en")} weights trained in ${((performance.now() - began) / 1000).toFixed(1)} s.`;
    $("result").textContent = accuracy === null ? "Speak!" : `It names ${(100 * accuracy).toFixed(0)}% of ${tested} examples right that it never learned. Speak!`;
    finish();
  } catch (error) {
    $("problem").textContent = sentence(error);
    $("running").value = "Not trained.";
    finish(sentence(error));
  }
  training = false;
  takeaway.allow(trained);
  $("train").disabled = false;
  $("stop").disabled = true;
  for (const row of rows.values()) showCount(row);
  sound.drop(); // what came meanwhile
  if (sound.on()) pyml.call("listen_anew");
}

function onEpoch({ epoch, of, loss, accuracy }) {
  $("progress").value = epoch / of;
  $("running").value = `Epoch ${epoch} of ${of}: loss ${loss.toFixed(3)}, ${(100 * accuracy).toFixed(0)}% right`;
}

/** Takes other features; until their network is there, those of before are used, and `without` is called. */
async function choose(name, without = () => {}) {
  const done = await needed($("network-needed"), async () => {
    $("features").disabled = true;
    try {
      await pyml.call("choose", name);
      return true;
    } finally {
      $("features").disabled = false;
      $("features").value = demo.features;
    }
  }, without);
  if (!done) return;
  $("features").value = demo.features = name;
  trained = false;
  takeaway.allow(false);
  $("result").textContent = "";
  for (const row of rows.values()) showCount(row);
}

// ---- taking it away

const timed = timedRecording({
  say: (text) => { $("source-note").textContent = text; },
  count: () => Math.min(100, Math.max(1, Number($("timed").querySelector("input").value) || TIMED)),
});

const takeaway = offerExport($("takeaway"), {
  name: "words", title: "4. Take it with you", pack: (files) => pyml.call("export", files),
  kinds: modelKinds("words", {
    keras: () => pyml.call("export_keras"),
    tfjs: () => pyml.call("export_tfjs"),
    inputs: () => (demo.features === "spectra" ? "spectra of a second of sound" : "the 288 features of the speech network"),
    outputs: () => learned,
  }),
});

const projects = offerProject($("project"), {
  name: "words-project", open: openProject,
  save: () => pyml.call("save_project", [...rows.keys()], learning.settings() ?? {}),
});

/** All of the file is read before anything here is replaced. */
async function openProject(bytes) {
  timed.stop();
  setRecording(null);
  const opened = await pyml.call("open_project", bytes);
  await pyml.call("accept_project");
  restoring = true;
  for (const row of rows.values()) row.item.remove();
  rows.clear();
  demo.counts = {};
  await Promise.all([kept.clear(), keptNetwork.clear()]);
  for (const word of opened.words) addWord(word);
  for (const example of opened.examples) keep(rows.get(example.word), example);
  restoring = trained = false;
  takeaway.allow(false);
  learning.clear();
  learning.set(opened.settings);
  $("features").value = demo.features = opened.features;
  keepWords();
  for (const row of rows.values()) showCount(row);
  $("result").textContent = "";
  if (opened.learned.length) {
    taken(opened.learned);
    await keepNetwork();
    $("result").textContent = "What was learned is here. Speak!";
  }
  return `${opened.examples.length} examples of ${opened.words.length} words${opened.learned.length ? ", and what was learned from them" : ""}.`;
}

// ---- wiring

$("timed").innerHTML = timedField("Examples that Timed takes", TIMED);
if (asked.has("epochs")) learning.set({ epochs: asked.get("epochs") });
for (const name of FIRST) addWord(name);
showBars($("bars"), FIRST.map((name) => ({ name, share: null })));
$("more").addEventListener("click", () => { let i = rows.size + 1; while (rows.has(`word ${i}`)) i++; addWord(`word ${i}`); keepWords(); });
$("over").addEventListener("click", startOver);
$("features").addEventListener("change", () => choose($("features").value));
$("train").addEventListener("click", train);
$("stop").addEventListener("click", () => { $("stop").disabled = true; pyml.stop(true); });

try {
  pyml = await startDemo({ modules: ["speech.py"], files: [...PROJECT_FILES, ...LEARNING_FILES], hear: { figure: learning.figure, epoch: onEpoch, download: (progress) => { $("running").value = loadingText(progress); } } });
  await choose("spectra"); // they need no network
  const wanted = asked.get("features") ?? "speech_embedding";
  if (wanted !== "spectra") await new Promise((resolve) => { choose(wanted, resolve).then(resolve); });
  await restore();
  $("microphone").disabled = false;
  demo.ready = true;
  begin();
  for (const row of rows.values()) showCount(row);
  if (asked.get("autorun") === "1") finish(); // there is nobody to speak
} catch (error) {
  failed(error);
}
