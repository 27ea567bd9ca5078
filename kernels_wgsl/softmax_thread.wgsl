// softmax_thread — y[r, c] = exp(x[r, c] - max_c) / sum_c, or its logarithm with LOG. One row a thread, no barrier.
// reads   x: ROWS x COLS, f32      writes  y: ROWS x COLS, f32
// grid    (ceil(ROWS / WG), 1, 1), folded into x and y by X          shared  none
// limits  COLS >= 1. For software adapters, and for many short rows.
// source  the definition, shifted by the largest element so that exp cannot overflow.
const ROWS: u32 = 64u;            // @param
const COLS: u32 = 10u;            // @param
const LOG: bool = false;          // @param
const WG: u32 = 16u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

// the larger of two, a NaN if there is one
fn larger(a: f32, b: f32) -> f32 {
  return select(a, b, (b > a) | ((bitcast<u32>(b) & 0x7fffffffu) > 0x7f800000u));
}

// a row whose largest element is NaN or infinite has no softmax: all of it becomes NaN, as in numpy
fn checked(v: f32, largest: f32) -> f32 {
  let bits = bitcast<u32>(largest);
  return select(v, bitcast<f32>(bits | 0x00400000u), (bits & 0x7f800000u) == 0x7f800000u);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let r = (g.y * X + g.x) * WG + l;
  if (r >= ROWS) { return; }
  var largest = x[r * COLS];
  for (var c = 1u; c < COLS; c++) { largest = larger(largest, x[r * COLS + c]); }
  var sum = 0.0;
  for (var b = 0u; b < COLS; b += 32u) {  // in blocks: a long sum in one chain rounds too often
    var part = 0.0;
    for (var c = b; c < min(b + 32u, COLS); c++) { part += exp(x[r * COLS + c] - largest); }
    sum += part;
  }
  if (LOG) {
    let shift = log(sum);
    for (var c = 0u; c < COLS; c++) { store(r * COLS + c, checked((x[r * COLS + c] - largest) - shift, largest)); }
  } else {
    let scale = 1.0 / sum;
    for (var c = 0u; c < COLS; c++) { store(r * COLS + c, checked(exp(x[r * COLS + c] - largest) * scale, largest)); }
  }
}
