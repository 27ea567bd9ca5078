// gather_rows — y[i, :] = x[indices[i], :], zeros where the index is no row of x. EACH elements, or fours, a thread.
// reads   x: ROWS x WIDTH, T = f32 | i32 | u32 | vec4f, WIDTH counted in T; indices: COUNT, i32
// writes  y: COUNT x WIDTH
// grid    (ceil(COUNT * WIDTH / EACH / WG), 1, 1), folded into x and y by X          shared  none
// limits  EACH divides WIDTH; reads never leave x.
// source  the definition.
const ROWS: u32 = 64u;            // @param
const WIDTH: u32 = 8u;            // @param
const COUNT: u32 = 16u;           // @param
const EACH: u32 = 1u;             // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= COUNT * (WIDTH / EACH)) { return; }
  let row = u32(indices[i / (WIDTH / EACH)]);  // a negative index wraps to a large one
  let inside = row < ROWS;
  let first = select(0u, row, inside) * WIDTH + i % (WIDTH / EACH) * EACH;
  for (var e = 0u; e < EACH; e++) { put(i * EACH + e, select(T(), x[first + e], inside)); }
}
