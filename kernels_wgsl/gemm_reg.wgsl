// gemm_reg — y[out_index(z, m, n)] = sum_k load_a(z, m, k) * load_b(z, k, n); 4x4 outputs a thread, no barrier.
// reads   a, b: f32, only through load_a and load_b      writes  y: Z * M * N elements, f32
// grid    (ceil(Z * ceil(M/4) * ceil(N/4) / WG), 1, 1), folded into x and y by X        shared  none
// limits  any M, N, K >= 1. The hooks see m < M, k < K, n < N only, so they need no bounds test of their own.
// source  the fallback of the software-adapter family: any layout, any size, 2 multiply-adds a load.
const M: u32 = 8u;                // @param
const N: u32 = 8u;                // @param
const K: u32 = 8u;                // @param
const Z: u32 = 1u;                // @param
const WG: u32 = 16u;              // @param
const X: u32 = 65535u;            // @param
alias B = f32;                    // @param

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn load_a(z: u32, m: u32, k: u32) -> f32 { return a[(z * M + m) * K + k]; }  // @hook
fn load_b(z: u32, k: u32, n: u32) -> f32 { return b[(z * K + k) * N + n]; }  // @hook
fn out_index(z: u32, m: u32, n: u32) -> u32 { return (z * M + m) * N + n; }  // @hook
fn store(i: u32, v: f32) { y[i] = v; }  // @hook

fn put(z: u32, m: u32, n: u32, v: vec4f) {
  if (m < M) {
    store(out_index(z, m, n), v.x);
    if (n + 1u < N) { store(out_index(z, m, n + 1u), v.y); }
    if (n + 2u < N) { store(out_index(z, m, n + 2u), v.z); }
    if (n + 3u < N) { store(out_index(z, m, n + 3u), v.w); }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(local_invocation_index) l: u32) {
  let across = (N + 3u) / 4u;
  let t = (w.y * X + w.x) * WG + l;
  let down = (M + 3u) / 4u;
  let z = t / (across * down);
  let m = t / across % down * 4u;
  let n = t % across * 4u;
  if (z >= Z) { return; }
  let m1 = min(m + 1u, M - 1u);
  let m2 = min(m + 2u, M - 1u);
  let m3 = min(m + 3u, M - 1u);
  let n1 = min(n + 1u, N - 1u);
  let n2 = min(n + 2u, N - 1u);
  let n3 = min(n + 3u, N - 1u);
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  for (var k = 0u; k < K; k++) {
    let row = vec4f(load_b(z, k, n), load_b(z, k, n1), load_b(z, k, n2), load_b(z, k, n3));
    c0 += load_a(z, m, k) * row;
    c1 += load_a(z, m1, k) * row;
    c2 += load_a(z, m2, k) * row;
    c3 += load_a(z, m3, k) * row;
  }
  var out = array(c0, c1, c2, c3);
  for (var i = 0u; i < 4u; i++) { put(z, m + i, n, out[i]); }
}
