// The order of rows, and rows taken from arrays.

/** A random generator of 32-bit state (mulberry32), so that a seed gives the same order everywhere. */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The numbers below n in a random order. */
export function shuffled(n, random) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** Rows of values, `order` having their numbers; null for the order they have. */
export function taken(values, per, order, start, count) {
  if (!order) return values.subarray(start * per, (start + count) * per);
  const part = new values.constructor(count * per);
  for (let i = 0; i < count; i++) part.set(values.subarray(order[start + i] * per, (order[start + i] + 1) * per), i * per);
  return part;
}
