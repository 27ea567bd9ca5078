// What spectrogram.py does around its program, for pages that have no Python.

const QUIET = 1e-14; // power of a bin without any
const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

const decibels = (power) => 10 * Math.log10(Math.max(power, QUIET));

/** Cuts sound that comes in pieces into windows, one every quarter of a window. */
export class Windows {
  #rest = new Float32Array(0);

  constructor(size, batch) { Object.assign(this, { size, batch, hop: size / 4 }); }

  /** The windows that these samples complete, as `lots` of `batch` windows, the last filled with zeros; `count` of them. */
  put(samples) {
    const { size, batch, hop } = this, all = new Float32Array(this.#rest.length + samples.length);
    all.set(this.#rest);
    all.set(samples, this.#rest.length);
    const count = Math.max(0, Math.floor((all.length - size) / hop) + 1);
    this.#rest = all.slice(count * hop);
    const lots = Array.from({ length: Math.ceil(count / batch) }, () => new Float32Array(batch * size));
    for (let i = 0; i < count; i++) lots[Math.floor(i / batch)].set(all.subarray(i * hop, i * hop + size), (i % batch) * size);
    return { lots, count };
  }
}

/** A byte for each frequency that is shown, column after column. */
export function image(powers, count, bins, shown, low, high) {
  const pixels = new Uint8Array(count * shown);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < shown; k++) pixels[i * shown + k] = Math.max(0, Math.min(255, ((decibels(powers[i * bins + k]) - low) * 255) / (high - low)));
  }
  return pixels;
}

/** The frequency and level of the highest peak of the mean of columns: a parabola through it and its neighbours. */
export function loudest(powers, bins, width) {
  const column = new Float64Array(bins), count = powers.length / bins;
  for (let i = 0; i < powers.length; i++) column[i % bins] += Math.max(powers[i], QUIET) / count;
  const levels = column.map(decibels), inner = levels.subarray(1, bins - 1), at = inner.indexOf(Math.max(...inner)) + 1;
  const [below, peak, above] = levels.subarray(at - 1, at + 2), bend = below - 2 * peak + above;
  return { frequency: (at + (bend ? (0.5 * (below - above)) / bend : 0)) * width, level: peak };
}

/** The nearest tone of the piano and how far off it is, in hundredths of a semitone. */
export function note(frequency) {
  if (frequency <= 0) return { note: "", cents: 0 };
  const semitones = 12 * Math.log2(frequency / 440) + 69, nearest = Math.round(semitones);
  return { note: `${NOTES[((nearest % 12) + 12) % 12]}${Math.floor(nearest / 12) - 1}`, cents: Math.round(100 * (semitones - nearest)) };
}
