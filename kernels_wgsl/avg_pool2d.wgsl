// avg_pool2d — y[b, oh, ow, c] = mean of the cells of x inside the window at (oh, ow); padding is not counted.
// reads   x: BATCH x H x W x C, T = f32 | vec4f, C counted in T      writes  y: BATCH x OH x OW x C
// grid    (ceil(BATCH*OH*OW*C / WG), 1, 1), folded into x and y by X          shared  none
// limits  every window covers at least one cell of x.
// source  the definition, as Keras counts it. Of a large window the cells are added up in blocks of 64 of a line: one chain would lose digits.
const BATCH: u32 = 1u;            // @param
const H: u32 = 8u;                // @param
const W: u32 = 8u;                // @param
const C: u32 = 4u;                // @param
const OH: u32 = 4u;               // @param
const OW: u32 = 4u;               // @param
const KH: u32 = 2u;               // @param
const KW: u32 = 2u;               // @param
const SH: u32 = 2u;               // @param
const SW: u32 = 2u;               // @param
const PT: u32 = 0u;               // @param
const PL: u32 = 0u;               // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= BATCH * OH * OW * C) { return; }
  let c = i % C;
  let p = i / C;
  let top = i32(p / OW % OH * SH) - i32(PT);
  let left = i32(p % OW * SW) - i32(PL);
  let image = p / (OW * OH) * (H * W);
  let h0 = u32(max(top, 0));
  let w0 = u32(max(left, 0));
  let h1 = min(u32(top + i32(KH)), H);
  let w1 = min(u32(left + i32(KW)), W);
  var sum = T();
  for (var h = h0; h < h1; h++) {
    if (KH * KW <= 256u) {
      for (var w = w0; w < w1; w++) { sum += x[(image + h * W + w) * C + c]; }
    } else {
      for (var block = w0; block < w1; block += 64u) {
        var part = T();
        for (var w = block; w < min(block + 64u, w1); w++) { part += x[(image + h * W + w) * C + c]; }
        sum += part;
      }
    }
  }
  put(i, sum / f32((h1 - h0) * (w1 - w0)));
}
