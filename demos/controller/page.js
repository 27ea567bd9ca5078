// The controller page: pictures of four poses from a camera, a video or a drawn disc go to Python, which learns them and
// plays the maze with them. ?autorun=1 teaches it the drawn disc, ?way=head with MobileNet; window.pymlDemo says how it goes.
import { showBars } from "../../web/bars.js";
import { $, asked, demo, failed, finish, forgetWarnings, sentence, startDemo } from "../../web/demo.js";
import { closeVideo, isMirror, offerOtherCamera, openCamera, openVideo, paceSentence, squares, watch } from "../../web/frames.js";
import { ifKept, keptRecords } from "../../web/keep.js";
import { LEARNING_FILES, learningPart } from "../../web/learning.js";
import { loadingText, needed } from "../../web/networks.js";
import { keptModel, offerProject, pixelsOf, PROJECT_FILES } from "../../web/project.js";
import { modelKinds, offerExport } from "../../web/takeaway.js";
import { timedField, timedRecording } from "../../web/timed.js";
import { holding } from "./holding.js";
import { drawMaze } from "./maze.js";
import { puppet } from "./puppet.js";

const COMMANDS = ["up", "down", "left", "right"];
const KEYS = { w: "up", a: "left", s: "down", d: "right" };
const ARROWS = { ArrowUp: "up", ArrowLeft: "left", ArrowDown: "down", ArrowRight: "right" };
const SIZE = 128;
const WANTED = 30; // pictures of each pose that are enough
const MOST = 150; // of each that are kept, as controller.py has it
const SPACING = 80; // ms from one picture to the next while a button is held: they shall differ a little

const square = squares(SIZE);
const holds = Object.fromEntries([...document.querySelectorAll(".hold")].map((button) => [button.dataset.command, button]));
const counts = Object.fromEntries(COMMANDS.map((command) => [command, 0]));
Object.assign(demo, { counts, command: null, moved: [], accuracy: null, solved: false, way: "small" });

let pyml = null;
let maze = null;
let training = false, trained = false, playing = false;
let stopWatching = null;
let lastTaken = 0;
let wanted = null; // of a recording by itself: { command, left, done }
const learning = learningPart($("learning"), { epochs: 10 });
const kept = keptRecords("controller"); // { command, picture } of every example
const keptNetwork = keptModel("controller"); // { way, bytes, settings }
const keys = Object.fromEntries(COMMANDS.map((command) => [command, []])); // of the records, the oldest first
let records = 0; // of this visit

// ---- where pictures come from

function show(element) {
  stopWatching?.();
  const mirrored = element === $("video") && isMirror(element);
  $("video").hidden = element !== $("video");
  $("puppet").hidden = element !== $("puppet");
  for (const box of [$("view"), ...Object.values(holds)]) box.classList.toggle("mirror", mirrored);
  stopWatching = watch(element, onPicture, showPace);
  for (const button of [...Object.values(holds), $("timed")]) button.disabled = pyml === null;
}

async function source(open, element, says) {
  try {
    if ((await open()) === false) return;
    show(element);
    $("source-note").textContent = says;
  } catch (error) {
    $("source-note").textContent = error.message;
  }
}

const HOW = "Strike a pose and hold its button, about 30 pictures each.";
const lost = (text) => { $("source-note").textContent = text; setPlaying(false); };
const useCamera = (deviceId) => source(() => openCamera($("video"), { deviceId, instead: "open a video, or go on without a camera", lost }), $("video"), HOW);
const useVideo = (file) => source(() => openVideo($("video"), file), $("video"), `${file.name}: hold the button of the pose that it shows.`);
const useDrawn = () => source(() => closeVideo($("video")), $("puppet"),
  "The disc is you: move it with the pointer or, after a click, with the arrow keys. The network sees only its picture.");

function showPace(pace) {
  $("pace").value = paceSentence(pace);
  Object.assign(demo, pace);
}

// ---- one picture: an example, a move, or nothing

async function onPicture(element) {
  if (!pyml || training || !(held() || trained)) return false;
  const picture = square(element);
  try {
    if (held()) await collect(held(), picture);
    else showAnswer(await pyml.call("look", picture, playing));
  } catch (error) {
    $("problem").textContent = sentence(error);
    setPlaying(false);
    trained = false;
  }
}

async function collect(command, picture) {
  if (performance.now() - lastTaken < SPACING) return;
  lastTaken = performance.now();
  keep(command, picture, await pyml.call("add", command, picture));
  if (wanted?.command === command && --wanted.left <= 0) wanted.done();
}

/** Shows an example that Python has, and keeps it; of more than Python keeps, the oldest goes. */
function keep(command, picture, count, key = null) {
  counts[command] = count;
  keys[command].push(key ?? `${String(Date.now()).padStart(15, "0")} ${String(records++).padStart(6, "0")}`);
  if (key === null) kept.put(keys[command].at(-1), { command, picture });
  while (keys[command].length > MOST) kept.remove(keys[command].shift());
  holds[command].querySelector("canvas").getContext("2d").putImageData(picture, 0, 0);
  showCounts();
}

async function restore() {
  for (const [key, { command, picture } = {}] of await kept.all()) {
    try {
      keep(command, picture, await pyml.call("restore", command, picture), key);
    } catch (error) {
      console.warn("pyml: a picture is not brought back,", sentence(error));
    }
  }
  const network = await keptNetwork.get();
  if (!network) return;
  try {
    if (!(await choose(network.way))) return;
    await pyml.call("restore_model", network.bytes);
  } catch (error) {
    console.warn("pyml: what was learned is not brought back,", sentence(error));
    return;
  }
  learning.set(network.settings);
  taken("What it learned on your last visit is here. Play!");
}

/** Something was learned, here or elsewhere. */
function taken(says) {
  trained = true;
  $("running").value = "Trained.";
  $("result").textContent = says;
  showCounts();
}

const keepNetwork = async () => keptNetwork.put({ ...await pyml.call("trained_model"), settings: learning.settings() ?? {} });

function forgetAll() {
  for (const command of COMMANDS) {
    counts[command] = 0;
    keys[command] = [];
    holds[command].querySelector("canvas").getContext("2d").clearRect(0, 0, SIZE, SIZE);
  }
  return Promise.all([kept.clear(), keptNetwork.clear()]);
}

function showCounts() {
  for (const [command, button] of Object.entries(holds)) {
    const key = Object.keys(KEYS).find((letter) => KEYS[letter] === command).toUpperCase();
    button.querySelector("small").textContent = `${counts[command]} (${key})`;
  }
  const least = Math.min(...Object.values(counts));
  const some = Math.max(...Object.values(counts)) > 0;
  $("train").disabled = !pyml || training || least === 0;
  $("play").disabled = !trained || training;
  $("forget").disabled = !some || training;
  takeaway.allow(trained && !training);
  projects.allow({ save: pyml !== null && !training && some, open: demo.ready === true && !training });
  $("kept-note").textContent = some ? ifKept("Pictures stay in this browser until you have it forget them.") : "";
  if (!trained && !training) {
    const missing = COMMANDS.filter((command) => counts[command] < WANTED);
    $("running").value = missing.length ? `More pictures wanted of: ${missing.join(", ")}.` : "Enough pictures: train.";
  }
}

function showAnswer({ shares, moved, ...position }) {
  demo.command = COMMANDS[shares.indexOf(Math.max(...shares))];
  showBars($("bars"), COMMANDS.map((name, i) => ({ name, share: shares[i] })));
  if (!moved) return;
  demo.moved.push({ command: moved, at: performance.now() });
  showPosition(position);
}

// ---- training

async function train() {
  const settings = learning.settings();
  if (training || !settings) return;
  timed.stop();
  training = true;
  learning.clear();
  release();
  setPlaying(false);
  Object.assign(demo, { done: false, error: null, accuracy: null });
  $("problem").textContent = $("result").textContent = "";
  forgetWarnings();
  $("train").disabled = $("forget").disabled = true;
  $("stop").disabled = false;
  $("progress").value = 0;
  $("running").value = "Looking at the pictures, compiling the network…";
  await pyml.stop(false);
  const began = performance.now();
  try {
    const { accuracy, tested } = await pyml.call("train", settings.epochs, settings.rate);
    trained = true;
    await keepNetwork();
    demo.accuracy = accuracy;
    $("running").value = `Learned in ${((performance.now() - began) / 1000).toFixed(1)} s.`;
    $("result").textContent = `It names ${(100 * accuracy).toFixed(0)}% of ${tested} pictures right that it never learned. ${accuracy < 0.9 ? "More pictures, or clearer poses, help." : "Play!"}`;
    finish();
  } catch (error) {
    $("problem").textContent = sentence(error);
    $("running").value = "Not trained.";
    finish(sentence(error));
  }
  training = false;
  $("stop").disabled = true;
  showCounts();
}

function onEpoch({ epoch, of, loss, accuracy }) {
  $("progress").value = epoch / of;
  $("running").value = `Epoch ${epoch} of ${of}: loss ${loss.toFixed(3)}, ${(100 * accuracy).toFixed(0)}% right`;
}

// ---- how it learns

/** Python takes another way to learn, and the field for epochs what that likes. */
async function chooseInPython(way) {
  const epochs = await pyml.call("choose", way);
  learning.set({ epochs: asked.get("epochs") ?? epochs });
}

/** Takes another way to learn; until its network is there, the way of before is used. */
async function choose(way) {
  $("problem").textContent = "";
  release();
  setPlaying(false);
  const done = await needed($("network-needed"), async () => {
    $("way").disabled = true;
    try {
      await chooseInPython(way);
      return true;
    } catch (error) {
      $("way").value = demo.way;
      showCounts();
      throw error;
    } finally {
      $("way").disabled = false;
    }
  });
  if (!done) return false;
  $("way").value = demo.way = way;
  trained = false;
  $("result").textContent = "";
  learning.clear();
  showCounts();
  return true;
}

const onLoading = (progress) => { $("running").value = loadingText(progress); };

// ---- the maze

function setPlaying(on) {
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
}

function showPosition({ player, exit, moves, solved }) {
  Object.assign(maze, { player, exit });
  drawMaze($("maze"), maze);
  demo.solved = solved;
  if (solved) setPlaying(false);
  $("maze-note").textContent = solved ? `Out of the maze in ${moves} moves.` : `${moves} move${moves === 1 ? "" : "s"}. Get the disc to the ring; the arrow keys work here too.`;
}

async function newMaze() {
  const { size, ways, ...position } = await pyml.call("new_maze");
  maze = { size, ways };
  showPosition(position);
}

// ---- holding a button

const { held, hold, release } = holding(holds, KEYS, { able: () => !training, stays: () => wanted !== null }); // a recording goes on

/** ?autorun=1: the disc takes the place of a camera and holds the buttons itself. */
async function autorun() {
  await useDrawn();
  for (const command of COMMANDS) {
    lean(command);
    hold(command);
    await new Promise((done) => { wanted = { command, left: 15, done }; });
    wanted = null;
    release();
  }
  await train();
  demo.testAccuracy = demo.accuracy;
  console.log(`pyml: ${$("result").textContent}`);
}

// ---- recording with free hands

const timed = timedRecording({
  say: (text) => { $("source-note").textContent = text; },
  count: () => Math.min(MOST, Math.max(1, Number($("timed-field").querySelector("input").value) || WANTED)),
});

/** All four, one after the other, until one is stopped. */
async function recordAll() {
  for (const command of COMMANDS) {
    const whole = await timed.toggle($("timed"), {
      name: command[0].toUpperCase() + command.slice(1),
      begin(count, done) {
        release();
        hold(command);
        wanted = { command, left: count, done };
      },
      end() {
        wanted = null;
        release();
      },
    });
    if (!whole) return;
  }
  $("source-note").textContent = "All four are recorded: train.";
}

// ---- taking it away

const takeaway = offerExport($("takeaway"), {
  name: "controller", title: "4. Take it with you", pack: (files) => pyml.call("export", files),
  kinds: modelKinds("controller", {
    keras: () => pyml.call("export_keras"),
    tfjs: () => pyml.call("export_tfjs"),
    inputs: () => (demo.way === "small" ? "pictures of 64 × 64 × 3 values from 0 to 255" : "pictures of 224 × 224 × 3 values from 0 to 255"),
    outputs: () => COMMANDS,
  }),
});

const projects = offerProject($("project"), {
  name: "controller-project", open: openProject,
  save: () => pyml.call("save_project", learning.settings() ?? {}),
});

/** All of the file is read before anything here is replaced. */
async function openProject(bytes) {
  timed.stop();
  release();
  setPlaying(false);
  const opened = await pyml.call("open_project", bytes);
  const pictures = await Promise.all(opened.examples.map(([, png]) => pixelsOf(png)));
  const found = [];
  for (const [i, [command]] of opened.examples.entries()) found.push([command, pictures[i], await pyml.call("open_example", command, pictures[i])]);
  await pyml.call("accept_project");
  await forgetAll();
  $("way").value = demo.way = opened.way;
  trained = false;
  learning.clear();
  learning.set(opened.settings);
  $("result").textContent = "";
  for (const [command, picture, count] of found) keep(command, picture, count);
  if (opened.learned) {
    taken("What was learned is here. Play!");
    await keepNetwork();
  }
  showCounts();
  return `${found.length} pictures${opened.learned ? ", and what was learned from them" : ""}.`;
}

// ---- wiring

$("timed-field").innerHTML = timedField("Pictures of each direction that Timed takes", WANTED);
$("timed").addEventListener("click", recordAll);
$("camera").addEventListener("click", () => useCamera());
offerOtherCamera($("other"), $("video"), useCamera);
$("drawn").addEventListener("click", useDrawn);
$("file").addEventListener("change", () => { if ($("file").files.length) useVideo($("file").files[0]); $("file").value = ""; });
$("train").addEventListener("click", train);
$("way").addEventListener("change", () => choose($("way").value));
$("stop").addEventListener("click", () => { $("stop").disabled = true; pyml.stop(true); });
$("play").addEventListener("click", async () => { if (!playing && demo.solved) await newMaze(); setPlaying(!playing); });
$("new").addEventListener("click", newMaze);
$("forget").addEventListener("click", async () => {
  timed.stop();
  release();
  setPlaying(false);
  trained = false; // what was learned from them goes too
  $("result").textContent = "";
  learning.clear();
  showBars($("bars"), COMMANDS.map((name) => ({ name, share: null })));
  for (const command of COMMANDS) await pyml?.call("forget", command);
  await forgetAll();
  showCounts();
  $("source-note").textContent = "The pictures are forgotten, and what was learned from them.";
});
$("maze").addEventListener("keydown", async (event) => {
  if (!ARROWS[event.key] || !maze) return;
  event.preventDefault();
  showPosition(await pyml.call("step", ARROWS[event.key]));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (maze) drawMaze($("maze"), maze); });

showBars($("bars"), COMMANDS.map((name) => ({ name, share: null })));
const lean = puppet($("puppet"), ARROWS);
try {
  pyml = await startDemo({
    modules: ["controller.py"], files: [...PROJECT_FILES, ...LEARNING_FILES],
    hear: { epoch: onEpoch, loading: onLoading, figure: learning.figure },
  });
  await chooseInPython(demo.way);
  $("way").disabled = $("new").disabled = false;
  await newMaze();
  await restore();
  if (asked.has("way")) await choose(asked.get("way"));
  for (const button of [...Object.values(holds), $("timed")]) button.disabled = stopWatching === null;
  demo.ready = true;
  showCounts();
  if (asked.get("autorun") === "1") autorun();
} catch (error) {
  failed(error);
}
