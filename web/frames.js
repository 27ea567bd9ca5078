// Pictures as they come: from a camera, a video file or a canvas. Only the newest picture counts; those that come while
// one is being worked on are dropped, never queued.

const REFUSED = {
  NotAllowedError: "The camera may not be used: allow it in the browser's address bar, or open a video instead.",
  NotFoundError: "There is no camera here; open a video instead.",
  NotReadableError: "The camera is in use by another program; close that, or open a video instead.",
  OverconstrainedError: "The camera cannot do what was asked of it; open a video instead.",
};

/**
 * Shows the camera in a `<video>`; `lost(sentence)` is called when it is unplugged. Rejects with an Error whose message
 * says what to do.
 */
export async function openCamera(video, { facingMode = "user", lost = () => {} } = {}) {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("This page may not use a camera: open it over https, or open a video instead.");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode, width: { ideal: 640 }, height: { ideal: 480 } } });
  } catch (error) {
    throw new Error(REFUSED[error.name] ?? `The camera did not start: ${error.message}`);
  }
  closeVideo(video);
  video.srcObject = stream;
  for (const track of stream.getTracks()) track.addEventListener("ended", () => lost("The camera was unplugged, or may not be used any more."));
  await video.play();
}

/** Plays a video file in a `<video>`, again and again, without sound. */
export async function openVideo(video, file) {
  closeVideo(video);
  Object.assign(video, { src: URL.createObjectURL(file), loop: true, muted: true });
  try {
    await video.play();
  } catch {
    closeVideo(video);
    throw new Error(`${file.name} is no video that this browser plays; try mp4 or webm.`);
  }
}

/** Releases the camera or the file. */
export function closeVideo(video) {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  if (video.src) URL.revokeObjectURL(video.src);
  video.srcObject = null;
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
