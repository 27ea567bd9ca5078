// Classes by the most similar examples, as KNNClassifier of pyml.models finds them.

const NEIGHBOURS = 5; // as in teachable.py

/** The features at length one. */
export function unit(features) {
  const length = Math.sqrt(features.reduce((sum, value) => sum + value * value, 0));
  return features.map((value) => value / (length || 1));
}

/** The share of each of so many classes among the nearest examples, `[{ unit, label }]`. */
export function nearest(seen, examples, classes) {
  const similar = examples.map(({ unit: other, label }) => ({ label, by: other.reduce((sum, value, i) => sum + value * seen[i], 0) }));
  const voters = similar.sort((a, b) => b.by - a.by).slice(0, NEIGHBOURS), shares = new Array(classes).fill(0);
  for (const { label } of voters) shares[label] += 1 / voters.length;
  return shares;
}
