// The page that the speech page exports: the words that were learned there are heard here.
import { showBars } from "../../web/bars.js";
import { $, bring, credit } from "../../web/basics.js";
import { openTwin } from "../../web/twin.js";
import { Ear } from "./ear.js";
import { listening, RATE } from "./listening.js";
import { load } from "./model/model.js";

const facts = bring("words.json").then((answer) => answer.json());
let ear = new Ear();
let model = null, names = [], sure = 1;

async function recognised(clip) {
  const began = performance.now();
  const shares = [...await model.predict(clip)];
  const best = shares.indexOf(Math.max(...shares));
  return { word: shares[best] >= sure ? names[best] : null, names, shares, ms: performance.now() - began };
}

listening({
  anew: () => { ear = new Ear(); },
  hear: (samples) => Promise.all(ear.hear(samples).map(recognised)),
  paused: () => model === null,
  begun: "The microphone is on. Say one of the words.",
});

model = await openTwin(load, async (loaded) => {
  const known = await facts;
  ({ names, sure } = known);
  showBars($("bars"), names.map((name) => ({ name, share: null })));
  $("source-note").textContent = `It knows ${names.join(", ")}.`;
  $("network-note").textContent = known.source ? `Learned in a browser tab, on top of a network for speech. ${credit(known)}` : "Learned in a browser tab, from nothing but examples.";
  await loaded.predict(new Float32Array(RATE));
});
$("microphone").disabled = $("file").disabled = false;
