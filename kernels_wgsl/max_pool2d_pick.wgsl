// max_pool2d_pick — y[window] = v at the first cell (row by row) where x equals the window's maximum m; 0 if none does.
// reads   x, v: BATCH x H x W x C, m: BATCH x OH x OW x C, T = f32 | vec4f, C counted in T      writes  y: like m
// grid    (ceil(BATCH*OH*OW*C / WG), 1, 1), folded into x and y by X          shared  none
// limits  any stride and padding.
// source  the transpose of max_pool2d_grad: the gradient of that gradient.
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
alias B = bool;                   // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> m: array<T>;
@group(0) @binding(2) var<storage, read> v: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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
  let best = m[i];
  var open = B(true);
  var sum = T();
  for (var h = u32(max(top, 0)); h < min(u32(top + i32(KH)), H); h++) {
    for (var w = u32(max(left, 0)); w < min(u32(left + i32(KW)), W); w++) {
      let at = (image + h * W + w) * C + c;
      sum += select(T(), v[at], open & (x[at] == best));
      open = open & (x[at] != best);
    }
  }
  put(i, sum);
}
