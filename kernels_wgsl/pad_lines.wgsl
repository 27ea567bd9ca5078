// pad_lines — images with zeros around them, NHWC, for a processor core; one line of the result a thread.
// reads   x: BATCH x H x W, f32, where W counts numbers: pixels times channels     writes  y: BATCH x OH x OW
// grid    (ceil(BATCH * OH / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size. PT: lines before the image, PL: numbers before a line; those after follow from the sizes.
// source  the definition; a line is copied in order, which index arithmetic for every number is many times slower than.
const BATCH: u32 = 1u;            // @param
const H: u32 = 8u;                // @param
const W: u32 = 24u;               // @param
const OH: u32 = 10u;              // @param
const OW: u32 = 30u;              // @param
const PT: u32 = 1u;               // @param
const PL: u32 = 3u;               // @param
const WG: u32 = 4u;               // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let line = (g.y * X + g.x) * WG + l;
  if (line >= BATCH * OH) { return; }
  let first = line * OW;
  let row = line % OH - PT;  // wraps above the image, and then is no row of it
  let start = (line / OH * H + row) * W;
  let before = select(OW, PL, row < H);
  for (var i = 0u; i < before; i++) { store(first + i, 0.0); }
  if (row >= H) { return; }
  for (var i = 0u; i < W; i++) { store(first + PL + i, x[start + i]); }
  for (var i = PL + W; i < OW; i++) { store(first + i, 0.0); }
}
