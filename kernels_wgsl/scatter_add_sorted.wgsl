// scatter_add_sorted — y[r, :] = sum of updates[i, :] over the i with indices[i] == r, in order. One element, or four, a thread.
// reads   order: COUNT, i32, the places of the indices by their rows, in order where these are the same, those of no row last;
//         indices: COUNT, i32; updates: COUNT x WIDTH, T = f32 | i32 | u32 | vec4 of them, WIDTH counted in T
// writes  y: ROWS x WIDTH
// grid    (ceil(ROWS * WIDTH / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size. Reads 2 log2(COUNT) numbers for every output thread, and every update once.
// source  scatter_add_rows looks at every index for every output thread; here the first one of a row is found by bisection.
//         Sums of 64, and of 64 of those, are added up apart: one long chain would lose digits.
const ROWS: u32 = 64u;            // @param
const WIDTH: u32 = 8u;            // @param
const COUNT: u32 = 16u;           // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> order: array<i32>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read> updates: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<E>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= ROWS * WIDTH) { return; }
  let row = i / WIDTH;
  let c = i % WIDTH;
  var low = 0u;
  var high = COUNT;
  while (low < high) {
    let middle = (low + high) / 2u;
    let r = u32(indices[u32(order[middle])]);  // a negative one wraps to a large one
    if (r < row) { low = middle + 1u; } else { high = middle; }
  }
  var total = T();
  var part = T();
  var sum = T();
  for (var j = low; j < COUNT; j++) {
    let at = u32(order[j]);
    if (u32(indices[at]) != row) { break; }
    sum += updates[at * WIDTH + c];
    if ((j - low) % 64u == 63u) { part += sum; sum = T(); }
    if ((j - low) % 4096u == 4095u) { total += part; part = T(); }
  }
  put(i, total + (part + sum));
}
