// matmul_reg — y[z] = op(a[z]) @ op(b[z]); 8x8 outputs a thread, four steps of k at a time, no barrier.
// reads   a: Z x M x K (K x M when TA), b: Z x K x N (N x K when TB), f32 as vec4, b perhaps packed     writes  y: Z x M x N
// grid    (ceil(Z * ceil(M/8) * ceil(N/8) / WG), 1, 1), folded into x and y by X          shared  none
// limits  N % 4 == 0, K % 4 == 0, and M % 4 == 0 when TA. 4 multiply-adds a scalar loaded.
// source  measured: on a software adapter a barrier costs more than the loads it saves, and every load of a lane is
//         a gather, so the largest register tile wins; a 4x4 transpose there only renames registers.
const M: u32 = 8u;                // @param
const N: u32 = 8u;                // @param
const K: u32 = 8u;                // @param
const Z: u32 = 1u;                // @param
const TA: bool = false;           // @param
const TB: bool = false;           // @param
const WG: u32 = 16u;              // @param
const X: u32 = 65535u;            // @param
alias B = vec4f;                  // @param
const ROW: u32 = select(N, K, TB) / 4u;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook
fn four_b(r: u32, q: u32) -> vec4f { return b[r * ROW + q]; }  // @hook: the numbers 4 q … 4 q + 3 of row r of b

// result[i][q] = op(a)[m + i, k + q]; rows past the end repeat the last one and are never stored
fn block_a(z: u32, m: u32, k: u32) -> mat4x4f {
  if (TA) {
    let p = (z * K + k) * (M / 4u) + min(m, M - 4u) / 4u;
    return transpose(mat4x4f(a[p], a[p + M / 4u], a[p + M / 4u * 2u], a[p + M / 4u * 3u]));
  }
  let p = z * (M * (K / 4u)) + k / 4u;
  return mat4x4f(a[p + min(m, M - 1u) * (K / 4u)], a[p + min(m + 1u, M - 1u) * (K / 4u)],
                 a[p + min(m + 2u, M - 1u) * (K / 4u)], a[p + min(m + 3u, M - 1u) * (K / 4u)]);
}

// result[q][j] = op(b)[k + q, n + j]
fn block_b(z: u32, k: u32, n: u32) -> mat4x4f {
  if (TB) {
    let r = z * N + min(n, N - 4u);
    return transpose(mat4x4f(four_b(r, k / 4u), four_b(r + 1u, k / 4u), four_b(r + 2u, k / 4u), four_b(r + 3u, k / 4u)));
  }
  let r = z * K + k;
  let q = min(n, N - 4u) / 4u;
  return mat4x4f(four_b(r, q), four_b(r + 1u, q), four_b(r + 2u, q), four_b(r + 3u, q));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(local_invocation_index) l: u32) {
  let across = (N + 7u) / 8u;
  let t = (w.y * X + w.x) * WG + l;
  let down = (M + 7u) / 8u;
  let z = t / (across * down);
  let m = t / across % down * 8u;
  let n = t % across * 8u;
  if (z >= Z) { return; }
  var l0 = vec4f(); var l1 = vec4f(); var l2 = vec4f(); var l3 = vec4f();
  var l4 = vec4f(); var l5 = vec4f(); var l6 = vec4f(); var l7 = vec4f();
  var r0 = vec4f(); var r1 = vec4f(); var r2 = vec4f(); var r3 = vec4f();
  var r4 = vec4f(); var r5 = vec4f(); var r6 = vec4f(); var r7 = vec4f();
  for (var k = 0u; k < K; k += 4u) {
    let a0 = block_a(z, m, k);
    let a1 = block_a(z, m + 4u, k);
    let b0 = block_b(z, k, n);
    l0 += b0 * a0[0]; l1 += b0 * a0[1]; l2 += b0 * a0[2]; l3 += b0 * a0[3];
    l4 += b0 * a1[0]; l5 += b0 * a1[1]; l6 += b0 * a1[2]; l7 += b0 * a1[3];
    let b1 = block_b(z, k, n + 4u);
    r0 += b1 * a0[0]; r1 += b1 * a0[1]; r2 += b1 * a0[2]; r3 += b1 * a0[3];
    r4 += b1 * a1[0]; r5 += b1 * a1[1]; r6 += b1 * a1[2]; r7 += b1 * a1[3];
  }
  // one copy of store4 and the epilogue behind it, in a loop: sixteen take twice as long to compile
  var out = array(l0, r0, l1, r1, l2, r2, l3, r3, l4, r4, l5, r5, l6, r6, l7, r7);
  for (var i = 0u; i < 16u; i++) {
    let row = m + i / 2u;
    let column = n + i % 2u * 4u;
    if (row < M && column < N) { store4((z * M + row) * N + column, out[i]); }
  }
}
