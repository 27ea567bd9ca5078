// The photo page: takes pictures from files, drops, the clipboard and the samples, and shows the names Python finds.
// ?autorun=1 names a sample; window.pymlDemo says how it went.
import { showBars } from "../../web/bars.js";
import { $, asked, bring, demo, failed, finish, sentence, startDemo } from "../../web/demo.js";
import { isPicture, readPicture, takeFiles } from "../../web/drop.js";
import { loadingText, needed } from "../../web/networks.js";
import { thumbnail } from "../../web/thumbs.js";

const SAMPLES = { "chelsea.png": "a photo of an animal", "coffee.png": "a photo of a table", "rocket.jpg": "a photo of a launch", "astronaut.png": "a photo of a person" };
const NOTHING = Array.from({ length: 5 }, () => ({ name: "–", share: null }));

let pyml = null;
let ready = false; // the network that is chosen is there
let waiting = []; // pictures still to be named, in order
let working = null;
const compiled = new Set(); // networks with sizes of pictures that were seen
let current = null; // the picture shown

// ---- the network

/** Loads the network that is chosen; false where another was chosen meanwhile. */
async function loadNetwork() {
  const name = $("network").value;
  ready = false;
  $("problem").textContent = "";
  const loaded = await needed($("network-needed"), async () => {
    $("loading").hidden = false;
    $("network-note").textContent = "Loading the network…";
    try {
      return await pyml.call("load", name);
    } finally {
      $("loading").hidden = true;
      $("network-note").textContent = "";
    }
  });
  if (!loaded) return false;
  ready = true;
  $("network-note").textContent = `${loaded.classes.toLocaleString("en")} classes. ${loaded.source}. ${loaded.licence}.`;
  return true;
}

function onLoading(progress) {
  $("loading").value = progress.received / progress.total;
  $("network-note").textContent = loadingText(progress);
}

// ---- pictures

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

/** Names pictures one after the other. */
async function work() {
  while (waiting.length) {
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

function add(open, name) {
  waiting.push({ open, name });
  if (!ready) $("answer").textContent = "Waiting for the network…";
  else working ??= work();
  return working;
}

async function nameIt(picture, name) {
  $("problem").textContent = "";
  $("answer").textContent = "Looking…";
  const network = $("network").value;
  const { names, ms } = await pyml.call("classify", picture, network);
  const [label, share] = names[0];
  const short = label.split(",")[0];
  $("answer").textContent = `${article(short)} ${short}, it is ${(100 * share).toFixed(0)} % sure.`;
  showBars($("bars"), names.map(([text, part]) => ({ name: text, share: part })));
  const size = `${network} ${picture.width}x${picture.height}`;
  $("timing").textContent = `${ms.toFixed(0)} ms${compiled.has(size) ? "" : ", compiling for this size of picture included"}`;
  compiled.add(size);
  remember(picture, name, short, share);
  demo.summary = `${name}: ${names.map(([text, part]) => `${text} ${(100 * part).toFixed(0)} %`).join("; ")}`;
  demo.names = names;
  finish();
}

const article = (name) => (/^[aeiou]/i.test(name) ? "An" : "A");

function remember(picture, name, label, share) {
  $("seen-card").hidden = false;
  const item = thumbnail(picture, { caption: `${label} ${(100 * share).toFixed(0)}\u00a0%`, title: `${name}: look again`, press: () => add(async () => picture, name) });
  $("seen").prepend(item);
  while ($("seen").children.length > 12) $("seen").lastElementChild.remove();
}

const offerSamples = () => needed($("photos-needed"), async () => {
  const photos = Object.keys(SAMPLES).map(async (file) => (await bring(`../../models/photos/${file}`)).blob());
  const pictures = await Promise.all((await Promise.all(photos)).map((blob) => readPicture(blob)));
  $("samples").replaceChildren(...Object.values(SAMPLES).map((name, i) =>
    thumbnail(pictures[i], { caption: "", title: `Look at ${name}`, press: () => add(async () => pictures[i], name) })));
  if (asked.get("autorun") === "1") $("samples").querySelector("button").click();
});

// ---- wiring

showBars($("bars"), NOTHING);
takeFiles({
  zone: $("photo-card"), input: $("file"), paste: true, accept: isPicture,
  take: (files) => files.forEach((file) => add(() => readPicture(file), file.name || "the pasted picture")),
  refuse: (name) => { $("problem").textContent = `${name} is no picture; choose a JPEG, PNG or WebP file.`; },
});
$("network").addEventListener("change", async () => {
  if (pyml && (await loadNetwork()) && current) add(async () => current.picture, current.name);
});

try {
  pyml = await startDemo({ modules: ["classify.py"], hear: { loading: onLoading } });
  const loading = loadNetwork();
  offerSamples();
  if ((await loading) && waiting.length) working ??= work();
} catch (error) {
  failed(error);
}
