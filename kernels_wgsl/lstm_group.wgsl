// lstm_group — all steps of an LSTM, one sequence a workgroup: y[t, b] = (h, c) after step t.
// reads   z: T x B x 4U, inputs times kernel plus bias, gates in the order input, forget, candidate, output;
//         r: U x 4U; start: 2 x B x U, h and c before the first step; keep: T x B, 0 where a step leaves both as they are
// writes  y: T x B x 2U
// grid    (B, 1, 1), folded into x and y by X          shared  24 * U bytes
// limits  U up to 682 with 16 KiB of shared memory; any T and B.
// source  Hochreiter and Schmidhuber 1997; Gers et al. 2000 (forget gate).
const STEPS: u32 = 3u;            // @param
const ROWS: u32 = 2u;             // @param
const U: u32 = 8u;                // @param
const WG: u32 = 32u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> z: array<f32>;
@group(0) @binding(1) var<storage, read> r: array<f32>;
@group(0) @binding(2) var<storage, read> start: array<f32>;
@group(0) @binding(3) var<storage, read> keep: array<i32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

// a NaN by its bits: exp and clamp may lose it
fn with_nan(y: f32, v: f32) -> f32 { return select(y, v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return with_nan(select(e, 1.0, x >= 0.0) / (1.0 + e), x);
}

fn tanh_(x: f32) -> f32 { return with_nan(tanh(clamp(x, -15.0, 15.0)), x); }

var<workgroup> h: array<f32, U>;
var<workgroup> c: array<f32, U>;
var<workgroup> gate: array<f32, 4u * U>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let writes = g.y * X + g.x < ROWS;
  let b = min(g.y * X + g.x, ROWS - 1u);
  for (var u = l; u < U; u += WG) {
    h[u] = start[b * U + u];
    c[u] = start[(ROWS + b) * U + u];
  }
  workgroupBarrier();
  for (var t = 0u; t < STEPS; t++) {
    for (var j = l; j < 4u * U; j += WG) {
      var sum = z[(t * ROWS + b) * 4u * U + j];
      for (var k = 0u; k < U; k++) { sum = fma(h[k], r[k * 4u * U + j], sum); }
      if (j / U == 2u) { gate[j] = tanh_(sum); } else { gate[j] = sigmoid(sum); }
    }
    workgroupBarrier();
    let kept = keep[t * ROWS + b] != 0;
    for (var u = l; u < U; u += WG) {
      let now = gate[U + u] * c[u] + gate[u] * gate[2u * U + u];
      c[u] = select(c[u], now, kept);
      h[u] = select(h[u], gate[3u * U + u] * tanh_(now), kept);
      if (writes) {
        let at = (t * ROWS + b) * 2u * U + u;
        store(at, h[u]);
        store(at + U, c[u]);
      }
    }
    workgroupBarrier();
  }
}
