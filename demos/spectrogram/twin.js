// The page that the spectrogram page exports: the spectra are computed by what Python compiled, the rest is here.
import { $, bring } from "../../web/basics.js";
import { openTwin } from "../../web/twin.js";
import { allowHearing } from "./hearing.js";
import { load } from "./model/model.js";
import { image, loudest, note, Windows } from "./spectra.js";

const LOW = -120, HIGH = -10; // dB of the values 0 and 255
const facts = bring("spectrogram.json").then((answer) => answer.json());
let size = 0, batch = 0;

const model = await openTwin(load, async (loaded) => {
  ({ window: size, batch } = await facts);
  $("window-note").textContent = `Windows of ${size} samples.`;
  await loaded.predict(new Float32Array(batch * size));
});

let windows = null, shown = 0, width = 0;
allowHearing((rate, top) => {
  windows = new Windows(size, batch);
  width = rate / size;
  shown = Math.min(size / 2, Math.ceil(top / width) + 1);
  return { bins: shown, binWidth: width, hop: windows.hop, low: LOW, high: HIGH };
}, async (samples) => {
  const bins = size / 2, { lots, count } = windows.put(samples), powers = new Float32Array(lots.length * batch * bins);
  for (let i = 0; i < lots.length; i++) powers.set(await model.predict(lots[i]), i * batch * bins);
  if (!count) return null;
  const { frequency, level } = loudest(powers.subarray(0, count * bins), bins, width);
  return { columns: count, image: image(powers, count, bins, shown, LOW, HIGH), frequency, level, ...note(frequency) };
});
