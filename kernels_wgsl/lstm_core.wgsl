// lstm_core — all steps of an LSTM for a processor core: y[t, b] = (h, c) after step t.
// reads   z: T x B x 4U, inputs times kernel plus bias, gates in the order input, forget, candidate, output;
//         r: U x 4U; start: 2 x B x U, h and c before the first step; keep: T x B, 0 where a step leaves both as they are
// writes  y: T x B x 2U as vec4
// grid    (ceil(B / ROWS), 1, 1): one workgroup of one thread has ROWS sequences
// shared  16 U (U + ROWS + 5) + 8 U ROWS bytes: r in panels of eight columns, the gates of a step, h and c
// limits  U % 4 == 0.
// source  lstm_thread, its products as in matmul_panel.
const STEPS: u32 = 3u;            // @param
const B: u32 = 2u;                // @param
const ROWS: u32 = 2u;             // @param
const U: u32 = 8u;                // @param
const Q: u32 = U / 4u;

@group(0) @binding(0) var<storage, read> z: array<vec4f>;
@group(0) @binding(1) var<storage, read> r: array<vec4f>;
@group(0) @binding(2) var<storage, read> start: array<vec4f>;
@group(0) @binding(3) var<storage, read> keep: array<i32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
var<workgroup> panel: array<vec4f, U * U>;
var<workgroup> gate: array<vec4f, (ROWS + 5u) * U>;
var<workgroup> h: array<f32, ROWS * U>;
var<workgroup> c: array<vec4f, ROWS * Q>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn sigmoid(x: vec4f) -> vec4f {
  let e = exp(-abs(x));
  return select(e, vec4f(1.0), x >= vec4f(0.0)) / (1.0 + e);
}

fn tanh_(x: vec4f) -> vec4f { return tanh(clamp(x, vec4f(-15.0), vec4f(15.0))); }

fn keep_h(i: u32, v: vec4f) {
  h[i] = v.x;
  h[i + 1u] = v.y;
  h[i + 2u] = v.z;
  h[i + 3u] = v.w;
}

// the gates of a step before their functions: z + h @ r
fn gates(t: u32, first: u32, count: u32) {
  for (var n = 0u; n < U / 2u; n++) {
    for (var m = 0u; m < count; m += 6u) {
      let last = count - 1u;
      let s = (t * B + first) * U + 2u * n;
      let i0 = min(m, last); let i1 = min(m + 1u, last); let i2 = min(m + 2u, last);
      let i3 = min(m + 3u, last); let i4 = min(m + 4u, last); let i5 = min(m + 5u, last);
      var c0 = z[s + i0 * U]; var c1 = z[s + i1 * U]; var c2 = z[s + i2 * U];
      var c3 = z[s + i3 * U]; var c4 = z[s + i4 * U]; var c5 = z[s + i5 * U];
      var d0 = z[s + i0 * U + 1u]; var d1 = z[s + i1 * U + 1u]; var d2 = z[s + i2 * U + 1u];
      var d3 = z[s + i3 * U + 1u]; var d4 = z[s + i4 * U + 1u]; var d5 = z[s + i5 * U + 1u];
      let p0 = i0 * U; let p1 = i1 * U; let p2 = i2 * U; let p3 = i3 * U; let p4 = i4 * U; let p5 = i5 * U;
      for (var k = 0u; k < U; k += 4u) {
        for (var u = 0u; u < 4u; u++) {
          let left = panel[(n * U + k) * 2u + 2u * u];
          let right = panel[(n * U + k) * 2u + (2u * u + 1u)];
          let a0 = vec4f(h[p0 + k + u]); c0 += a0 * left; d0 += a0 * right;
          let a1 = vec4f(h[p1 + k + u]); c1 += a1 * left; d1 += a1 * right;
          let a2 = vec4f(h[p2 + k + u]); c2 += a2 * left; d2 += a2 * right;
          let a3 = vec4f(h[p3 + k + u]); c3 += a3 * left; d3 += a3 * right;
          let a4 = vec4f(h[p4 + k + u]); c4 += a4 * left; d4 += a4 * right;
          let a5 = vec4f(h[p5 + k + u]); c5 += a5 * left; d5 += a5 * right;
        }
      }
      let o = m * U + 2u * n;
      gate[o] = c0; gate[o + U] = c1; gate[o + 2u * U] = c2;
      gate[o + 3u * U] = c3; gate[o + 4u * U] = c4; gate[o + 5u * U] = c5;
      gate[o + 1u] = d0; gate[o + U + 1u] = d1; gate[o + 2u * U + 1u] = d2;
      gate[o + 3u * U + 1u] = d3; gate[o + 4u * U + 1u] = d4; gate[o + 5u * U + 1u] = d5;
    }
  }
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let first = g.x * ROWS;
  let count = min(ROWS, B - first);
  for (var n = 0u; n < U / 2u; n++) {
    for (var k = 0u; k < U; k++) {
      panel[(n * U + k) * 2u] = r[k * U + 2u * n];
      panel[(n * U + k) * 2u + 1u] = r[k * U + 2u * n + 1u];
    }
  }
  for (var i = 0u; i < count * Q; i++) {
    keep_h(4u * i, start[first * Q + i]);
    c[i] = start[(B + first) * Q + i];
  }
  for (var t = 0u; t < STEPS; t++) {
    gates(t, first, count);
    for (var b = 0u; b < count; b++) {
      let kept = vec4<bool>(keep[t * B + first + b] != 0);
      for (var q = 0u; q < Q; q++) {
        let i = b * Q + q;
        let o = b * U + q;
        let before = vec4f(h[4u * i], h[4u * i + 1u], h[4u * i + 2u], h[4u * i + 3u]);
        let now = sigmoid(gate[o + Q]) * c[i] + sigmoid(gate[o]) * tanh_(gate[o + 2u * Q]);
        let after = select(before, sigmoid(gate[o + 3u * Q]) * tanh_(now), kept);
        c[i] = select(c[i], now, kept);
        keep_h(4u * i, after);
        let at = (t * B + first + b) * 2u * U + 4u * q;
        store4(at, after);
        store4(at + U, c[i]);
      }
    }
  }
}
