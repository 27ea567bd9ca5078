// What callers give a model: options, and inputs as arrays, pictures or objects by name. Mistakes are told before a device works.

import { described, inMemory, sizeOf, told } from "./arrays.js";
import { pixelsOf, resized } from "./pictures.js";

/** An option that does not exist is a mistake: usually a name that is spelled another way. */
export function checkOptions(what, options, names) {
  if (options === null || typeof options !== "object") throw new Error(`${what}: options must be an object; received ${JSON.stringify(options)}.`);
  const wrong = Object.keys(options).find((name) => !names.includes(name));
  if (wrong !== undefined) throw new Error(`${what}: there is no option "${wrong}"; the options are ${names.join(", ")}.`);
}

/** Numbers among options, which would give no numbers where they are none. */
export function checkNumbers(what, options) {
  const wrong = ["batchSize", "scale", "offset"].find((name) => options[name] !== undefined && !Number.isFinite(options[name]));
  if (wrong) throw new Error(`${what}: ${wrong} must be a number; received ${JSON.stringify(options[wrong])}.`);
}

/** The inputs of a model (or targets), in the order of `names`, out of what a caller gave: one, an array of them, or an object by name. */
export function partsOf(names, x, what, kind = "inputs") {
  const plain = x !== null && typeof x === "object" && Object.getPrototypeOf(x) === Object.prototype;
  if (plain) {
    const missing = names.filter((name) => !(name in x)), more = Object.keys(x).filter((name) => !names.includes(name));
    if (missing.length || more.length) throw new Error(`${what}: expected the ${kind} ${names.join(", ")}; received ${Object.keys(x).join(", ") || "none"}.`);
    return names.map((name) => x[name]);
  }
  if (names.length === 1) return [x];
  if (!Array.isArray(x) || x.length !== names.length) {
    throw new Error(`${what}: expected an array of ${names.length} ${kind} (${names.join(", ")}), or an object by name.`);
  }
  return x;
}

/** Input `i` in a form that was exported: its values, and how many rows they are (0 where the form has one size only). With
 *  `direct`, for a device that takes pictures apart itself, pictures are also left as they are, to be resized to `size`. */
export function inputOf(names, who, x, form, i, { scale = 1, offset = 0 }, direct) {
  const name = names[i], shape = form.shapes[i], what = `${who}: input "${name}"`;
  const { dtype } = (form.whole ?? Object.values(form.batches)[0]).inputs[i];
  const pictures = pixels.isPicture(x) ? [x] : Array.isArray(x) && x.length && x.every(pixels.isPicture) ? x : null;
  if (!pictures && Array.isArray(x) && x.some(pixels.isPicture)) throw new Error(`${what}: expected pictures or numbers; received both.`);
  if (pictures) {
    const many = form.whole && shape.length === 4, size = many ? shape.slice(1) : shape, [height, width, channels = 1] = size;
    const rows = pictures.length, wanted = many ? shape[0] : 1;
    if (shape.length < 2 || channels > 4) throw new Error(`${what}: expected values of the shape ${told(shape)}, which no picture has.`);
    if (form.whole && rows !== wanted) throw new Error(`${what}: expected ${wanted} picture(s); received ${rows}.`);
    direct &&= dtype === "float32"; // what is copied is drawn on one canvas first, so there may be one picture only
    const found = pictures.map((picture) => pixelsOf(picture, what, direct && rows * names.length === 1));
    return { pictures: direct && found, size: [height, width, channels], scale, offset, rows, dtype, get values() {
      const per = height * width * channels, values = new Float32Array(rows * per);
      found.forEach((one, k) => values.set(resized(one.data ? one : pixelsOf(pictures[k], what), height, width, channels), k * per));
      if (scale !== 1 || offset !== 0) for (let k = 0; k < values.length; k++) values[k] = Math.fround(Math.fround(values[k] * scale) + offset);
      return inMemory(dtype === "float32" ? values : values.map(Math.round), dtype);
    } };
  }
  const given = described(x, dtype, what, ", or a picture"), size = sizeOf(shape);
  for (const { size: rows, told: words } of form.bounds?.[i] ?? []) {
    const odd = given.values.find((v) => !(v >= -rows && v < rows));
    if (odd !== undefined) throw new Error(`${what}: ${words.replaceAll("#", odd)}`);
  }
  if (form.whole) {
    if (given.values.length !== size || (Array.isArray(x) && String(given.shape) !== String(shape))) {
      throw new Error(`${what}: expected ${size} numbers of the shape ${told(shape)}; received ${given.shape ? `the shape ${told(given.shape)}` : given.values.length}.`);
    }
    return { values: inMemory(given.values, dtype), rows: 0, dtype };
  }
  const wanted = `(rows, ${shape.join(", ")})`.replace(", )", ",)");
  let rows = given.values.length / size;
  if (given.shape) {
    const inner = given.shape.slice(-shape.length || given.shape.length);
    const fits = given.shape.length === shape.length + 1 ? String(given.shape.slice(1)) === String(shape) : String(given.shape) === String(shape);
    const flat = given.shape.length === 1 && ArrayBuffer.isView(x);
    if (!fits && !flat) throw new Error(`${what}: expected the shape ${wanted}; received ${told(given.shape)}.`);
    if (fits && given.shape.length === shape.length && inner.length) rows = 1;
  }
  if (!Number.isInteger(rows) || rows < 1) {
    throw new Error(`${what}: expected ${size} numbers for each row, of the shape ${wanted}; received ${given.values.length} numbers.`);
  }
  return { values: inMemory(given.values, dtype), rows, dtype };
}
