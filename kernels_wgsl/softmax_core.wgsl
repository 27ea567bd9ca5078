// softmax_core — softmax of every row, or its logarithm when LOG; a row a thread, four columns at a time.
// reads   x: ROWS x COLS, f32 as vec4     writes  y: like x
// grid    (ceil(ROWS / WG), 1, 1), folded into x and y by X          shared  none
// limits  COLS % 4 == 0. A row with a NaN or an infinite maximum becomes NaN, as in numpy.
// source  three passes over the row: largest, sum, result.
const ROWS: u32 = 1u;             // @param
const COLS: u32 = 4u;             // @param
const LOG: bool = false;          // @param
const WG: u32 = 1u;               // @param
const X: u32 = 65535u;            // @param
const Q: u32 = COLS / 4u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn larger(a: vec4f, b: vec4f) -> vec4f {
  return select(select(a, b, b > a), b, (bitcast<vec4i>(b) & vec4i(0x7fffffff)) > vec4i(0x7f800000));
}

fn larger1(a: f32, b: f32) -> f32 { return select(select(a, b, b > a), b, b != b); }

fn checked(v: vec4f, largest: f32) -> vec4f {
  let bits = bitcast<u32>(largest);
  return select(v, vec4f(bitcast<f32>(bits | 0x00400000u)), vec4<bool>((bits & 0x7f800000u) == 0x7f800000u));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let r = (g.y * X + g.x) * WG + l;
  if (r >= ROWS) { return; }
  var m = x[r * Q];
  for (var c = 1u; c < Q; c++) { m = larger(m, x[r * Q + c]); }
  let largest = larger1(larger1(m.x, m.y), larger1(m.z, m.w));
  var sums = vec4f();
  for (var b = 0u; b < Q; b += 32u) {  // in blocks: a long sum in one chain rounds too often
    var part = vec4f();
    for (var c = b; c < min(b + 32u, Q); c++) { part += exp(x[r * Q + c] - largest); }
    sums += part;
  }
  let sum = (sums.x + sums.y) + (sums.z + sums.w);
  if (LOG) {
    let shift = log(sum);
    for (var c = 0u; c < Q; c++) { store4((r * Q + c) * 4u, checked((x[r * Q + c] - largest) - shift, largest)); }
  } else {
    let scale = 1.0 / sum;
    for (var c = 0u; c < Q; c++) { store4((r * Q + c) * 4u, checked(exp(x[r * Q + c] - largest) * scale, largest)); }
  }
}
