// The page that the photo page exports: its network names photos here.
import { $, bring, credit } from "../../web/basics.js";
import { squares } from "../../web/frames.js";
import { openTwin } from "../../web/twin.js";
import { load } from "./model/model.js";
import { namesPhotos } from "./naming.js";

const SIZE = 224, TOP = 5;
const square = squares(SIZE);
const facts = bring("network.json").then((answer) => answer.json());

let model = null, labels = null;
const photos = namesPhotos(async (picture) => {
  const began = performance.now();
  const shares = await model.predict(square(picture));
  const best = [...shares.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, TOP);
  return { names: best.map((i) => [labels[i], shares[i]]), note: `${(performance.now() - began).toFixed(0)} ms` };
});

model = await openTwin(load, async (loaded) => {
  const known = await facts;
  ({ labels } = known);
  $("network-note").textContent = `${labels.length.toLocaleString("en")} classes. ${credit(known)}`;
  await loaded.predict(new ImageData(SIZE, SIZE));
});
photos.go();
