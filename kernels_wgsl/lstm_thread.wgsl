// lstm_thread — all steps of an LSTM, one sequence a thread, no barrier: y[t, b] = (h, c) after step t.
// reads   z: T x B x 4U, inputs times kernel plus bias, gates in the order input, forget, candidate, output;
//         r: U x 4U; start: 2 x B x U, h and c before the first step; keep: T x B, 0 where a step leaves both as they are
// writes  y: T x B x 2U
// grid    (ceil(B / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size; 24 * U bytes of private memory a thread. For software adapters.
// source  Hochreiter and Schmidhuber 1997; Gers et al. 2000 (forget gate).
const STEPS: u32 = 3u;            // @param
const ROWS: u32 = 2u;             // @param
const U: u32 = 8u;                // @param
const WG: u32 = 4u;               // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> z: array<vec4f>;
@group(0) @binding(1) var<storage, read> r: array<vec4f>;
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

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let b = (g.y * X + g.x) * WG + l;
  if (b >= ROWS) { return; }
  var h: array<f32, U>;
  var c: array<f32, U>;
  var gate: array<f32, 4u * U>;
  for (var u = 0u; u < U; u++) {
    h[u] = start[b * U + u];
    c[u] = start[(ROWS + b) * U + u];
  }
  for (var t = 0u; t < STEPS; t++) {
    for (var j = 0u; j < U; j++) {
      var sum = z[(t * ROWS + b) * U + j];
      for (var k = 0u; k < U / 4u * 4u; k += 4u) {
        sum += h[k] * r[k * U + j];
        sum += h[k + 1u] * r[(k + 1u) * U + j];
        sum += h[k + 2u] * r[(k + 2u) * U + j];
        sum += h[k + 3u] * r[(k + 3u) * U + j];
      }
      for (var k = U / 4u * 4u; k < U; k++) { sum += h[k] * r[k * U + j]; }
      gate[4u * j] = sum.x;
      gate[4u * j + 1u] = sum.y;
      gate[4u * j + 2u] = sum.z;
      gate[4u * j + 3u] = sum.w;
    }
    let kept = keep[t * ROWS + b] != 0;
    for (var u = 0u; u < U; u++) {
      let now = sigmoid(gate[U + u]) * c[u] + sigmoid(gate[u]) * tanh_(gate[2u * U + u]);
      c[u] = select(c[u], now, kept);
      h[u] = select(h[u], sigmoid(gate[3u * U + u]) * tanh_(now), kept);
      let at = (t * ROWS + b) * 2u * U + u;
      store(at, h[u]);
      store(at + U, c[u]);
    }
  }
}
