// The pose page: pictures of a camera, a video or a photo go to Python, which finds the points of a person in them.
// window.pymlDemo says what it found.
import { showBars } from "../../web/bars.js";
import { $, asked, bring, demo, failed, finish, sentence, startDemo } from "../../web/demo.js";
import { isPicture, readPicture, takeFiles } from "../../web/drop.js";
import { closeVideo, isMirror, offerOtherCamera, openCamera, openVideo, paceSentence, watch, wholes } from "../../web/frames.js";
import { loadingText, needed } from "../../web/networks.js";

const LONGEST = 384; // pixels of a picture; the networks look at 192 and 385
const whole = wholes(LONGEST);

Object.assign(demo, { dots: [], gestures: [], score: null, looked: 0 });
let pyml = null;
let ready = false; // a network is loaded
let stopWatching = null;
let photo = null; // the still picture shown, if any

// ---- the network

async function loadNetwork() {
  ready = false;
  $("problem").textContent = "";
  $("camera").disabled = $("sample").disabled = true;
  const loaded = await needed($("network-needed"), async () => {
    $("network").disabled = true;
    try {
      return await pyml.call("load", $("network").value);
    } finally {
      $("network-note").textContent = "";
      $("network").disabled = false;
    }
  });
  if (!loaded) return;
  $("network-note").textContent = `${loaded.source}. ${loaded.licence}.`;
  ready = true;
  $("camera").disabled = $("sample").disabled = false;
  if (photo) await look(photo, false);
}

const onLoading = (progress) => { $("network-note").textContent = loadingText(progress); };

// ---- where pictures come from

async function live(open, says) {
  stop();
  try {
    if (!(await open())) return;
    photo = null;
    show($("video"));
    stopWatching = watch($("video"), (video) => look(video, true), showPace);
    $("stop").disabled = false;
    $("source-note").textContent = says;
  } catch (error) {
    $("source-note").textContent = error.message;
  }
}

function show(element) {
  $("stage").classList.remove("empty");
  $("stage").classList.toggle("mirror", element === $("video") && isMirror(element));
  $("video").hidden = element !== $("video");
  $("photo").hidden = element !== $("photo");
}

const lost = (text) => { stop(); $("source-note").textContent = text; };
const useCamera = (deviceId) => live(() => openCamera($("video"), { deviceId, lost }), "Stand back until your hands are in the picture.");

function stop() {
  stopWatching?.();
  stopWatching = null;
  closeVideo($("video"));
  $("stop").disabled = true;
}

async function usePhoto(open, name) {
  stop();
  try {
    const picture = await open();
    Object.assign($("photo"), { width: picture.width, height: picture.height });
    $("photo").getContext("2d").drawImage(picture, 0, 0);
    $("photo").setAttribute("aria-label", name);
    picture.close();
    photo = $("photo");
    show(photo);
    $("source-note").textContent = name;
    $("pace").value = "";
    if (ready) await look(photo, false);
  } catch (error) {
    $("source-note").textContent = error.message;
  }
}

async function sample() {
  const file = await needed($("photos-needed"), async () => new File([await (await bring("../../models/photos/astronaut.png")).blob()], "astronaut.png"));
  if (file) await usePhoto(() => readPicture(file), "Eileen Collins, astronaut (NASA).");
}

function showPace(pace) {
  $("pace").value = paceSentence(pace);
  Object.assign(demo, pace);
}

// ---- one picture

async function look(source, moving) {
  if (!ready) return false;
  try {
    const began = performance.now();
    const found = await pyml.call("find", whole(source), $("network").value, moving);
    if (moving ? stopWatching === null : source !== photo) return false; // it is not shown any more
    draw(found, source);
    if (!moving) $("pace").value = `${(performance.now() - began).toFixed(0)} ms; the first picture of a size takes longer.`;
  } catch (error) {
    stop();
    $("problem").textContent = sentence(error);
    finish(sentence(error));
  }
}

function draw({ lines, dots, points, gestures, score }, source) {
  const canvas = $("overlay");
  const width = source.clientWidth * devicePixelRatio, height = source.clientHeight * devicePixelRatio;
  Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  const size = Math.max(width, height) / 180;
  pen.lineCap = "round";
  for (const [x0, y0, x1, y1, colour] of lines) {
    for (const [thick, ink] of [[2.2 * size, "rgb(0 0 0 / 0.5)"], [1.4 * size, colour]]) {
      pen.beginPath();
      pen.moveTo(x0 * width, y0 * height);
      pen.lineTo(x1 * width, y1 * height);
      Object.assign(pen, { lineWidth: thick, strokeStyle: ink });
      pen.stroke();
    }
  }
  for (const [x, y, colour] of dots) {
    pen.beginPath();
    pen.arc(x * width, y * height, 1.7 * size, 0, 2 * Math.PI);
    Object.assign(pen, { fillStyle: colour, strokeStyle: "#14161a", lineWidth: 0.5 * size });
    pen.fill();
    pen.stroke();
  }
  showBars($("points"), points.map(({ name, score: share }) => ({ name, share })));
  const text = dots.length ? gestures.join(", ") || `${dots.length} of ${points.length} points found` : "Nobody is there.";
  if ($("gestures").value !== text) $("gestures").value = text;
  Object.assign(demo, { dots, gestures, score, looked: demo.looked + 1 });
}

// ---- wiring

$("video").addEventListener("resize", ({ target }) => { if (target.videoHeight) target.style.setProperty("--ratio", target.videoWidth / target.videoHeight); });
$("camera").addEventListener("click", () => useCamera());
offerOtherCamera($("other"), $("video"), useCamera);
$("stop").addEventListener("click", () => { stop(); $("source-note").textContent = "Stopped."; });
$("sample").addEventListener("click", sample);
$("network").addEventListener("change", loadNetwork);
takeFiles({
  zone: $("card"), input: $("file"), paste: true,
  take: ([file]) => {
    if (isPicture(file.type, file.name)) usePhoto(() => readPicture(file), file.name);
    else live(() => openVideo($("video"), file), file.name);
  },
  accept: (type, name) => isPicture(type, name) || type.startsWith("video/"),
  refuse: (name) => { $("source-note").textContent = `${name} is neither a picture nor a video.`; },
});

try {
  pyml = await startDemo({ modules: ["pose.py"], hear: { loading: onLoading } });
  if (asked.has("network")) $("network").value = asked.get("network");
  await loadNetwork();
  if (ready) {
    if (asked.get("autorun") === "1") await sample();
    finish();
  }
} catch (error) {
  failed(error);
}
