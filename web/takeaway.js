// The Export button of the demo pages. It gives the person the page's twin in a .zip file: a folder for any static host, in
// which the network that was trained here does the same with no Python.
//
// The twin is made of the page's own files: index.html without what has the attribute `data-python`, with what is in
// `<template data-twin>`, and with twin.js, and all that it imports, in place of page.js. The exported model lies in model/.
import { bring, download, sentence } from "./basics.js";

const WEB = "../../web/"; // as pages say it; `web/` in a twin
const MODEL = "model/";
const PYTHON_ONLY = "[data-python], header nav, #notices, details:has(#details), meta[name=needs], meta[name=networks]";
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
 *
 * Returns { allow(yes) }: whether there is something to export.
 */
export function offerExport(place, { name, pack, title = "Take it with you" }) {
  place.innerHTML = `<h2 id="export-title">${title}</h2>
    <p class="controls"><button id="export" type="button" disabled>Export</button>
      <span class="quiet">A page of its own, with this network and no Python, for any web host.</span></p>
    <p id="export-note" role="status"></p>`;
  place.setAttribute("aria-labelledby", "export-title");
  const press = place.querySelector("button"), note = place.querySelector("[role=status]");
  let allowed = false, packing = false;
  const show = () => { press.disabled = packing || !allowed; };
  press.addEventListener("click", async () => {
    packing = true;
    show();
    note.textContent = "Packing: the network is compiled for WebGPU and for WebAssembly…";
    try {
      const bytes = await pack(await twinFiles(name));
      download(`${name}.zip`, bytes, "application/zip");
      note.innerHTML = `<b>${name}.zip</b>, ${size(bytes.length)} MB, is among your downloads. Unpack it and upload the folder to any web
        host; or run <code>python -m http.server</code> in it and open <code>http://localhost:8000/</code>.`;
    } catch (error) {
      note.textContent = `It was not exported: ${sentence(error)}`;
    }
    packing = false;
    show();
  });
  return { allow(yes) { allowed = yes; show(); } };
}

const size = (bytes) => (bytes / 1e6).toFixed(bytes < 995_000 ? 2 : 1);

/** The files of this page's twin, `[[path, text], ...]`. */
export async function twinFiles(name) {
  const text = async (url) => (await bring(url)).text();
  const html = text(new URL("index.html", location.href));
  html.catch(() => {});
  const modules = new Map();
  async function take(url) {
    const path = pathOf(url);
    if (modules.has(path)) return;
    modules.set(path, ""); // modules may import each other
    const source = await text(url);
    const imported = [...source.matchAll(IMPORT)].map(([, from, late]) => from ?? late).filter((each) => !each.startsWith(`./${MODEL}`));
    await Promise.all(imported.map((each) => take(new URL(each, url))));
    modules.set(path, source.replaceAll(`"${WEB}`, '"./web/'));
  }
  await take(new URL("twin.js", location.href));
  const { page, title } = twinPage(await html, [...modules.keys(), `${MODEL}model.js`]);
  const plain = ["demo.css", "guard.js"].map(async (each) => [`web/${each}`, await text(new URL(each, import.meta.url))]);
  return [["index.html", page], ["README.txt", readme(name, title)], ...modules, ...(await Promise.all(plain))];
}

/** Where a file of the page or of web/ lies in the twin's folder. */
function pathOf(url) {
  for (const [home, folder] of [[new URL(".", import.meta.url), "web/"], [new URL(".", location.href), ""]]) {
    if (url.href.startsWith(home.href)) return folder + url.href.slice(home.href.length);
  }
  throw new Error(`${url.pathname} belongs neither to this page nor to web/.`);
}

function twinPage(html, modules) {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const left of page.querySelectorAll(PYTHON_ONLY)) left.remove();
  for (const template of page.querySelectorAll("template[data-twin]")) template.replaceWith(template.content);
  page.body.classList.add("twin");
  page.title = page.title.replace(" — pyml", "");
  page.querySelector("#status").textContent = "Loading the network…";
  page.querySelector("script[type=module]").setAttribute("src", "twin.js");
  const hint = (attributes) => page.head.append(Object.assign(page.createElement("link"), attributes), "\n");
  for (const href of modules) hint({ rel: "modulepreload", href });
  for (const file of ["plan.json", "weights.bin"]) hint({ rel: "preload", as: "fetch", href: MODEL + file, crossOrigin: "anonymous" });
  const whole = `<!doctype html>\n${page.documentElement.outerHTML}\n`;
  return { page: whole.replaceAll(`"${WEB}`, '"web/').replace(/(\n\s*)+\n/g, "\n"), title: page.querySelector("h1").textContent };
}
