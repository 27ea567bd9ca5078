// gemm_tile_four — y[out_index(z, m, n)] = sum_k a(z, m, k) * b(z, k, n), operands in vectors; shared-memory tiles, 8x8 outputs a thread.
// reads   a, b: f32 as vec4, only through load_a and load_b: four numbers from there on along k (A_ALONG_K, B_ALONG_K), else m or n
// writes  y: Z * M * N elements, f32
// grid    (Z * ceil(M / (8 TY)) * ceil(N / (8 TX)), 1, 1), folded into x and y by X          shared  16 * SIZE bytes
// limits  M, N, K >= 1, those along which operands are read multiples of 4; S * BK * STEPS >= K. TX * TY * S <= 256;
//         BK a multiple of 4, BK * (TX + TY) <= 2 TX TY; SIZE >= S * max(2 BK (TX + TY), 4 TX TY). The hooks see m < M, k < K, n < N only.
// source  Volkov & Demmel 2008, "Benchmarking GPUs to tune dense linear algebra": each value in shared memory feeds eight multiply-adds.
//         Each of S slices of a workgroup adds up its own part of k, so that few outputs still fill a GPU.
const M: u32 = 64u;               // @param
const N: u32 = 64u;               // @param
const K: u32 = 64u;               // @param
const Z: u32 = 1u;                // @param
const TX: u32 = 8u;               // @param
const TY: u32 = 8u;               // @param
const S: u32 = 1u;                // @param
const BK: u32 = 8u;               // @param
const STEPS: u32 = 8u;            // @param
const SIZE: u32 = 256u;           // @param
const A_ALONG_K: bool = true;     // @param
const B_ALONG_K: bool = false;    // @param
const X: u32 = 65535u;            // @param
alias B = vec4f;                  // @param
const LINES: u32 = TX * TY;
const QA: u32 = TY * 2u;           // groups of four rows in the tile of a
const QB: u32 = TX * 2u;           // groups of four columns in the tile of b
const QK: u32 = BK / 4u;

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn load_a(z: u32, m: u32, k: u32) -> vec4f { return a[((z * M + m) * K + k) / 4u]; }  // @hook
fn load_b(z: u32, k: u32, n: u32) -> vec4f { return b[((z * K + k) * N + n) / 4u]; }  // @hook
fn out_index(z: u32, m: u32, n: u32) -> u32 { return (z * M + m) * N + n; }  // @hook
fn store(i: u32, v: f32) { y[i] = v; }  // @hook

// a slice's tile of a, step by step of k: rows 4 q .. 4 q + 3 at k * QA + q; then that of b
var<workgroup> tile: array<vec4f, SIZE>;

// one line of a thread's share of the next tiles: of a from row p on, or of b from column p on
fn line(of_a: bool, z: u32, p: u32, k: u32) -> vec4f {
  if (of_a) {
    if (p < M && k < K) { return load_a(z, p, k); }
    return vec4f();
  }
  if (p < N && k < K) { return load_b(z, k, p); }
  return vec4f();
}

@compute @workgroup_size(TX, TY, S)
fn main(@builtin(workgroup_id) w: vec3u, @builtin(local_invocation_id) l: vec3u, @builtin(local_invocation_index) t: u32) {
  let across = (N + QB * 4u - 1u) / (QB * 4u);
  let down = (M + QA * 4u - 1u) / (QA * 4u);
  let g = w.y * X + w.x;
  let n0 = g % across * (QB * 4u);
  let m0 = select(M, g / across % down * (QA * 4u), g < Z * across * down);  // past the end: loads and stores nothing
  let z = min(g / (across * down), Z - 1u);
  let lane = l.y * TX + l.x;
  let first = l.z * BK * (QA + QB);
  // four lines of four are a thread's share of the tiles: as they lie in memory when they come, and as steps of k when they are kept
  let of_a = lane < QK * QA;
  let loads = lane < QK * (QA + QB);
  let along_k = select(B_ALONG_K, A_ALONG_K, of_a);
  let wide = select(QB, QA, of_a);
  let i = select(lane - QK * QA, lane, of_a);
  let q = select(i % wide, i / QK, along_k);
  let step = 4u * select(i / wide, i % QK, along_k);
  let place = first + select(BK * QA, 0u, of_a) + step * wide + q;
  let p = select(n0, m0, of_a) + 4u * q;
  let dp = select(0u, 1u, along_k);
  let dk = 1u - dp;
  var k = l.z * STEPS * BK + step;
  var h0 = vec4f();
  var h1 = vec4f();
  var h2 = vec4f();
  var h3 = vec4f();
  let pa = first + l.y;
  let pb = first + BK * QA + l.x;
  var c00 = vec4f();
  var c10 = vec4f();
  var c20 = vec4f();
  var c30 = vec4f();
  var c40 = vec4f();
  var c50 = vec4f();
  var c60 = vec4f();
  var c70 = vec4f();
  var c01 = vec4f();
  var c11 = vec4f();
  var c21 = vec4f();
  var c31 = vec4f();
  var c41 = vec4f();
  var c51 = vec4f();
  var c61 = vec4f();
  var c71 = vec4f();
  for (var turn = 0u; turn <= STEPS; turn++) {
    if (loads && turn < STEPS) {  // on their way while the products of the tiles before are added up
      h0 = line(of_a, z, p, k);
      h1 = line(of_a, z, p + dp, k + dk);
      h2 = line(of_a, z, p + 2u * dp, k + 2u * dk);
      h3 = line(of_a, z, p + 3u * dp, k + 3u * dk);
      k += BK;
    }
    for (var j = select(0u, BK, turn == 0u); j < BK; j += 4u) {  // written out: drivers may not unroll it
      {
        let a0 = tile[pa + j * QA];
        let a1 = tile[pa + j * QA + TY];
        let b0 = tile[pb + j * QB];
        let b1 = tile[pb + j * QB + TX];
        c00 = fma(vec4f(a0.x), b0, c00); c10 = fma(vec4f(a0.y), b0, c10);
        c20 = fma(vec4f(a0.z), b0, c20); c30 = fma(vec4f(a0.w), b0, c30);
        c40 = fma(vec4f(a1.x), b0, c40); c50 = fma(vec4f(a1.y), b0, c50);
        c60 = fma(vec4f(a1.z), b0, c60); c70 = fma(vec4f(a1.w), b0, c70);
        c01 = fma(vec4f(a0.x), b1, c01); c11 = fma(vec4f(a0.y), b1, c11);
        c21 = fma(vec4f(a0.z), b1, c21); c31 = fma(vec4f(a0.w), b1, c31);
        c41 = fma(vec4f(a1.x), b1, c41); c51 = fma(vec4f(a1.y), b1, c51);
        c61 = fma(vec4f(a1.z), b1, c61); c71 = fma(vec4f(a1.w), b1, c71);
      }
      {
        let a0 = tile[pa + (j + 1u) * QA];
        let a1 = tile[pa + (j + 1u) * QA + TY];
        let b0 = tile[pb + (j + 1u) * QB];
        let b1 = tile[pb + (j + 1u) * QB + TX];
        c00 = fma(vec4f(a0.x), b0, c00); c10 = fma(vec4f(a0.y), b0, c10);
        c20 = fma(vec4f(a0.z), b0, c20); c30 = fma(vec4f(a0.w), b0, c30);
        c40 = fma(vec4f(a1.x), b0, c40); c50 = fma(vec4f(a1.y), b0, c50);
        c60 = fma(vec4f(a1.z), b0, c60); c70 = fma(vec4f(a1.w), b0, c70);
        c01 = fma(vec4f(a0.x), b1, c01); c11 = fma(vec4f(a0.y), b1, c11);
        c21 = fma(vec4f(a0.z), b1, c21); c31 = fma(vec4f(a0.w), b1, c31);
        c41 = fma(vec4f(a1.x), b1, c41); c51 = fma(vec4f(a1.y), b1, c51);
        c61 = fma(vec4f(a1.z), b1, c61); c71 = fma(vec4f(a1.w), b1, c71);
      }
      {
        let a0 = tile[pa + (j + 2u) * QA];
        let a1 = tile[pa + (j + 2u) * QA + TY];
        let b0 = tile[pb + (j + 2u) * QB];
        let b1 = tile[pb + (j + 2u) * QB + TX];
        c00 = fma(vec4f(a0.x), b0, c00); c10 = fma(vec4f(a0.y), b0, c10);
        c20 = fma(vec4f(a0.z), b0, c20); c30 = fma(vec4f(a0.w), b0, c30);
        c40 = fma(vec4f(a1.x), b0, c40); c50 = fma(vec4f(a1.y), b0, c50);
        c60 = fma(vec4f(a1.z), b0, c60); c70 = fma(vec4f(a1.w), b0, c70);
        c01 = fma(vec4f(a0.x), b1, c01); c11 = fma(vec4f(a0.y), b1, c11);
        c21 = fma(vec4f(a0.z), b1, c21); c31 = fma(vec4f(a0.w), b1, c31);
        c41 = fma(vec4f(a1.x), b1, c41); c51 = fma(vec4f(a1.y), b1, c51);
        c61 = fma(vec4f(a1.z), b1, c61); c71 = fma(vec4f(a1.w), b1, c71);
      }
      {
        let a0 = tile[pa + (j + 3u) * QA];
        let a1 = tile[pa + (j + 3u) * QA + TY];
        let b0 = tile[pb + (j + 3u) * QB];
        let b1 = tile[pb + (j + 3u) * QB + TX];
        c00 = fma(vec4f(a0.x), b0, c00); c10 = fma(vec4f(a0.y), b0, c10);
        c20 = fma(vec4f(a0.z), b0, c20); c30 = fma(vec4f(a0.w), b0, c30);
        c40 = fma(vec4f(a1.x), b0, c40); c50 = fma(vec4f(a1.y), b0, c50);
        c60 = fma(vec4f(a1.z), b0, c60); c70 = fma(vec4f(a1.w), b0, c70);
        c01 = fma(vec4f(a0.x), b1, c01); c11 = fma(vec4f(a0.y), b1, c11);
        c21 = fma(vec4f(a0.z), b1, c21); c31 = fma(vec4f(a0.w), b1, c31);
        c41 = fma(vec4f(a1.x), b1, c41); c51 = fma(vec4f(a1.y), b1, c51);
        c61 = fma(vec4f(a1.z), b1, c61); c71 = fma(vec4f(a1.w), b1, c71);
      }
    }
    workgroupBarrier();
    if (loads) {
      var steps = mat4x4f(h0, h1, h2, h3);
      if (along_k) { steps = transpose(steps); }
      tile[place] = steps[0];
      tile[place + wide] = steps[1];
      tile[place + 2u * wide] = steps[2];
      tile[place + 3u * wide] = steps[3];
    }
    workgroupBarrier();
  }
  // through shared memory: the slices' sums meet there, and neighbouring threads store neighbours
  var out = array(c00, c10, c20, c30, c40, c50, c60, c70, c01, c11, c21, c31, c41, c51, c61, c71);
  for (var part = 0u; part < 4u; part++) {
    for (var j = 0u; j < 4u; j++) { tile[(l.z * 4u + j) * LINES + lane] = out[part * 4u + j]; }
    workgroupBarrier();
    for (var e = t; e < 16u * LINES; e += LINES * S) {
      let row = e / (4u * TX);
      let column = e % (4u * TX);
      let at = row % 4u * LINES + row / 4u * TX + column / 4u;
      var v = tile[at][column % 4u];
      for (var s = 1u; s < S; s++) { v += tile[4u * LINES * s + at][column % 4u]; }
      let m = m0 + part % 2u * (4u * TY) + row;
      let n = n0 + part / 2u * (4u * TX) + column;
      if (m < M && n < N) { store(out_index(z, m, n), v); }
    }
    workgroupBarrier();
  }
}
