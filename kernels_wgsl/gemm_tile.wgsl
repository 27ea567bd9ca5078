// gemm_tile — y[out_index(z, m, n)] = sum_k load_a(z, m, k) * load_b(z, k, n); shared-memory tiles, 4x4 outputs a thread.
// reads   a, b: f32, only through load_a and load_b      writes  y: Z * M * N elements, f32
// grid    (Z * ceil(M / (4 TY)) * ceil(N / (4 TX)), 1, 1), folded into x and y by X          shared  4 * BK * 4 * (TX + TY) bytes
// limits  any M, N, K >= 1; TX * TY <= 256, shared <= 16 KiB. The hooks see m < M, k < K, n < N only.
//         A_ALONG_K, B_ALONG_K: which index of the operand is contiguous, so that neighbouring threads load neighbours.
//         WHOLE promises that M, N and K are multiples of the tile's sizes.
// source  Volkov & Demmel 2008, "Benchmarking GPUs to tune dense linear algebra": for small products.
const M: u32 = 64u;               // @param
const N: u32 = 64u;               // @param
const K: u32 = 64u;               // @param
const Z: u32 = 1u;                // @param
const TX: u32 = 8u;               // @param
const TY: u32 = 8u;               // @param
const BK: u32 = 16u;              // @param
const A_ALONG_K: bool = true;     // @param
const B_ALONG_K: bool = false;    // @param
const WHOLE: bool = false;        // @param
const X: u32 = 65535u;            // @param
alias B = f32;                    // @param
const LINES: u32 = TX * TY;
const QA: u32 = TY * 1u;           // groups of four rows in the tile of a
const QB: u32 = TX * 1u;           // groups of four columns in the tile of b

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn load_a(z: u32, m: u32, k: u32) -> f32 { return a[(z * M + m) * K + k]; }  // @hook
fn load_b(z: u32, k: u32, n: u32) -> f32 { return b[(z * K + k) * N + n]; }  // @hook
fn out_index(z: u32, m: u32, n: u32) -> u32 { return (z * M + m) * N + n; }  // @hook
fn store(i: u32, v: f32) { y[i] = v; }  // @hook

var<workgroup> tile_a: array<vec4f, BK * QA>;  // tile_a[k * QA + q]: rows 4 q .. 4 q + 3 at step k
var<workgroup> tile_b: array<vec4f, BK * QB>;

fn at_a(z: u32, m: u32, k: u32) -> f32 {
  if (WHOLE || (m < M && k < K)) { return load_a(z, m, k); }
  return 0.0;
}

fn at_b(z: u32, k: u32, n: u32) -> f32 {
  if (WHOLE || (k < K && n < N)) { return load_b(z, k, n); }
  return 0.0;
}

fn put(z: u32, m: u32, n: u32, v: vec4f) {
  if (m < M) {
    if (n < N) { store(out_index(z, m, n), v.x); }
    if (n + 1u < N) { store(out_index(z, m, n + 1u), v.y); }
    if (n + 2u < N) { store(out_index(z, m, n + 2u), v.z); }
    if (n + 3u < N) { store(out_index(z, m, n + 3u), v.w); }
  }
}

@compute @workgroup_size(TX, TY)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(local_invocation_id) l: vec3u, @builtin(local_invocation_index) t: u32) {
  let across = (N + QB * 4u - 1u) / (QB * 4u);
  let down = (M + QA * 4u - 1u) / (QA * 4u);
  let g = w.y * X + w.x;
  let n0 = g % across * (QB * 4u);
  let m0 = select(M, g / across % down * (QA * 4u), g < Z * across * down);  // past the end: loads and stores nothing
  let z = min(g / (across * down), Z - 1u);
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  for (var k0 = 0u; k0 < K; k0 += BK) {
    for (var i = t; i < BK * QA; i += LINES) {
      let k = select(i / QA, i % BK, A_ALONG_K);
      let q = select(i % QA, i / BK, A_ALONG_K);
      let m = m0 + q * 4u;
      tile_a[k * QA + q] = vec4f(at_a(z, m, k0 + k), at_a(z, m + 1u, k0 + k), at_a(z, m + 2u, k0 + k), at_a(z, m + 3u, k0 + k));
    }
    for (var i = t; i < BK * QB; i += LINES) {
      let k = select(i / QB, i % BK, B_ALONG_K);
      let q = select(i % QB, i / BK, B_ALONG_K);
      let n = n0 + q * 4u;
      tile_b[k * QB + q] = vec4f(at_b(z, k0 + k, n), at_b(z, k0 + k, n + 1u), at_b(z, k0 + k, n + 2u), at_b(z, k0 + k, n + 3u));
    }
    workgroupBarrier();
    for (var k = 0u; k < BK; k++) {
      let a0 = tile_a[k * QA + l.y];
      let b0 = tile_b[k * QB + l.x];
      c0 += a0.x * b0; c1 += a0.y * b0; c2 += a0.z * b0; c3 += a0.w * b0;
    }
    workgroupBarrier();
  }
  var out = array(c0, c1, c2, c3);
  for (var i = 0u; i < 4u; i++) { put(z, m0 + l.y * 4u + i, n0 + l.x * 4u, out[i]); }
}
