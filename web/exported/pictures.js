// Pixels of whatever shows a picture, as numbers from 0 to 255: what pyml.browser.from_pixels gives, by the same code, and resizing.

/** { width, height, data } with four bytes a pixel; or { width, height, source } where WebGPU copies it itself and may. */
export function pixelsOf(picture, what, direct) {
  const found = (direct && pixels.straight(picture)) || pixels.read(picture), { failed, more } = found;
  if (failed) throw new Error(`${what}: the picture ${/tainted|other/.test(failed) ? `cannot be read: ${more}` : "has not been loaded yet, or has no pixels."}`);
  return found;
}

/** Where each of m pixels lies among n, pixel centres at halves: the ones before and after it, and how far it is from the first. */
function places(n, m, step) {
  const low = new Int32Array(m), high = new Int32Array(m), part = new Float32Array(m);
  for (let i = 0; i < m; i++) {
    const at = (2 * i + 1) * n + m, after = Math.floor(at / (2 * m));
    low[i] = step * Math.max(after - 1, 0);
    high[i] = step * Math.min(after, n - 1);
    part[i] = (at % (2 * m)) / (2 * m);
  }
  return [low, high, part];
}

/** Channels of a picture, resized as pyml.ops.image.resize does with bilinear interpolation, step by step in 32 bits. */
export function resized({ data, width, height }, toHeight, toWidth, channels) {
  const out = new Float32Array(toHeight * toWidth * channels), { fround } = Math;
  const [tops, bottoms, downs] = places(height, toHeight, 4 * width), [lefts, rights, acrosses] = places(width, toWidth, 4);
  for (let i = 0, o = 0; i < toHeight; i++) {
    const top = tops[i], bottom = bottoms[i], down = downs[i];
    for (let j = 0; j < toWidth; j++) {
      const left = lefts[j], right = rights[j], across = acrosses[j];
      for (let c = 0; c < channels; c++) {
        const a = data[top + left + c], b = data[bottom + left + c];
        const upper = fround(a + fround((data[top + right + c] - a) * across));
        const lower = fround(b + fround((data[bottom + right + c] - b) * across));
        out[o++] = upper + fround(fround(lower - upper) * down);
      }
    }
  }
  return out;
}
