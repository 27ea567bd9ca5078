// avg_pool2d_grad — y[b, h, w, c] = sum over the windows that cover (h, w) of d[window] / cells in that window.
// reads   d: BATCH x OH x OW x C, T = f32 | vec4f, C counted in T      writes  y: BATCH x H x W x C
// grid    (ceil(BATCH*H*W*C / WG), 1, 1), folded into x and y by X          shared  none
// limits  any stride and padding; cells in no window become zero.
// source  the transpose of avg_pool2d, gathered so that no atomics are needed.
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

@group(0) @binding(0) var<storage, read> d: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

// how many cells of a line of `size` the window starting at `start` covers
fn cells(start: i32, window: u32, size: u32) -> i32 { return min(start + i32(window), i32(size)) - max(start, 0); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= BATCH * H * W * C) { return; }
  let c = i % C;
  let h = i32(i / C / W % H);
  let w = i32(i / C % W);
  let b = i / C / W / H;
  var sum = T();
  // windows over (h, w): oh * SH - i32(PT) <= h < oh * SH - i32(PT) + KH
  let oh0 = max(0, (h + i32(PT) - i32(KH) + i32(SH)) / i32(SH));
  let ow0 = max(0, (w + i32(PL) - i32(KW) + i32(SW)) / i32(SW));
  let oh1 = min(i32(OH) - 1, (h + i32(PT)) / i32(SH));
  let ow1 = min(i32(OW) - 1, (w + i32(PL)) / i32(SW));
  for (var oh = oh0; oh <= oh1; oh++) {
    for (var ow = ow0; ow <= ow1; ow++) {
      let count = cells(oh * i32(SH) - i32(PT), KH, H) * cells(ow * i32(SW) - i32(PL), KW, W);
      sum += d[((b * OH + u32(oh)) * OW + u32(ow)) * C + c] / f32(count);
    }
  }
  put(i, sum);
}
