// conv2d_depthwise_thin — depthwise convolution, NHWC, of channels that are no whole vectors, for a processor core; lines of numbers.
// reads   x: BATCH x H x W, f32, w: KH x KW x C, f32     writes  y: BATCH x OH x OW as vec4, where W and OW count pixels times channels
// grid    (BATCH * ceil(OH / LINES), 1, 1), folded into x and y by X: one workgroup of one thread has LINES lines of an image
// shared  16 * KH * KW * C bytes: the weights, from each channel on; 4 * (RING + 1) * LW: lines of the image with zeros around them
// limits  OW % 4 == 0, strides of 1 across. PT: lines of zeros before the image, PL: numbers before a line; STEP: numbers from a tap to the next.
// source  a line is a vector of numbers whatever its channels are: a tap of it is the same line further on, times weights that repeat.
const BATCH: u32 = 1u;            // @param
const H: u32 = 8u;                // @param
const W: u32 = 24u;               // @param
const C: u32 = 3u;                // @param
const OH: u32 = 8u;               // @param
const OW: u32 = 24u;              // @param
const KH: u32 = 1u;               // @param
const KW: u32 = 1u;               // @param
const SH: u32 = 1u;               // @param
const DH: u32 = 1u;               // @param
const STEP: u32 = 3u;             // @param
const PT: u32 = 0u;               // @param
const PL: u32 = 0u;               // @param
const LINES: u32 = 8u;            // @param
const X: u32 = 65535u;            // @param
const PARTS: u32 = (OH + LINES - 1u) / LINES;
const RING: u32 = (KH - 1u) * DH + 1u;                       // lines that are kept at a time; one of zeros follows them
const LW: u32 = (OW + 15u) / 16u * 16u + (KW - 1u) * STEP;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> weights: array<vec4f, KH * KW * C>;
var<workgroup> lines: array<f32, (RING + 1u) * LW>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn four(i: u32) -> vec4f { return vec4f(lines[i], lines[i + 1u], lines[i + 2u], lines[i + 3u]); }

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let t = g.y * X + g.x;
  if (t >= BATCH * PARTS) { return; }
  let image = t / PARTS;
  var line = t % PARTS * LINES;
  let end = min(line + LINES, OH);
  var i = 0u;
  while (i < KH * KW * C) {
    let k = i / C * C;
    weights[i] = vec4f(w[i], w[k + (i + 1u) % C], w[k + (i + 2u) % C], w[k + (i + 3u) % C]);
    i += 1u;
  }
  i = 0u;
  while (i < (RING + 1u) * LW) {
    lines[i] = 0.0;
    i += 1u;
  }
  var next = line * SH - min(PT, line * SH);
  while (line < end) {
    let ready = min(max(line * SH + RING, PT) - PT, H);
    while (next < ready) {
      let start = (image * H + next) * W;
      let place = next % RING * LW + PL;
      i = 0u;
      while (i < W) {
        lines[place + i] = x[start + i];
        i += 1u;
      }
      next += 1u;
    }
    let top = line * SH - PT;  // wraps above the image, and then is no line of it
    var n = 0u;
    while (n < OW) {
      let c0 = n % C;
      let c1 = (n + 4u) % C;
      let c2 = (n + 8u) % C;
      let c3 = (n + 12u) % C;
      var s0 = vec4f();
      var s1 = vec4f();
      var s2 = vec4f();
      var s3 = vec4f();
      for (var kh = 0u; kh < KH; kh++) {
        let r = top + kh * DH;
        let at = select(RING, r % RING, r < H) * LW + n;
        for (var kw = 0u; kw < KW; kw++) {
          let p = at + kw * STEP;
          let k = (kh * KW + kw) * C;
          s0 += weights[k + c0] * four(p);
          s1 += weights[k + c1] * four(p + 4u);
          s2 += weights[k + c2] * four(p + 8u);
          s3 += weights[k + c3] * four(p + 12u);
        }
      }
      let o = (image * OH + line) * OW + n;
      store4(o, s0);
      if (n + 4u < OW) { store4(o + 4u, s1); }
      if (n + 8u < OW) { store4(o + 8u, s2); }
      if (n + 12u < OW) { store4(o + 12u, s3); }
      n += 16u;
    }
    line += 1u;
  }
}
