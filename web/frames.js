// Pictures as they come: from a camera, a video file or a canvas. Only the newest picture counts; those that come while
// one is being worked on are dropped, never queued.

import { camera, devices, explained } from "./media.js";

const cameras = new WeakMap(); // of each <video> that showed one

/**
 * Shows the camera in a `<video>`; `lost(sentence)` is called when it is unplugged. Resolves to false where it was closed
 * before the user allowed it; rejects with an Error whose message says what to do, `instead` or otherwise.
 */
export async function openCamera(video, { deviceId, instead = "open a video", lost } = {}) {
  if (!cameras.has(video)) cameras.set(video, camera(video));
  try {
    await cameras.get(video).open({ width: 640, height: 480, deviceId, lost });
  } catch (error) {
    if (error.kind === "stopped") return false;
    throw new Error(`${explained("camera", error)} Or ${instead}.`);
  }
  forget(video);
  return true;
}

const settings = (video) => video.srcObject?.getVideoTracks()[0]?.getSettings();

/** Whether a `<video>` shows a camera that looks at its user, who expects a mirror. */
export const isMirror = (video) => Boolean(settings(video)) && settings(video).facingMode !== "environment";

/** Shows a button while a camera runs in a `<video>` and there is another one; pressed, it calls `open(deviceId)` with the next. */
export function offerOtherCamera(button, video, open) {
  let changing = false; // the button keeps the focus meanwhile
  const look = async () => {
    const others = settings(video) ? (await devices("camera")).length - 1 : 0;
    if (!changing) button.hidden = others < 1;
  };
  button.addEventListener("click", async () => {
    const ids = (await devices("camera")).map(({ deviceId }) => deviceId);
    changing = true;
    await open(ids[(ids.indexOf(settings(video)?.deviceId) + 1) % ids.length]);
    changing = false;
    look();
  });
  for (const event of ["loadedmetadata", "emptied"]) video.addEventListener(event, look);
  navigator.mediaDevices?.addEventListener?.("devicechange", look);
}

/** Plays a video file in a `<video>`, again and again, without sound. */
export async function openVideo(video, file) {
  closeVideo(video);
  Object.assign(video, { src: URL.createObjectURL(file), loop: true, muted: true });
  try {
    await video.play();
  } catch {
    closeVideo(video);
    throw new Error(`${file.name} is not a video that this browser plays; try mp4 or webm.`);
  }
  return true;
}

/** Releases the camera or the file. */
export function closeVideo(video) {
  cameras.get(video)?.stop();
  forget(video);
}

function forget(video) {
  if (video.src) URL.revokeObjectURL(video.src);
  video.removeAttribute("src");
}

/** A function that gives the middle square of a `<video>` or canvas as ImageData of `size` x `size`. */
export function squares(size) {
  const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (source) => {
    const width = source.videoWidth ?? source.width, height = source.videoHeight ?? source.height;
    const side = Math.min(width, height);
    context.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, size, size);
    return context.getImageData(0, 0, size, size);
  };
}

/** A function that gives the whole of a `<video>`, picture or canvas as ImageData, no longer than `longest` on either side. */
export function wholes(longest) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (source) => {
    const width = source.videoWidth ?? source.width, height = source.videoHeight ?? source.height;
    const scale = Math.min(1, longest / Math.max(width, height));
    const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size);
    context.drawImage(source, 0, 0, size.width, size.height);
    return context.getImageData(0, 0, size.width, size.height);
  };
}

/** What `watch` reports, as a sentence. */
export const paceSentence = ({ fps, latency, dropped }) =>
  `${fps.toFixed(fps < 9.5 ? 1 : 0)} pictures a second, ${latency.toFixed(0)} ms from a picture to its answer, ${dropped.toFixed(0)} a second dropped.`;

/**
 * Calls `work(source)` for pictures of a `<video>` or canvas, one at a time, until the returned function is called.
 * A `work` that resolves to false did nothing with the picture. `report({ fps, latency, dropped })` comes twice a
 * second: pictures answered a second, milliseconds from a picture to its answer, pictures that were dropped a second.
 */
export function watch(source, work, report = () => {}) {
  let stopped = false;
  let shown = 0; // pictures so far
  let wake = () => {};
  const pace = {};
  const begin = () => Object.assign(pace, { began: performance.now(), shown, answered: 0, latency: 0 });

  (function next() { // asks for pictures all the time, so that those are counted that nobody has time for
    const seen = () => { if (stopped) return; shown += 1; wake(); next(); };
    if (source.requestVideoFrameCallback) source.requestVideoFrameCallback(seen);
    else requestAnimationFrame(seen); // a canvas, or a browser without that function
  })();

  function count(latency) {
    Object.assign(pace, { answered: pace.answered + 1, latency: pace.latency + latency });
    const seconds = (performance.now() - pace.began) / 1000;
    if (seconds < 0.5) return;
    report({ fps: pace.answered / seconds, latency: pace.latency / pace.answered, dropped: Math.max(0, shown - pace.shown - pace.answered) / seconds });
    begin();
  }

  (async () => {
    let taken = 0;
    begin();
    for (;;) {
      if (shown === taken) await new Promise((resolve) => { wake = resolve; });
      if (stopped) return;
      taken = shown;
      const began = performance.now();
      if ((await work(source)) === false) begin();
      else count(performance.now() - began);
      await new Promise((resolve) => { setTimeout(resolve); }); // on a page whose Python is not in a worker, others come too
    }
  })();
  return () => { stopped = true; wake(); };
}
