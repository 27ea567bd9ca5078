// Small pictures in lists.

const SIDE = 96; // pixels

/**
 * A list item with a square cut out of the middle of a picture.
 *
 * caption  text below; none where empty.
 * title    what pressing it does, also its name for screen readers.
 * press    called when it is pressed.
 */
export function thumbnail(picture, { caption, title, press }) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.title = title;
  button.setAttribute("aria-label", caption ? `${caption}. ${title}` : title);
  button.append(square(picture));
  if (caption) button.append(Object.assign(document.createElement("span"), { textContent: caption }));
  button.addEventListener("click", press);
  item.append(button);
  return item;
}

function square(picture) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  canvas.setAttribute("aria-hidden", "true");
  const side = Math.min(picture.width, picture.height);
  const left = (picture.width - side) / 2, top = (picture.height - side) / 2;
  canvas.getContext("2d").drawImage(picture, left, top, side, side, 0, 0, SIDE, SIDE);
  return canvas;
}
