// conv2d_depthwise_filter_panel — filter gradient of a depthwise convolution without padding, NHWC, for a processor core.
// reads   x: BATCH x H x W x C, d: BATCH x OH x OW x C, f32 as vec4     writes  y: KH x KW x 1 x C
// grid    (ceil(KH * (C/4) / WG), 1, 1), folded into x and y by X: a thread has a row of taps of four channels     shared  none
// limits  C % 4 == 0.
// source  the sums of KW taps stay in registers while the pixels pass once.
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
const WG: u32 = 1u;               // @param
const X: u32 = 65535u;            // @param
const Q: u32 = C / 4u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> d: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= KH * Q) { return; }
  let c = i % Q;
  let kh = i / Q;
  var sums: array<vec4f, KW>;
  for (var line = 0u; line < BATCH * OH; line++) {
    var p = (line / OH * H + line % OH * SH + kh * DH) * W * Q + c;
    var o = line * OW * Q + c;
    var line_sums: array<vec4f, KW>;  // a sum over many pixels is one of sums over lines
    for (var kw = 0u; kw < KW; kw++) { line_sums[kw] = vec4f(); }
    for (var ow = 0u; ow < OW; ow++) {
      let v = d[o];
      for (var kw = 0u; kw < KW; kw++) { line_sums[kw] += v * x[p + kw * (DW * Q)]; }
      p += SW * Q;
      o += Q;
    }
    for (var kw = 0u; kw < KW; kw++) { sums[kw] += line_sums[kw]; }
  }
  for (var kw = 0u; kw < KW; kw++) { store4(((kh * KW + kw) * Q + c) * 4u, sums[kw]); }
}
