// Looks at a picture or through the camera, and shows how sure a network is of each class: in the page that teaches it, and in
// the one that it exports.
import { showBars } from "../../web/bars.js";
import { $, demo, newestOnly, sentence } from "../../web/basics.js";
import { isPicture, readPicture, takeFiles } from "../../web/drop.js";
import { closeVideo, isMirror, offerOtherCamera, openCamera, paceSentence, squares, watch } from "../../web/frames.js";

export const SIZE = 224; // what the network takes; pictures of the same size are compiled for once
const HERE = "Or drop a picture here, or paste one.";

/**
 * Makes the view with its camera.
 *
 * able     whether something can be said about pictures.
 * ask      gives { entries: [{ name, share }], ms } for ImageData of SIZE x SIZE.
 * instead  of asking: a promise, where a picture of the camera is meant for something else, or null.
 * notes    { waiting, camera }: what is said of a picture while `able` says no, and while the camera runs.
 *
 * Returns { look(picture, name), current(), again(), openCamera(), filming() }.
 */
export function lookingView({ able, ask, instead = () => null, notes: { waiting, camera } }) {
  const square = squares(SIZE);
  let shown = null; // the picture being looked at, and what it is
  let shownName = "";
  let stopWatching = null;

  /** Takes a drawable picture as the one to be judged. */
  function look(picture, name) {
    closeCamera();
    shown = square(picture);
    shownName = name;
    $("picture").getContext("2d").putImageData(shown, 0, 0);
    $("picture").setAttribute("aria-label", name);
    $("view-note").textContent = able() ? name : `${name}: ${waiting}`;
    return judge(shown);
  }

  const judge = newestOnly(async (pixels) => {
    if (!able()) return;
    try {
      show(await ask(pixels));
      if (pixels === shown) $("view-note").textContent = shownName;
    } catch (error) {
      $("problem").textContent = sentence(error);
    }
  });

  function show({ entries, ms }) {
    showBars($("bars"), entries);
    if (!stopWatching) $("timing").textContent = `${ms.toFixed(0)} ms`;
    demo.shares = Object.fromEntries(entries.map(({ name, share }) => [name, share]));
    demo.summary = entries.map(({ name, share }) => `${name} ${(100 * share).toFixed(0)}%`).join(", ");
  }

  // the camera: only the newest picture counts

  const lost = (text) => { closeCamera(); $("view-note").textContent = text; };

  async function useCamera(deviceId) {
    $("view-note").textContent = "Waiting for the camera…";
    try {
      if (!(await openCamera($("video"), { deviceId, instead: "choose pictures", lost }))) return;
    } catch (error) {
      lost(error.message);
      return;
    }
    shown = null;
    $("video").hidden = false;
    $("video").classList.toggle("mirror", isMirror($("video")));
    $("picture").hidden = true;
    $("camera").textContent = "Stop the camera";
    $("view-note").textContent = camera;
    stopWatching ??= watch($("video"), onFrame, (pace) => { $("timing").textContent = paceSentence(pace); });
  }

  async function onFrame(video) {
    const other = instead(video);
    if (!other && !able()) return false;
    try {
      if (other) await other;
      else show(await ask(square(video)));
    } catch (error) {
      $("problem").textContent = sentence(error);
    }
  }

  function closeCamera() {
    stopWatching?.();
    stopWatching = null;
    closeVideo($("video"));
    $("video").hidden = true;
    $("picture").hidden = false;
    $("camera").textContent = "Use the camera";
    $("view-note").textContent = HERE;
  }

  $("camera").addEventListener("click", () => (stopWatching ? closeCamera() : useCamera()));
  offerOtherCamera($("other"), $("video"), useCamera);
  takeFiles({
    zone: $("view"), input: $("file"), paste: true, accept: isPicture,
    take: async ([file]) => {
      $("problem").textContent = "";
      try {
        await look(await readPicture(file), file.name || "the pasted picture");
      } catch (error) {
        $("problem").textContent = sentence(error);
      }
    },
    refuse: (name) => { $("problem").textContent = `${name} is not a picture; choose a JPEG, PNG or WebP file.`; },
  });
  /** What is being looked at, as ImageData; null where it is nothing yet. */
  const current = () => (stopWatching ? square($("video")) : shown);

  return { look, current, again: () => (shown ? judge(shown) : undefined), openCamera: useCamera, filming: () => stopWatching !== null };
}
