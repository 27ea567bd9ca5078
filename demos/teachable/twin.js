// The page that the teachable page exports: what was taught there names pictures here.
import { showBars } from "../../web/bars.js";
import { $, bring } from "../../web/basics.js";
import { openTwin } from "../../web/twin.js";
import { lookingView, SIZE } from "./looking.js";
import { load } from "./model/model.js";

const facts = bring("classes.json").then((answer) => answer.json());
let model = null, names = [];

const view = lookingView({
  able: () => model !== null,
  ask: async (picture) => {
    const began = performance.now();
    const shares = await model.predict(picture);
    return { entries: names.map((name, i) => ({ name, share: shares[i] })), ms: performance.now() - began };
  },
  notes: { waiting: "it is named as soon as the network is here.", camera: "Show it something." },
});

model = await openTwin(load, async (loaded) => {
  const known = await facts;
  names = known.names;
  showBars($("bars"), names.map((name) => ({ name, share: null })));
  $("base-note").textContent = `Taught in a browser tab, on top of a network for pictures. ${known.source}. ${known.licence}.`;
  await loaded.predict(new ImageData(SIZE, SIZE));
});
view.again();
