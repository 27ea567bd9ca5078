// A control that sees: pictures of the camera, of a video or of a file for Python, one at a time, the newest only.
import { isPicture, readPicture } from "../../web/drop.js";
import { closeVideo, openCamera, openVideo, squares, watch } from "../../web/frames.js";

/**
 * Fills an element with buttons for the camera and for a file, and a small view of what is seen. Returns a function that ends it.
 *
 * group  the element.
 * size   pixels of a side; the middle square is taken.
 * tell   called with the ImageData of each picture; a promise.
 * say    called with a sentence where something is wrong.
 */
export function sight(group, { size, tell, say }) {
  const square = squares(size);
  const make = (kind, properties) => group.appendChild(Object.assign(document.createElement(kind), properties));
  const camera = make("button", { type: "button", textContent: "Use the camera" });
  const choose = make("button", { type: "button", textContent: "Open a picture or video…" });
  const halt = make("button", { type: "button", textContent: "Stop looking", disabled: true });
  const input = make("input", { type: "file", accept: "image/*,video/*", hidden: true });
  const video = make("video", { muted: true, playsInline: true, hidden: true, width: 96 });
  let stop = null;

  function end() {
    stop?.();
    stop = null;
    closeVideo(video);
    video.hidden = halt.disabled = true;
  }

  async function look(open) {
    end();
    say("");
    try {
      if ((await open()) === false) return;
      video.hidden = halt.disabled = false;
      stop = watch(video, async (source) => { await tell(square(source)); });
    } catch (error) {
      end();
      say(error.message);
    }
  }

  camera.addEventListener("click", () => look(() => openCamera(video, { instead: "open a picture or a video", lost: (text) => { end(); say(text); } })));
  choose.addEventListener("click", () => input.click());
  halt.addEventListener("click", end);
  input.addEventListener("change", async () => {
    const [file] = input.files;
    input.value = ""; // the same file can be chosen again
    if (!file) return;
    if (!isPicture(file.type, file.name)) {
      await look(() => openVideo(video, file));
      return;
    }
    end();
    try {
      await tell(square(await readPicture(file)));
    } catch (error) {
      say(error.message);
    }
  });
  return end;
}
