// A picture of sound that moves on: one column of pixels for one of the spectrogram.

const STOPS = [[13, 8, 40], [71, 20, 110], [172, 40, 98], [238, 105, 50], [251, 190, 60], [255, 252, 210]]; // quiet to loud

/** 256 colours; those up to `from` (0..255) are the first. */
function colours(from) {
  const list = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const at = Math.max(0, (i - from) / (255 - from)) * (STOPS.length - 1);
    const low = Math.min(STOPS.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c++) list[3 * i + c] = STOPS[low][c] + (at - low) * (STOPS[low + 1][c] - STOPS[low][c]);
  }
  return list;
}

/**
 * Draws columns on a canvas, the newest at the right. Resolves to { begin(bins), add(columns, image), quietest(0..255) };
 * `image` holds a byte for each frequency, low ones first, column after column.
 */
export function movingColumns(canvas) {
  const context = canvas.getContext("2d");
  const strip = new OffscreenCanvas(1, 1);
  let bins = 1;
  let palette = colours(0);
  const clear = () => {
    const [r, g, b] = STOPS[0];
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    context.fillRect(0, 0, canvas.width, canvas.height);
  };
  clear();
  return {
    begin(count) { bins = count; clear(); },
    quietest(from) { palette = colours(Math.min(254, Math.max(0, from))); },
    add(columns, image) {
      const some = Math.min(columns, canvas.width);
      const skipped = (columns - some) * bins;
      const pixels = new ImageData(some, bins);
      for (let column = 0; column < some; column++) {
        for (let bin = 0; bin < bins; bin++) {
          const level = 3 * image[skipped + column * bins + bin];
          const to = 4 * ((bins - 1 - bin) * some + column);
          for (let c = 0; c < 3; c++) pixels.data[to + c] = palette[level + c];
          pixels.data[to + 3] = 255;
        }
      }
      Object.assign(strip, { width: some, height: bins });
      strip.getContext("2d").putImageData(pixels, 0, 0);
      context.drawImage(canvas, -some, 0);
      context.drawImage(strip, 0, 0, some, bins, canvas.width - some, 0, some, canvas.height);
    },
  };
}
