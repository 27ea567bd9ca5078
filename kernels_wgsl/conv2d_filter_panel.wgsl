// conv2d_filter_panel — filter gradient of a convolution without padding, NHWC, on one processor core.
// reads   x: BATCH x H x W x C, d: BATCH x OH x OW x N, f32     writes  y: S x KH x KW x C x N as vec4
//         y[s, kh, kw, c, n] = sum over b, oh, ow of x[b, oh * SH + kh * DH, ow * SW + kw * DW, c] * d[b, oh, ow, n]
//         where s has PART of the BATCH * OH rows of d
// grid    (S * ceil(KH*KW*C / ROWS) * ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has ROWS
//         rows of y and COLS columns
// shared  4 * (ROWS + 5) * COLS bytes of sums; a tile of 6 rows x 8 channels is in registers for the rows of GROUP output rows
// limits  N % 4 == 0; COLS is N or a multiple of 8; U divides OW.
// source  a product over the pixels in blocks that stay in the cache; the sums wait in memory between blocks.
const BATCH: u32 = 1u;            // @param
const H: u32 = 8u;                // @param
const W: u32 = 8u;                // @param
const C: u32 = 4u;                // @param
const OH: u32 = 8u;               // @param
const OW: u32 = 8u;               // @param
const N: u32 = 8u;                // @param
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
const GROUP: u32 = 8u;            // @param
const U: u32 = 4u;                // @param
const X: u32 = 65535u;            // @param
const R: u32 = KH * KW * C;
const TILES: u32 = (ROWS + 5u) / 6u;
const PANELS: u32 = (COLS + 7u) / 8u;
const ACROSS: u32 = (N + COLS - 1u) / COLS;
const DOWN: u32 = (R + ROWS - 1u) / ROWS;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> sums: array<vec4f, 12u * TILES * PANELS>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

// where a row of y reads x for the first pixel; rows past the end repeat the last one and are never stored
fn place(row: u32) -> u32 {
  let r = min(row, R - 1u);
  return (r / (KW * C) * DH * W + r / C % KW * DW) * C + r % C;
}

fn put(part: u32, r: u32, n: u32, s: u32, limit: u32) {
  if (r < limit) {
    store4((part * R + r) * N + n, sums[s]);
    if (n + 4u < N) { store4((part * R + r) * N + n + 4u, sums[s + 1u]); }
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
  for (var s = 0u; s < 12u * TILES * PANELS; s++) { sums[s] = vec4f(); }
  for (var line = select(part * PART, 0u, S == 1u); line < last; line += GROUP) {
    var s = 0u;
    for (var n = start; n < stop; n += 8u) {
      for (var r = first; r < limit; r += 6u) {
        let o0 = place(r); let o1 = place(r + 1u); let o2 = place(r + 2u);
        let o3 = place(r + 3u); let o4 = place(r + 4u); let o5 = place(r + 5u);
        var c0 = sums[s]; var c1 = sums[s + 2u]; var c2 = sums[s + 4u];
        var c3 = sums[s + 6u]; var c4 = sums[s + 8u]; var c5 = sums[s + 10u];
        var d0 = sums[s + 1u]; var d1 = sums[s + 3u]; var d2 = sums[s + 5u];
        var d3 = sums[s + 7u]; var d4 = sums[s + 9u]; var d5 = sums[s + 11u];
        for (var q = line; q < min(line + GROUP, last); q++) {
          let origin = (q / OH * H + q % OH * SH) * W * C;
          var p0 = origin + o0; var p1 = origin + o1; var p2 = origin + o2;
          var p3 = origin + o3; var p4 = origin + o4; var p5 = origin + o5;
          var left = (q * OW * N + n) / 4u;
          var right = (q * OW * N + min(n + 4u, N - 4u)) / 4u;
          let end = left + OW * (N / 4u);
          while (left < end) {
            for (var u = 0u; u < U; u++) {
              let l = d[left + u * (N / 4u)];
              let r = d[right + u * (N / 4u)];
              let x0 = vec4f(x[p0 + u * (SW * C)]); c0 += x0 * l; d0 += x0 * r;
              let x1 = vec4f(x[p1 + u * (SW * C)]); c1 += x1 * l; d1 += x1 * r;
              let x2 = vec4f(x[p2 + u * (SW * C)]); c2 += x2 * l; d2 += x2 * r;
              let x3 = vec4f(x[p3 + u * (SW * C)]); c3 += x3 * l; d3 += x3 * r;
              let x4 = vec4f(x[p4 + u * (SW * C)]); c4 += x4 * l; d4 += x4 * r;
              let x5 = vec4f(x[p5 + u * (SW * C)]); c5 += x5 * l; d5 += x5 * r;
            }
            left += U * (N / 4u); right += U * (N / 4u);
            p0 += U * SW * C; p1 += U * SW * C; p2 += U * SW * C; p3 += U * SW * C; p4 += U * SW * C; p5 += U * SW * C;
          }
        }
        sums[s] = c0; sums[s + 2u] = c1; sums[s + 4u] = c2; sums[s + 6u] = c3; sums[s + 8u] = c4; sums[s + 10u] = c5;
        sums[s + 1u] = d0; sums[s + 3u] = d1; sums[s + 5u] = d2; sums[s + 7u] = d3; sums[s + 9u] = d4; sums[s + 11u] = d5;
        s += 12u;
      }
    }
  }
  var s = 0u;
  for (var n = start; n < stop; n += 8u) {
    for (var r = first; r < limit; r += 6u) {
      for (var i = 0u; i < 6u; i++) { put(part, r + i, n, s + 2u * i, limit); }
      s += 12u;
    }
  }
}
