// The page that the controller page exports: the poses that were taught there play the maze here.
import { showBars } from "../../web/bars.js";
import { $, bring, credit, demo, sentence } from "../../web/basics.js";
import { closeVideo, isMirror, offerOtherCamera, openCamera, paceSentence, squares, watch } from "../../web/frames.js";
import { openTwin } from "../../web/twin.js";
import { drawMaze } from "./maze.js";
import { load } from "./model/model.js";
import { puppet } from "./puppet.js";

const SIZE = 128;
const PACE = 450; // ms from one move to the next
const STEPS = { up: [-1, 0], down: [1, 0], left: [0, -1], right: [0, 1] };
const ARROWS = { ArrowUp: "up", ArrowLeft: "left", ArrowDown: "down", ArrowRight: "right" };

const square = squares(SIZE);
const facts = bring("controller.json").then((answer) => answer.json());
let model = null, names = [], sure = 1, mazes = [], maze = null;
let stopWatching = null, playing = false, last = 0, next = 0, moves = 0;
Object.assign(demo, { command: null, solved: false });

// ---- what it sees

function show(element) {
  stopWatching?.();
  $("video").hidden = element !== $("video");
  $("puppet").hidden = element !== $("puppet");
  $("view").classList.toggle("mirror", element === $("video") && isMirror(element));
  stopWatching = watch(element, onPicture, (pace) => { $("pace").value = paceSentence(pace); });
}

async function onPicture(element) {
  if (!model) return false;
  try {
    const shares = [...await model.predict(square(element))];
    showBars($("bars"), names.map((name, i) => ({ name, share: shares[i] })));
    const best = shares.indexOf(Math.max(...shares));
    demo.command = names[best];
    if (playing && shares[best] >= sure && performance.now() - last >= PACE && step(names[best])) last = performance.now();
  } catch (error) {
    $("problem").textContent = sentence(error);
  }
}

async function useCamera(deviceId) {
  const lost = (text) => { $("source-note").textContent = text; setPlaying(false); };
  try {
    if (await openCamera($("video"), { deviceId, instead: "go on without a camera", lost })) show($("video"));
  } catch (error) {
    $("source-note").textContent = error.message;
  }
}

function useDrawn() {
  closeVideo($("video"));
  show($("puppet"));
  $("source-note").textContent = "The disc is you: move it with the pointer or, after a click, with the arrow keys.";
}

// ---- the maze

function step(command) {
  const [row, column] = maze.player, [down, right] = STEPS[command];
  if (demo.solved || !maze.ways[row * maze.size + column].includes(command)) return false;
  maze.player = [row + down, column + right];
  moves++;
  showPosition();
  return true;
}

function showPosition() {
  drawMaze($("maze"), maze);
  demo.solved = String(maze.player) === String(maze.exit);
  if (demo.solved) setPlaying(false);
  $("maze-note").textContent = demo.solved ? `Out of the maze in ${moves} moves.` : `${moves} move${moves === 1 ? "" : "s"}. Get the disc to the ring; the arrow keys work here too.`;
}

function newMaze() {
  maze = structuredClone(mazes[next++ % mazes.length]);
  moves = 0;
  showPosition();
}

function setPlaying(on) {
  if (on && demo.solved) newMaze();
  playing = on;
  $("play").textContent = on ? "Pause" : "Play";
}

$("camera").addEventListener("click", () => useCamera());
offerOtherCamera($("other"), $("video"), useCamera);
$("drawn").addEventListener("click", useDrawn);
$("play").addEventListener("click", () => setPlaying(!playing));
$("new").addEventListener("click", newMaze);
$("maze").addEventListener("keydown", (event) => {
  if (!ARROWS[event.key] || !maze) return;
  event.preventDefault();
  step(ARROWS[event.key]);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (maze) drawMaze($("maze"), maze); });
puppet($("puppet"), ARROWS);

model = await openTwin(load, async (loaded) => {
  const known = await facts;
  ({ names, sure, mazes } = known);
  showBars($("bars"), names.map((name) => ({ name, share: null })));
  $("base-note").textContent = known.source ? `Taught in a browser tab, on top of a network for pictures. ${credit(known)}` : "Taught in a browser tab, from nothing but its pictures.";
  newMaze();
  await loaded.predict(new ImageData(SIZE, SIZE));
});
$("play").disabled = $("new").disabled = false;
