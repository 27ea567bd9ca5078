// last_sorted — y[r] = the last j with indices[j] == r, -1 where there is none. BLOCK rows a thread.
// reads   order: COUNT, i32, the places of the indices by their rows, in order where these are the same, those of no row last;
//         keys: COUNT, i32, the row of each place      writes  y: ROWS, i32
// grid    (ceil(ROWS / BLOCK / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size.
// source  the first row by bisection, the end of each by steps that double, and bisection.
const ROWS: u32 = 1u;             // @param
const COUNT: u32 = 1u;            // @param
const BLOCK: u32 = 1u;            // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> order: array<i32>;
@group(0) @binding(1) var<storage, read> keys: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let first = ((g.y * X + g.x) * WG + l) * BLOCK;
  if (first >= ROWS) { return; }
  var low = 0u;
  var high = COUNT;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (u32(keys[middle]) < first) { low = middle + 1u; } else { high = middle; }  // a negative one wraps to a large one
  }
  for (var row = first; row < min(first + BLOCK, ROWS); row++) {
    high = low;
    if (low < COUNT && u32(keys[min(low, COUNT - 1u)]) == row) {
      var step = 1u;
      while (low + step < COUNT && u32(keys[min(low + step, COUNT - 1u)]) == row) { step *= 2u; }
      var inside = low + step / 2u + 1u;  // the row ends there at the earliest, and at `high` at the latest
      high = min(low + step, COUNT);
      while (inside < high) {
        let middle = (inside + high) / 2u;
        if (u32(keys[middle]) == row) { inside = middle + 1u; } else { high = middle; }
      }
    }
    store(row, select(-1, order[max(high, 1u) - 1u], low < high));
    low = high;
  }
}
