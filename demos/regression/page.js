// The regression page: hands Python a table, offers its columns, and draws the fit as it comes. ?autorun=1 trains at
// once, ?epochs=20 shorter; window.pymlDemo says how it went.
import { fitChart, liveChart, NOTHING } from "../../web/charts.js";
import { $, asked, bring, button, demo, failed, finish, forgetWarnings, newestOnly, sentence, startDemo } from "../../web/demo.js";
import { takeFiles } from "../../web/drop.js";

const CARS = { name: "cars.csv", url: "../../data/cars.csv", target: "Miles_per_Gallon", features: ["Horsepower"] };
const WITH_OTHERS = "The other columns stay at their means, or at their commonest text.";
const BY_PREDICTION = "A perfect model would have every point on the line.";

let python = null, pyml = null; // a promise of it, and it
let charts = null;
let table = null; // what Python says about it
let training = false, trained = false; // now; on the table that is there

// ---- the table

/** Has Python read a table; `hasHeader` null leaves it to find out whether the first line holds names. */
async function openTable(name, text, wanted = {}, hasHeader = null) {
  $("problem").textContent = "";
  try {
    table = { name, text, wanted, ...(await pyml.call("look_into", text, hasHeader)) };
  } catch (error) {
    $("table-note").textContent = `${name} cannot be read: ${complaint(error)}${table ? ` What is here is still ${table.name}.` : ""}`;
    $("table-notes").replaceChildren();
    return;
  }
  if (!training) forgetFit();
  showTable();
  offerColumns(wanted);
  await showRows();
}

/** Before the first fit the chart has the rows that it would take. */
const showRows = newestOnly(async () => {
  if (training || trained) return;
  const view = await pyml.call("preview", chosen(), $("target").value, filling());
  if (training || trained) return; // begun meanwhile
  $("axis").replaceChildren(...(view ? [new Option(view.x)] : []));
  await charts.fit.show(view ?? { points: [], curve: [], ...NOTHING });
});

/** The page as before the first fit: what is there is another table's. */
function forgetFit() {
  $("result").textContent = $("axis-note").textContent = "";
  $("running").value = "Not trained yet.";
  $("progress").value = 0;
  $("axis").replaceChildren();
  $("axis").disabled = true;
  trained = false;
  charts?.loss.clear();
  charts?.fit.show({ points: [], curve: [], ...NOTHING });
}

/** What Python says about the table, without the name that it has there. */
const complaint = (error) => sentence(error).replace(/^bytes[:,] /, "");

/** Reads a file that the user gave; spreadsheets write UTF-16, or the letters of Windows, too. */
async function openFile(files) {
  const [file] = files;
  let said = "";
  try {
    await python; // it may still be starting
    const bytes = new Uint8Array(await file.arrayBuffer());
    const utf16 = ["utf-16le", "utf-16be"][[0xfeff, 0xfffe].indexOf(bytes[0] | (bytes[1] << 8))];
    let text = new TextDecoder(utf16 ?? "utf-8").decode(bytes);
    if (!utf16 && text.includes("\ufffd") && !text.includes("\0")) {
      text = new TextDecoder("windows-1252").decode(bytes);
      said = "It is not UTF-8: its letters are taken for those of Windows (Latin, 1252).";
    }
    await openTable(file.name, text);
  } catch (error) {
    $("table-note").textContent = `${file.name} cannot be read: ${sentence(error)}`;
    return;
  }
  if (files.length > 1) said += ` Only the first of ${files.length} files is taken.`;
  if (said) $("table-notes").append(Object.assign(document.createElement("li"), { textContent: said.trim() }));
}

async function openCars() {
  await openTable(CARS.name, await (await bring(CARS.url)).text(), CARS);
}

function showTable() {
  const { name, rows, incomplete, columns, some, notes, hasHeader } = table;
  const gaps = incomplete === 0 ? "no value is missing" : incomplete === 1 ? "a value is missing in 1 row" : `a value is missing in ${incomplete.toLocaleString("en")} rows`;
  $("table-note").textContent = `${name}: ${rows === 1 ? "1 row" : `${rows.toLocaleString("en")} rows`}, ${columns.length === 1 ? "1 column" : `${columns.length} columns`}; ${gaps}.`;
  $("table-notes").replaceChildren(...notes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  $("header").checked = hasHeader;
  $("header").disabled = false;
  const element = document.createElement("table");
  element.className = "rows";
  const head = element.createTHead().insertRow();
  for (const { name: title, numbers } of [{ name: "row", numbers: true }, ...columns]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    if (numbers) cell.className = "number";
    head.append(cell);
  }
  const body = element.createTBody();
  for (const row of some) {
    const line = body.insertRow();
    row.forEach((value, i) => {
      const cell = line.insertCell();
      cell.textContent = value ?? "missing";
      if (value == null) cell.className = "gap";
      else if (i === 0 || columns[i - 1].numbers) cell.className = "number";
    });
  }
  $("table").replaceChildren(element);
}

function offerColumns({ target, features }) {
  const usable = table.columns.filter((column) => column.different > 1);
  const names = usable.filter((column) => column.numbers).map((column) => column.name);
  const left = table.columns.filter((column) => !usable.includes(column)).map((column) => column.name);
  $("columns-note").textContent = left.length ? `Left out, as always the same: ${left.join(", ")}.` : "";
  $("target").replaceChildren(...names.map((name) => new Option(name)));
  $("target").value = names.includes(target) ? target : names.at(-1) ?? "";
  const legend = $("features").firstElementChild;
  $("features").replaceChildren(legend, ...usable.map(({ name, numbers, different, missing }) => {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: name });
    label.append(box, ` ${name}`);
    const facts = [numbers ? "" : `text, ${different} values`, missing ? `${missing} missing` : ""].filter(Boolean).join(", ");
    if (facts) label.append(Object.assign(document.createElement("span"), { className: "quiet", textContent: ` ${facts}` }));
    return label;
  }));
  const rest = [...names, ...usable.map(({ name }) => name)].filter((name) => name !== $("target").value);
  const first = features ?? rest.slice(0, 1);
  for (const box of boxes()) box.checked = first.includes(box.value);
  withoutTarget();
  const enough = names.length > 0 && usable.length > 1;
  const few = table.rows < table.fewest;
  if (few) $("problem").textContent = `A fit needs ${table.fewest} rows or more; this table has ${table.rows}.`;
  else if (!enough) $("problem").textContent = "A regression needs a column of numbers to predict and another column to predict from; this table lacks them.";
  $("train").disabled = !enough || few;
}

const boxes = () => [...$("features").querySelectorAll("input")];
const chosen = () => boxes().filter((box) => box.checked).map((box) => box.value);
const filling = () => document.querySelector("input[name=fill]:checked").value !== "";

/** A column does not predict itself. */
function withoutTarget() {
  for (const box of boxes()) {
    box.disabled = box.value === $("target").value;
    if (box.disabled) box.checked = false;
  }
}

// ---- training

async function train() {
  if (training || !table) return;
  const features = chosen();
  training = true;
  Object.assign(demo, { done: false, error: null, summary: null });
  charts.loss.clear();
  $("problem").textContent = $("result").textContent = "";
  forgetWarnings();
  $("train").disabled = true;
  $("stop").disabled = false;
  $("progress").value = 0;
  $("running").value = "Reading the table…";
  await pyml.stop(false);
  const began = performance.now();
  try {
    const options = {
      hidden: Number($("hidden").value), rate: Number($("rate").value), epochs: Number($("epochs").value),
      fill: filling(),
    };
    const result = await pyml.call("train", features, $("target").value, options);
    await charts.fit.show(result.view);
    const plain = (value) => value === 0 || (value >= 1e-4 && value < 1e9);
    const digits = (value) => (plain(value) ? value.toLocaleString("en", { maximumSignificantDigits: 3 }) : value.toPrecision(3));
    demo.summary = `On ${result.test} rows it has never seen it is off by ${digits(result.error)} on average; always guessing the mean is off by ${digits(result.naive)}.`;
    Object.assign(demo, { testError: result.error, naiveError: result.naive });
    $("result").textContent = demo.summary;
    $("running").value = `Trained ${result.epochs} epochs in ${((performance.now() - began) / 1000).toFixed(1)} s.`;
    finish();
  } catch (error) {
    $("problem").textContent = complaint(error);
    $("running").value = "Training stopped.";
    finish(complaint(error));
  }
  training = false;
  $("train").disabled = false;
  $("stop").disabled = true;
}

function onBegin({ rows, test, leftOut, weights, axis, axes, kinds, view }) {
  trained = true;
  $("running").value = `${weights} weights; ${rows - test} rows to learn from, ${test} to test, ${leftOut} left out.`;
  $("columns-note").textContent = Object.entries(kinds).map(([name, [texts, others]]) =>
    `${name} is ${texts.length} inputs, one for each of ${texts.join(", ")}${others ? `; the ${others} rarer ones have none` : ""}.`).join(" ");
  $("axis").replaceChildren(...axes.map((name) => new Option(name)), new Option("the prediction", ""));
  $("axis").value = axis ?? "";
  $("axis").disabled = false;
  describeAxis();
  charts.fit.show(view);
}

function describeAxis() {
  const others = chosen().length > 1;
  $("axis-note").textContent = $("axis").value === "" ? BY_PREDICTION : others ? WITH_OTHERS : "";
}

function onProgress({ epoch, of, loss, testLoss, view }) {
  $("progress").value = epoch / of;
  $("running").value = `Epoch ${epoch} of ${of}: loss ${loss.toFixed(3)}, test ${testLoss.toFixed(3)}`;
  charts.loss.add([{ t: epoch, split: "training", loss }, { t: epoch, split: "test", loss: testLoss }]);
  charts.fit.show(view);
}

const changeAxis = newestOnly(async (axis) => {
  describeAxis();
  const view = await pyml.call("view", axis || null);
  if (view) await charts.fit.show(view);
});

// ---- wiring

$("controls").addEventListener("submit", (event) => { event.preventDefault(); train(); });
$("stop").addEventListener("click", () => { $("stop").disabled = true; pyml.stop(true); });
$("axis").addEventListener("change", () => changeAxis($("axis").value));
$("target").addEventListener("change", withoutTarget);
for (const id of ["target", "features", "fill"]) $(id).addEventListener("change", () => { showRows(); });
$("header").addEventListener("change", () => openTable(table.name, table.text, table.wanted, $("header").checked));
const tryCars = () => openCars().catch((error) => { $("table-note").replaceChildren(`${sentence(error)} `, button("Try again", tryCars)); });
$("cars").addEventListener("click", tryCars);
takeFiles({
  zone: $("table-card"), input: $("file"),
  take: openFile,
  accept: (type, name) => type.startsWith("text/") || type === "" || /\.(csv|tsv|txt)$/i.test(name),
  refuse: (name) => { $("table-note").textContent = `${name} is not a text file; a csv file has a header line and values between commas.`; },
});

try {
  python = startDemo({ modules: ["regression.py", "table.py"], hear: { begin: onBegin, progress: onProgress } });
  charts = {
    fit: fitChart($("fit"), { title: "Rows and fit" }),
    loss: liveChart($("loss"), { title: "Loss (1: always the mean)", y: "loss" }),
  };
  pyml = await python;
  await tryCars();
  if (asked.has("epochs")) $("epochs").value = asked.get("epochs");
  if (asked.get("autorun") === "1") train();
} catch (error) {
  failed(error);
}
