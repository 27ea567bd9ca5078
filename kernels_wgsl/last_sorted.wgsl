// last_sorted — y[r] = the last j with indices[j] == r, -1 where there is none. One row a thread.
// reads   order: COUNT, i32, the places of the indices by their rows, in order where these are the same, those of no row last;
//         indices: COUNT, i32      writes  y: ROWS, i32
// grid    (ceil(ROWS / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size. Reads 2 log2(COUNT) numbers for every row.
// source  bisection.
const ROWS: u32 = 1u;             // @param
const COUNT: u32 = 1u;            // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> order: array<i32>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let row = (g.y * X + g.x) * WG + l;
  if (row >= ROWS) { return; }
  var low = 0u;
  var high = COUNT;
  while (low < high) {
    let middle = (low + high) / 2u;
    let r = u32(indices[u32(order[middle])]);  // a negative one wraps to a large one
    if (r <= row) { low = middle + 1u; } else { high = middle; }
  }
  let at = order[max(low, 1u) - 1u];
  store(row, select(-1, at, low > 0u && u32(indices[u32(at)]) == row));
}
