// The Export part of the demo pages. It gives the person the page's twin in a .zip file: a folder for any static host, in
// which the network that was trained here does the same with no Python; or the network as a file of another kind.
//
// The twin is made of the page's own files: index.html without what has the attribute `data-python`, with what is in
// `<template data-twin>`, and with twin.js, and all that it imports, in place of page.js. The exported model lies in model/.
import { bring, download, sentence } from "./basics.js";

const WEB = "../../web/"; // as pages say it; `web/` in a twin
const MODEL = "model/", MANIFEST = "manifest.webmanifest";
const PYTHON_ONLY = "[data-python], header nav, #notices, details:has(#details), meta[name=needs], meta[name=networks]";
const NUMBER = /(?<=\.js)\?[0-9a-f]{10}(?=")/g; // of a script's content, in the addresses of a built site
const IMPORT = /^(?:import|export)\b[^"';]*?from "([^"]+)"|\bimport\("([^"]+)"\)/gm;

const readme = (name, title) => `${title}

This folder is a web page with a neural network in it. Nothing has to be installed where it lies, and nothing leaves the page.

To see it on your own machine, run this in the folder, then open http://localhost:8000/:

    python -m http.server

To put it online, upload the folder ${name}/ to any web host: GitHub Pages, Netlify, Cloudflare Pages, a bucket, your own server.

index.html, twin.js    the page: yours to change
web/                   its style, and the scripts that it uses
model/                 the network: plans, weights, and a loader for pages of your own:

    import { load } from "./model/model.js";
    const model = await load();
    const y = await model.predict(x);
`;

/**
 * Makes the part of a page with the Export button.
 *
 * place  element that it goes into.
 * name   of the folder and the .zip file.
 * title  of the part.
 * pack   asks Python for the .zip file with the page's files, `[[path, text], ...]`, and the model in model/.
 * kinds  what else can be had: [{ value, label, says, file, pack, note(bytes) }], `note` being said of it afterwards.
 *
 * Returns { allow(yes) }: whether there is something to export.
 */
export function offerExport(place, { name, pack, title = "Take it with you", kinds = [] }) {
  const page = {
    value: "page", label: "a page without Python", says: "A page of its own that needs no Python, for any web host.", file: `${name}.zip`,
    pack: async () => pack(await twinFiles(name, place.querySelector("#offline").checked)),
    note: () => "Unpack it and upload the folder to any web host; or run <code>python -m http.server</code> in it and open <code>http://localhost:8000/</code>.",
  };
  const every = [page, ...kinds];
  place.innerHTML = `<h2 id="export-title">${title}</h2>
    <p class="controls">${kinds.length ? `<label>Export <select id="export-kind">${every.map(({ value, label }) => `<option value="${value}">${label}</option>`).join("")}</select></label>` : ""}
      <button id="export" type="button" disabled>Export</button> <span id="export-says" class="quiet"></span></p>
    <p id="offline-line"><label><input id="offline" type="checkbox"> It also opens offline, and can be installed</label></p>
    <p id="export-note" role="status"></p>`;
  const press = place.querySelector("button"), note = place.querySelector("[role=status]"), select = place.querySelector("select");
  const kind = () => every.find(({ value }) => value === (select?.value ?? "page"));
  let allowed = false, packing = false;
  const show = () => {
    press.disabled = packing || !allowed;
    if (select) select.disabled = packing;
    place.querySelector("#export-says").textContent = kind().says;
    place.querySelector("#offline-line").hidden = kind() !== page;
  };
  select?.addEventListener("change", () => { note.textContent = ""; show(); });
  show();
  press.addEventListener("click", async () => {
    const chosen = kind();
    packing = true;
    show();
    note.textContent = chosen === page ? "Packing: the network is compiled for WebGPU and for WebAssembly…" : "Packing…";
    try {
      const bytes = await chosen.pack();
      download(chosen.file, bytes, chosen.file.endsWith(".zip") ? "application/zip" : "application/octet-stream");
      note.innerHTML = `<b>${chosen.file}</b>, ${size(bytes.length)} MB, is among your downloads. ${chosen.note(bytes)}`;
    } catch (error) {
      note.textContent = `It was not exported: ${sentence(error)}`;
    }
    packing = false;
    show();
  });
  return { allow(yes) { allowed = yes; show(); } };
}

/** The two kinds of files for other libraries, of the names that a network's outputs have. */
export function modelKinds(name, { keras, tfjs, outputs, inputs }) {
  const listed = () => outputs().map((each) => `“${escaped(each)}”`).join(", ");
  return [
    { value: "keras", label: "a Keras file", says: "For Python: pyml and Keras 3 open it.", file: `${name}.keras`, pack: keras,
      note: () => `<code>keras.saving.load_model("${name}.keras")</code> opens it. It takes ${inputs()} and gives the shares of ${listed()}.` },
    { value: "tfjs", label: "for TensorFlow.js", says: "A model.json for JavaScript.", file: `${name}-tfjs.zip`, pack: tfjs,
      note: () => "<code>tf.loadLayersModel(\"model.json\")</code> opens it; README.txt says how." },
  ];
}

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.codePointAt(0)};`);
const size = (bytes) => (bytes / 1e6).toFixed(bytes < 995_000 ? 2 : 1);

/** The files of this page's twin, `[[path, text], ...]`; with a manifest where it is to open offline, for which Python adds the rest. */
async function twinFiles(name, offline = false) {
  const text = async (url) => (await bring(url)).text();
  const html = text(new URL("index.html", location.href));
  html.catch(() => {});
  const modules = new Map();
  async function take(url) {
    const path = pathOf(new URL(url.pathname, url));
    if (modules.has(path)) return;
    modules.set(path, ""); // modules may import each other
    const source = await text(url);
    const imported = [...source.matchAll(IMPORT)].map(([, from, late]) => from ?? late).filter((each) => !each.startsWith(`./${MODEL}`));
    await Promise.all(imported.map((each) => take(new URL(each, url))));
    modules.set(path, source.replace(NUMBER, "").replaceAll(`"${WEB}`, '"./web/'));
  }
  await take(new URL("twin.js", location.href));
  const { page, title } = twinPage(await html, [...modules.keys(), `${MODEL}model.js`], offline);
  const plain = ["demo.css", "guard.js"].filter((each) => page.includes(`"web/${each}"`)).map(async (each) => [`web/${each}`, await text(new URL(each, import.meta.url))]);
  const app = { name: title, short_name: name, start_url: "./", display: "standalone" };
  const manifest = offline ? [[MANIFEST, JSON.stringify(app)]] : [];
  return [["index.html", page], ["README.txt", readme(name, title)], ...manifest, ...modules, ...(await Promise.all(plain))];
}

/** Where a file of the page or of web/ lies in the twin's folder. */
function pathOf(url) {
  for (const [home, folder] of [[new URL(".", import.meta.url), "web/"], [new URL(".", location.href), ""]]) {
    if (url.href.startsWith(home.href)) return folder + url.href.slice(home.href.length);
  }
  throw new Error(`${url.pathname} belongs neither to this page nor to web/.`);
}

function twinPage(html, modules, offline) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const left of page.querySelectorAll(PYTHON_ONLY)) left.remove();
  for (const template of page.querySelectorAll("template[data-twin]")) template.replaceWith(template.content);
  page.body.classList.add("twin");
  page.title = page.title.replace(" — pyml", "");
  page.querySelector("#status").textContent = "Loading the network…";
  page.querySelector("script[type=module]").setAttribute("src", "twin.js");
  const hint = (attributes) => page.head.append(Object.assign(page.createElement("link"), attributes), "\n");
  for (const href of modules) hint({ rel: "modulepreload", href });
  if (offline) hint({ rel: "manifest", href: MANIFEST });
  const whole = `<!doctype html>\n${page.documentElement.outerHTML}\n`;
  return { page: whole.replaceAll(`"${WEB}`, '"web/').replace(/(\n\s*)+\n/g, "\n"), title: page.querySelector("h1").textContent };
}
