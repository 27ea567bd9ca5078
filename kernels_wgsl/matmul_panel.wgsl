// matmul_panel — y[z] = op(a[z]) @ op(b[z]) on one processor core: R x 8 outputs in registers, b packed in panels.
// reads   a: Z x M x K (K x M when TA), f32, b: Z x K x N (N x K when TB), f32 or packed     writes  y: Z x M x N as vec4
// grid    (Z * ceil(M / BLOCK) * ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has BLOCK
//         rows and COLS columns
// shared  32 * K bytes: eight columns of b, row by row, so that the inner loop reads them in a line;
//         when PACK 4 * (BLOCK + R - 1) * K more: the rows of op(a), R by R
// limits  N % 4 == 0; COLS is N or a multiple of 8; U divides K; R divides BLOCK and is at most M; R and U are 4 where LANES.
// source  the loop order of Goto and van de Geijn 2008; with R = 6 12 sums, 2 vectors of b and 1 of a fill the 16 registers.
const M: u32 = 8u;                // @param
const N: u32 = 8u;                // @param
const K: u32 = 8u;                // @param
const Z: u32 = 1u;                // @param
const TA: bool = false;           // @param
const TB: bool = false;           // @param
const PACK: bool = false;         // @param
const R: u32 = 6u;                // @param
const BLOCK: u32 = 240u;          // @param
const COLS: u32 = 8u;             // @param
const U: u32 = 4u;                // @param
const LANES: bool = false;        // @param   op(a) is read in vectors, whose lanes are spread: fewer loads, but V8 has no room for them
const X: u32 = 65535u;            // @param
alias B = f32;                    // @param
const DOWN: u32 = (M + BLOCK - 1u) / BLOCK;
const ACROSS: u32 = (N + COLS - 1u) / COLS;
const RA: u32 = select(K, 1u, TA || PACK);               // from one row of op(a) to the next
const CA: u32 = select(select(1u, M, TA), R, PACK);      // from one column to the next
const ROWS: u32 = select(1u, (BLOCK + R - 1u) * K, PACK);

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

fn along(i: u32) -> vec4f { return vec4f(one(i), one(i + 1u), one(i + 2u), one(i + 3u)); }

fn apart() {}  // between steps, for compilers that would move all loads of a block before its sums (pyml/wasm/builtins.py)

// copies rows start … limit - 1 of op(a): R of them in a line for every column, the last ones repeated
fn pack(z: u32, start: u32, limit: u32) {
  for (var m = start; m < limit; m += R) {
    for (var k = 0u; k < K; k++) {
      for (var i = 0u; i < R; i++) {
        let row = min(m + i, limit - 1u);
        rows[((m - start) / R * K + k) * R + i] = a[z * (M * K) + select(row * K + k, k * M + row, TA)];
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
    for (var m = first; m < limit; m += R) {
      var c: array<vec4f, R>;
      var d: array<vec4f, R>;
      let top = select(min(m, M - R), m, PACK);  // the last rows are computed once more where they are fewer than R, and not stored
      var p = select(z * (M * K) + top * RA, (m - first) * K, PACK);
      for (var k = 0u; k < 2u * K; k += 2u * U) {
        var v: array<vec4f, R>;
        if (LANES && RA > 1u) {
          for (var i = 0u; i < R; i++) { v[i] = along(p + i * RA); }
        }
        for (var u = 0u; u < U; u++) {
          if (u > 0u) { apart(); }
          if (LANES && RA == 1u) { v[0] = along(p + u * CA); }
          let l = panel[k + 2u * u];
          let r = panel[k + (2u * u + 1u)];
          if (!LANES) {
            for (var i = 0u; i < R; i++) { let x = vec4f(one(p + (i * RA + u * CA))); c[i] += x * l; d[i] += x * r; }
          } else if (RA == 1u) {
            for (var i = 0u; i < R; i++) { let x = vec4f(v[0][i]); c[i] += x * l; d[i] += x * r; }
          } else {
            for (var i = 0u; i < R; i++) { let x = vec4f(v[i][u]); c[i] += x * l; d[i] += x * r; }
          }
        }
        p += U * CA;
      }
      var l: array<vec4f, R>;
      var r: array<vec4f, R>;
      for (var i = 0u; i < R; i++) { l[i] = c[i]; r[i] = d[i]; }
      // as many rounds as rows, known at run time only: written out, Cranelift keeps sums in memory for some epilogues (1.6 times as long)
      for (var i = m - top; i < min(R, limit - top); i++) { put(z, top + i, n, l[i], r[i]); }
    }
  }
}
