// Save project and Open project: all of a page's work in one .zip file, which another browser opens; and the trained model, kept in
// this browser from one visit to the next. What is in the file is the page's and Python's business (demos/shared/project.py).
import { button, download, sentence } from "./basics.js";
import { keptRecords } from "./keep.js";

/** Files of Python that the pages with projects share, for `startDemo`. */
export const PROJECT_FILES = ["project.py", "exports.py"].map((path) => ({ path, url: `../shared/${path}` }));

/**
 * Makes the part of a page with the two buttons.
 *
 * place  element that it goes into.
 * name   of the file, without .zip.
 * holds  what is in it, the beginning of a sentence.
 * save   gives the bytes of the project.
 * open   takes the bytes of a project and shows it, or throws and leaves all as it was; gives a sentence.
 *
 * Returns { allow({ save, open }) }: what can be done now.
 */
export function offerProject(place, { name, save, open, holds = "Examples, settings and what was learned" }) {
  place.innerHTML = `<p class="controls"><button id="save-project" type="button" disabled>Save project</button>
      <label class="file">Open project <input id="open-project" type="file" accept=".zip,application/zip" disabled></label></p>
    <p id="project-note" class="quiet" role="status">${holds} in one file, to go on elsewhere or later.</p>`;
  const press = place.querySelector("button"), input = place.querySelector("input"), note = place.querySelector("[role=status]");
  let allowed = { save: false, open: false }, busy = false;
  const show = () => {
    press.disabled = busy || !allowed.save;
    input.disabled = busy || !allowed.open;
  };

  async function work(says, body) {
    busy = true;
    show();
    note.textContent = says;
    try {
      await body();
    } finally {
      busy = false;
      show();
    }
  }

  press.addEventListener("click", () => work("Packing…", async () => {
    try {
      const bytes = await save();
      download(`${name}.zip`, bytes, "application/zip");
      note.textContent = `${name}.zip, ${megabytes(bytes.length)} MB, is among your downloads. Open project brings it back, in any browser.`;
    } catch (error) {
      note.textContent = `The project was not saved: ${sentence(error)}`;
    }
  }));

  const take = (label, bring) => work(`Opening ${label}…`, async () => {
    try {
      const { bytes, before } = await bring();
      const says = await open(bytes);
      note.textContent = `${label}: ${says} `;
      if (before) note.append(button("Bring back what was here before", () => take("What was here before", async () => ({ bytes: before }))));
    } catch (error) {
      note.textContent = `${label} was not opened. ${sentence(error)} Everything here is as it was.`;
    }
  });

  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    take(file.name, async () => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      return { bytes, before: allowed.save ? await save().catch(() => null) : null }; // nothing is lost by opening the wrong one
    });
  });

  return { allow(what) { allowed = { ...allowed, ...what }; show(); } };
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 995_000 ? 2 : 1);

/** What a page trained, kept in this browser: { put(record), get(), clear() }. */
export function keptModel(page) {
  const store = keptRecords(`${page}-model`);
  return {
    put: (record) => store.put("model", record),
    get: async () => (await store.all())[0]?.[1] ?? null,
    clear: () => store.clear(),
  };
}

/** Pixels of a picture as the bytes of a PNG file. */
export async function pngOf(pixels) {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
}

/** The pixels of a PNG file's bytes. */
export async function pixelsOf(bytes) {
  const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, 0, 0);
  return pen.getImageData(0, 0, picture.width, picture.height);
}
