// A page around an exported model to begin with: a picture or numbers in, numbers out.

import { load } from "./model.js";

const $ = (id) => document.getElementById(id);

/** What the model says of x; where the GPU was lost meanwhile, as after a driver's restart, from a model that is loaded again. */
async function predict(x, options) {
  try {
    return await model.predict(x, options);
  } catch (error) {
    if (error.name !== "DeviceLost") throw error;
    model = await load();
    return model.predict(x, options);
  }
}

async function show(x, options) {
  const start = performance.now();
  try {
    const y = await predict(x, options);
    const parts = Array.isArray(y) ? y : ArrayBuffer.isView(y) ? [y] : Object.values(y);
    const first = [...parts[0]];
    const best = first.map((v, i) => [v, i]).sort((a, b) => b[0] - a[0]).slice(0, 5);
    $("answer").textContent = `${(performance.now() - start).toFixed(0)} ms\n` + best.map(([v, i]) => `${i}: ${v.toPrecision(4)}`).join("\n");
  } catch (error) {
    $("answer").textContent = error.message;
  }
}

let model;
try {
  model = await load();
  const [{ shapes: [shape] }] = model.inputs;
  const picture = model.inputs.length === 1 && shape.length === 3 && shape[2] <= 4;
  $(picture ? "picture" : "numbers").hidden = false;
  $("status").dataset.phase = "ready";
  $("status").textContent = `Ready, on ${model.device}. It takes ${picture ? "pictures" : `rows of the shape (${shape.join(", ")})`}.`;
} catch ({ message }) {
  const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again", onclick: () => location.reload() });
  $("status").textContent = `${message[0].toUpperCase()}${message.slice(1).replace(/\.?$/, ".")} `;
  $("status").append(again);
  $("status").dataset.phase = "failed";
}
$("file").onchange = $("unit").onchange = async () => {
  const [file] = $("file").files;
  if (!file) return;
  try {
    const picture = await createImageBitmap(file);
    URL.revokeObjectURL($("shown").src);
    Object.assign($("shown"), { src: URL.createObjectURL(file), hidden: false });
    await show(picture, { scale: $("unit").checked ? 1 / 255 : 1 });
  } catch {
    $("answer").textContent = `${file.name} is no picture that this browser reads.`;
  }
};
$("predict").onclick = () => {
  try {
    show([JSON.parse($("values").value)]);
  } catch (error) {
    $("answer").textContent = `These are not numbers in JSON: ${error.message}`;
  }
};
if ("serviceWorker" in navigator && document.querySelector("link[rel=manifest]")) navigator.serviceWorker.register("sw.js").catch(() => {}); // the page works without it
