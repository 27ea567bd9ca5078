// last_core — y[r] = the last j with indices[j] == r, -1 where there is none; for a processor core.
// reads   indices: COUNT, i32      writes  y: ROWS, i32
// grid    (1, 1, 1): one workgroup of one thread          shared  4 * ROWS bytes
// limits  other indices are dropped.
// source  the definition.
const ROWS: u32 = 1u;             // @param
const COUNT: u32 = 1u;            // @param

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
var<workgroup> last: array<i32, ROWS>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook

@compute @workgroup_size(1)
fn main() {
  for (var r = 0u; r < ROWS; r++) { last[r] = -1; }
  for (var j = 0u; j < COUNT; j++) {
    let r = u32(indices[j]);  // a negative one wraps to a large one
    if (r < ROWS) { last[r] = i32(j); }
  }
  for (var r = 0u; r < ROWS; r++) { store(r, last[r]); }
}
