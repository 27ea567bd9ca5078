// scatter_add_sums — y[r] is the sum of updates[j] with indices[j] == r, in order of j; for a processor core.
// reads   indices: COUNT (i32), updates: COUNT x WIDTH, T = E | vec4<E>, WIDTH counted in T     writes  y: ROWS x WIDTH
// grid    (1, 1, 1): one workgroup of one thread
// shared  ROWS * WIDTH elements of T: all sums, which fit into a cache
// limits  other indices are dropped.
// source  updates are read in their order, where scatter_add_core jumps from one of a row to the next.
const ROWS: u32 = 1u;             // @param
const WIDTH: u32 = 1u;            // @param
const COUNT: u32 = 1u;            // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> updates: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;
var<workgroup> sums: array<T, ROWS * WIDTH>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(1)
fn main() {
  for (var i = 0u; i < ROWS * WIDTH; i++) { sums[i] = T(); }
  for (var j = 0u; j < COUNT; j++) {
    let r = u32(indices[j]);  // a negative one wraps to a large one
    if (r < ROWS) {
      for (var c = 0u; c < WIDTH; c++) { sums[r * WIDTH + c] += updates[j * WIDTH + c]; }
    }
  }
  for (var i = 0u; i < ROWS * WIDTH; i++) { put(i, sums[i]); }
}
