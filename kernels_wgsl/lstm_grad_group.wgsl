// lstm_grad_group — the way back through all steps of an LSTM, one sequence a workgroup.
// reads   dy: T x B x 2U, gradients of h and c after each step; pre: T x B x 4U, what went into the gates;
//         y: T x B x 2U, h and c after each step; start: 2 x B x U, both before the first; rt: 4U x U, the recurrent
//         kernel transposed; keep: T x B, 0 where a step left both as they were
// writes  dz: (T + 1) x B x 4U, gradients of `pre`; in the last row those of the first h and c, then 2U zeros
// grid    (B, 1, 1), folded into x and y by X          shared  40 * U bytes
// limits  U up to 409 with 16 KiB of shared memory; any T and B.
// source  Hochreiter and Schmidhuber 1997; backpropagation through time.
const STEPS: u32 = 3u;            // @param
const ROWS: u32 = 2u;             // @param
const U: u32 = 8u;                // @param
const WG: u32 = 32u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> pre: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> start: array<f32>;
@group(0) @binding(4) var<storage, read> rt: array<f32>;
@group(0) @binding(5) var<storage, read> keep: array<i32>;
@group(0) @binding(6) var<storage, read_write> dz: array<f32>;

fn store(i: u32, v: f32) { dz[i] = v; }  // @hook

// a NaN by its bits: exp and clamp may lose it
fn with_nan(y: f32, v: f32) -> f32 { return select(y, v, (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u); }

fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return with_nan(select(e, 1.0, x >= 0.0) / (1.0 + e), x);
}

fn tanh_(x: f32) -> f32 { return with_nan(tanh(clamp(x, -15.0, 15.0)), x); }

var<workgroup> dh: array<f32, U>;
var<workgroup> dc: array<f32, U>;
var<workgroup> d: array<f32, 4u * U>;      // gradients of the gates' inputs
var<workgroup> part: array<f32, 4u * U>;   // what each gate gives back to h

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let writes = g.y * X + g.x < ROWS;
  let b = min(g.y * X + g.x, ROWS - 1u);
  for (var u = l; u < U; u += WG) {
    dh[u] = 0.0;
    dc[u] = 0.0;
  }
  workgroupBarrier();
  for (var back = 0u; back < STEPS; back++) {
    let t = STEPS - 1u - back;
    let row = t * ROWS + b;
    let kept = keep[row] != 0;
    for (var u = l; u < U; u += WG) {
      let before = select(y[(row - ROWS * min(t, 1u)) * 2u * U + U + u], start[(ROWS + b) * U + u], t == 0u);
      let i = sigmoid(pre[row * 4u * U + u]);
      let f = sigmoid(pre[row * 4u * U + U + u]);
      let n = tanh_(pre[row * 4u * U + 2u * U + u]);
      let o = sigmoid(pre[row * 4u * U + 3u * U + u]);
      let c = tanh_(f * before + i * n);
      let gh = dh[u] + dy[row * 2u * U + u];
      let gc = dc[u] + dy[row * 2u * U + U + u];
      let all = gc + gh * o * (1.0 - c * c);
      d[u] = select(0.0, all * n * i * (1.0 - i), kept);
      d[U + u] = select(0.0, all * before * f * (1.0 - f), kept);
      d[2u * U + u] = select(0.0, all * i * (1.0 - n * n), kept);
      d[3u * U + u] = select(0.0, gh * c * o * (1.0 - o), kept);
      dh[u] = select(gh, 0.0, kept);
      dc[u] = select(gc, all * f, kept);
    }
    workgroupBarrier();
    for (var j = l; j < 4u * U; j += WG) {
      if (writes) { store(row * 4u * U + j, d[j]); }
      let first = j / U * U;
      var sum = 0.0;
      for (var k = 0u; k < U; k++) { sum = fma(d[first + k], rt[(first + k) * U + j % U], sum); }
      part[j] = sum;
    }
    workgroupBarrier();
    for (var u = l; u < U; u += WG) { dh[u] += part[u] + part[U + u] + part[2u * U + u] + part[3u * U + u]; }
    workgroupBarrier();
  }
  if (writes) {
    for (var u = l; u < U; u += WG) {
      let at = (STEPS * ROWS + b) * 4u * U + u;
      store(at, dh[u]);
      store(at + U, dc[u]);
      store(at + 2u * U, 0.0);
      store(at + 3u * U, 0.0);
    }
  }
}
