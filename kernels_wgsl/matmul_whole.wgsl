// matmul_whole — y = a @ op(b) of whole numbers on one processor core: two products in each lane at once, R x 8 sums in registers.
// reads   a: M x K, f32, whole numbers from -128 to 127; b: words with such numbers of K x N (N x K when TB), only through pair_b
// writes  y: M x N as vec4f
// grid    (ceil(M / BLOCK) * ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has BLOCK rows and COLS columns
// shared  128 * ceil(K/8) bytes: eight columns of b, and 16 * BLOCK * ceil(K/8): rows of a; numbers k and k + 4 of each eight in a word
// limits  N % 4 == 0; sums stay within 32 bits, as those of K <= 131071 do; COLS is N or a multiple of 8; R divides BLOCK.
// source  matmul_panel, with the multiply-add of 16-bit pairs that processors have since MMX (i32x4.dot_i16x8_s in WebAssembly).
const M: u32 = 8u;                // @param
const N: u32 = 8u;                // @param
const K: u32 = 8u;                // @param
const R: u32 = 6u;                // @param
const LANES: bool = false;        // @param   as in matmul_panel
const BLOCK: u32 = 240u;          // @param
const COLS: u32 = 8u;             // @param
const X: u32 = 65535u;            // @param
const DOWN: u32 = (M + BLOCK - 1u) / BLOCK;
const ACROSS: u32 = (N + COLS - 1u) / COLS;
const OCTETS: u32 = (K + 7u) / 8u;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> panel: array<vec4<i32>, 8u * OCTETS>;
var<workgroup> rows: array<vec4<i32>, BLOCK * OCTETS>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook
// of columns n … n + 3: numbers 8 o + j and 8 o + j + 4 in the halves of a word; past the end of K anything, since it meets zeros
fn pair_b(o: u32, j: u32, n: u32) -> vec4<i32> { return vec4<i32>(b[(8u * o + j) * N + n]); }  // @hook

// products of both halves, added: one instruction in WebAssembly, where this is its name (pyml/wasm/builtins.py)
fn dot_i16x8(p: vec4<i32>, q: vec4<i32>) -> vec4<i32> {
  let s = vec4<u32>(16u);
  return ((p << s) >> s) * ((q << s) >> s) + (p >> s) * (q >> s);
}

fn apart() {}  // as in matmul_panel

fn four_a(m: u32, k: u32) -> vec4f {
  let p = m * K + k;
  if (K % 8u == 0u || k + 4u <= K) { return vec4f(a[p], a[p + 1u], a[p + 2u], a[p + 3u]); }
  var v = vec4f();
  if (k < K) { v.x = a[p]; }
  if (k + 1u < K) { v.y = a[p + 1u]; }
  if (k + 2u < K) { v.z = a[p + 2u]; }
  return v;
}

fn put(m: u32, n: u32, l: vec4<i32>, r: vec4<i32>) {
  store4(m * N + n, vec4f(l));
  if (n + 4u < N) { store4(m * N + n + 4u, vec4f(r)); }
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) w: vec3u) {
  let t = w.y * X + w.x;
  if (t >= DOWN * ACROSS) { return; }
  let first = t / ACROSS * BLOCK;
  let limit = min(first + BLOCK, M);
  let magic = vec4f(12582912.0);  // 3 * 2^22: added to it, a whole number is the lowest bits of the sum
  for (var m = first; m < limit; m++) {
    for (var o = 0u; o < OCTETS; o++) {
      let low = bitcast<vec4<i32>>(four_a(m, 8u * o) + magic) & vec4<i32>(65535);
      let high = bitcast<vec4<i32>>(four_a(m, 8u * o + 4u) + magic) << vec4<u32>(16u);
      rows[(m - first) * OCTETS + o] = low | high;
    }
  }
  let left = select(t % ACROSS * COLS, 0u, ACROSS == 1u);
  for (var n = left; n < select(min(left + COLS, N), N, ACROSS == 1u); n += 8u) {
    for (var o = 0u; o < OCTETS; o++) {
      for (var j = 0u; j < 4u; j++) {
        panel[8u * o + 2u * j] = pair_b(o, j, n);
        panel[8u * o + (2u * j + 1u)] = pair_b(o, j, min(n + 4u, N - 4u));
      }
    }
    for (var m = first; m < limit; m += R) {
      var c: array<vec4<i32>, R>;
      var d: array<vec4<i32>, R>;
      for (var i = 0u; i < R; i++) { c[i] = vec4<i32>(); d[i] = vec4<i32>(); }  // wgpu's compiler begins them once, not in each round
      let last = min(limit - 1u - m, R - 1u);
      var p: array<u32, R>;
      for (var i = 0u; i < R; i++) { p[i] = (m - first + min(i, last)) * OCTETS; }
      for (var o = 0u; o < 8u * OCTETS; o += 8u) {
        var v: array<vec4<i32>, R>;
        if (LANES) {
          for (var i = 0u; i < R; i++) { v[i] = rows[p[i]]; }
        }
        for (var j = 0u; j < 4u; j++) {
          if (j > 0u) { apart(); }
          let l = panel[o + 2u * j];
          let r = panel[o + (2u * j + 1u)];
          if (LANES) {
            for (var i = 0u; i < R; i++) { let x = vec4<i32>(v[i][j]); c[i] += dot_i16x8(x, l); d[i] += dot_i16x8(x, r); }
          } else {
            for (var i = 0u; i < R; i++) { let x = vec4<i32>(rows[p[i]][j]); c[i] += dot_i16x8(x, l); d[i] += dot_i16x8(x, r); }
          }
        }
        for (var i = 0u; i < R; i++) { p[i] += 1u; }
      }
      var l: array<vec4<i32>, R>;
      var r: array<vec4<i32>, R>;
      for (var i = 0u; i < R; i++) { l[i] = c[i]; r[i] = d[i]; }
      for (var i = 0u; i <= last; i++) { put(m + i, n, l[i], r[i]); }  // as in matmul_panel
    }
  }
}
