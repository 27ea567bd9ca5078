// Hears a microphone or a file, and shows the spectrogram of it: in the page where Python computes it, and in the one that it exports.
// window.pymlDemo says what was heard.
import { $, demo, sentence } from "../../web/basics.js";
import { movingColumns } from "../../web/columns.js";
import { takeFiles } from "../../web/drop.js";
import { openMicrophone, playSound, readSound, Samples } from "../../web/sound.js";

const IN_THE_FILE = 48000; // sample rate of files
const MELODY = [262, 294, 330, 392, 440, 523, 659, 784, 1047];

Object.assign(demo, { frequency: null, level: null, columns: 0, dropped: 0 });
const picture = movingColumns($("columns"));

let input = null; // { sampleRate, stop } of what is heard
let samples = null;
let busy = false;
let turns = 0;
let ready = null; // { start, listen } of whoever computes
let facts = null; // of the spectrogram
let marked = null; // Hz
const pace = { began: 0, answers: 0, milliseconds: 0 };

// ---- what is heard

async function use(open, says) {
  stop();
  const turn = ++turns;
  $("source-note").textContent = "";
  try {
    const opened = await open((some) => { samples?.put(some); work(); });
    if (turn !== turns) return opened.stop(); // something else was asked for meanwhile
    input = opened;
    await begin();
    $("stop").disabled = false;
    $("source-note").textContent = says;
  } catch (error) {
    stop();
    $("source-note").textContent = sentence(error);
  }
}

async function begin() {
  if (!input) return;
  facts = await ready.start(input.sampleRate, Math.min(Number($("top").value), input.sampleRate / 2));
  samples = new Samples(input.sampleRate / 2);
  picture.begin(facts.bins);
  showQuietest();
  showScale();
}

function stop() {
  input?.stop();
  input = samples = null;
  $("stop").disabled = true;
}

const lost = (text) => { stop(); $("source-note").textContent = text; };
const hearFile = (file) => use(async (hear) => playSound(await readSound(file, IN_THE_FILE), hear, ended), `Playing ${file.name}.`);
const ended = () => { stop(); $("source-note").textContent = `The end.${$("window") ? " Play it again with another window to compare." : ""}`; };

/** A scale played on a soft organ: three harmonics of each tone. */
function melody() {
  const each = 0.5, rate = IN_THE_FILE;
  const buffer = new AudioBuffer({ length: MELODY.length * each * rate, numberOfChannels: 1, sampleRate: rate });
  const data = buffer.getChannelData(0);
  for (let i = 0; i < data.length; i++) {
    const time = (i / rate) % each, tone = MELODY[Math.floor(i / rate / each)];
    const swell = Math.min(1, time / 0.03, (each - time) / 0.08);
    for (let k = 1; k <= 3; k++) data[i] += (0.15 * swell / k ** 2) * Math.sin(2 * Math.PI * k * tone * time);
  }
  return buffer;
}

// ---- samples, one lot at a time

async function work() {
  if (busy || !samples || !facts) return;
  busy = true;
  try {
    while (samples?.length) {
      const began = performance.now();
      const lot = samples;
      const answer = await ready.listen(lot.take());
      if (answer && lot === samples) show(answer, lot, performance.now() - began);
    }
  } catch (error) {
    stop();
    $("source-note").textContent = sentence(error);
  }
  busy = false;
}

function show({ columns, image, frequency, level, note, cents }, lot, milliseconds) {
  picture.add(columns, image);
  Object.assign(demo, { frequency, level, columns: demo.columns + columns, dropped: lot.dropped });
  $("tone").value = level < Number($("quietest").value) ? "quiet" : `${frequency.toFixed(0)} Hz · ${note}${cents ? ` ${cents < 0 ? "−" : "+"}${Math.abs(cents)} cent${Math.abs(cents) === 1 ? "" : "s"}` : ""} · ${level.toFixed(0)} dB`;
  Object.assign(pace, { answers: pace.answers + 1, milliseconds: pace.milliseconds + milliseconds });
  const seconds = (performance.now() - pace.began) / 1000;
  if (seconds < 1) return;
  if (seconds < 3) $("pace").value = `${(pace.answers / seconds).toFixed(0)} times a second, ${(pace.milliseconds / pace.answers).toFixed(0)} ms from sound to picture, ${(lot.dropped / facts.hop).toFixed(0)} columns dropped so far.`;
  Object.assign(pace, { began: performance.now(), answers: 0, milliseconds: 0 });
}

// ---- scale and marker

function showScale() {
  for (const old of $("picture").querySelectorAll(".tick, .time")) old.remove();
  const top = facts.bins * facts.binWidth;
  const step = [250, 500, 1000, 2000, 5000].find((hertz) => top / hertz <= 7) ?? 5000;
  for (let hertz = 0; hertz < top; hertz += step) label("tick", `${hertz} Hz`, { bottom: `${(100 * hertz) / top}%` });
  const seconds = ($("columns").width * facts.hop) / input.sampleRate;
  label("time", `${seconds.toFixed(0)} s ago`, { left: "0" });
  label("time", "now", { right: "0" });
}

function label(kind, text, where) {
  const element = Object.assign(document.createElement("span"), { className: kind, textContent: text });
  Object.assign(element.style, where);
  $("picture").append(element);
}

function mark(hertz) {
  if (!facts) return;
  const top = facts.bins * facts.binWidth;
  marked = Math.min(top, Math.max(0, hertz));
  $("marker").hidden = false;
  $("marker").style.bottom = `${(100 * marked) / top}%`;
  $("marker-note").value = `The line is at ${marked.toFixed(0)} Hz.`;
}

/** The slider's dB as a byte of the picture. */
function showQuietest() {
  if (facts) picture.quietest((255 * (Number($("quietest").value) - facts.low)) / (facts.high - facts.low));
}

// ---- wiring

$("microphone").addEventListener("click", () => use((hear) => openMicrophone(hear, { lost }), "The microphone is on."));
$("melody").addEventListener("click", () => use((hear) => playSound(melody(), hear, ended), "A scale, each tone with two overtones."));
$("stop").addEventListener("click", () => { stop(); $("source-note").textContent = "Stopped."; });
$("top").addEventListener("change", () => begin());
$("quietest").addEventListener("input", showQuietest);
$("columns").addEventListener("pointermove", ({ offsetY }) => { if (facts) mark((1 - offsetY / $("columns").clientHeight) * facts.bins * facts.binWidth); });
$("columns").addEventListener("keydown", (event) => {
  const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!by || !facts) return;
  event.preventDefault();
  mark((marked ?? 0) + by * facts.binWidth);
});
let early = null; // a file that came before Python
takeFiles({
  zone: $("card"), input: $("file"),
  take([file]) {
    if (ready) return hearFile(file);
    early = file;
    $("source-note").textContent = `${file.name} is heard as soon as Python is there.`;
    return null;
  },
  accept: (type, name) => /^(audio|video)\//.test(type) || /\.(wav|mp3|ogg|flac|m4a)$/i.test(name),
  refuse: (name) => { $("source-note").textContent = `${name} is not a sound file.`; },
});

/**
 * Lets people hear something.
 *
 * start(sampleRate, top)  starts over, up to so many Hz: { bins, binWidth, hop, low, high }.
 * listen(samples)         what these samples complete: { columns, image, frequency, level, note, cents }, or null.
 */
export function allowHearing(start, listen) {
  ready = { start, listen };
  $("microphone").disabled = $("melody").disabled = false;
  if (early) hearFile(early);
  early = null;
}

export { begin };
