// lstm_grad_core — the way back through all steps of an LSTM for a processor core.
// reads   dy: T x B x 2U, gradients of h and c after each step; pre: T x B x 4U, what went into the gates;
//         y: T x B x 2U, h and c after each step; start: 2 x B x U, both before the first; rt: 4U x U, the recurrent
//         kernel transposed; keep: T x B, 0 where a step left both as they were
// writes  dz: (T + 1) x B x 4U as vec4, gradients of `pre`; in the last row those of the first h and c, then 2U zeros
// grid    (ceil(B / ROWS), 1, 1): one workgroup of one thread has ROWS sequences
// shared  16 U (U + 7 + 2 (ROWS + 5)) bytes at most: rt in panels of eight columns, a step's gradients, those of h and c
// limits  U % 4 == 0.
// source  lstm_grad_thread, its products as in matmul_panel.
const STEPS: u32 = 3u;            // @param
const B: u32 = 2u;                // @param
const ROWS: u32 = 2u;             // @param
const U: u32 = 8u;                // @param
const Q: u32 = U / 4u;
const PANELS: u32 = (U + 7u) / 8u;
const WIDE: u32 = 2u * PANELS;    // a row of dh, in vectors

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> pre: array<vec4f>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read> start: array<vec4f>;
@group(0) @binding(4) var<storage, read> rt: array<vec4f>;
@group(0) @binding(5) var<storage, read> keep: array<i32>;
@group(0) @binding(6) var<storage, read_write> dz: array<vec4f>;
var<workgroup> panel: array<vec4f, PANELS * 8u * U>;
var<workgroup> d: array<f32, ROWS * 4u * U>;
var<workgroup> dh: array<vec4f, (ROWS + 5u) * WIDE>;
var<workgroup> dc: array<vec4f, ROWS * Q>;

fn store4(i: u32, v: vec4f) { dz[i / 4u] = v; }  // @hook

fn sigmoid(x: vec4f) -> vec4f {
  let e = exp(-abs(x));
  return select(e, vec4f(1.0), x >= vec4f(0.0)) / (1.0 + e);
}

fn tanh_(x: vec4f) -> vec4f { return tanh(clamp(x, vec4f(-15.0), vec4f(15.0))); }

fn put(base: u32, i: u32, v: vec4f) {
  store4(base + i, v);
  d[i] = v.x;
  d[i + 1u] = v.y;
  d[i + 2u] = v.z;
  d[i + 3u] = v.w;
}

// dh += d @ rt
fn recur(count: u32) {
  let last = count - 1u;
  for (var n = 0u; n < PANELS; n++) {
    for (var m = 0u; m < count; m += 6u) {
      let o = m * WIDE + 2u * n;
      var c0 = dh[o]; var c1 = dh[o + WIDE]; var c2 = dh[o + 2u * WIDE];
      var c3 = dh[o + 3u * WIDE]; var c4 = dh[o + 4u * WIDE]; var c5 = dh[o + 5u * WIDE];
      var d0 = dh[o + 1u]; var d1 = dh[o + WIDE + 1u]; var d2 = dh[o + 2u * WIDE + 1u];
      var d3 = dh[o + 3u * WIDE + 1u]; var d4 = dh[o + 4u * WIDE + 1u]; var d5 = dh[o + 5u * WIDE + 1u];
      let p0 = min(m, last) * 4u * U; let p1 = min(m + 1u, last) * 4u * U; let p2 = min(m + 2u, last) * 4u * U;
      let p3 = min(m + 3u, last) * 4u * U; let p4 = min(m + 4u, last) * 4u * U; let p5 = min(m + 5u, last) * 4u * U;
      for (var k = 0u; k < 4u * U; k += 4u) {
        for (var u = 0u; u < 4u; u++) {
          let left = panel[(n * 4u * U + k) * 2u + 2u * u];
          let right = panel[(n * 4u * U + k) * 2u + (2u * u + 1u)];
          let a0 = vec4f(d[p0 + k + u]); c0 += a0 * left; d0 += a0 * right;
          let a1 = vec4f(d[p1 + k + u]); c1 += a1 * left; d1 += a1 * right;
          let a2 = vec4f(d[p2 + k + u]); c2 += a2 * left; d2 += a2 * right;
          let a3 = vec4f(d[p3 + k + u]); c3 += a3 * left; d3 += a3 * right;
          let a4 = vec4f(d[p4 + k + u]); c4 += a4 * left; d4 += a4 * right;
          let a5 = vec4f(d[p5 + k + u]); c5 += a5 * left; d5 += a5 * right;
        }
      }
      dh[o] = c0; dh[o + WIDE] = c1; dh[o + 2u * WIDE] = c2;
      dh[o + 3u * WIDE] = c3; dh[o + 4u * WIDE] = c4; dh[o + 5u * WIDE] = c5;
      dh[o + 1u] = d0; dh[o + WIDE + 1u] = d1; dh[o + 2u * WIDE + 1u] = d2;
      dh[o + 3u * WIDE + 1u] = d3; dh[o + 4u * WIDE + 1u] = d4; dh[o + 5u * WIDE + 1u] = d5;
    }
  }
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let first = g.x * ROWS;
  let count = min(ROWS, B - first);
  for (var n = 0u; n < PANELS; n++) {
    for (var k = 0u; k < 4u * U; k++) {
      panel[(n * 4u * U + k) * 2u] = rt[k * Q + 2u * n];
      panel[(n * 4u * U + k) * 2u + 1u] = rt[k * Q + min(2u * n + 1u, Q - 1u)];
    }
  }
  for (var i = 0u; i < (ROWS + 5u) * WIDE; i++) { dh[i] = vec4f(); }
  for (var i = 0u; i < count * Q; i++) { dc[i] = vec4f(); }
  for (var back = 0u; back < STEPS; back++) {
    let t = STEPS - 1u - back;
    let base = (t * B + first) * 4u * U;
    for (var b = 0u; b < count; b++) {
      let row = t * B + first + b;
      let kept = vec4<bool>(keep[row] != 0);
      for (var q = 0u; q < Q; q++) {
        let at = row * U + q;
        let before = select(y[(row - B * min(t, 1u)) * 2u * Q + Q + q], start[(B + first + b) * Q + q], t == 0u);
        let i = sigmoid(pre[at]);
        let f = sigmoid(pre[at + Q]);
        let n = tanh_(pre[at + 2u * Q]);
        let o = sigmoid(pre[at + 3u * Q]);
        let c = tanh_(f * before + i * n);
        let gh = dh[b * WIDE + q] + dy[row * 2u * Q + q];
        let gc = dc[b * Q + q] + dy[row * 2u * Q + Q + q];
        let all = gc + gh * o * (1.0 - c * c);
        let s = b * 4u * U + 4u * q;
        put(base, s, select(vec4f(), all * n * i * (1.0 - i), kept));
        put(base, s + U, select(vec4f(), all * before * f * (1.0 - f), kept));
        put(base, s + 2u * U, select(vec4f(), all * i * (1.0 - n * n), kept));
        put(base, s + 3u * U, select(vec4f(), gh * c * o * (1.0 - o), kept));
        dh[b * WIDE + q] = select(gh, vec4f(), kept);
        dc[b * Q + q] = select(gc, all * f, kept);
      }
    }
    recur(count);
  }
  for (var b = 0u; b < count; b++) {
    for (var q = 0u; q < Q; q++) {
      let at = (STEPS * B + first + b) * 4u * U + 4u * q;
      store4(at, dh[b * WIDE + q]);
      store4(at + U, dc[b * Q + q]);
      store4(at + 2u * U, vec4f());
      store4(at + 3u * U, vec4f());
    }
  }
}
