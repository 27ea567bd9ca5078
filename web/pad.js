// A pad to write one digit on, with mouse, pen, finger or keyboard, and the 28x28 picture of it made the way
// the training digits were made: the longer side fills 20 pixels and the centre of mass is in the middle
// (LeCun, Cortes, Burges: the MNIST database). Strokes are kept as points, so scaling loses nothing.

const SIZE = 28;
const BOX = 20; // pixels the longer side of a digit fills
const PEN = 2.4; // width of a stroke in those pixels, about what the training digits have
const STEP = 8; // pad units an arrow key moves

/** Draws strokes into a 28x28 canvas under a scale and shift; returns the ink, 0..1, row by row. */
function rasterise(strokes, scale, shiftX, shiftY) {
  const canvas = new OffscreenCanvas(SIZE, SIZE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(scale, 0, 0, scale, shiftX, shiftY);
  paint(context, strokes, PEN / scale, "#000");
  const { data } = context.getImageData(0, 0, SIZE, SIZE);
  return Array.from({ length: SIZE * SIZE }, (_, i) => data[4 * i + 3] / 255);
}

function paint(context, strokes, width, colour) {
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = width;
  context.strokeStyle = colour;
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    if (stroke.length === 1) context.lineTo(stroke[0][0] + 0.01, stroke[0][1]);
    context.stroke();
  }
}

/** The 784 pixels of a drawing as a training digit would have them; null for an empty pad. */
function asDigit(strokes) {
  const points = strokes.flat();
  if (!points.length) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = (BOX - PEN) / Math.max(right - left, bottom - top, 40); // a dot stays a dot
  let shiftX = SIZE / 2 - (scale * (left + right)) / 2;
  let shiftY = SIZE / 2 - (scale * (top + bottom)) / 2;
  const first = rasterise(strokes, scale, shiftX, shiftY);
  let ink = 0, sumX = 0, sumY = 0;
  first.forEach((value, i) => { ink += value; sumX += value * (i % SIZE); sumY += value * Math.floor(i / SIZE); });
  shiftX += (SIZE - 1) / 2 - sumX / ink;
  shiftY += (SIZE - 1) / 2 - sumY / ink;
  return rasterise(strokes, scale, shiftX, shiftY);
}

/** Makes a canvas a drawing pad. `changed(pixels | null)` hears every change; returns { clear, strokes }. */
export function drawingPad(canvas, changed) {
  const context = canvas.getContext("2d");
  const strokes = [];
  let stroke = null; // the one being drawn
  let cursor = [canvas.width / 2, canvas.height / 2];
  let keyboard = false;

  function draw() {
    const style = getComputedStyle(canvas);
    context.clearRect(0, 0, canvas.width, canvas.height);
    paint(context, strokes, 20, style.color);
    if (!keyboard) return;
    context.beginPath();
    context.arc(...cursor, 10, 0, 7);
    context.lineWidth = 2;
    context.strokeStyle = style.getPropertyValue(stroke ? "--wrong" : "--accent");
    context.stroke();
  }
  const touched = () => { draw(); changed(asDigit(strokes)); };
  const clear = () => { strokes.length = 0; stroke = null; touched(); };
  const where = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    keyboard = false;
    strokes.push((stroke = [where(event)]));
    touched();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke || !canvas.hasPointerCapture(event.pointerId)) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) stroke.push(where(each));
    touched();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { if (!keyboard) stroke = null; });

  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) {
      const [x, y] = MOVES[event.key];
      cursor = [cursor[0] + STEP * x, cursor[1] + STEP * y].map((v) => Math.min(canvas.width - 10, Math.max(10, v)));
      keyboard = true;
      if (stroke) stroke.push([...cursor]);
    } else if (event.key === " " || event.key === "Enter") {
      keyboard = true;
      if (stroke) stroke = null;
      else strokes.push((stroke = [[...cursor]]));
    } else if (["Delete", "Backspace", "Escape"].includes(event.key)) {
      clear();
    } else {
      return;
    }
    event.preventDefault();
    touched();
  });
  canvas.addEventListener("focus", () => { keyboard = canvas.matches(":focus-visible"); draw(); });
  canvas.addEventListener("blur", () => { keyboard = false; stroke = null; draw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
  return { clear, strokes };
}
