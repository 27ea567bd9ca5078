// The digits page: starts Python, sends it model.py, and draws what it reports. The training itself is Python
// (page.py and model.py). ?autorun=1 trains at once, ?epochs=1&digits=2000
// less; window.pymlDemo says how it went.
import { showBars } from "../../web/bars.js";
import { liveChart } from "../../web/charts.js";
import { $, asked, demo, finish, log, newestOnly, notice, sentence, startDemo } from "../../web/demo.js";
import { drawingPad } from "../../web/pad.js";
import { showConfusion, showDigits } from "./results.js";

const charts = { loss: null, accuracy: null };

let pyml = null;
let training = false;
let original = "";

/** Ends a training, with a sentence where it failed. */
function end(error) {
  training = false;
  $("train").disabled = pyml === null;
  $("stop").disabled = true;
  $("source").readOnly = false;
  finish(error);
}

// ---- starting

async function start() {
  const python = startDemo({
    files: [{ path: "mnist.npz", url: "../../data/mnist.npz" }],
    hear: { model: onModel, step: onStep, epoch: onEpoch },
  });
  const [source, loss, accuracy] = await Promise.all([
    fetch("model.py").then((answer) => answer.text()),
    liveChart($("loss"), { title: "Loss", y: "loss" }),
    liveChart($("accuracy"), { title: "Accuracy", y: "accuracy", percent: true }),
  ]);
  Object.assign(charts, { loss, accuracy });
  original = source;
  if (!$("source").value) $("source").value = source;
  pyml = await python;
  $("train").disabled = false;
}

// ---- training

function plot(t, split, loss, accuracy) {
  if (Number.isFinite(loss)) charts.loss.add([{ t, split, loss }]);
  if (Number.isFinite(accuracy)) charts.accuracy.add([{ t, split, accuracy }]);
}

function onModel({ parameters, digits }) {
  $("running").value = `${parameters.toLocaleString("en")} parameters, ${digits.toLocaleString("en")} digits. Compiling kernels…`;
}

function onStep({ epoch, step, of, ms, loss, accuracy }) {
  const epochs = Number($("epochs").value);
  $("running").value = `Epoch ${epoch + 1} of ${epochs}, step ${step} of ${of}: ${ms.toFixed(0)} ms a step`;
  $("progress").value = (epoch + step / of) / epochs;
  plot(epoch + step / of, "training", loss, accuracy);
}

function onEpoch({ epoch, val_loss, val_accuracy }) {
  plot(epoch + 1, "test", val_loss, val_accuracy);
}

async function train() {
  if (training || !pyml) return;
  training = true;
  Object.assign(demo, { done: false, error: null, testAccuracy: null });
  for (const chart of Object.values(charts)) chart.clear();
  $("problem").textContent = $("result").textContent = $("log").textContent = "";
  $("train").disabled = $("source").readOnly = true;
  $("stop").disabled = false;
  $("stop").textContent = "Stop";
  $("progress").value = 0;
  $("running").value = "Building the model…";
  await pyml.stop(false);
  const began = performance.now();
  try {
    const settings = [Number($("epochs").value), Number($("batch").value), Number(asked.get("digits")) || null];
    show(await pyml.call("train", $("source").value, ...settings), performance.now() - began);
  } catch (error) {
    show({ error: error.message });
  }
}

function show(result, milliseconds) {
  if (result.error) {
    $("running").value = "Training stopped.";
    $("problem").textContent = result.error;
    return end(result.error);
  }
  if (result.lost) explainLoss(result.lost);
  demo.testAccuracy = result.accuracy;
  $("running").value = `Trained for ${(milliseconds / 1000).toFixed(0)} s.`;
  const right = result.tested - result.mistakes;
  $("result").textContent = `It reads ${right.toLocaleString("en")} of ${result.tested.toLocaleString("en")} unseen digits: ${(100 * result.accuracy).toFixed(2)} %.`;
  showDigits($("digits"), result, $("mistakes").checked);
  $("digits-note").textContent = `${result.mistakes} misread; a mistake is marked “4 as 9”.`;
  showConfusion($("confusion"), result.confusion);
  end(result.lost);
  readPad();
}

/** A driver reset or a sleeping tab took the device; fit has put the weights of the last step on another. */
function explainLoss(message) {
  log(message);
  const box = notice("The graphics device was lost while training. The network is back as it was after its last step. ", true);
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Train again";
  again.addEventListener("click", () => { box.remove(); train(); });
  box.append(again);
}

function stop() {
  if ($("stop").textContent === "Stop") {
    $("stop").textContent = "Stop now";
    pyml.stop(true);
  } else if (!pyml.interrupt()) {
    $("running").value = "Stopping after this step…";
  }
}

// ---- reading a drawn digit: one request at a time, always ending with the newest drawing

let drawn = null;

const showChances = (chances) => showBars($("bars"), Array.from({ length: 10 }, (_, digit) => ({ name: digit, share: chances ? chances[digit] : null })));

const read = newestOnly(async (pixels) => {
  try {
    const chances = pixels && (await pyml.call("read_digit", pixels));
    showChances(chances);
    const best = chances ? chances.indexOf(Math.max(...chances)) : null;
    $("reading").value = !pixels ? "Write a digit." : chances ? `Reads as ${best} (${(100 * chances[best]).toFixed(0)} %)` : "Train the network, then write.";
  } catch (error) {
    $("reading").value = sentence(error);
  }
});

function readPad(pixels = drawn) {
  drawn = pixels;
  if (pyml) read(pixels);
}

// ---- wiring

showChances(null);
const pad = drawingPad($("pad"), readPad);
$("clear").addEventListener("click", () => pad.clear());
$("controls").addEventListener("submit", (event) => { event.preventDefault(); train(); });
$("stop").addEventListener("click", stop);
$("reset").addEventListener("click", () => { $("source").value = original; });
$("mistakes").addEventListener("change", () => showDigits($("digits"), null, $("mistakes").checked));
$("source").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("controls").requestSubmit();
});

try {
  await start();
  if (asked.has("epochs")) $("epochs").value = asked.get("epochs");
  if (asked.get("autorun") === "1") train();
} catch (error) {
  end(error.message);
}
