// conv2d_panel — convolution without padding, NHWC, on one processor core: 6 pixels x 8 channels in registers.
// reads   x: BATCH x H x W x C, w: KH x KW x C x N, f32     writes  y: BATCH x OH x OW x N as vec4
//         y[b, oh, ow, n] = sum over kh, kw, c of x[b, oh * SH + kh * DH, ow * SW + kw * DW, c] * w[kh, kw, c, n]
// grid    (ceil(BATCH*OH*OW / BLOCK) * ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has
//         BLOCK pixels and COLS output channels
// shared  32 * KH * KW * C bytes: the weights of eight output channels, tap by tap
// limits  N % 4 == 0; COLS is N or a multiple of 8; U divides L, the elements that one pixel reads in a line: KW * C, or C where DW > 1.
// source  matmul_panel with the rows of a read in place (an implicit matrix product, Chetlur et al. 2014).
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
const L: u32 = 4u;                // @param
const U: u32 = 4u;                // @param
const BLOCK: u32 = 240u;          // @param
const COLS: u32 = 8u;             // @param
const X: u32 = 65535u;            // @param
const P: u32 = BATCH * OH * OW;
const K: u32 = KH * KW * C;
const ACROSS: u32 = (N + COLS - 1u) / COLS;
const LINES: u32 = KW * C / L;      // pieces of a row of taps
const APART: u32 = select(DW * C, KW * C, L == KW * C) - L;                  // from the end of a piece to the next
const DOWN: u32 = DH * W * C - LINES * select(DW * C, KW * C, L == KW * C);  // and from the last one to the next row

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> panel: array<vec4f, 2u * K>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn put(p: u32, n: u32, l: vec4f, r: vec4f, limit: u32) {
  if (p < limit) {
    store4(p * N + n, l);
    if (n + 4u < N) { store4(p * N + n + 4u, r); }
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
    for (var p = first; p < limit; p += 6u) {
      var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f(); var c4 = vec4f(); var c5 = vec4f();
      var d0 = vec4f(); var d1 = vec4f(); var d2 = vec4f(); var d3 = vec4f(); var d4 = vec4f(); var d5 = vec4f();
      var at: array<u32, 6>;  // where the first tap of a pixel reads; pixels past the end repeat the last one and are never stored
      for (var i = 0u; i < 6u; i++) {
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
      var p0 = at[0]; var p1 = at[1]; var p2 = at[2]; var p3 = at[3]; var p4 = at[4]; var p5 = at[5];
      var k = 0u;
      for (var h = 0u; h < KH; h++) {
        for (var i = 0u; i < LINES; i++) {
          let end = k + 2u * L;
          while (k < end) {
            for (var u = 0u; u < U; u++) {
              let l = panel[k + 2u * u];
              let r = panel[k + (2u * u + 1u)];
              let x0 = vec4f(x[p0 + u]); c0 += x0 * l; d0 += x0 * r;
              let x1 = vec4f(x[p1 + u]); c1 += x1 * l; d1 += x1 * r;
              let x2 = vec4f(x[p2 + u]); c2 += x2 * l; d2 += x2 * r;
              let x3 = vec4f(x[p3 + u]); c3 += x3 * l; d3 += x3 * r;
              let x4 = vec4f(x[p4 + u]); c4 += x4 * l; d4 += x4 * r;
              let x5 = vec4f(x[p5 + u]); c5 += x5 * l; d5 += x5 * r;
            }
            k += 2u * U;
            p0 += U; p1 += U; p2 += U; p3 += U; p4 += U; p5 += U;
          }
          p0 += APART; p1 += APART; p2 += APART; p3 += APART; p4 += APART; p5 += APART;
        }
        p0 += DOWN; p1 += DOWN; p2 += DOWN; p3 += DOWN; p4 += DOWN; p5 += DOWN;
      }
      var l = array(c0, c1, c2, c3, c4, c5);
      var r = array(d0, d1, d2, d3, d4, d5);
      for (var i = 0u; i < 6u; i++) { put(p + i, n, l[i], r[i], limit); }
    }
    n += 8u;
  }
}
