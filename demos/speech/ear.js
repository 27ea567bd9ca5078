// Waits for words in sound that comes in pieces, as Ear of speech.py does: for pages that have no Python.

const CLIP = 16000; // samples of an example, and of a second
const FRAME = 160; // samples of a frame, 10 ms: loudness is measured in frames
const QUIET = 0.008; // loudness, of 1, below which nothing was said

/** The loudness of every frame. */
function loudness(samples) {
  return Float64Array.from({ length: Math.floor(samples.length / FRAME) }, (_, i) => {
    const frame = samples.subarray(i * FRAME, (i + 1) * FRAME);
    const mean = frame.reduce((sum, value) => sum + value, 0) / FRAME;
    return Math.sqrt(frame.reduce((sum, value) => sum + (value - mean) ** 2, 0) / FRAME);
  });
}

/** Where the middle of what was said is, in samples; null where it is quiet throughout. */
function middle(samples, floor) {
  const loud = loudness(samples), least = Math.max(QUIET, 3 * floor, 0.1 * Math.max(...loud));
  let total = 0, places = 0;
  loud.forEach((value, i) => {
    if (value <= least) return;
    total += value ** 2;
    places += i * value ** 2;
  });
  return total ? (places / total + 0.5) * FRAME : null;
}

/** The value that a part of the values is below, between two of them where need be. */
function quantile(values, part) {
  const sorted = values.slice().sort(), at = part * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

export class Ear {
  #heard = new Float32Array(2 * CLIP);
  #deaf = 0; // samples until the next word may come

  /** The clips of words whose middle was half a second ago: they have ended, unless they are very long. */
  hear(samples) {
    const clips = [], pieces = Math.max(1, Math.floor(samples.length / (4 * FRAME)));
    for (let i = 0, at = 0; i < pieces; i++) {
      const piece = samples.subarray(at, at += Math.floor(samples.length / pieces) + (i < samples.length % pieces ? 1 : 0));
      this.#heard.copyWithin(0, piece.length);
      this.#heard.set(piece, 2 * CLIP - piece.length);
      this.#deaf = Math.max(0, this.#deaf - piece.length);
      const said = middle(this.#heard.subarray(CLIP), quantile(loudness(this.#heard), 0.1));
      if (this.#deaf || said === null || said <= 0.25 * CLIP || said > 0.5 * CLIP) continue;
      const start = CLIP + Math.round(said) - CLIP / 2;
      clips.push(this.#heard.slice(start, start + CLIP));
      this.#deaf = CLIP / 2;
    }
    return clips;
  }
}
