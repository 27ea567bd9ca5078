// Camera and microphone for Python: `pyml.data.webcam` and `pyml.data.microphone`.
//
// A device is an object with open(options), next(), visible() and stop(), which all resolve to { value } or
// { failed, message } and never reject. On the page Python uses it directly; a worker has no camera, so there Python
// talks to the page's device over a MessagePort (remote here, serve on the page). Pictures are the newest frame when
// they are asked for: frames are dropped, never queued.

const PATIENCE = 5000;                                 // ms without a frame before something is wrong
const KINDS = {
  NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing", OverconstrainedError: "unmatched",
  NotReadableError: "busy", AbortError: "busy",
};
const REASONS = {
  denied: "The use of the WHAT was not allowed; allow it in the site settings of the browser and try again.",
  policy: "The frame that holds this page may not use the WHAT; add allow=\"WHAT\" to the <iframe>, or open the page itself.",
  missing: "There is no WHAT; plug one in and try again.",
  unmatched: "No WHAT has what was asked for; choose another one.",
  busy: "The WHAT could not be started; another program may be using it.",
  unplugged: "The WHAT was unplugged, or its use is no longer allowed; start it again when it is there.",
  hidden: "The page is hidden, and browsers pause the WHAT then; go on when it is visible.",
  silent: "The WHAT gives nothing any more; stop it and start it anew.",
  stopped: "The WHAT was stopped; start it first.",
  insecure: "Browsers give the WHAT only to pages from https:// or localhost.",
  unsupported: "This browser offers no WHAT to pages.",
  rate: "The WHAT cannot be read at the sample rate asked for; leave the sample rate out.",
  gesture: "The browser waits for a click on the page before it starts sound; start the WHAT when a button is pressed.",
  page: "The page of this worker does not offer its WHAT; load Python with web/pyml.js, or run it on the page's own thread.",
  other: "The WHAT could not be used.",
};
const DETAILED = ["other", "busy", "unmatched", "rate"]; // what the browser says helps there
const failed = (kind, message = "") => Object.assign(new Error(message), { kind });

/** What went wrong with a "camera" or "microphone", and what to do. */
function explained(what, { kind = "other", message }) {
  const text = (REASONS[kind] ?? REASONS.other).replaceAll("WHAT", what);
  return message && DETAILED.includes(kind) ? `${text} (${message})` : text;
}

/** The stream of a "camera" or "microphone"; `lost(sentence)` is called when it is unplugged. */
async function ask(constraints, what, lost = () => {}) {
  if (!navigator.mediaDevices?.getUserMedia) throw failed(isSecureContext ? "unsupported" : "insecure");
  const policy = document.permissionsPolicy ?? document.featurePolicy;
  if (policy?.allowsFeature && !policy.allowsFeature(what)) throw failed("policy");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw failed(KINDS[error.name] ?? "other", error.message);
  }
  for (const track of stream.getTracks()) track.addEventListener("ended", () => lost(explained(what, failed("unplugged"))));
  return stream;
}

const release = (stream) => stream?.getTracks().forEach((track) => track.stop());

/** Frames of a camera, as ImageBitmaps. */
function camera(element) {
  let stream = null, track = null, video = null, watching = 0, newest = 0, given = 0, wake = () => {};

  function watch(number) {                             // counts frames until another stream takes over
    if (number !== watching) return;
    const next = () => { newest += 1; wake(); watch(number); };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(next);
    else setTimeout(next, 33);
  }
  function stop() {
    watching += 1;
    release(stream);
    if (video) video.srcObject = null;
    stream = track = null;
    wake();
  }
  function check() {
    if (!track) throw failed("stopped");
    if (track.readyState === "ended") throw failed("unplugged");
    if (document.hidden) throw failed("hidden");
  }
  return {
    async open({ width, height, facingMode, deviceId, frameRate, lost }) {
      stop();
      const wish = (ideal) => (ideal == null ? undefined : { ideal });
      const asked = {
        width: wish(width), height: wish(height), frameRate: wish(frameRate), resizeMode: wish("none"),
        facingMode: deviceId ? undefined : wish(facingMode ?? "user"), deviceId: deviceId ? { exact: deviceId } : undefined,
      };
      const turn = watching;
      const opened = await ask({ video: asked }, "camera", lost);
      if (turn !== watching) { release(opened); throw failed("stopped"); } // while the user was being asked
      stream = opened;
      [track] = stream.getVideoTracks();
      track.addEventListener("ended", () => wake());
      video = element ?? video ?? document.createElement("video");
      Object.assign(video, { muted: true, playsInline: true, srcObject: stream });
      newest = given = 0;
      const shown = ++watching;
      watch(shown);
      const late = new Promise((_, reject) => { setTimeout(reject, PATIENCE, failed("silent")); });
      const broken = await Promise.race([video.play(), late]).then(() => null, (error) => (error.kind ? error : failed("other", error.message)));
      if (shown !== watching) throw failed("stopped"); // before its first frame, which the browser takes for a failure
      if (broken) { stop(); throw broken; }
      const { deviceId: id, width: w, height: h } = track.getSettings();
      return { label: track.label, deviceId: id ?? "", width: w ?? 0, height: h ?? 0 };
    },
    async next() {
      check();
      const end = performance.now() + PATIENCE;
      while (newest === given) {
        const left = end - performance.now();
        if (left <= 0) throw failed("silent");
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, left);
          const go = () => { clearTimeout(timer); document.removeEventListener("visibilitychange", go); resolve(); };
          wake = go;
          document.addEventListener("visibilitychange", go);
        });
        check();
      }
      given = newest;
      return createImageBitmap(video);
    },
    stop,
  };
}

/** Frames of sound: { spectrogram, waveform }, each a Float32Array or null. */
function microphone() {
  let stream = null, track = null, context = null, analyser = null, size = 0, turns = 0;

  function stop() {
    turns += 1;
    release(stream);
    context?.close().catch(() => {});
    stream = track = context = analyser = null;
  }
  return {
    async open({ sampleRate, fftSize, smoothing, constraints }) {
      stop();
      const turn = turns;
      const opened = await ask({ audio: constraints ?? true, video: false }, "microphone");
      if (turn !== turns) { release(opened); throw failed("stopped"); } // while the user was being asked
      stream = opened;
      [track] = stream.getAudioTracks();
      try {
        context = new AudioContext(sampleRate ? { sampleRate } : {});
        analyser = new AnalyserNode(context, { fftSize: 2 * fftSize, smoothingTimeConstant: smoothing });
        context.createMediaStreamSource(stream).connect(analyser);
      } catch (error) {
        stop();
        throw failed("rate", error.message);
      }
      size = fftSize;
      const late = new Promise((resolve) => { setTimeout(resolve, PATIENCE); });
      await Promise.race([context.resume().catch(() => {}), late]);
      if (turn !== turns) throw failed("stopped"); // while it began
      if (context.state !== "running") { stop(); throw failed("gesture"); }
      return { label: track.label, sampleRate: context.sampleRate };
    },
    async next({ frames, columns, spectrogram, waveform }) {
      if (!track) throw failed("stopped");
      if (context.state !== "running") context.resume().catch(() => {}); // paused while the page was hidden
      const step = size / context.sampleRate;
      let at = Math.max(context.currentTime, 2 * step); // before that the window is not full
      const power = spectrogram ? new Float32Array(frames * columns) : null;
      const wave = waveform ? new Float32Array(frames * size) : null;
      const column = new Float32Array(size), window = new Float32Array(2 * size);
      let stuck = performance.now() + PATIENCE;
      for (let i = 0; i < frames; i++, at += step) {
        for (;;) {
          if (!track) throw failed("stopped");
          if (track.readyState === "ended") throw failed("unplugged");
          const left = at - context.currentTime;
          if (left <= 0) break;
          if (performance.now() > stuck) throw failed(document.hidden ? "hidden" : "silent");
          await new Promise((resolve) => { setTimeout(resolve, 1000 * left); });
        }
        stuck = performance.now() + PATIENCE;
        if (power) {
          analyser.getFloatFrequencyData(column);
          power.set(column.subarray(0, columns), i * columns);
        }
        if (wave) {
          analyser.getFloatTimeDomainData(window);
          wave.set(window.subarray(size), i * size);   // the newest half
        }
      }
      return { spectrogram: power, waveform: wave };
    },
    stop,
  };
}

async function answer(what, call) {
  try {
    return { value: (await call()) ?? null };
  } catch (error) {
    return { failed: error.kind ?? "other", message: explained(what, error) };
  }
}

const visible = () => new Promise((resolve) => {
  const look = () => {
    if (document.hidden) return;
    document.removeEventListener("visibilitychange", look);
    resolve();
  };
  document.addEventListener("visibilitychange", look);
  look();
});

/** A device of this page. */
function local(kind, element) {
  const device = kind === "camera" ? camera(element) : microphone();
  return {
    open: (options) => answer(kind, () => device.open(options)),
    next: (options) => answer(kind, () => device.next(options)),
    visible: () => answer(kind, visible),
    list: () => answer(kind, () => devices(kind)),
    stop: () => answer(kind, () => device.stop()),
  };
}

/** A device of the page that started this worker. */
function remote(kind) {
  const { port1, port2 } = new MessageChannel();
  const waiting = new Map();
  const missing = { failed: "page", message: explained(kind, failed("page")) };
  let number = 0, greeted = null;
  port1.onmessage = ({ data: { id, result } }) => { waiting.get(id)?.(result); waiting.delete(id); };
  const ask = (method, options) => new Promise((resolve) => {
    waiting.set(++number, resolve);
    port1.postMessage({ id: number, method, options });
  });
  const call = async (method, options) => {
    greeted ??= Promise.race([ask("hello"), new Promise((resolve) => { setTimeout(resolve, PATIENCE, missing); })]);
    const hello = await greeted;
    return hello.failed ? hello : ask(method, options);
  };
  postMessage({ event: { type: "message", kind: "pyml-media", value: { kind, port: port2 } } }, [port2]);
  return {
    open: (options) => call("open", options),
    next: (options) => call("next", options),
    visible: () => call("visible"),
    list: () => call("list"),
    stop: () => { port1.postMessage({ id: 0, method: "stop" }); return Promise.resolve({ value: null }); },
  };
}

/** Lets Python in a worker use a device of this page, over a port. Returns a function that takes it away again. */
function serve({ kind, port }) {
  const device = local(kind);
  port.onmessage = async ({ data: { id, method, options } }) => {
    const result = method === "hello" ? { value: null } : await device[method](options);
    const { value } = result;
    const moved = value instanceof ImageBitmap ? [value]
      : [value?.spectrogram?.buffer, value?.waveform?.buffer].filter(Boolean);
    port.postMessage({ id, result }, moved);
  };
  return () => device.stop();
}

/** The cameras or microphones there are; labels are empty before one was allowed. */
async function devices(what) {
  const kind = { camera: "videoinput", microphone: "audioinput" }[what];
  const found = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
  return found.filter((d) => d.kind === kind).map((d) => ({ deviceId: d.deviceId, label: d.label }));
}

export { ask, camera, devices, explained, local, release, remote, serve };
