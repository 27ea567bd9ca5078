// softmax_group — y[r, c] = exp(x[r, c] - max_c) / sum_c, or its logarithm with LOG. One row a workgroup.
// reads   x: ROWS x COLS, f32      writes  y: ROWS x COLS, f32
// grid    (ROWS, 1, 1), folded into x and y by X          shared  4 * WG bytes
// limits  COLS >= 1, WG a power of two. The sums have a fixed tree order.
// source  the definition, shifted by the largest element so that exp cannot overflow.
const ROWS: u32 = 64u;            // @param
const COLS: u32 = 512u;           // @param
const LOG: bool = false;          // @param
const WG: u32 = 64u;              // @param
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

var<workgroup> part: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let r = min(g.y * X + g.x, ROWS - 1u);
  let writes = g.y * X + g.x < ROWS;
  var largest = x[r * COLS + min(l, COLS - 1u)];
  for (var c = l + WG; c < COLS; c += WG) { largest = larger(largest, x[r * COLS + c]); }
  part[l] = largest;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (l < half) { part[l] = larger(part[l], part[l + half]); }
    workgroupBarrier();
  }
  largest = part[0];
  workgroupBarrier();
  var sum = 0.0;
  for (var c = l; c < COLS; c += WG) { sum += exp(x[r * COLS + c] - largest); }
  part[l] = sum;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (l < half) { part[l] += part[l + half]; }
    workgroupBarrier();
  }
  sum = part[0];
  let shift = log(sum);
  if (writes) {
    for (var c = l; c < COLS; c += WG) {
      let v = x[r * COLS + c];
      store(r * COLS + c, checked(select(exp(v - largest) / sum, (v - largest) - shift, LOG), largest));
    }
  }
}
