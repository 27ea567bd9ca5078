// Poses without Python: a picture in the network's square, and what its 17 points show, as in pose.py.

/**
 * A function that puts the whole of a `<video>` or canvas in the middle of a black square, as ImageData; beside that it gives
 * `back`, from a place in the square to a part of the picture's width and height.
 */
export function squared(side) {
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "medium";
  return (source) => {
    const width = source.videoWidth ?? source.width, height = source.videoHeight ?? source.height;
    const scale = side / Math.max(width, height);
    const columns = Math.max(1, Math.round(width * scale)), rows = Math.max(1, Math.round(height * scale));
    const left = Math.floor((side - columns) / 2), top = Math.floor((side - rows) / 2);
    context.fillStyle = "#000";
    context.fillRect(0, 0, side, side);
    context.drawImage(source, left, top, columns, rows);
    return { pixels: context.getImageData(0, 0, side, side), size: [width, height], back: (x, y) => [(x - left) / columns, (y - top) / rows] };
  };
}

/** The pose `now`, with points that moved less than `reach` or so held back: a network trembles, people do not. */
export function calmed(before, now, sure, reach) {
  return now.map((point, i) => {
    const old = before[i], moved = Math.hypot(point.x - old.x, point.y - old.y);
    const part = old.score < sure ? 1 : Math.min(1, 0.3 + moved / reach);
    return { ...point, x: old.x + part * (point.x - old.x), y: old.y + part * (point.y - old.y) };
  });
}

/** What a pose shows, in a few words for each: raised hands, bent arms, a tilted or turned head. */
export function gestures(pose, sure) {
  const found = [], seen = Object.fromEntries(pose.filter(({ score }) => score >= sure).map((point) => [point.name, point]));
  const all = (...names) => names.every((name) => seen[name]);
  for (const side of ["left", "right"]) {
    const [wrist, elbow, shoulder] = ["wrist", "elbow", "shoulder"].map((name) => `${side}_${name}`);
    if (all(wrist, shoulder) && seen[wrist].y < seen[shoulder].y) found.push(`${side} hand up`);
    if (all(wrist, elbow, shoulder) && angle(seen[wrist], seen[elbow], seen[shoulder]) < 70) found.push(`${side} arm bent`);
  }
  if (all("left_eye", "right_eye")) {
    const { left_eye: left, right_eye: right } = seen;
    const tilt = degrees(Math.atan2(left.y - right.y, Math.abs(left.x - right.x) || 1e-9));
    if (Math.abs(tilt) > 15) found.push(`head tilted to the ${tilt > 0 ? "left" : "right"}`);
  }
  if (all("nose") && Boolean(seen.left_ear) !== Boolean(seen.right_ear)) found.push(`face turned to the ${seen.left_ear ? "right" : "left"}`);
  return found;
}

const degrees = (radians) => (radians * 180) / Math.PI;

/** The angle at `corner` between two points, in degrees. */
function angle(a, corner, b) {
  const between = Math.abs(degrees(Math.atan2(a.y - corner.y, a.x - corner.x) - Math.atan2(b.y - corner.y, b.x - corner.x))) % 360;
  return Math.min(between, 360 - between);
}

/** Lines and dots of a pose in a picture of `size`, and the rest of what `posing` shows. */
export function shown(pose, [width, height], { sure, edges, colours }) {
  const known = Object.fromEntries(pose.map((point) => [point.name, point]));
  const bones = edges.map(([a, b]) => [known[a], known[b]]).filter(([a, b]) => Math.min(a.score, b.score) >= sure);
  const colour = (...names) => {
    const sides = new Set(names.map((name) => name.split("_")[0]).filter((side) => side !== "nose"));
    return sides.size === 1 ? colours[[...sides][0]] : colours.middle;
  };
  return {
    lines: bones.map(([a, b]) => [a.x / width, a.y / height, b.x / width, b.y / height, colour(a.name, b.name)]),
    dots: pose.filter(({ score }) => score >= sure).map(({ name, x, y }) => [x / width, y / height, colour(name), name]),
    points: pose.map(({ name, score }) => ({ name: name.replace("_", " "), score })),
    gestures: gestures(pose, sure),
    score: pose.reduce((sum, { score }) => sum + score, 0) / pose.length,
  };
}
