// gru_group — all steps of a GRU, one sequence a workgroup: y[t, b] = h after step t.
// reads   x: T x B x 3U, inputs times kernel plus bias, gates in the order update, reset, candidate; r: U x 3U and
//         bias: 3U, of the state; start: B x U, h before the first step; keep: T x B, 0 where a step leaves it as it is
// writes  y: T x B x U
// grid    (B, 1, 1), folded into x and y by X          shared  16 * U bytes
// limits  U up to 1024 with 16 KiB of shared memory; any T and B.
// source  Cho et al. 2014; the reset gate acts after the product, as in cuDNN.
const STEPS: u32 = 3u;            // @param
const ROWS: u32 = 2u;             // @param
const U: u32 = 8u;                // @param
const WG: u32 = 32u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> r: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> start: array<f32>;
@group(0) @binding(4) var<storage, read> keep: array<i32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

// a NaN by its bits: exp and clamp may lose it
fn with_nan(y: f32, v: f32) -> f32 { return select(y, v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

fn sigmoid(v: f32) -> f32 {
  let e = exp(-abs(v));
  return with_nan(select(e, 1.0, v >= 0.0) / (1.0 + e), v);
}

fn tanh_(v: f32) -> f32 { return with_nan(tanh(clamp(v, -15.0, 15.0)), v); }

var<workgroup> h: array<f32, U>;
var<workgroup> inner: array<f32, 3u * U>;   // h times the recurrent kernel, plus its bias

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let writes = g.y * X + g.x < ROWS;
  let b = min(g.y * X + g.x, ROWS - 1u);
  for (var u = l; u < U; u += WG) { h[u] = start[b * U + u]; }
  workgroupBarrier();
  for (var t = 0u; t < STEPS; t++) {
    for (var j = l; j < 3u * U; j += WG) {
      var sum = bias[j];
      for (var k = 0u; k < U; k++) { sum = fma(h[k], r[k * 3u * U + j], sum); }
      inner[j] = sum;
    }
    workgroupBarrier();
    let at = (t * ROWS + b) * 3u * U;
    for (var u = l; u < U; u += WG) {
      let z = sigmoid(x[at + u] + inner[u]);
      let n = tanh_(x[at + 2u * U + u] + sigmoid(x[at + U + u] + inner[U + u]) * inner[2u * U + u]);
      h[u] = select(h[u], z * h[u] + (1.0 - z) * n, keep[t * ROWS + b] != 0);
      if (writes) { store((t * ROWS + b) * U + u, h[u]); }
    }
    workgroupBarrier();
  }
}
