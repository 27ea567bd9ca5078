// Pictures of a camera, a video or a photo, with the pose that is found in them drawn on top: in the page with Python, and in the
// one that it exports.
import { showBars } from "../../web/bars.js";
import { $, demo, finish, sentence } from "../../web/basics.js";
import { isPicture, readPicture, takeFiles } from "../../web/drop.js";
import { closeVideo, isMirror, offerOtherCamera, openCamera, openVideo, paceSentence, watch } from "../../web/frames.js";

const LOOKING = "Looking at the picture…";

/**
 * Makes the stage with its camera.
 *
 * able  whether a pose can be found now.
 * find  gives { lines, dots, points, gestures, score } for a video or a canvas, places being parts of its width and height, as `shown`
 *       of pose.py does; its second argument says whether the picture is one of a video.
 * first what is said beside the milliseconds of a photo.
 *
 * Returns { usePhoto(open, name), again() }.
 */
export function posing({ able, find, first = "" }) {
  let stopWatching = null;
  let photo = null; // the still picture shown, if any

  async function live(open, says) {
    stop();
    try {
      if (!(await open())) return;
      photo = null;
      show($("video"));
      blank(LOOKING);
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
    if (!photo) blank();
  }

  /** Takes away what was found in the picture before. */
  function blank(says = "") {
    $("overlay").width = 0;
    $("gestures").value = "";
    $("pace").value = says;
    showBars($("points"), []);
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
      blank();
      $("source-note").textContent = name;
      if (able()) await look(photo, false);
    } catch (error) {
      $("source-note").textContent = error.message;
    }
  }

  function showPace(pace) {
    $("pace").value = paceSentence(pace);
    Object.assign(demo, pace);
  }

  async function look(source, moving) {
    if (!able()) return false;
    try {
      const began = performance.now();
      if (!moving) $("pace").value = LOOKING;
      const found = await find(source, moving);
      if (moving ? stopWatching === null : source !== photo) return false; // it is not shown any more
      draw(found, source);
      if (!moving) $("pace").value = `${(performance.now() - began).toFixed(0)} ms${first}.`;
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

  Object.assign(demo, { dots: [], gestures: [], score: null, looked: 0 });
  $("video").addEventListener("resize", ({ target }) => { if (target.videoHeight) target.style.setProperty("--ratio", target.videoWidth / target.videoHeight); });
  $("camera").addEventListener("click", () => useCamera());
  offerOtherCamera($("other"), $("video"), useCamera);
  $("stop").addEventListener("click", () => { stop(); $("source-note").textContent = "Stopped."; });
  takeFiles({
    zone: $("card"), input: $("file"), paste: true,
    take: ([file]) => {
      if (isPicture(file.type, file.name)) usePhoto(() => readPicture(file), file.name);
      else live(() => openVideo($("video"), file), file.name);
    },
    accept: (type, name) => isPicture(type, name) || type.startsWith("video/"),
    refuse: (name) => { $("source-note").textContent = `${name} is neither a picture nor a video.`; },
  });
  return { usePhoto, again: () => (photo ? look(photo, false) : undefined) };
}
