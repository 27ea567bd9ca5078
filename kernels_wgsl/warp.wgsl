// warp — y[n, i, j, :]: the pixel of picture n at a place of its own, the nearest or straight between four. One pixel, or
//        one element of it, a thread: EACH elements or fours.
// reads   x: BATCH x H x W x C, T = f32 | vec4f, C counted in T
//         places: with COLUMNS = 2 row and column for each pixel; else for MAPS pictures (1 or BATCH) the numbers a b c, d e f and,
//         of 9, g h k: column (a j + b i + c) / (g j + h i + k), row (d j + e i + f) / the same
// writes  y: like x
// grid    (ceil(BATCH * H * W * C / EACH / WG), 1, 1), folded into x and y by X          shared  none
// limits  EACH divides C; H and W below 2^23. Outside, by MODE: FILL, the border, the picture again, or it mirrored without and with
//         its border once more. Reads never leave x, whatever the places are.
// source  Heckbert 1989, "Fundamentals of texture mapping and image warping".
const BATCH: u32 = 1u;            // @param
const H: u32 = 4u;                // @param
const W: u32 = 4u;                // @param
const C: u32 = 1u;                // @param
const MAPS: u32 = 1u;             // @param
const COLUMNS: u32 = 6u;          // @param
const MODE: u32 = 0u;             // @param
const LINEAR: bool = true;        // @param
const FILL: f32 = 0.0;            // @param
const EACH: u32 = 1u;             // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> places: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

// where whole numbers lie that are outside: rows in x and y, columns in z and w
fn folded(index: vec4f) -> vec4f {
  let size = vec4f(f32(H), f32(H), f32(W), f32(W));
  if (MODE < 2u) { return index; }
  if (MODE == 2u) {
    let left = index - floor(index / size) * size;
    return select(vec4f(), left, left < size);  // where an adapter divides a little too low
  }
  let period = select(2.0 * size, max(2.0 * (size - 1.0), vec4f(1.0)), vec4<bool>(MODE == 3u));
  let left = index - floor(index / period) * period;
  return min(left, period - select(1.0, 0.0, MODE == 3u) - left);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= BATCH * H * W * (C / EACH)) { return; }
  let pixel = t / (C / EACH);
  let n = pixel / (H * W);
  var row = 0.0;
  var column = 0.0;
  if (COLUMNS == 2u) {
    row = places[2u * pixel];
    column = places[2u * pixel + 1u];
  } else {
    let m = select(n, 0u, MAPS == 1u) * COLUMNS;
    let i = f32(pixel / W % H);
    let j = f32(pixel % W);
    column = places[m] * j + places[m + 1u] * i + places[m + 2u];
    row = places[m + 3u] * j + places[m + 4u] * i + places[m + 5u];
    if (COLUMNS == 9u) {
      let depth = places[m + COLUMNS - 3u] * j + places[m + COLUMNS - 2u] * i + places[m + COLUMNS - 1u];
      column /= depth;
      row /= depth;
    }
  }
  let at = vec4f(row, row, column, column);
  let low = select(round(at), floor(at), vec4<bool>(LINEAR));
  let index = folded(low + vec4f(0.0, select(0.0, 1.0, LINEAR), 0.0, select(0.0, 1.0, LINEAR)));
  let last = vec4f(f32(H - 1u), f32(H - 1u), f32(W - 1u), f32(W - 1u));
  let inner = clamp(index, vec4f(), last);
  let is_top = MODE != 0u || inner.x == index.x;
  let is_bottom = MODE != 0u || inner.y == index.y;
  let is_left = MODE != 0u || inner.z == index.z;
  let is_right = MODE != 0u || inner.w == index.w;
  let top = (n * H + min(u32(inner.x), H - 1u)) * W;
  let bottom = (n * H + min(u32(inner.y), H - 1u)) * W;
  let left = min(u32(inner.z), W - 1u);
  let right = min(u32(inner.w), W - 1u);
  let share = at - low;
  let up = 1.0 - share.x;
  let before = 1.0 - share.z;
  let first = t % (C / EACH) * EACH;
  for (var e = 0u; e < EACH; e++) {
    let c = first + e;
    var v = select(T(FILL), x[(top + left) * C + c], is_top && is_left);
    if (LINEAR) {
      let after = select(T(FILL), x[(top + right) * C + c], is_top && is_right);
      let below = select(T(FILL), x[(bottom + left) * C + c], is_bottom && is_left);
      let beyond = select(T(FILL), x[(bottom + right) * C + c], is_bottom && is_right);
      v = v * (up * before) + after * (up * share.z) + below * (share.x * before) + beyond * (share.x * share.z);
    }
    put(pixel * C + first + e, v);
  }
}
