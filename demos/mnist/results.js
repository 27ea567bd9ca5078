// Draws what the trained network reads: test digits, the confusion matrix, and the bars beside the pad.

const GRID = 54; // 9 rows of 6, 6 of 9
const FIRST = 12; // mistakes shown before the digits it reads right

let shown = { wrong: [], right: [] };

/** A grid of test digits, `{ pixels, label, read, sure }`, mistakes first; null shows the last ones again. */
export function showDigits(list, digits, onlyMistakes) {
  shown = digits ?? shown;
  const { wrong, right } = shown;
  const some = [...wrong.slice(0, FIRST), ...right].slice(0, GRID);
  list.replaceChildren(...(onlyMistakes ? wrong : some).map(digitItem));
}

function digitItem({ pixels, label, read, sure }) {
  const wrong = label !== read;
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  const image = new ImageData(28, 28);
  pixels.forEach((value, i) => { image.data[4 * i + 3] = value; }); // black ink; the style sheet inverts it in the dark
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `a handwritten ${label}`);
  const text = document.createElement("span");
  text.textContent = wrong ? `${label} as ${read}` : `${read}`;
  item.title = `a ${label} read as ${read}, ${(100 * sure).toFixed(0)}% sure`;
  if (wrong) item.className = "wrong";
  item.append(canvas, text);
  return item;
}

/** A 10 x 10 table; the diagonal is what was read right. */
export function showConfusion(element, counts) {
  const table = document.createElement("table");
  table.className = "confusion";
  const head = table.createTHead().insertRow();
  head.append(heading("", "col"), ...counts.map((_, digit) => heading(digit, "col")));
  const body = table.createTBody();
  counts.forEach((row, label) => {
    const total = row.reduce((a, b) => a + b, 0) || 1;
    const line = body.insertRow();
    line.append(heading(label, "row"));
    row.forEach((count, read) => {
      const cell = line.insertCell();
      cell.textContent = count || "";
      cell.title = `${count} × ${label} read as ${read}`;
      if (!count) return;
      const strength = read === label ? count / total : 0.3 + Math.min(0.7, (8 * count) / total);
      cell.style.background = `rgba(var(${read === label ? "--cell" : "--cell-wrong"}), calc(${strength.toFixed(2)} * var(--cell-most)))`;
    });
  });
  element.replaceChildren(table);
}

function heading(text, scope) {
  const cell = document.createElement("th");
  cell.scope = scope;
  cell.textContent = text;
  return cell;
}
