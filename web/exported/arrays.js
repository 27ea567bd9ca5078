// Numbers between JavaScript and a device: what is taken for which dtype, and what is wrong with what is not.

const MEMORY = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, bool: Uint32Array };
const WHOLE = [Uint8Array, Uint8ClampedArray, Uint16Array];
const TAKEN = {
  float32: [Float32Array],
  int32: [Int32Array, Int16Array, Int8Array, ...WHOLE],
  uint32: [Uint32Array, ...WHOLE],
  bool: [Uint8Array],
};

export const sizeOf = (shape) => shape.reduce((n, m) => n * m, 1);
export const told = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
const an = (name) => `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
const named = (value) => (value === null ? "null" : value?.constructor?.name ?? typeof value);

/** The shape of nested arrays, which must be regular. */
function shapeOf(nested, what) {
  if (!Array.isArray(nested) && !ArrayBuffer.isView(nested)) return [];
  if (ArrayBuffer.isView(nested)) return [...(nested.shape ?? [nested.length])];
  const inner = nested.map((part) => shapeOf(part, what));
  if (inner.some((shape) => String(shape) !== String(inner[0]))) throw new Error(`${what}: the rows have different lengths.`);
  return [nested.length, ...(inner[0] ?? [])];
}

/** What was given as { values: typed array or flat array, shape: known shape or null }; `also` says what else is taken. */
export function described(x, dtype, what, also = "") {
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) {
    if (!TAKEN[dtype].some((kind) => x instanceof kind)) {
      throw new Error(`${what}: expected ${dtype} numbers in ${an(TAKEN[dtype][0].name)}; received ${an(named(x))}.`);
    }
    if (x.shape && sizeOf(x.shape) !== x.length) throw new Error(`${what}: shape ${told(x.shape)} does not fit ${x.length} numbers.`);
    return { values: x, shape: x.shape ? [...x.shape] : null };
  }
  if (!Array.isArray(x)) throw new Error(`${what}: expected ${an(TAKEN[dtype][0].name)}${also ? "," : " or"} nested arrays of numbers${also}; received ${named(x)}.`);
  const shape = shapeOf(x, what);
  const values = x.flat(Infinity).flatMap((part) => (ArrayBuffer.isView(part) ? [...part] : [part]));
  for (const v of values) {
    const fits = dtype === "bool" ? typeof v === "boolean" || v === 0 || v === 1
      : typeof v === "number" && (dtype === "float32" || (Number.isInteger(v) && (dtype === "int32" ? v === (v | 0) : v === v >>> 0)));
    if (!fits) throw new Error(`${what}: expected ${dtype} numbers; received ${typeof v === "string" ? JSON.stringify(v) : v}.`);
  }
  return { values, shape };
}

/** The values as they lie in a device's memory. */
export function inMemory(values, dtype) {
  const Kind = MEMORY[dtype];
  if (dtype === "bool") return Kind.from(values, (v) => (v ? 1 : 0));
  return values instanceof Kind ? values : Kind.from(values);
}

/** The bytes of an array, where they lie. */
export const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Bytes read from a device as numbers with their `shape`. */
export function outOf(bytes, shape, dtype) {
  const values = new MEMORY[dtype](bytes.buffer, bytes.byteOffset, sizeOf(shape));
  return Object.assign(dtype === "bool" ? Uint8Array.from(values) : values, { shape });
}

/** A state's values from its bytes in the file of weights. */
export function decoded({ shape, as }, bytes) {
  const size = sizeOf(shape), { buffer } = bytes;
  if (as === "float16") return globalThis.Float16Array ? new Float32Array(new Float16Array(buffer, 0, size)) : fromHalf(new Uint16Array(buffer, 0, size));
  if (as !== "int8") return bytes;
  const channels = shape.at(-1), values = new Float32Array(size);
  const scale = new Float32Array(buffer, 0, channels), whole = new Int8Array(buffer, 4 * channels, size);
  for (let i = 0, c = 0; i < size; i++) {
    values[i] = whole[i] * scale[c];
    if (++c === channels) c = 0;
  }
  return values;
}

/** Float32Array from 16-bit floats. */
function fromHalf(bits) {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const h = bits[i], sign = (h & 0x8000) << 16, rest = h & 0x7fff;
    if (rest >= 0x7c00) words[i] = sign | 0x7f800000 | ((rest & 0x3ff) << 13);
    else if (rest >= 0x400) words[i] = sign | ((rest << 13) + 0x38000000);
    else words[i] = sign | new Uint32Array(new Float32Array([rest * 2 ** -24]).buffer)[0];
  }
  return new Float32Array(words.buffer);
}
