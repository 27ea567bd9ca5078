// max_pool2d_grad — gives d of each window to the first cell (row by row) that holds its maximum m. One cell a thread.
// reads   x: BATCH x H x W x C, m, d: BATCH x OH x OW x C, T = f32 | vec4f, C counted in T      writes  y: like x
// grid    (ceil(BATCH*H*W*C / WG), 1, 1), folded into x and y by X          shared  none
// limits  any stride and padding; windows may overlap. max_pool2d_grad_apart is faster where they do not.
// source  first maximum, as TensorFlow and PyTorch; gathered from the windows over a cell, so no atomics.
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
@group(0) @binding(2) var<storage, read> d: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= BATCH * H * W * C) { return; }
  let c = i % C;
  let h = i32(i / C / W % H);
  let w = i32(i / C % W);
  let b = i / C / W / H;
  let v = x[i];
  var sum = T();
  // windows over (h, w): oh * SH - i32(PT) <= h < oh * SH - i32(PT) + KH
  let oh0 = max(0, (h + i32(PT) - i32(KH) + i32(SH)) / i32(SH));
  let ow0 = max(0, (w + i32(PL) - i32(KW) + i32(SW)) / i32(SW));
  let oh1 = min(i32(OH) - 1, (h + i32(PT)) / i32(SH));
  let ow1 = min(i32(OW) - 1, (w + i32(PL)) / i32(SW));
  for (var oh = oh0; oh <= oh1; oh++) {
    for (var ow = ow0; ow <= ow1; ow++) {
      let o = ((b * OH + u32(oh)) * OW + u32(ow)) * C + c;
      let best = m[o];
      var first = v == best;
      let left = max(0, ow * i32(SW) - i32(PL));
      let right = min(i32(W), ow * i32(SW) - i32(PL) + i32(KW));
      for (var r = max(0, oh * i32(SH) - i32(PT)); r <= h; r++) {
        for (var s = left; s < select(right, w, r == h); s++) {
          first = first & B(x[((b * H + u32(r)) * W + u32(s)) * C + c] != best);
        }
      }
      sum += select(T(), d[o], first);
    }
  }
  put(i, sum);
}
