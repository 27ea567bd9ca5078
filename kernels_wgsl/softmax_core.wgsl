// softmax_core — softmax of every row, or its logarithm when LOG, on one processor core; four columns at a time.
// reads   x: ROWS x COLS, f32 as vec4     writes  y: like x
// grid    (ROWS, 1, 1), folded into x and y by X: a workgroup of one thread has a row     shared  4 * COLS bytes unless LOG: its exponentials
// limits  COLS % 4 == 0. A row with a NaN or an infinite maximum becomes NaN, as in numpy.
// source  three passes over the row: largest, where two are compared before they wait for those so far, sum, result.
const ROWS: u32 = 1u;             // @param
const COLS: u32 = 4u;             // @param
const LOG: bool = false;          // @param
const X: u32 = 65535u;            // @param
const Q: u32 = COLS / 4u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
var<workgroup> powers: array<vec4f, select(Q, 1u, LOG)>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn larger(a: vec4f, b: vec4f) -> vec4f {
  return select(select(a, b, b > a), b, (bitcast<vec4i>(b) & vec4i(0x7fffffff)) > vec4i(0x7f800000));
}

fn larger1(a: f32, b: f32) -> f32 { return select(select(a, b, b > a), b, b != b); }

fn checked(v: vec4f, largest: f32) -> vec4f {
  let bits = bitcast<u32>(largest);
  return select(v, vec4f(bitcast<f32>(bits | 0x00400000u)), vec4<bool>((bits & 0x7f800000u) == 0x7f800000u));
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let r = g.y * X + g.x;
  if (r >= ROWS) { return; }
  var m = x[r * Q];
  for (var c = Q % 2u; c < Q; c += 2u) { m = larger(m, larger(x[r * Q + c], x[r * Q + (c + 1u)])); }
  let largest = larger1(larger1(m.x, m.y), larger1(m.z, m.w));
  var sums = vec4f();
  for (var b = 0u; b < Q; b += 32u) {  // in blocks: a long sum in one chain rounds too often
    var part = vec4f();
    for (var c = b; c < min(b + 32u, Q); c++) {
      let e = exp(x[r * Q + c] - largest);
      if (!LOG) { powers[c] = e; }
      part += e;
    }
    sums += part;
  }
  let sum = (sums.x + sums.y) + (sums.z + sums.w);
  if (LOG) {
    let shift = log(sum);
    for (var c = 0u; c < Q; c++) { store4((r * Q + c) * 4u, checked((x[r * Q + c] - largest) - shift, largest)); }
  } else {
    let scale = 1.0 / sum;
    for (var c = 0u; c < Q; c++) { store4((r * Q + c) * 4u, checked(powers[c] * scale, largest)); }
  }
}
