// The page that the digits page exports: what was trained there reads what is written here.
import { $ } from "../../web/basics.js";
import { openTwin } from "../../web/twin.js";
import { load } from "./model/model.js";
import { readingPad } from "./reading.js";

const blank = new Float32Array(28 * 28);
const opened = openTwin(load, (model) => model.predict(blank));
$("reading").value = "Write a digit.";
readingPad(async (pixels) => [...(await (await opened).predict(Float32Array.from(pixels)))]);
