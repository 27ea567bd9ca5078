// conv2d_reg — convolution, NHWC, or with BACK its input gradient; 8 pixels x 8 channels a thread, no barrier.
// reads   x: BATCH x H x W x C (f32 as vec4), w: KH x KW x C x N (KH x KW x N x C when BACK)
// writes  y: BATCH x OH x OW x N      y[b, oh, ow, n] = sum over kh, kw, c of x[b, r(oh), s(ow), c] * w[kh, kw, c, n]
//         with r(oh) = oh * SH + kh * DH - PT, or when BACK (oh + PT - kh * DH) / SH where that is whole; s likewise
// grid    (ceil(ceil(BATCH*OH*OW/8) * ceil(N/8) / WG), 1, 1), folded into x and y by X          shared  none
// limits  C % 4 == 0, N % 4 == 0. CHECK = false promises that every r and s is inside.
// source  implicit GEMM (Chetlur et al. 2014, "cuDNN"); the weights of the gradient are read flipped in place.
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
const BACK: bool = false;         // @param
const CHECK: bool = true;         // @param
const WG: u32 = 16u;              // @param
const X: u32 = 65535u;            // @param
const P: u32 = BATCH * OH * OW;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
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
  let r = select(row * SH - PT, row + PT, vec4<bool>(BACK));
  let s = select(column * SW - PL, column + PL, vec4<bool>(BACK));
  return Pixels(r, s, image, image + r * W + s);
}

struct Tap { index: vec4u, inside: vec4<bool> }

fn tap(p: Pixels, kh: u32, kw: u32) -> Tap {
  if (!BACK && !CHECK) { return Tap((p.start + (kh * DH * W + kw * DW)) * (C / 4u), vec4<bool>(true)); }
  var r = p.row + kh * DH;
  var s = p.column + kw * DW;
  var inside = vec4<bool>(true);
  if (BACK) {
    r = p.row - kh * DH;
    s = p.column - kw * DW;
    if (SH > 1u) { inside = inside & (r % SH == vec4u(0u)); r = r / SH; }
    if (SW > 1u) { inside = inside & (s % SW == vec4u(0u)); s = s / SW; }
  }
  if (CHECK) { inside = inside & (r < vec4u(H)) & (s < vec4u(W)); }
  return Tap((p.image + r * W + s) * (C / 4u), inside);
}

// result[q][j] = the weight from input channel c + q to output channel n + j
fn weights(t: u32, c: u32, n: u32) -> mat4x4f {
  if (BACK) {
    let i = (t * N + min(n, N - 4u)) * (C / 4u) + c / 4u;
    return transpose(mat4x4f(w[i], w[i + C / 4u], w[i + C / 4u * 2u], w[i + C / 4u * 3u]));
  }
  let i = (t * C + c) * (N / 4u) + min(n, N - 4u) / 4u;
  return mat4x4f(w[i], w[i + N / 4u], w[i + N / 4u * 2u], w[i + N / 4u * 3u]);
}

fn load(i: u32, inside: bool) -> vec4f {
  if (CHECK) { return select(vec4f(), x[select(0u, i, inside)], inside); }
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
  for (var k = 0u; k < KH * KW * (C / 4u); k++) {
    let t = k / (C / 4u);
    let c = k % (C / 4u);
    let u = tap(first, t / KW, t % KW);
    let v = tap(second, t / KW, t % KW);
    let x0 = load(u.index.x + c, u.inside.x);
    let x1 = load(u.index.y + c, u.inside.y);
    let x2 = load(u.index.z + c, u.inside.z);
    let x3 = load(u.index.w + c, u.inside.w);
    let x4 = load(v.index.x + c, v.inside.x);
    let x5 = load(v.index.y + c, v.inside.y);
    let x6 = load(v.index.z + c, v.inside.z);
    let x7 = load(v.index.w + c, v.inside.w);
    let w0 = weights(t, c * 4u, n);
    l0 += w0 * x0; l1 += w0 * x1; l2 += w0 * x2; l3 += w0 * x3;
    l4 += w0 * x4; l5 += w0 * x5; l6 += w0 * x6; l7 += w0 * x7;
    let w1 = weights(t, c * 4u, n + 4u);
    r0 += w1 * x0; r1 += w1 * x1; r2 += w1 * x2; r3 += w1 * x3;
    r4 += w1 * x4; r5 += w1 * x5; r6 += w1 * x6; r7 += w1 * x7;
  }
  // one copy of store4 and the epilogue behind it, in a loop: sixteen take twice as long to compile
  var out = array(l0, r0, l1, r1, l2, r2, l3, r3, l4, r4, l5, r5, l6, r6, l7, r7);
  for (var j = 0u; j < 16u; j++) {
    let q = p + j / 2u;
    let f = n + j % 2u * 4u;
    if (q < P && f < N) { store4(q * N + f, out[j]); }
  }
}
