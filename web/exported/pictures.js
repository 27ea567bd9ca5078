// Pixels of whatever shows a picture, as numbers from 0 to 255: what pyml.browser.from_pixels gives, and resizing.

const sized = (source) => {
  if (typeof VideoFrame !== "undefined" && source instanceof VideoFrame) return [source.displayWidth, source.displayHeight];
  if (source.videoWidth !== undefined) return [source.videoWidth, source.videoHeight];
  return [source.width, source.height]; // an <img> as large as it is shown: tf.browser.fromPixels and from_pixels take it so
};

const KINDS = ["ImageData", "ImageBitmap", "HTMLImageElement", "HTMLCanvasElement", "OffscreenCanvas", "HTMLVideoElement", "VideoFrame"];

export const isPicture = (x) => KINDS.some((kind) => globalThis[kind] && x instanceof globalThis[kind]);

/** { data, width, height }: four bytes a pixel. */
export function pixelsOf(source, what) {
  const [width, height] = sized(source);
  const waiting = source.complete === false || (source.readyState !== undefined && source.readyState < 2);
  if (waiting || !width || !height) throw new Error(`${what}: the picture has not been loaded yet, or has no pixels.`);
  if (source.data && source.width * source.height * 4 === source.data.length) return source;
  const canvas = typeof OffscreenCanvas !== "undefined" ? new OffscreenCanvas(width, height)
    : Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/** Channels of a picture, resized as pyml.ops.image.resize does with bilinear interpolation: pixel centres at halves. */
export function resized({ data, width, height }, toHeight, toWidth, channels) {
  const out = new Float32Array(toHeight * toWidth * channels), { fround } = Math;
  if (toHeight === height && toWidth === width) {
    for (let p = 0, o = 0; p < data.length; p += 4) for (let c = 0; c < channels; c++) out[o++] = data[p + c];
    return out;
  }
  const places = (n, m) => Array.from({ length: m }, (_, i) => {
    const at = Math.max(0, Math.min(n - 1, ((i + 0.5) * n) / m - 0.5)), low = Math.floor(at);
    return [low, Math.min(low + 1, n - 1), fround(at - low)];
  });
  const columns = places(width, toWidth);
  let o = 0;
  for (const [top, bottom, v] of places(height, toHeight)) {
    for (const [left, right, u] of columns) {
      for (let c = 0; c < channels; c++) {
        const at = (row, column) => data[(row * width + column) * 4 + c];
        const above = fround(at(top, left) * fround(1 - u) + at(top, right) * u);
        const below = fround(at(bottom, left) * fround(1 - u) + at(bottom, right) * u);
        out[o++] = above * fround(1 - v) + below * v;
      }
    }
  }
  return out;
}
