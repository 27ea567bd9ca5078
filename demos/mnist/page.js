// The digits page: starts Python, sends it model.py, and draws what it reports. The training itself is Python
// (page.py and model.py). ?autorun=1 trains at once, ?epochs=1&digits=2000
// less; window.pymlDemo says how it went.
import { liveChart } from "../../web/charts.js";
import { codeEditor } from "../../web/code.js";
import { editedText, forgetLink, interruptWork, knownNames, openCode, problemBox, shareCode } from "../../web/coding.js";
import { $, asked, bring, button, demo, failed, finish, forgetWarnings, log, newestOnly, notice, sentence, startDemo } from "../../web/demo.js";
import { keptModel, offerProject, PROJECT_FILES } from "../../web/project.js";
import { modelKinds, offerExport } from "../../web/takeaway.js";
import { readingPad } from "./reading.js";
import { showConfusion, showDigits } from "./results.js";

const PATIENCE = 2000; // ms for Python to hear an interrupt before it is ended

let pyml = null;
const readPad = readingPad((pixels) => (pyml ? pyml.call("read_digit", pixels) : null));
const takeaway = offerExport($("takeaway"), {
  name: "digits", pack: (files) => pyml.call("export", files),
  kinds: modelKinds("digits", {
    keras: () => pyml.call("export_keras"),
    tfjs: () => pyml.call("export_tfjs"),
    inputs: () => "pictures of 28 × 28 × 1 values from 0 to 1",
    outputs: () => Array.from({ length: 10 }, (_, digit) => String(digit)),
  }),
});
const projects = offerProject($("project"), { name: "digits-project", holds: "The code, the settings and the trained network", save: saveProject, open: openProject });
const keptNetwork = keptModel("mnist"); // { bytes } of the last training
let training = false, compiled = false, heard = false; // what Python is at: compiled from the model's first step on
let ended = null; // called when a training is over
let ending = false; // an interrupt ends Python's work wherever that is, between its calls of JavaScript too
let begun = null, heardOf = () => {}; // a promise of a training's first lines, and what fulfils it

const python = startDemo({
  modules: ["lines.py", "names.py"],
  files: [{ path: "mnist.npz", url: "../../data/mnist.npz" }, ...PROJECT_FILES],
  hear: { begun: () => heardOf(), model: onModel, step: onStep, epoch: onEpoch, stopping: () => { heard = true; } },
});
python.catch(() => {}); // `start` says so
const charts = {
  loss: liveChart($("loss"), { title: "Loss", y: "loss" }),
  accuracy: liveChart($("accuracy"), { title: "Accuracy", y: "accuracy", percent: true }),
};

const names = knownNames((path) => pyml.call("names", path), () => pyml && !training);
const model = await codeEditor({
  area: $("source"), kept: "mnist/model.py", run: runFromCode, names: names.of, typed: forgetLink,
  changed(edited) {
    $("reset").disabled = !edited || training;
    $("edited").textContent = editedText(edited);
  },
});
const problem = problemBox($("problem"), model, "model.py");

/** Ends a training, with a sentence where it failed. */
function end(error) {
  training = false;
  $("train").disabled = pyml === null;
  $("stop").disabled = true;
  model.readOnly(false);
  projects.allow({ save: pyml !== null, open: pyml !== null });
  $("reset").disabled = model.text === model.original;
  ended?.();
  finish(error);
}

// ---- starting

async function start() {
  await openCode(model, await (await bring("model.py")).text());
  pyml = await python;
  names.prepare(model.text);
  await restoreNetwork();
  $("train").disabled = training;
  projects.allow({ save: true, open: true });
}

// ---- training

function plot(t, split, values) {
  for (const [name, chart] of Object.entries(charts)) {
    if (values[name] !== undefined) chart.add([{ t, split, [name]: values[name] }]);
  }
}

function onModel({ parameters, digits }) {
  compiled = true;
  $("running").value = `${parameters.toLocaleString("en")} parameters, ${digits.toLocaleString("en")} digits. Compiling kernels…`;
}

function onStep({ epoch, step, of, ms, loss, accuracy }) {
  const epochs = Number($("epochs").value);
  $("running").value = `Epoch ${epoch + 1} of ${epochs}, step ${step} of ${of}: ${ms.toFixed(0)} ms a step`;
  $("progress").value = (epoch + step / of) / epochs;
  plot(epoch + step / of, "training", { loss, accuracy });
}

function onEpoch({ epoch, val_loss: loss, val_accuracy: accuracy }) {
  plot(epoch + 1, "test", { loss, accuracy });
}

/** The code is below what it does. */
function runFromCode() {
  $("train-title").scrollIntoView({ block: "nearest" });
  $("controls").requestSubmit();
}

async function train() {
  if (training || !pyml) return;
  training = true;
  compiled = heard = ending = false;
  begun = new Promise((resolve) => { heardOf = resolve; });
  Object.assign(demo, { done: false, error: null, testAccuracy: null });
  for (const chart of Object.values(charts)) chart.clear();
  $("result").textContent = $("log").textContent = "";
  problem.clear();
  takeaway.allow(false);
  projects.allow({ save: false, open: false });
  forgetWarnings();
  model.readOnly(true);
  $("train").disabled = $("reset").disabled = true;
  $("stop").disabled = false;
  $("stop").textContent = "Stop";
  $("progress").value = 0;
  $("running").value = "Building the model…";
  const began = performance.now();
  try {
    await pyml.stop(false);
    const settings = [Number($("epochs").value), Number($("batch").value), Number(asked.get("digits")) || null];
    show(await pyml.call("train", model.text, ...settings), performance.now() - began);
  } catch (error) {
    if (error.kind === "ended") return; // `endPython` says so
    if (ending) return show({ stopped: "before the training began" });
    show({ error: { text: sentence(error), line: null } });
  }
}

function show(result, milliseconds) {
  if (result.error) {
    $("running").value = "Training stopped.";
    problem.show(result.error);
    return end(result.error.text);
  }
  if (result.stopped) {
    $("running").value = `Stopped ${result.stopped}.`;
    return end();
  }
  if (result.lost) explainLoss(result.lost);
  const seconds = `${(milliseconds / 1000).toFixed(0)} s`;
  $("running").value = heard || $("stop").textContent === "Stop now" ? `Stopped after ${seconds}. The network is as it was then.` : `Trained for ${seconds}.`;
  showReading(result);
  end(result.lost);
  keepNetwork().catch(() => {}); // Python was ended meanwhile
}

/** Shows how the network reads the test digits. */
function showReading(result) {
  demo.testAccuracy = result.accuracy;
  const right = result.tested - result.mistakes;
  $("result").textContent = `It reads ${right.toLocaleString("en")} of ${result.tested.toLocaleString("en")} unseen digits: ${(100 * result.accuracy).toFixed(2)}%.`;
  showDigits($("digits"), result, $("mistakes").checked);
  $("digits-note").textContent = `${result.mistakes} misread; a mistake is marked “4 as 9”.`;
  showConfusion($("confusion"), result.confusion);
  takeaway.allow(true);
  readPad();
}

/** A driver reset or a sleeping tab took the device; fit has put the weights of the last step on another. */
function explainLoss(message) {
  log(message);
  const box = notice("The graphics device was lost while training. The network is back as it was after its last step. ", true);
  box.append(button("Train again", () => { box.remove(); train(); }));
}

/** The first press lets the step end; the next, and any before there is a step, ends what Python does. */
function stop() {
  if (compiled && $("stop").textContent === "Stop") {
    $("stop").textContent = "Stop now";
    $("running").value = "Stopping after this step…";
    pyml.stop(true);
  } else {
    $("stop").disabled = true;
    endPython();
  }
}

/** Interrupts Python; where it cannot hear, or does not, it is ended and started again. */
async function endPython() {
  ending = true;
  $("running").value = "Interrupting Python…";
  const over = new Promise((resolve) => { ended = resolve; });
  await interruptWork(pyml, begun, over, PATIENCE);
  if (!training || heard) return;
  if (pyml.thread === "main") {
    $("running").value = "Stopping after this step… (Python runs on the page's own thread here and cannot be ended.)";
    return;
  }
  $("running").value = "Ending Python and starting it again…";
  await pyml.restart();
  $("running").value = "Stopped: Python was ended and started again. model.py is as you left it; what was trained is gone.";
  end();
  readPad();
}

// ---- what stays from one visit to the next, and projects

const settings = () => ({ epochs: Number($("epochs").value), batch: Number($("batch").value) });

async function keepNetwork() {
  await keptNetwork.put({ bytes: await pyml.call("export_keras") });
}

/** Brings back what was trained on an earlier visit. */
async function restoreNetwork() {
  const network = await keptNetwork.get();
  if (!network || asked.get("autorun") === "1") return;
  const result = await pyml.call("restore_model", network.bytes);
  if (result.error) return; // its layers are not there any more
  showReading(result);
  $("running").value = "This is what you trained on your last visit. Train starts over.";
}

function saveProject() {
  return pyml.call("save_project", model.text, settings());
}

/** All of the file is read before anything here is replaced. */
async function openProject(bytes) {
  const { source, settings: found, result } = await pyml.call("open_project", bytes);
  problem.clear();
  model.text = source;
  for (const name of ["epochs", "batch"]) if (Number.isInteger(found[name])) $(name).value = found[name];
  for (const chart of Object.values(charts)) chart.clear();
  $("progress").value = 0;
  if (!result || result.error) {
    $("running").value = "Not trained yet.";
    $("result").textContent = "";
    takeaway.allow(false);
    await keptNetwork.clear();
    readPad();
    return `the code is here. ${result?.error ?? "It was not trained yet."}`;
  }
  showReading(result);
  $("running").value = "Trained before.";
  await keepNetwork();
  return "the code and the trained network are here.";
}

// ---- wiring

$("controls").addEventListener("submit", (event) => { event.preventDefault(); train(); });
$("stop").addEventListener("click", stop);
$("mistakes").addEventListener("change", () => showDigits($("digits"), null, $("mistakes").checked));
$("share").addEventListener("click", newestOnly(async () => { $("shared").value = await shareCode(model.text); }));
$("reset").addEventListener("click", () => {
  model.reset();
  forgetLink();
  problem.clear();
  $("shared").value = "";
  model.focus();
});

try {
  await start();
  if (asked.has("epochs")) $("epochs").value = asked.get("epochs");
  if (asked.get("autorun") === "1") train();
} catch (error) {
  failed(error);
}
