// conv2d_filter_panel — filter gradient of a convolution without padding, NHWC, on one processor core.
// reads   x: BATCH x H x W x C, d: BATCH x OH x OW x N, f32     writes  y: S x KH x KW x C/G x N as vec4
//         y[s, kh, kw, c, n] = sum over b, oh, ow of x[b, oh * SH + kh * DH, ow * SW + kw * DW, z * C/G + c] * d[b, oh, ow, n]
//         where s has PART of the BATCH * OH rows of d, and z = n / (N/G) is the group of n
// grid    (S * ceil(KH*KW*C/G / ROWS) * ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has ROWS
//         rows of y and COLS columns
// shared  4 * (ROWS + T - 1) * COLS bytes of sums; a tile of T rows x 8 channels is in registers for the rows of GROUP output rows
// limits  N/G % 4 == 0; COLS is N or a multiple of 8; U divides OW; T divides ROWS but for the last; T is 4
//         and divides C/G where LANES; N/G % 8 == 0 where WIDE and G > 1.
// source  a product over the pixels in blocks that stay in the cache; the sums wait in memory between blocks.
const BATCH: u32 = 1u;            // @param
const H: u32 = 8u;                // @param
const W: u32 = 8u;                // @param
const C: u32 = 4u;                // @param
const OH: u32 = 8u;               // @param
const OW: u32 = 8u;               // @param
const N: u32 = 8u;                // @param
const G: u32 = 1u;                // @param
const KH: u32 = 1u;               // @param
const KW: u32 = 1u;               // @param
const SH: u32 = 1u;               // @param
const SW: u32 = 1u;               // @param
const DH: u32 = 1u;               // @param
const DW: u32 = 1u;               // @param
const S: u32 = 1u;                // @param
const PART: u32 = 8u;             // @param
const ROWS: u32 = 4u;             // @param
const COLS: u32 = 8u;             // @param
const T: u32 = 6u;                // @param
const LANES: bool = false;        // @param   rows of a tile are read in one vector, whose lanes are spread
const WIDE: bool = true;          // @param   panels of eight columns, not four
const GROUP: u32 = 8u;            // @param
const U: u32 = 4u;                // @param
const X: u32 = 65535u;            // @param
const CG: u32 = C / G;
const R: u32 = KH * KW * CG;
const TILES: u32 = (ROWS + T - 1u) / T;
const STEP: u32 = select(4u, 8u, WIDE);
const RIGHT: u32 = select(N, 4u, WIDE);  // where the second half of a panel begins, past the end where there is none
const PANELS: u32 = (COLS + STEP - 1u) / STEP;
const ACROSS: u32 = (N + COLS - 1u) / COLS;
const DOWN: u32 = (R + ROWS - 1u) / ROWS;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> sums: array<vec4f, 2u * T * TILES * PANELS>;

fn apart() {}  // as in matmul_panel

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

// where a row of y reads x for the first pixel; rows past the end repeat the last one and are never stored
fn place(row: u32) -> u32 {
  let r = min(row, R - 1u);
  return (r / (KW * CG) * DH * W + r / CG % KW * DW) * C + r % CG;
}

fn put(part: u32, r: u32, n: u32, s: u32, limit: u32) {
  if (r < limit) {
    store4((part * R + r) * N + n, sums[s]);
    if (n + RIGHT < N) { store4((part * R + r) * N + n + 4u, sums[s + 1u]); }
  }
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let t = g.y * X + g.x;
  let part = t / (DOWN * ACROSS);
  if (part >= S) { return; }
  let first = t / ACROSS % DOWN * ROWS;
  let start = select(t % ACROSS * COLS, 0u, ACROSS == 1u);
  let stop = select(min(start + COLS, N), N, ACROSS == 1u);
  let last = select(min(part * PART + PART, BATCH * OH), BATCH * OH, S == 1u);
  let limit = min(first + ROWS, R);
  for (var s = 0u; s < 2u * T * TILES * PANELS; s++) { sums[s] = vec4f(); }
  for (var line = select(part * PART, 0u, S == 1u); line < last; line += GROUP) {
    var s = 0u;
    for (var n = start; n < stop; n += STEP) {
      for (var r = first; r < limit; r += T) {
        var o: array<u32, T>;
        var c: array<vec4f, T>;
        var e: array<vec4f, T>;
        for (var i = 0u; i < T; i++) {
          o[i] = place(r + i);
          c[i] = sums[s + 2u * i];
          e[i] = sums[s + (2u * i + 1u)];
        }
        for (var q = line; q < min(line + GROUP, last); q++) {
          let origin = (q / OH * H + q % OH * SH) * W * C + select(0u, n / (N / G) * CG, G > 1u);
          var p: array<u32, T>;
          for (var i = 0u; i < T; i++) { p[i] = origin + o[i]; }
          var left = (q * OW * N + n) / 4u;
          var right = (q * OW * N + min(n + 4u, N - 4u)) / 4u;
          let end = left + OW * (N / 4u);
          while (left < end) {
            for (var u = 0u; u < U; u++) {
              if (u > 0u) { apart(); }
              let l = d[left + u * (N / 4u)];
              let r = d[select(left, right, WIDE) + u * (N / 4u)];
              if (LANES) {
                let q = p[0] + u * (SW * C);
                let v = vec4f(x[q], x[q + 1u], x[q + 2u], x[q + 3u]);
                for (var i = 0u; i < T; i++) { let a = vec4f(v[i]); c[i] += a * l; if (WIDE) { e[i] += a * r; } }
              } else {
                for (var i = 0u; i < T; i++) { let a = vec4f(x[p[i] + u * (SW * C)]); c[i] += a * l; if (WIDE) { e[i] += a * r; } }
              }
            }
            left += U * (N / 4u); right += U * (N / 4u);
            for (var i = 0u; i < T; i++) { p[i] += U * SW * C; }
          }
        }
        for (var i = 0u; i < T; i++) {
          sums[s + 2u * i] = c[i];
          sums[s + (2u * i + 1u)] = e[i];
        }
        s += 2u * T;
      }
    }
  }
  var s = 0u;
  for (var n = start; n < stop; n += STEP) {
    for (var r = first; r < limit; r += T) {
      for (var i = 0u; i < T; i++) { put(part, r + i, n, s + 2u * i, limit); }
      s += 2u * T;
    }
  }
}
