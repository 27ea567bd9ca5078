// Pictures as they come: from a camera, a video file or a canvas. Only the newest picture counts; those that come while
// one is being worked on are dropped, never queued.

const REFUSED = {
  NotAllowedError: "The camera may not be used: allow it in the browser's address bar, or open a video instead.",
  NotFoundError: "There is no camera here; open a video instead.",
  NotReadableError: "The camera is in use by another program; close that, or open a video instead.",
  OverconstrainedError: "The camera cannot do what was asked of it; open a video instead.",
};

/** Shows the camera in a `<video>`. Rejects with an Error whose message says what to do. */
export async function openCamera(video, facingMode = "user") {
  if (!navigator.mediaDevices?.getUserMedia) throw new Error("This page may not use a camera: open it over https, or open a video instead.");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode, width: { ideal: 640 }, height: { ideal: 480 } } });
  } catch (error) {
    throw new Error(REFUSED[error.name] ?? `The camera did not start: ${error.message}`);
  }
  closeVideo(video);
  video.srcObject = stream;
  await video.play();
  return stream;
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
  const pace = { began: performance.now(), answered: 0, latency: 0, shown: 0 };
  const nextPicture = () => new Promise((resolve) => {
    if (source.requestVideoFrameCallback) source.requestVideoFrameCallback((now, { presentedFrames }) => resolve(presentedFrames));
    else requestAnimationFrame(() => resolve(null)); // a canvas, or a browser without that function
  });
  function count(latency, shown) {
    Object.assign(pace, { answered: pace.answered + 1, latency: pace.latency + latency, shown: pace.shown + shown });
    const seconds = (performance.now() - pace.began) / 1000;
    if (seconds < 0.5) return;
    const { answered } = pace;
    report({ fps: answered / seconds, latency: pace.latency / answered, dropped: Math.max(0, pace.shown - answered) / seconds });
    Object.assign(pace, { began: performance.now(), answered: 0, latency: 0, shown: 0 });
  }
  (async () => {
    let last = null;
    while (!stopped) {
      const number = await nextPicture();
      if (stopped) return;
      const began = performance.now();
      const shown = number !== null && last !== null ? number - last : 1;
      last = number;
      if ((await work(source)) !== false) count(performance.now() - began, shown);
      else Object.assign(pace, { began: performance.now(), answered: 0, latency: 0, shown: 0 });
    }
  })();
  return () => { stopped = true; };
}
