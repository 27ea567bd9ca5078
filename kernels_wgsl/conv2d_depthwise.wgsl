// conv2d_depthwise — convolution with one filter a channel, NHWC, or with BACK its input gradient; 4 pixels x 4 channels
//         a thread, no barrier.
// reads   x: BATCH x H x W x C, w: KH x KW x C, f32 as vec4      writes  y: BATCH x OH x OW x C
//         y[b, oh, ow, c] = sum over kh, kw of x[b, r(oh), s(ow), c] * w[kh, kw, c]
//         with r(oh) = oh * SH + kh * DH - PT, or when BACK (oh + PT - kh * DH) / SH where that is whole; s likewise
// grid    (ceil(ceil(BATCH*OH*OW/4) * C/4 / WG), 1, 1), folded into x and y by X          shared  none
// limits  C % 4 == 0.
// source  Howard et al. 2017, "MobileNets" (the layer); every weight loaded serves four pixels.
const BATCH: u32 = 1u;            // @param
const H: u32 = 8u;                // @param
const W: u32 = 8u;                // @param
const C: u32 = 4u;                // @param
const OH: u32 = 8u;               // @param
const OW: u32 = 8u;               // @param
const KH: u32 = 1u;               // @param
const KW: u32 = 1u;               // @param
const SH: u32 = 1u;               // @param
const SW: u32 = 1u;               // @param
const DH: u32 = 1u;               // @param
const DW: u32 = 1u;               // @param
const PT: u32 = 0u;               // @param
const PL: u32 = 0u;               // @param
const BACK: bool = false;         // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
const P: u32 = BATCH * OH * OW;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn load(image: u32, row: u32, column: u32, c: u32) -> vec4f {
  var r = row;
  var s = column;
  if (BACK && SH > 1u) { if (r % SH != 0u) { return vec4f(); } r /= SH; }
  if (BACK && SW > 1u) { if (s % SW != 0u) { return vec4f(); } s /= SW; }
  if (r >= H || s >= W) { return vec4f(); }
  return x[(image + r * W + s) * (C / 4u) + c];
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  let c = i % (C / 4u);
  let p = i / (C / 4u) * 4u;
  if (p >= P) { return; }
  let q = min(vec4u(p, p + 1u, p + 2u, p + 3u), vec4u(P - 1u));
  let image = q / (OW * OH) * (H * W);
  let top = select(q / OW % OH * SH - PT, q / OW % OH + PT, vec4<bool>(BACK));  // wraps below zero
  let left = select(q % OW * SW - PL, q % OW + PL, vec4<bool>(BACK));
  var t0 = vec4f(); var t1 = vec4f(); var t2 = vec4f(); var t3 = vec4f();
  for (var k = 0u; k < KH * KW; k++) {
    let f = w[k * (C / 4u) + c];
    let down = k / KW * DH;
    let right = k % KW * DW;
    let row = select(top + down, top - down, vec4<bool>(BACK));
    let column = select(left + right, left - right, vec4<bool>(BACK));
    t0 += f * load(image.x, row.x, column.x, c);
    t1 += f * load(image.y, row.y, column.y, c);
    t2 += f * load(image.z, row.z, column.z, c);
    t3 += f * load(image.w, row.w, column.w, c);
  }
  store4(p * C + c * 4u, t0);
  if (p + 1u < P) { store4((p + 1u) * C + c * 4u, t1); }
  if (p + 2u < P) { store4((p + 2u) * C + c * 4u, t2); }
  if (p + 3u < P) { store4((p + 3u) * C + c * 4u, t3); }
}
