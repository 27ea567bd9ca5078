// The pose page: pictures of a camera, a video or a photo go to Python, which finds the points of a person in them.
// window.pymlDemo says what it found.
import { $, asked, bring, credit, failed, finish, startDemo } from "../../web/demo.js";
import { readPicture } from "../../web/drop.js";
import { wholes } from "../../web/frames.js";
import { loadingText, needed } from "../../web/networks.js";
import { offerExport } from "../../web/takeaway.js";
import { posing } from "./posing.js";

const LONGEST = 384; // pixels of a picture; the networks look at 192 and 385
const whole = wholes(LONGEST);

let pyml = null;
let ready = false; // a network is loaded
const stage = posing({
  able: () => ready,
  find: (source, moving) => pyml.call("find", whole(source), $("network").value, moving),
  first: "; the first picture of a size takes longer",
});
const takeaway = offerExport($("takeaway"), { name: "pose", pack: (files) => pyml.call("export", files, $("network").value) });

// ---- the network

async function loadNetwork() {
  ready = false;
  takeaway.allow(false);
  $("problem").textContent = "";
  $("camera").disabled = $("sample").disabled = true;
  const loaded = await needed($("network-needed"), async () => {
    $("network").disabled = true;
    try {
      return await pyml.call("load", $("network").value);
    } finally {
      $("network-note").textContent = "";
      $("network").disabled = false;
    }
  });
  if (!loaded) return;
  $("network-note").textContent = credit(loaded);
  ready = true;
  $("camera").disabled = $("sample").disabled = false;
  takeaway.allow(true);
  await stage.again();
}

const onLoading = (progress) => { $("network-note").textContent = loadingText(progress); };

// ---- a sample

async function sample() {
  const file = await needed($("photos-needed"), async () => new File([await (await bring("../../models/photos/astronaut.png")).blob()], "astronaut.png"));
  if (file) await stage.usePhoto(() => readPicture(file), "Eileen Collins, astronaut (NASA).");
}

// ---- wiring

$("sample").addEventListener("click", sample);
$("network").addEventListener("change", loadNetwork);

try {
  pyml = await startDemo({ modules: ["pose.py"], hear: { loading: onLoading } });
  if (asked.has("network")) $("network").value = asked.get("network");
  await loadNetwork();
  if (ready) {
    if (asked.get("autorun") === "1") await sample();
    finish();
  }
} catch (error) {
  failed(error);
}
