// The page that the teachable page exports: what was taught there names pictures here, and learns more of them.
import { showBars } from "../../web/bars.js";
import { $, bring, credit, demo, sentence } from "../../web/basics.js";
import { ifKept, keptRecords, onNotKept } from "../../web/keep.js";
import { openTwin } from "../../web/twin.js";
import { lookingView, SIZE } from "./looking.js";
import { load } from "./model/model.js";
import { nearest, unit } from "./nearest.js";

const EPOCHS = 20, BATCH = 16; // as the head was exported
const PLACE = `teachable ${new URL(".", location.href).pathname}`; // other folders of this host keep their own

const facts = bring("classes.json").then((answer) => answer.json());
const features = bring("examples.bin").then((answer) => answer.arrayBuffer());
const HEAD = "head"; // the key of what it learned; others are examples
const kept = keptRecords(PLACE); // { features, label } of what was added here, and the state of the head
let base = null, head = null, names = [];
let examples = []; // { features, label }: those that it was taught with, and those that were added here
let learning = false;

const view = lookingView({
  able: () => head !== null && !learning,
  ask: async (picture) => {
    const began = performance.now(), seen = await base.predict(picture);
    const shares = $("by").value === "neighbours" ? nearest(unit(seen), examples, names.length) : await head.predict(seen);
    return { entries: names.map((name, i) => ({ name, share: shares[i] })), ms: performance.now() - began };
  },
  notes: { waiting: "it is named as soon as the network is here.", camera: "Show it something." },
});

onNotKept((text) => { $("problem").textContent = text; });

function showState() {
  for (const name of ["which", "add", "learn"]) $(name).disabled = learning || head === null;
  const here = examples.filter(({ own }) => own).length;
  $("over").hidden = here === 0;
  if (!learning) $("result").textContent = here ? `${here} of ${examples.length} examples were added here${ifKept("; they stay in this browser")}.` : `It knows ${examples.length} examples. Show it another, say what it is, and add it.`;
}

async function add() {
  const picture = view.current();
  if (!picture) {
    $("result").textContent = "Show it something first.";
    return;
  }
  const example = { features: await base.predict(picture), label: $("which").selectedIndex };
  examples.push({ ...example, own: true, unit: unit(example.features) });
  await kept.put(`${Date.now()} ${examples.length}`, example);
  demo.examples = examples.length;
  showState();
  if ($("by").value === "neighbours") view.again();
}

/** Goes over all examples again, those from before too: it would forget them otherwise. */
async function learn() {
  learning = true;
  $("problem").textContent = "";
  showState();
  try {
    const width = examples[0].features.length;
    const rows = Math.ceil(examples.length / BATCH) * BATCH; // the last batch is filled up with the first examples once more
    const x = new Float32Array(rows * width), y = new Int32Array(rows);
    for (let i = 0; i < rows; i++) {
      const { features: seen, label } = examples[i % examples.length];
      x.set(seen, i * width);
      y[i] = label;
    }
    const onEpochEnd = (epoch, { loss }) => { $("result").textContent = `Learning: ${epoch + 1} of ${EPOCHS} rounds, loss ${loss.toFixed(3)}`; };
    await head.fit(x, y, { epochs: EPOCHS, batchSize: BATCH, shuffle: true, onEpochEnd });
    const { accuracy } = await head.evaluate(x, y, { batchSize: BATCH });
    demo.accuracy = accuracy;
    await kept.put(HEAD, await head.state());
    learning = false;
    showState();
    $("result").textContent = `Learned: it names ${(100 * accuracy).toFixed(0)}% of the examples right. ${ifKept("This stays in this browser.")}`;
  } catch (error) {
    $("problem").textContent = sentence(error);
  }
  learning = false;
  view.again();
}

async function startOver() {
  await kept.clear();
  location.reload();
}

$("by").addEventListener("change", () => view.again());
$("add").addEventListener("click", () => add().catch((error) => { $("problem").textContent = sentence(error); }));
$("learn").addEventListener("click", learn);
$("over").addEventListener("click", startOver);

/** The head, as it was when something was learned here; as it was exported where that was never, or is of another export. */
async function openHead(weights) {
  const folder = new URL("head/", location.href);
  return load(folder, { weights }).catch(() => load(folder));
}

base = await openTwin(load, async (loaded) => {
  const known = await facts, all = new Float32Array(await features), width = all.length / known.labels.length;
  names = known.names;
  showBars($("bars"), names.map((name) => ({ name, share: null })));
  $("which").append(...names.map((name) => new Option(name)));
  $("base-note").textContent = `Taught in a browser tab, on top of a network for pictures. ${credit(known)}`;
  examples = known.labels.map((label, i) => ({ features: all.subarray(i * width, (i + 1) * width), label }));
  const before = new Map(await kept.all());
  for (const [key, example] of before) {
    if (key !== HEAD && example.features.length === width && example.label < names.length) examples.push({ ...example, own: true });
  }
  for (const example of examples) example.unit = unit(example.features);
  head = await openHead(before.get(HEAD));
  await head.predict(await loaded.predict(new ImageData(SIZE, SIZE)));
});
demo.examples = examples.length;
showState();
view.again();
