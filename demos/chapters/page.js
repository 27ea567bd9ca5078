// The page of a chapter: its Python file in an editor, and beside it the file's own text with what each cell prints and draws.
// ?autorun=1 runs it at once; #code=... opens somebody's version of it; window.pymlDemo says how it went.
import { cells } from "../../web/prose.js";
import { codeEditor } from "../../web/code.js";
import { editedText, forgetLink, interruptWork, knownNames, openCode, problemBox, shareCode } from "../../web/coding.js";
import { $, asked, bring, demo, failed, finish, forgetWarnings, newestOnly, sentence, startDemo } from "../../web/demo.js";
import { needed } from "../../web/networks.js";
import { outputs } from "./outputs.js";

const PATIENCE = 2000; // ms for Python to hear an interrupt before it is ended
const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
const chapter = meta("chapter");

let pyml = null, running = false, ended = null, clock = null;
let stopping = false; // an interrupt ends Python's work wherever that is, between its calls of JavaScript too
let begun = null, heardOf = () => {}; // a promise of the run's first cell, and what fulfils it
const names = knownNames((path) => pyml.call("names", path), () => pyml && !running);

const view = outputs($("cells"), {
  goTo: (line) => editor.goTo(line),
  moved: (number, value) => pyml.call("moved", number, value).catch(async (error) => { await mended(error); throw error; }),
});
const python = startDemo({
  files: [
    ...["chapter.py"].map((name) => ({ path: name, url: `../chapters/${name}` })),
    { path: "lines.py", url: "../mnist/lines.py" },
    { path: "names.py", url: "../mnist/names.py" },
    ...meta("data").split(" ").filter(Boolean).map((name) => ({ path: name, url: `../../data/${name}` })),
  ],
  page: "../chapters/page.py",
  hear: { cell: (number) => { heardOf(); view.begin(number); }, printing: view.printing, figure: view.figure, control: view.control },
  print: view.print,
});
python.catch(() => {}); // `start` says so
const editor = await codeEditor({
  area: $("source"), kept: `chapters/${chapter}.py`, run, names: names.of, typed: forgetLink,
  changed(edited) {
    $("reset").disabled = !edited || running;
    $("edited").textContent = editedText(edited);
  },
});
const problem = problemBox($("problem"), editor);

async function start() {
  const source = await bring(`../chapters/${chapter}.py`).then((answer) => answer.text());
  await openCode(editor, source);
  view.show(cells(editor.text));
  pyml = await python;
  $("run").disabled = false;
  $("running").value = "Not run yet.";
  names.prepare(editor.text);
  offerNetworks();
}

/** Says which networks the site lacks and offers to fetch them; what needs none runs meanwhile. */
async function offerNetworks() {
  for (const name of meta("networks").split(" ").filter(Boolean)) await needed($("network-needed"), () => pyml.call("look_for", name), () => null);
}

// ---- running

async function run() {
  if (running || !pyml) return;
  running = true;
  stopping = false;
  begun = new Promise((resolve) => { heardOf = resolve; });
  Object.assign(demo, { done: false, error: null, summary: "", merit: null });
  problem.clear();
  $("result").hidden = true;
  forgetWarnings();
  const source = editor.text;
  const parts = cells(source);
  view.show(parts);
  if (!parts.some(({ kind, text }) => kind === "code" && text.trim())) return end("There is no code to run. Start over brings the chapter back.");
  $("run").disabled = $("reset").disabled = true;
  $("stop").disabled = false;
  const began = performance.now();
  const tick = () => { $("running").value = `Running: ${((performance.now() - began) / 1000).toFixed(0)} s`; };
  tick();
  clock = setInterval(tick, 1000);
  try {
    const code = parts.filter(({ kind }) => kind === "code").map(({ line, text }) => [line, text]);
    show(await pyml.call("run", source, code), performance.now() - began);
  } catch (error) {
    if (error.kind === "ended" || (await mended(error))) return; // `stop` says so, or `mended`
    if (stopping) return end("Stopped.");
    show({ error: { text: sentence(error), line: null } });
  }
}

function end(text, error = null) {
  clearInterval(clock);
  running = false;
  view.end();
  $("running").value = text;
  $("run").disabled = pyml === null;
  $("stop").disabled = true;
  $("reset").disabled = editor.text === editor.original;
  ended?.();
  finish(error);
}

function show({ error, stopped, merit }, milliseconds) {
  const seconds = `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`;
  if (error) {
    problem.show(error);
    return end("It stopped at a mistake.", error.text);
  }
  if (stopped) return end("Stopped.");
  if (merit) {
    const share = merit.unit.startsWith("of "); // such a number is a part of 1
    const said = (value) => (share ? `${Number((100 * value).toPrecision(3))}%` : `${Number(value.toPrecision(3))}`);
    const name = merit.name[0].toUpperCase() + merit.name.slice(1);
    demo.merit = merit;
    demo.summary = `${name}: ${said(merit.value)} ${merit.unit}`;
    $("result").textContent = `${demo.summary}. The goal, ${merit.sign === "<" ? "below" : "above"} ${said(merit.bound)}, is ${merit.kept ? "reached." : "not reached with this code."}`;
    $("result").classList.toggle("bad", !merit.kept);
    $("result").hidden = false;
  }
  end(`Ran in ${seconds}.`);
}

/** Interrupts Python; where it cannot hear, or does not, it is ended and started again. */
async function stop() {
  stopping = true;
  $("stop").disabled = true;
  $("running").value = "Stopping…";
  clearInterval(clock);
  const over = new Promise((resolve) => { ended = resolve; });
  await interruptWork(pyml, begun, over, PATIENCE);
  if (!running) return;
  if (pyml.thread === "main") {
    $("running").value = "Python runs on the page's own thread here and cannot be ended.";
    return;
  }
  $("running").value = "Ending Python and starting it again…";
  view.freeze();
  await pyml.restart();
  end("Stopped: Python was ended and started again. The code is as you left it.");
}

let mending = null;

/** Starts Python again where it broke down; whether it did. */
async function mended(error) {
  if (error.kind !== "broken" || pyml.thread === "main") return false;
  mending ??= (async () => {
    $("run").disabled = true;
    view.freeze();
    await pyml.restart();
    end("Python broke down and was started again. The code is as you left it.");
    mending = null;
  })();
  await mending;
  return true;
}

$("run").addEventListener("click", run);
$("stop").addEventListener("click", stop);
$("share").addEventListener("click", newestOnly(async () => { $("running").value = await shareCode(editor.text); }));
$("reset").addEventListener("click", () => {
  editor.reset();
  forgetLink();
  problem.clear();
  view.show(cells(editor.text));
  editor.focus();
});

try {
  await start();
  if (asked.get("autorun") === "1") run();
} catch (error) {
  failed(error);
}
