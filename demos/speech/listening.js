// Sound from the microphone or a file, and the words that are heard in it: in the page that learns them, and in the one that it
// exports.
import { showBars } from "../../web/bars.js";
import { $, demo, sentence } from "../../web/basics.js";
import { mono, openMicrophone, playSound, readSound, Samples } from "../../web/sound.js";

export const RATE = 16000;

/**
 * Makes the listening part of a page.
 *
 * anew    called before other sound comes.
 * hear    gives [{ word, names, shares, ms }] for samples: the words in them; `word` is null where it is none of the names.
 * paused  whether nobody listens now; sound waits for two seconds, then the oldest is dropped.
 * begun   what is said when the microphone is on.
 * ended   called when a file begins, or the microphone is taken away.
 *
 * Returns { useMicrophone(), stop(), drop(), on() }.
 */
export function listening({ anew, hear, paused = () => false, begun, ended = () => {} }) {
  let input = null, samples = null; // what is heard
  let turns = 0, busy = false;
  const pace = { began: 0, answers: 0, milliseconds: 0 };

  async function use(open, says) {
    stop();
    const turn = ++turns;
    try {
      await anew();
      const opened = await open((some) => { samples?.put(some); work(); });
      if (turn !== turns) return opened.stop(); // something else was asked for meanwhile
      input = opened;
      samples = new Samples(2 * RATE);
      if (input.sampleRate !== RATE) throw new Error(`This browser hears at ${input.sampleRate} samples a second; ${RATE} are needed. Use sound files instead.`);
      $("source-note").textContent = says;
      $("microphone").textContent = "Stop listening";
    } catch (error) {
      stop();
      $("source-note").textContent = sentence(error);
    }
  }

  const lost = (text) => { ended(); stop(); $("source-note").textContent = text; };
  const useMicrophone = () => use((take) => openMicrophone(take, { sampleRate: RATE, lost }), begun);

  async function useFile(file) {
    ended();
    const silent = 0.8 * RATE; // before and after: a word counts as heard when it has ended
    await use(async (take) => {
      const sound = await readSound(file, RATE);
      const buffer = new AudioBuffer({ length: sound.length + 2 * silent, numberOfChannels: 1, sampleRate: RATE });
      buffer.copyToChannel(mono(sound), 0, silent);
      return playSound(buffer, take, () => { stop(); $("source-note").textContent = `${file.name} has ended.`; });
    }, `Playing ${file.name}.`);
  }

  function stop() {
    input?.stop();
    input = samples = null;
    $("microphone").textContent = "Start the microphone";
  }

  async function work() {
    if (busy || paused()) return;
    busy = true;
    try {
      while (samples?.length && !paused()) {
        const began = performance.now();
        for (const word of await hear(samples.take())) showHeard(word);
        showPace(performance.now() - began);
      }
    } catch (error) {
      stop();
      $("problem").textContent = sentence(error);
    }
    busy = false;
  }

  function showHeard({ word, names, shares, ms }) {
    demo.heard.push(word);
    demo.milliseconds = ms;
    $("word").value = word ?? "something else";
    $("heard").value = `Heard so far: ${demo.heard.slice(-12).map((name) => name ?? "?").join(", ")}.`;
    showBars($("bars"), names.map((name, i) => ({ name, share: shares[i] })));
  }

  function showPace(milliseconds) {
    Object.assign(pace, { answers: pace.answers + 1, milliseconds: pace.milliseconds + milliseconds });
    const seconds = (performance.now() - pace.began) / 1000;
    if (seconds < 1) return;
    const word = demo.milliseconds ? `; a word took ${demo.milliseconds.toFixed(0)} ms` : "";
    if (seconds < 3) $("pace").value = `It listens ${(pace.answers / seconds).toFixed(0)} times a second, ${(pace.milliseconds / pace.answers).toFixed(1)} ms each${word}.`;
    Object.assign(pace, { began: performance.now(), answers: 0, milliseconds: 0 });
  }

  demo.heard = [];
  $("microphone").addEventListener("click", () => {
    if (!input) { useMicrophone(); return; }
    ended();
    stop();
    $("source-note").textContent = "The microphone is off.";
  });
  $("file").addEventListener("change", () => { if ($("file").files.length) useFile($("file").files[0]); $("file").value = ""; });
  return { useMicrophone, stop, drop: () => samples?.take(), on: () => input !== null };
}
