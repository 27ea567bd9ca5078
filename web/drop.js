// Files from the user: a chooser that the keyboard reaches, a place to drop them on, and the clipboard.

/**
 * Lets files come in over an element and its `<input type=file>`.
 *
 * zone    element that takes dropped files; it has the class "over" while something is held over it.
 * input   the `<input type="file">`.
 * take    called with an array of File, never empty.
 * accept  function that says whether a MIME type and a name are meant; the first of the others is reported to `refuse(name)`.
 * paste   true: files pasted anywhere in the page count too.
 */
export function takeFiles({ zone, input, take, accept = () => true, refuse = () => {}, paste = false }) {
  const offer = (files) => {
    const all = [...files];
    const meant = (file) => accept(file.type, file.name);
    const wanted = all.filter(meant), other = all.find((file) => !meant(file));
    if (wanted.length) take(wanted);
    if (other) refuse(other.name);
  };
  const chosen = () => {
    offer(input.files);
    input.value = ""; // the same file can be chosen again
  };
  input.addEventListener("change", chosen);
  if (input.files.length) queueMicrotask(chosen); // somebody was faster than this script
  let depth = 0; // enter and leave come for the children too
  const mark = (by) => {
    depth = Math.max(0, depth + by);
    zone.classList.toggle("over", depth > 0);
  };
  zone.addEventListener("dragenter", (event) => { event.preventDefault(); mark(1); });
  zone.addEventListener("dragleave", () => mark(-1));
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-depth);
    offer(event.dataTransfer.files);
  });
  if (paste) {
    document.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      offer(event.clipboardData.files);
    });
  }
}

/** Whether a file is a picture that browsers can decode. */
export const isPicture = (type, name) => (type ? type.startsWith("image/") : /\.(png|jpe?g|gif|webp|avif|bmp)$/i.test(name));

/**
 * The picture in a file, as an ImageBitmap no longer than `longest` on either side: a camera's 12 million pixels
 * would take Python a second to copy, and the networks look at 224 x 224.
 */
export async function readPicture(file, longest = 640) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name || "The pasted file"}: this browser cannot read it as a picture; try JPEG or PNG.`);
  }
  const scale = longest / Math.max(picture.width, picture.height);
  if (scale >= 1) return picture;
  const size = { resizeWidth: Math.max(1, Math.round(picture.width * scale)), resizeHeight: Math.max(1, Math.round(picture.height * scale)) };
  const smaller = await createImageBitmap(picture, { ...size, resizeQuality: "high" });
  picture.close();
  return smaller;
}
