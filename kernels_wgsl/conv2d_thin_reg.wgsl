// conv2d_thin_reg — convolution, NHWC; 8 pixels x 8 channels a thread, one input channel at a time, no barrier.
// reads   x: BATCH x H x W x C (f32), w: KH x KW x C x N
// writes  y: BATCH x OH x OW x N      y[b, oh, ow, n] = sum over kh, kw, c of x[b, r(oh), s(ow), c] * w[kh, kw, c, n]
//         with r(oh) = oh * SH + kh * DH - PT; s likewise
// grid    (ceil(ceil(BATCH*OH*OW/8) * ceil(N/8) / WG), 1, 1), folded into x and y by X          shared  none
// limits  N % 4 == 0, any C; made for images of 1 to 3 channels. Not for BACK. CHECK = false promises that every r and s is inside.
// source  implicit GEMM (Chetlur et al. 2014, "cuDNN").
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
const CHECK: bool = true;         // @param
const WG: u32 = 16u;              // @param
const X: u32 = 65535u;            // @param
const P: u32 = BATCH * OH * OW;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

// four output pixels: where they read, as row and column of the first tap (wrapping below zero) and the image's start
struct Pixels { row: vec4u, column: vec4u, image: vec4u, start: vec4u }

fn pixels(p: u32) -> Pixels {
  let q = min(vec4u(p, p + 1u, p + 2u, p + 3u), vec4u(P - 1u));
  let row = q / OW % OH;
  let column = q % OW;
  let image = q / (OW * OH) * (H * W);
  let r = row * SH - PT;
  let s = column * SW - PL;
  return Pixels(r, s, image, image + r * W + s);
}

struct Tap { index: vec4u, inside: vec4<bool> }

fn tap(p: Pixels, kh: u32, kw: u32) -> Tap {
  if (!CHECK) { return Tap((p.start + (kh * DH * W + kw * DW)) * C, vec4<bool>(true)); }
  let r = p.row + kh * DH;
  let s = p.column + kw * DW;
  return Tap((p.image + r * W + s) * C, (r < vec4u(H)) & (s < vec4u(W)));
}

fn load(i: u32, inside: bool) -> f32 {
  if (CHECK) { return select(0.0, x[select(0u, i, inside)], inside); }
  return x[i];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let across = (N + 7u) / 8u;
  let i = (g.y * X + g.x) * WG + l;
  let p = i / across * 8u;
  let n = i % across * 8u;
  if (p >= P) { return; }
  let first = pixels(p);
  let second = pixels(p + 4u);
  var l0 = vec4f(); var l1 = vec4f(); var l2 = vec4f(); var l3 = vec4f();
  var l4 = vec4f(); var l5 = vec4f(); var l6 = vec4f(); var l7 = vec4f();
  var r0 = vec4f(); var r1 = vec4f(); var r2 = vec4f(); var r3 = vec4f();
  var r4 = vec4f(); var r5 = vec4f(); var r6 = vec4f(); var r7 = vec4f();
  for (var k = 0u; k < KH * KW * C; k++) {
    let c = k % C;
    let u = tap(first, k / C / KW, k / C % KW);
    let v = tap(second, k / C / KW, k / C % KW);
    let x0 = load(u.index.x + c, u.inside.x);
    let x1 = load(u.index.y + c, u.inside.y);
    let x2 = load(u.index.z + c, u.inside.z);
    let x3 = load(u.index.w + c, u.inside.w);
    let x4 = load(v.index.x + c, v.inside.x);
    let x5 = load(v.index.y + c, v.inside.y);
    let x6 = load(v.index.z + c, v.inside.z);
    let x7 = load(v.index.w + c, v.inside.w);
    let w0 = w[k * (N / 4u) + n / 4u];
    l0 += x0 * w0; l1 += x1 * w0; l2 += x2 * w0; l3 += x3 * w0;
    l4 += x4 * w0; l5 += x5 * w0; l6 += x6 * w0; l7 += x7 * w0;
    let w1 = w[k * (N / 4u) + min(n + 4u, N - 4u) / 4u];
    r0 += x0 * w1; r1 += x1 * w1; r2 += x2 * w1; r3 += x3 * w1;
    r4 += x4 * w1; r5 += x5 * w1; r6 += x6 * w1; r7 += x7 * w1;
  }
  // one copy of store4 and the epilogue behind it, in a loop: sixteen take twice as long to compile
  var out = array(l0, r0, l1, r1, l2, r2, l3, r3, l4, r4, l5, r5, l6, r6, l7, r7);
  for (var j = 0u; j < 16u; j++) {
    let q = p + j / 2u;
    let f = n + j % 2u * 4u;
    if (q < P && f < N) { store4(q * N + f, out[j]); }
  }
}
