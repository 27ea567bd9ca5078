// conv2d_filter_reg — filter gradient of a convolution, NHWC, in S partial sums; 8 filter rows x 8 channels a thread.
// reads   x: BATCH x H x W x C (f32, or vec4 where C % 4 == 0, through load4), d: BATCH x OH x OW x N (f32 as vec4)
// writes  y: S x KH x KW x C x N      y[s, kh, kw, c, n] = sum of x[b, oh*SH + kh*DH - PT, ow*SW + kw*DW - PL, c]
//         * d[b, oh, ow, n] over the pixels (b, oh, ow) from s * CHUNK on, CHUNK of them
// grid    (ceil(S * ceil(KH*KW*C/8) * ceil(N/8) / WG), 1, 1), folded into x and y by FOLD          shared  none
// limits  N % 4 == 0, S * CHUNK >= BATCH*OH*OW. CHECK = false promises no padding is read.
// source  implicit GEMM (Chetlur et al. 2014, "cuDNN") with the sum over pixels innermost.
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
const PT: u32 = 0u;               // @param
const PL: u32 = 0u;               // @param
const S: u32 = 1u;                // @param
const CHUNK: u32 = 64u;           // @param
const CHECK: bool = true;         // @param
const WG: u32 = 16u;              // @param
const FOLD: u32 = 65535u;         // @param
alias X = f32;                    // @param
const R: u32 = KH * KW * C;
const P: u32 = BATCH * OH * OW;

@group(0) @binding(0) var<storage, read> x: array<X>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn load4(i: vec4u) -> vec4f { return vec4f(x[i.x], x[i.y], x[i.z], x[i.w]); }  // @hook
fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

// four rows of the filter matrix: their tap (wrapping below zero) and what it adds to a pixel's index into x
struct Rows { kh: vec4u, kw: vec4u, offset: vec4u }

fn rows(r: u32) -> Rows {
  let q = min(vec4u(r, r + 1u, r + 2u, r + 3u), vec4u(R - 1u));
  let kh = q / (KW * C) * DH - PT;
  let kw = q / C % KW * DW - PL;
  return Rows(kh, kw, (kh * W + kw) * C + q % C);
}

fn load(f: Rows, row: u32, column: u32, start: u32) -> vec4f {
  let i = start + f.offset;
  if (CHECK) {
    let inside = (row + f.kh < vec4u(H)) & (column + f.kw < vec4u(W));
    return select(vec4f(), load4(select(vec4u(), i, inside)), inside);
  }
  return load4(i);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let across = (N + 7u) / 8u;
  let down = (R + 7u) / 8u;
  let i = (g.y * FOLD + g.x) * WG + l;
  let n = i % across * 8u;
  let r = i / across % down * 8u;
  let s = i / (across * down);
  if (s >= S) { return; }
  let upper = rows(r);
  let lower = rows(r + 4u);
  var l0 = vec4f(); var l1 = vec4f(); var l2 = vec4f(); var l3 = vec4f();
  var l4 = vec4f(); var l5 = vec4f(); var l6 = vec4f(); var l7 = vec4f();
  var r0 = vec4f(); var r1 = vec4f(); var r2 = vec4f(); var r3 = vec4f();
  var r4 = vec4f(); var r5 = vec4f(); var r6 = vec4f(); var r7 = vec4f();
  for (var p = s * CHUNK; p < min(s * CHUNK + CHUNK, P); p++) {
    let row = p / OW % OH * SH;
    let column = p % OW * SW;
    let start = ((p / (OW * OH) * H + row) * W + column) * C;
    let a = load(upper, row, column, start);
    let b = load(lower, row, column, start);
    let d0 = d[(p * N + n) / 4u];
    l0 += a.x * d0; l1 += a.y * d0; l2 += a.z * d0; l3 += a.w * d0;
    l4 += b.x * d0; l5 += b.y * d0; l6 += b.z * d0; l7 += b.w * d0;
    let d1 = d[(p * N + min(n + 4u, N - 4u)) / 4u];
    r0 += a.x * d1; r1 += a.y * d1; r2 += a.z * d1; r3 += a.w * d1;
    r4 += b.x * d1; r5 += b.y * d1; r6 += b.z * d1; r7 += b.w * d1;
  }
  // one copy of store4 and the epilogue behind it, in a loop: sixteen take twice as long to compile
  var out = array(l0, r0, l1, r1, l2, r2, l3, r3, l4, r4, l5, r5, l6, r6, l7, r7);
  for (var j = 0u; j < 16u; j++) {
    let row = r + j / 2u;
    let f = n + j % 2u * 4u;
    if (row < R && f < N) { store4((s * R + row) * N + f, out[j]); }
  }
}
