// The page that the pose page exports: its network finds poses here.
import { $, bring, credit } from "../../web/basics.js";
import { openTwin } from "../../web/twin.js";
import { load } from "./model/model.js";
import { calmed, shown, squared } from "./poses.js";
import { posing } from "./posing.js";

const LONGEST = 384; // of a picture's sides, in which the reach of trembling is measured
const REACH = 12;
const facts = bring("pose.json").then((answer) => answer.json());
let model = null, about = null, square = null;
let before = null; // the pose of the last picture of a video

async function find(source, moving) {
  const { pixels, size, back } = square(source);
  const rows = await model.predict(pixels); // for each point x, y and score
  const scale = Math.min(1, LONGEST / Math.max(...size)), [width, height] = size.map((side) => side * scale);
  let pose = about.names.map((name, i) => {
    const [x, y] = back(rows[3 * i], rows[3 * i + 1]);
    return { name, x: x * width, y: y * height, score: rows[3 * i + 2] };
  });
  if (moving && before) pose = calmed(before, pose, about.sure, REACH);
  before = pose;
  return shown(pose, [width, height], about);
}

const stage = posing({ able: () => model !== null, find });
model = await openTwin(load, async (loaded) => {
  about = await facts;
  square = squared(about.side);
  await loaded.predict(new ImageData(about.side, about.side));
});
$("camera").disabled = false;
$("network-note").textContent = credit(about);
await stage.again();
