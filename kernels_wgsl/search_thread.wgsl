// search_thread — y[i] = how many of the N increasing edges come before the key of x[i]; with RIGHT its equals among them.
// reads   edges: N, keys; x: COUNT, T = f32 | i32 | u32      writes  y: COUNT, i32
// grid    (ceil(COUNT / WG), 1, 1), folded into x and y by X          shared  none
// limits  N >= 1. A NaN comes after all numbers, as in numpy.
// source  bisection.
const N: u32 = 8u;                // @param
const COUNT: u32 = 4u;            // @param
const RIGHT: bool = false;        // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = u32;                    // @param

@group(0) @binding(0) var<storage, read> edges: array<u32>;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook
fn key(v: T) -> u32 { return u32(v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= COUNT) { return; }
  let own = key(x[i]);
  var low = 0u;
  var high = N;
  while (low < high) {  // edges out of order give what numpy's bisection gives
    let middle = (low + high) / 2u;
    let edge = edges[middle];
    let before = select(edge < own, edge <= own, RIGHT);  // no branch to guess
    low = select(low, middle + 1u, before);
    high = select(middle, high, before);
  }
  store(i, i32(low));
}
