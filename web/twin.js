// What the pages share that a demo exported (takeaway.js): loading the network that lies beside the page, and saying so.
import { $, button, demo, finish, sentence } from "./basics.js";

const PLACES = { webgpu: "the graphics card (WebGPU)", wasm: "the processor (WebAssembly)" };

/**
 * Loads the model; the page's status says when it was ready.
 *
 * load   that of model/model.js.
 * first  a first use of the model, so that the page's own is not the one that waits.
 */
export async function openTwin(load, first = () => {}) {
  const status = $("status");
  try {
    const model = await load();
    const predict = model.predict.bind(model);
    model.predict = (...given) => predict(...given).catch((error) => { tellOfLoss(error, status); throw error; });
    await first(model);
    demo.backend = model.device;
    demo.ready = performance.now();
    const bytes = performance.getEntriesByType("resource").reduce((sum, entry) => sum + entry.decodedBodySize, 0);
    status.textContent = `Ready ${(demo.ready / 1000).toFixed(1)} s after it was opened: ${(bytes / 1e6).toFixed(1)} MB with the network, on ${PLACES[model.device]}.`;
    finish();
    if (document.querySelector("link[rel=manifest]")) navigator.serviceWorker?.register("sw.js").catch(() => {}); // the page works without it
    return model;
  } catch (error) {
    status.dataset.phase = "failed";
    const text = sentence(error);
    status.textContent = `${text[0].toUpperCase()}${text.slice(1).replace(/\.?$/, ".")} `;
    status.append(button("Try again", () => location.reload()));
    finish(text);
    throw error;
  }
}

/** Says that a model's GPU is gone, as after a driver's restart, and what helps. */
function tellOfLoss(error, status) {
  if (error.name !== "DeviceLost" || status.dataset.phase === "failed") return;
  status.dataset.phase = "failed";
  status.textContent = "The graphics card was taken away from this page. ";
  status.append(button("Load the page again", () => location.reload()));
}
