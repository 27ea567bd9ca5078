// conv2d_panel — convolution without padding, NHWC, on one processor core: R pixels x 8 channels in registers.
// reads   x: BATCH x H x W x C, w: KH x KW x C/G x N, f32     writes  y: BATCH x OH x OW x N as vec4
//         y[b, oh, ow, n] = sum over kh, kw, c of x[b, oh * SH + kh * DH, ow * SW + kw * DW, z * C/G + c] * w[kh, kw, c, n]
//         where z = n / (N/G) is the group of n
// grid    (ceil(BATCH*OH*OW / BLOCK) * ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has
//         BLOCK pixels and COLS output channels
// shared  32 * KH * KW * C/G bytes: the weights of eight or four output channels, tap by tap
// limits  N/G % 4 == 0; COLS is N or a multiple of 8; U divides L, the elements that one pixel reads in a
//         line: KW * C, or C/G where DW > 1 or G > 1; R divides BLOCK; U is 4 where LANES; N/G % 8 == 0 where WIDE and G > 1.
// source  matmul_panel with the rows of a read in place (an implicit matrix product, Chetlur et al. 2014).
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
const L: u32 = 4u;                // @param
const U: u32 = 4u;                // @param
const R: u32 = 6u;                // @param
const LANES: bool = false;        // @param   as in matmul_panel
const WIDE: bool = true;          // @param   panels of eight output channels, not four
const BLOCK: u32 = 240u;          // @param
const COLS: u32 = 8u;             // @param
const X: u32 = 65535u;            // @param
const P: u32 = BATCH * OH * OW;
const CG: u32 = C / G;
const K: u32 = KH * KW * CG;
const STEP: u32 = select(4u, 8u, WIDE);
const RIGHT: u32 = select(N, 4u, WIDE);  // where the second half of a panel begins, past the end where there is none
const ACROSS: u32 = (N + COLS - 1u) / COLS;
const LINES: u32 = KW * CG / L;     // pieces of a row of taps
const BETWEEN: u32 = select(DW * C, KW * C, L == KW * C) - L;                  // from the end of a piece to the next
const DOWN: u32 = DH * W * C - LINES * select(DW * C, KW * C, L == KW * C);  // and from the last one to the next row

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> panel: array<vec4f, 2u * K>;

fn apart() {}  // as in matmul_panel

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn put(p: u32, n: u32, l: vec4f, r: vec4f, limit: u32) {
  if (p < limit) {
    store4(p * N + n, l);
    if (n + RIGHT < N) { store4(p * N + n + 4u, r); }
  }
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let t = g.y * X + g.x;
  let first = t / ACROSS * BLOCK;
  if (first >= P) { return; }
  let limit = min(first + BLOCK, P);
  let start = select(t % ACROSS * COLS, 0u, ACROSS == 1u);
  let stop = select(min(start + COLS, N), N, ACROSS == 1u);
  var n = start;
  while (n < stop) {  // no `for`, which would be written out where it is short
    for (var k = 0u; k < K; k++) {
      panel[2u * k] = w[(k * N + n) / 4u];
      panel[2u * k + 1u] = w[(k * N + min(n + 4u, N - 4u)) / 4u];
    }
    var col = first % OW;
    var row = first / OW % OH;
    var here = ((first / (OW * OH) * H + row * SH) * W + col * SW) * C;
    if (G > 1u) { here += n / (N / G) * CG; }
    for (var p = first; p < limit; p += R) {
      var c: array<vec4f, R>;
      var d: array<vec4f, R>;
      var at: array<u32, R>;  // where the first tap of a pixel reads; pixels past the end repeat the last one and are never stored
      for (var i = 0u; i < R; i++) {
        at[i] = here;
        if (p + i + 1u < limit) {
          col += 1u;
          here += SW * C;
          if (col == OW) {
            col = 0u;
            row += 1u;
            here += (SH * W - OW * SW) * C;
            if (row == OH) { row = 0u; here += (H - OH * SH) * W * C; }
          }
        }
      }
      var k = 0u;
      for (var h = 0u; h < KH; h++) {
        for (var i = 0u; i < LINES; i++) {
          let end = k + 2u * L;
          while (k < end) {
            var v: array<vec4f, R>;
            if (LANES) {
              for (var i = 0u; i < R; i++) { let q = at[i]; v[i] = vec4f(x[q], x[q + 1u], x[q + 2u], x[q + 3u]); }
            }
            for (var u = 0u; u < U; u++) {
              if (u > 0u) { apart(); }
              let l = panel[k + 2u * u];
              let r = panel[k + (2u * u + 1u)];
              if (LANES) {
                for (var i = 0u; i < R; i++) { let e = vec4f(v[i][u]); c[i] += e * l; if (WIDE) { d[i] += e * r; } }
              } else {
                for (var i = 0u; i < R; i++) { let e = vec4f(x[at[i] + u]); c[i] += e * l; if (WIDE) { d[i] += e * r; } }
              }
            }
            k += 2u * U;
            for (var i = 0u; i < R; i++) { at[i] += U; }
          }
          for (var i = 0u; i < R; i++) { at[i] += BETWEEN; }
        }
        for (var i = 0u; i < R; i++) { at[i] += DOWN; }
      }
      var l: array<vec4f, R>;
      var r: array<vec4f, R>;
      for (var i = 0u; i < R; i++) { l[i] = c[i]; r[i] = d[i]; }
      for (var i = 0u; i < R; i++) { put(p + i, n, l[i], r[i], limit); }
    }
    n += STEP;
  }
}
