// matmul_panel — y[z] = op(a[z]) @ op(b[z]) on one processor core: 6x8 outputs in registers, b packed in panels.
// reads   a: Z x M x K (K x M when TA), f32, b: Z x K x N (N x K when TB), f32 or packed     writes  y: Z x M x N as vec4
// grid    (Z * ceil(M / BLOCK) * ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has BLOCK
//         rows and COLS columns
// shared  32 * K bytes: eight columns of b, row by row, so that the inner loop reads them in a line;
//         when PACK 4 * (BLOCK + 5) * K more: the rows of op(a) six by six
// limits  N % 4 == 0; COLS is N or a multiple of 8; U divides K.
// source  the loop order of Goto and van de Geijn 2008; 12 sums, 2 vectors of b and 1 of a fill the 16 registers.
const M: u32 = 8u;                // @param
const N: u32 = 8u;                // @param
const K: u32 = 8u;                // @param
const Z: u32 = 1u;                // @param
const TA: bool = false;           // @param
const TB: bool = false;           // @param
const PACK: bool = false;         // @param
const BLOCK: u32 = 240u;          // @param
const COLS: u32 = 8u;             // @param
const U: u32 = 4u;                // @param
const X: u32 = 65535u;            // @param
alias B = f32;                    // @param
const DOWN: u32 = (M + BLOCK - 1u) / BLOCK;
const ACROSS: u32 = (N + COLS - 1u) / COLS;
const RA: u32 = select(K, 1u, TA || PACK);               // from one row of op(a) to the next
const CA: u32 = select(select(1u, M, TA), 6u, PACK);     // from one column to the next
const ROWS: u32 = select(1u, (BLOCK + 5u) * K, PACK);

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> panel: array<vec4f, 2u * K>;
var<workgroup> rows: array<f32, ROWS>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook
// row r of b: its numbers n … n + 3, or number k; hooks take packed numbers apart
fn four_b(r: u32, n: u32) -> vec4f { let p = r * N + n; return vec4f(b[p], b[p + 1u], b[p + 2u], b[p + 3u]); }  // @hook
fn one_b(r: u32, k: u32) -> f32 { return b[r * K + k]; }  // @hook

fn four(z: u32, k: u32, n: u32) -> vec4f {
  let m = min(n, N - 4u);
  if (TB) {
    let r = z * N + m;
    return vec4f(one_b(r, k), one_b(r + 1u, k), one_b(r + 2u, k), one_b(r + 3u, k));
  }
  return four_b(z * K + k, m);
}

fn one(i: u32) -> f32 {
  if (PACK) { return rows[i]; }
  return a[i];
}

// copies rows start … limit - 1 of op(a): six of them in a line for every column, the last ones repeated
fn pack(z: u32, start: u32, limit: u32) {
  for (var m = start; m < limit; m += 6u) {
    for (var k = 0u; k < K; k++) {
      for (var i = 0u; i < 6u; i++) {
        let row = min(m + i, limit - 1u);
        rows[((m - start) / 6u * K + k) * 6u + i] = a[z * (M * K) + select(row * K + k, k * M + row, TA)];
      }
    }
  }
}

fn put(z: u32, m: u32, n: u32, l: vec4f, r: vec4f) {
  store4((z * M + m) * N + n, l);
  if (n + 4u < N) { store4((z * M + m) * N + n + 4u, r); }
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) w: vec3u) {
  let t = w.y * X + w.x;
  let z = t / (DOWN * ACROSS);
  if (z >= Z) { return; }
  let first = t / ACROSS % DOWN * BLOCK;
  let limit = min(first + BLOCK, M);
  if (PACK) { pack(z, first, limit); }
  let left = select(t % ACROSS * COLS, 0u, ACROSS == 1u);
  for (var n = left; n < select(min(left + COLS, N), N, ACROSS == 1u); n += 8u) {
    for (var k = 0u; k < K; k++) {
      panel[2u * k] = four(z, k, n);
      panel[2u * k + 1u] = four(z, k, n + 4u);
    }
    for (var m = first; m < limit; m += 6u) {
      var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f(); var c4 = vec4f(); var c5 = vec4f();
      var d0 = vec4f(); var d1 = vec4f(); var d2 = vec4f(); var d3 = vec4f(); var d4 = vec4f(); var d5 = vec4f();
      let start = select(z * (M * K) + m * RA, (m - first) * K, PACK);
      let last = min(limit - 1u - m, 5u);
      let far = select(last, 5u, PACK);
      var p0 = start;
      var p1 = start + min(1u, far) * RA;
      var p2 = start + min(2u, far) * RA;
      var p3 = start + min(3u, far) * RA;
      var p4 = start + min(4u, far) * RA;
      var p5 = start + min(5u, far) * RA;
      for (var k = 0u; k < 2u * K; k += 2u * U) {
        for (var u = 0u; u < U; u++) {
          let l = panel[k + 2u * u];
          let r = panel[k + (2u * u + 1u)];
          let a0 = vec4f(one(p0 + u * CA)); c0 += a0 * l; d0 += a0 * r;
          let a1 = vec4f(one(p1 + u * CA)); c1 += a1 * l; d1 += a1 * r;
          let a2 = vec4f(one(p2 + u * CA)); c2 += a2 * l; d2 += a2 * r;
          let a3 = vec4f(one(p3 + u * CA)); c3 += a3 * l; d3 += a3 * r;
          let a4 = vec4f(one(p4 + u * CA)); c4 += a4 * l; d4 += a4 * r;
          let a5 = vec4f(one(p5 + u * CA)); c5 += a5 * l; d5 += a5 * r;
        }
        p0 += U * CA; p1 += U * CA; p2 += U * CA; p3 += U * CA; p4 += U * CA; p5 += U * CA;
      }
      var l = array(c0, c1, c2, c3, c4, c5);
      var r = array(d0, d1, d2, d3, d4, d5);
      // as many rounds as rows, known at run time only: written out, Cranelift keeps sums in memory for some epilogues (1.6 times as long)
      for (var i = 0u; i <= last; i++) { put(z, m + i, n, l[i], r[i]); }
    }
  }
}
