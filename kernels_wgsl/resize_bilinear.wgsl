// resize_bilinear — y[n, i, j, c] between the four elements of x around ((SY + i * MY) / DY - 1, (SX + j * MX) / DX - 1).
//         Positions are quotients of integers, so every device takes the same elements. One element, or four
//         channels, a thread.
// reads   x: BATCH x H x W x C, T = f32 | vec4f, C counted in T          writes  y: BATCH x OH x OW x C
// grid    (ceil(BATCH * OH * OW * C / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size; a position outside x takes the nearest element.
// source  the definition.
const BATCH: u32 = 1u;            // @param
const H: u32 = 4u;                // @param
const W: u32 = 4u;                // @param
const C: u32 = 8u;                // @param
const OH: u32 = 8u;               // @param
const OW: u32 = 8u;               // @param
const MY: u32 = 8u;               // @param
const SY: u32 = 12u;              // @param
const DY: u32 = 16u;              // @param
const MX: u32 = 8u;               // @param
const SX: u32 = 12u;              // @param
const DX: u32 = 16u;              // @param
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
  let row = (i / (C * OW)) % OH * MY + SY;
  let column = (i / C) % OW * MX + SX;
  let first = i / (C * OW * OH) * H;
  let top = (first + min(max(row / DY, 1u) - 1u, H - 1u)) * W;
  let bottom = (first + min(row / DY, H - 1u)) * W;
  let left = min(max(column / DX, 1u) - 1u, W - 1u);
  let right = min(column / DX, W - 1u);
  let down = f32(row % DY) / f32(DY);
  let across = f32(column % DX) / f32(DX);
  let upper = x[(top + left) * C + c] + (x[(top + right) * C + c] - x[(top + left) * C + c]) * across;
  let lower = x[(bottom + left) * C + c] + (x[(bottom + right) * C + c] - x[(bottom + left) * C + c]) * across;
  put(i, upper + (lower - upper) * down);
}
