// max_pool2d_grad_apart — gives d of each window to the first cell (row by row) that holds its maximum m, for windows that
//         do not overlap. One window a thread; cells in no window become zero.
// reads   x: BATCH x H x W x C, m, d: BATCH x OH x OW x C, T = f32 | vec4f, C counted in T      writes  y: like x
// grid    (ceil(BATCH * ceil(H/KH) * ceil(W/KW) * C / WG), 1, 1), folded into x and y by X          shared  none
// limits  strides equal to the window, no padding above or to the left.
// source  first maximum, as TensorFlow and PyTorch.
const BATCH: u32 = 1u;            // @param
const H: u32 = 8u;                // @param
const W: u32 = 8u;                // @param
const C: u32 = 4u;                // @param
const OH: u32 = 4u;               // @param
const OW: u32 = 4u;               // @param
const KH: u32 = 2u;               // @param
const KW: u32 = 2u;               // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param
alias B = bool;                   // @param
const DOWN: u32 = (H + KH - 1u) / KH;
const ACROSS: u32 = (W + KW - 1u) / KW;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> m: array<T>;
@group(0) @binding(2) var<storage, read> d: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= BATCH * DOWN * ACROSS * C) { return; }
  let c = i % C;
  let ow = i / C % ACROSS;
  let oh = i / C / ACROSS % DOWN;
  let b = i / C / ACROSS / DOWN;
  let real = oh < OH && ow < OW;
  let o = select(0u, ((b * OH + oh) * OW + ow) * C + c, real);
  let best = m[o];
  let gradient = select(T(), d[o], real);
  var open = B(true);
  for (var h = oh * KH; h < min(oh * KH + KH, H); h++) {
    for (var w = ow * KW; w < min(ow * KW + KW, W); w++) {
      let at = ((b * H + h) * W + w) * C + c;
      let hit = open & (x[at] == best);
      open = open & (x[at] != best);
      put(at, select(T(), gradient, hit));
    }
  }
}
