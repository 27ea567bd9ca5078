// What both learning pages do the same way: the digits, and lots of them until enough unseen ones are read.

const TRAINING = 8500, TESTED = 1500, PIXELS = 784;
export const BATCH = 64, LOT = 33 * BATCH;              // digits between two looks at the unseen ones: a quarter of a pass

/** `{ x, y, test: [x, y] }`, float32 from 0 to 1 and int32. */
export async function digits() {
  const reply = await fetch('/extra/build/bench/exports/digits.bin');
  if (!reply.ok) throw new Error(`no digits: HTTP ${reply.status}`);
  const bytes = new Uint8Array(await reply.arrayBuffer()), rows = TRAINING + TESTED, end = TRAINING * PIXELS;
  const x = Float32Array.from(bytes.subarray(0, rows * PIXELS), (v) => v / 255), y = Int32Array.from(bytes.subarray(rows * PIXELS));
  return { x: x.subarray(0, end), y: y.subarray(0, TRAINING), test: [x.subarray(end), y.subarray(TRAINING)] };
}

/**
 * Learns lot by lot until the accuracy on unseen digits reaches `goal`, or `limit` ms are over.
 *
 * start  gives { lot(x, y), accuracy(x, y), info }: one that learns, one that says how many are read, and on what they run.
 */
export async function learn(start, { goal, limit }) {
  try {
    const { x, y, test } = await digits();
    const { lot, accuracy, info } = await start();
    const out = { ready: performance.now(), accuracies: [], info, reached: false, at: limit };
    setTimeout(() => { window.out ??= out; }, limit);      // a lot may take longer than that
    for (let from = 0; ; from = (from + LOT) % (TRAINING - LOT)) {
      await lot(x.subarray(from * PIXELS, (from + LOT) * PIXELS), y.subarray(from, from + LOT));
      out.accuracies.push(await accuracy(...test));
      out.at = performance.now();                        // since the page was asked for
      if (out.accuracies.at(-1) >= goal || window.out) break;
    }
    window.out ??= { ...out, reached: true };
  } catch (error) {
    window.out ??= { error: String(error?.message ?? error).slice(0, 300) };
  }
}
