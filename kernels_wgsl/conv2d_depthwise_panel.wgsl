// conv2d_depthwise_panel — depthwise convolution, NHWC, for a processor core; 4 pixels x 4 channels a thread.
// reads   x: BATCH x H x W x C, w: KH x KW x 1 x C, f32 as vec4     writes  y: BATCH x OH x OW x C
// grid    (ceil(BATCH * OH * ceil(OW/4) * (C/4) / WG), 1, 1), folded into x and y by X          shared  none
// limits  C % 4 == 0. PT, PL: rows and columns of zeros before the image; those after it follow from the sizes.
// source  a row of the image is loaded once and serves all taps of four neighbouring pixels; bound by loads.
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
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
const Q: u32 = C / 4u;
const SPAN: u32 = 3u * SW + (KW - 1u) * DW + 1u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  let across = (OW + 3u) / 4u;
  let c = i % Q;
  let q = i / Q % across * 4u;
  let line = i / Q / across;
  if (line >= BATCH * OH) { return; }
  // the last pixels of a row may be fewer than four: they are done again with the ones before
  let s = select(q, OW - 4u, OW >= 4u && q + 4u > OW);
  let top = line % OH * SH - PT;      // wraps above the image, and then is no row of it
  let left = s * SW - PL;
  let inside = left < W && left + SPAN <= W;
  var row: array<vec4f, SPAN>;
  var t0 = vec4f(); var t1 = vec4f(); var t2 = vec4f(); var t3 = vec4f();
  for (var kh = 0u; kh < KH; kh++) {
    let r = top + kh * DH;
    if (r >= H) { continue; }
    let start = (line / OH * H + r) * W;
    if (inside) {
      for (var j = 0u; j < SPAN; j++) { row[j] = x[(start + left + j) * Q + c]; }
    } else {
      for (var j = 0u; j < SPAN; j++) { row[j] = select(vec4f(), x[(start + min(left + j, W - 1u)) * Q + c], left + j < W); }
    }
    for (var kw = 0u; kw < KW; kw++) {
      let f = w[(kh * KW + kw) * Q + c];
      t0 += f * row[kw * DW];
      t1 += f * row[SW + kw * DW];
      t2 += f * row[2u * SW + kw * DW];
      t3 += f * row[3u * SW + kw * DW];
    }
  }
  let o = (line * OW + s) * C + c * 4u;
  store4(o, t0);
  if (s + 1u < OW) { store4(o + C, t1); }
  if (s + 2u < OW) { store4(o + 2u * C, t2); }
  if (s + 3u < OW) { store4(o + 3u * C, t3); }
}
