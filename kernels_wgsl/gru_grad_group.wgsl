// gru_grad_group — the way back through all steps of a GRU, one sequence a workgroup.
// reads   dy: T x B x U, gradients of h after each step; x: T x B x 3U and inner: T x B x 3U, what the inputs and the
//         state gave to the gates; y: T x B x U, h after each step; start: B x U, h before the first; rt: 3U x U, the
//         recurrent kernel transposed; keep: T x B, 0 where a step left h as it was
// writes  d: (T + 1) x B x 4U, gradients of update, reset and candidate in x, and of the candidate in inner (the other
//         two are the same); in the last row the gradient of the first h, then 3U zeros
// grid    (B, 1, 1), folded into x and y by X          shared  28 * U bytes
// limits  U up to 585 with 16 KiB of shared memory; any T and B.
// source  Cho et al. 2014; backpropagation through time.
const STEPS: u32 = 3u;            // @param
const ROWS: u32 = 2u;             // @param
const U: u32 = 8u;                // @param
const WG: u32 = 32u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> inner: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read> start: array<f32>;
@group(0) @binding(5) var<storage, read> rt: array<f32>;
@group(0) @binding(6) var<storage, read> keep: array<i32>;
@group(0) @binding(7) var<storage, read_write> d: array<f32>;

fn store(i: u32, v: f32) { d[i] = v; }  // @hook

// a NaN by its bits: exp and clamp may lose it
fn with_nan(y: f32, v: f32) -> f32 { return select(y, v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

fn sigmoid(v: f32) -> f32 {
  let e = exp(-abs(v));
  return with_nan(select(e, 1.0, v >= 0.0) / (1.0 + e), v);
}

fn tanh_(v: f32) -> f32 { return with_nan(tanh(clamp(v, -15.0, 15.0)), v); }

var<workgroup> dh: array<f32, U>;
var<workgroup> back: array<f32, 3u * U>;    // gradients of `inner`
var<workgroup> part: array<f32, 3u * U>;    // what each gate gives back to h

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let writes = g.y * X + g.x < ROWS;
  let b = min(g.y * X + g.x, ROWS - 1u);
  for (var u = l; u < U; u += WG) { dh[u] = 0.0; }
  workgroupBarrier();
  for (var step = 0u; step < STEPS; step++) {
    let t = STEPS - 1u - step;
    let row = t * ROWS + b;
    let kept = keep[row] != 0;
    for (var u = l; u < U; u += WG) {
      let before = select(y[(row - ROWS * min(t, 1u)) * U + u], start[b * U + u], t == 0u);
      let at = row * 3u * U + u;
      let z = sigmoid(x[at] + inner[at]);
      let s = sigmoid(x[at + U] + inner[at + U]);
      let n = tanh_(x[at + 2u * U] + s * inner[at + 2u * U]);
      let gh = dh[u] + dy[row * U + u];
      let dn = select(0.0, gh * (1.0 - z) * (1.0 - n * n), kept);
      back[u] = select(0.0, gh * (before - n) * z * (1.0 - z), kept);
      back[U + u] = dn * inner[at + 2u * U] * s * (1.0 - s);
      back[2u * U + u] = dn * s;
      dh[u] = select(gh, gh * z, kept);
      if (writes) {
        store(row * 4u * U + u, back[u]);
        store(row * 4u * U + U + u, back[U + u]);
        store(row * 4u * U + 2u * U + u, dn);
        store(row * 4u * U + 3u * U + u, dn * s);
      }
    }
    workgroupBarrier();
    for (var j = l; j < 3u * U; j += WG) {
      let first = j / U * U;
      var sum = 0.0;
      for (var k = 0u; k < U; k++) { sum = fma(back[first + k], rt[(first + k) * U + j % U], sum); }
      part[j] = sum;
    }
    workgroupBarrier();
    for (var u = l; u < U; u += WG) { dh[u] += part[u] + part[U + u] + part[2u * U + u]; }
    workgroupBarrier();
  }
  if (writes) {
    for (var u = l; u < U; u += WG) {
      let at = (STEPS * ROWS + b) * 4u * U + u;
      store(at, dh[u]);
      store(at + U, 0.0);
      store(at + 2u * U, 0.0);
      store(at + 3u * U, 0.0);
    }
  }
}
