// conv2d_filter_reg — filter gradient of a convolution, NHWC, in S partial sums; 8 filter rows x 8 channels a thread.
// reads   x: BATCH x H x W x C (f32, or vec4 where C % 4 == 0, through load4), d: BATCH x OH x OW x N (f32 as vec4)
// writes  y: S x KH x KW x C x N      y[s, kh, kw, c, n] = sum of x[b, oh*SH + kh*DH - PT, ow*SW + kw*DW - PL, c]
//         * d[b, oh, ow, n] over the pixels (b, oh, ow) from s * CHUNK on, CHUNK of them
// grid    (ceil(S * ceil(KH*KW*C/8) * ceil(N/8) / WG), 1, 1), folded into x and y by FOLD          shared  none
// limits  N % 4 == 0, CHUNK % 4 == 0, S * CHUNK >= BATCH*OH*OW. CHECK = false promises no padding is read.
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

// four output pixels: the row, column and index in x of their top left tap before padding
struct Pixels { row: vec4u, column: vec4u, start: vec4u }

fn pixels(p: u32) -> Pixels {
  var q = vec4u(p, p + 1u, p + 2u, p + 3u);
  if (OW % 4u == 0u) {
    let row = p / OW % OH * SH;
    let column = (q - (p - p % OW)) * SW;
    return Pixels(vec4u(row), column, ((p / (OW * OH) * H + row) * W + column) * C);
  }
  q = min(q, vec4u(P - 1u));
  let row = q / OW % OH * SH;
  let column = q % OW * SW;
  return Pixels(row, column, ((q / (OW * OH) * H + row) * W + column) * C);
}

fn load(f: Rows, row: u32, column: u32, start: u32) -> vec4f {
  let i = start + f.offset;
  if (CHECK) {
    let inside = (row + f.kh < vec4u(H)) & (column + f.kw < vec4u(W));
    return select(vec4f(), load4(select(vec4u(), i, inside)), inside);
  }
  return load4(i);
}

fn gradient(p: u32, n: u32) -> vec4f {
  if (P % 4u != 0u && p >= P) { return vec4f(); }
  return d[(p * N + min(n, N - 4u)) / 4u];
}

// eight rows (of l and r) by eight output channels
struct Tile {
  l0: vec4f, l1: vec4f, l2: vec4f, l3: vec4f, l4: vec4f, l5: vec4f, l6: vec4f, l7: vec4f,
  r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f,
}

fn step(t: ptr<function, Tile>, a: vec4f, b: vec4f, p: u32, n: u32) {
  let g = gradient(p, n);
  (*t).l0 += a.x * g; (*t).l1 += a.y * g; (*t).l2 += a.z * g; (*t).l3 += a.w * g;
  (*t).l4 += b.x * g; (*t).l5 += b.y * g; (*t).l6 += b.z * g; (*t).l7 += b.w * g;
  let h = gradient(p, n + 4u);
  (*t).r0 += a.x * h; (*t).r1 += a.y * h; (*t).r2 += a.z * h; (*t).r3 += a.w * h;
  (*t).r4 += b.x * h; (*t).r5 += b.y * h; (*t).r6 += b.z * h; (*t).r7 += b.w * h;
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
  var t = Tile();
  for (var p = s * CHUNK; p < min(s * CHUNK + CHUNK, P); p += 4u) {
    let q = pixels(p);
    step(&t, load(upper, q.row.x, q.column.x, q.start.x), load(lower, q.row.x, q.column.x, q.start.x), p, n);
    step(&t, load(upper, q.row.y, q.column.y, q.start.y), load(lower, q.row.y, q.column.y, q.start.y), p + 1u, n);
    step(&t, load(upper, q.row.z, q.column.z, q.start.z), load(lower, q.row.z, q.column.z, q.start.z), p + 2u, n);
    step(&t, load(upper, q.row.w, q.column.w, q.start.w), load(lower, q.row.w, q.column.w, q.start.w), p + 3u, n);
  }
  // the epilogue behind store4 is long: one copy of it in a loop compiles in half the time of sixteen
  var out = array(t.l0, t.r0, t.l1, t.r1, t.l2, t.r2, t.l3, t.r3, t.l4, t.r4, t.l5, t.r5, t.l6, t.r6, t.l7, t.r7);
  for (var j = 0u; j < 16u; j++) {
    let row = r + j / 2u;
    let f = n + j % 2u * 4u;
    if (row < R && f < N) { store4((s * R + row) * N + f, out[j]); }
  }
}
