// The photo page: offers samples, loads networks, and has Python name what naming.js shows.
// ?autorun=1 names a sample; window.pymlDemo says how it went.
import { $, asked, bring, credit, failed, startDemo } from "../../web/demo.js";
import { readPicture } from "../../web/drop.js";
import { loadingText, needed } from "../../web/networks.js";
import { offerExport } from "../../web/takeaway.js";
import { thumbnail } from "../../web/thumbs.js";
import { namesPhotos } from "./naming.js";

const SAMPLES = { "chelsea.png": "a photo of an animal", "coffee.png": "a photo of a table", "rocket.jpg": "a photo of a launch", "astronaut.png": "a photo of a person" };

let pyml = null;
const compiled = new Set(); // networks with sizes of pictures that were seen

const photos = namesPhotos(async (picture) => {
  const network = $("network").value, size = `${network} ${picture.width}x${picture.height}`;
  const { names, ms } = await pyml.call("classify", picture, network);
  const note = `${ms.toFixed(0)} ms${compiled.has(size) ? "" : ", compiling for this size of picture included"}`;
  compiled.add(size);
  return { names, note };
});
const takeaway = offerExport($("takeaway"), { name: "photos", pack: (files) => pyml.call("export", files, $("network").value) });

// ---- the network

/** Loads the network that is chosen; false where another was chosen meanwhile. */
async function loadNetwork() {
  const name = $("network").value;
  photos.wait();
  takeaway.allow(false);
  $("problem").textContent = "";
  const loaded = await needed($("network-needed"), async () => {
    $("loading").hidden = false;
    $("network-note").textContent = "Loading the network…";
    try {
      return await pyml.call("load", name);
    } finally {
      if ($("network").value === name) { // else another one was chosen meanwhile, and these are its own
        $("loading").hidden = true;
        $("network-note").textContent = "";
      }
    }
  });
  if (!loaded) return false;
  photos.go();
  takeaway.allow(true);
  $("network-note").textContent = `${loaded.classes.toLocaleString("en")} classes. ${credit(loaded)}`;
  return true;
}

function onLoading({ name, ...progress }) {
  if ($("network").value !== name) return;
  $("loading").value = progress.received / progress.total;
  $("network-note").textContent = loadingText(progress);
}

// ---- photos

const offerSamples = () => needed($("photos-needed"), async () => {
  const blobs = Object.keys(SAMPLES).map(async (file) => (await bring(`../../models/photos/${file}`)).blob());
  const pictures = await Promise.all((await Promise.all(blobs)).map((blob) => readPicture(blob)));
  $("samples").replaceChildren(...Object.values(SAMPLES).map((name, i) =>
    thumbnail(pictures[i], { caption: "", title: `Look at ${name}`, press: () => photos.add(async () => pictures[i], name) })));
  if (asked.get("autorun") === "1") $("samples").querySelector("button").click();
});

// ---- wiring

$("network").addEventListener("change", async () => {
  if (pyml && (await loadNetwork())) photos.again();
});

try {
  pyml = await startDemo({ modules: ["classify.py"], hear: { loading: onLoading } });
  loadNetwork().catch(failed);
  offerSamples();
} catch (error) {
  failed(error);
}
