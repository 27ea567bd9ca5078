// pick_rows — y[r, j] = x[r, places[r, j]].
// reads   x: ROWS x N, T = f32 | i32 | u32; places: ROWS x K, i32 from 0 to N - 1      writes  y: ROWS x K
// grid    (ceil(ROWS * K / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size.
// source  the definition.
const ROWS: u32 = 4u;             // @param
const N: u32 = 8u;                // @param
const K: u32 = 2u;                // @param
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
  if (i >= ROWS * K) { return; }
  store(i, x[i / K * N + min(u32(places[i]), N - 1u)]);
}
