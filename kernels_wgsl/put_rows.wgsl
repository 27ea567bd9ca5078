// put_rows — y[r, places[r, j]] = x[r, j]: what pick_rows took goes back to where it was.
// reads   x: ROWS x N, T = f32 | i32 | u32; places: ROWS x N, i32, each row an order of 0 … N - 1      writes  y: ROWS x N
// grid    (ceil(ROWS * N / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size.
// source  the definition.
const ROWS: u32 = 4u;             // @param
const N: u32 = 8u;                // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> places: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;

fn store(i: u32, v: T) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= ROWS * N) { return; }
  store(i / N * N + min(u32(places[i]), N - 1u), x[i]);
}
