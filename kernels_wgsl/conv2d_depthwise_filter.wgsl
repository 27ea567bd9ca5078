// conv2d_depthwise_filter — filter gradient of a depthwise convolution, NHWC, in S partial sums; one tap x 4 channels a
//         thread, no barrier.
// reads   x: BATCH x H x W x C, d: BATCH x OH x OW x C, f32 as vec4      writes  y: S x KH x KW x C
//         y[s, kh, kw, c] = sum of x[b, oh*SH + kh*DH - PT, ow*SW + kw*DW - PL, c] * d[b, oh, ow, c]
//         over the pixels (b, oh, ow) from s * CHUNK on, CHUNK of them
// grid    (ceil(S * KH * KW * C/4 / WG), 1, 1), folded into x and y by FOLD          shared  none
// limits  C % 4 == 0, S * CHUNK >= BATCH*OH*OW.
// source  the definition, with enough partial sums to fill the adapter.
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
const S: u32 = 1u;                // @param
const CHUNK: u32 = 64u;           // @param
const WG: u32 = 64u;              // @param
const FOLD: u32 = 65535u;         // @param
const P: u32 = BATCH * OH * OW;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * FOLD + g.x) * WG + l;
  let c = i % (C / 4u);
  let k = i / (C / 4u) % (KH * KW);
  let s = i / (C / 4u * KH * KW);
  if (s >= S) { return; }
  let down = k / KW * DH - PT;  // wraps below zero
  let right = k % KW * DW - PL;
  var sum = vec4f();
  for (var p = s * CHUNK; p < min(s * CHUNK + CHUNK, P); p++) {
    let row = p / OW % OH * SH + down;
    let column = p % OW * SW + right;
    if (row < H && column < W) {
      sum += x[((p / (OW * OH) * H + row) * W + column) * (C / 4u) + c] * d[p * (C / 4u) + c];
    }
  }
  store4(i * 4u, sum);
}
