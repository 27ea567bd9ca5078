// scatter_add_sums — y[r] is the sum of updates[j] with indices[j] == r, in order of j; for a processor core.
// reads   indices: COUNT (i32), updates: COUNT x WIDTH, T = E | vec4<E>, WIDTH counted in T     writes  y: ROWS x WIDTH
// grid    (ceil(ROWS / BLOCK), 1, 1): one workgroup of one thread has BLOCK rows
// shared  BLOCK * WIDTH elements of T: all sums of a block
// limits  other indices are dropped.
// source  updates are read in their order, each once; every block looks at all indices.
const ROWS: u32 = 1u;             // @param
const WIDTH: u32 = 1u;            // @param
const COUNT: u32 = 1u;            // @param
const BLOCK: u32 = 1u;            // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> updates: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;
var<workgroup> sums: array<T, BLOCK * WIDTH>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let start = g.x * BLOCK;
  let rows = min(BLOCK, ROWS - start);
  for (var i = 0u; i < rows * WIDTH; i++) { sums[i] = T(); }
  for (var j = 0u; j < COUNT; j++) {
    let r = u32(indices[j]) - start;  // wraps to a large number outside
    if (r < rows) {
      for (var c = 0u; c < WIDTH; c++) { sums[r * WIDTH + c] += updates[j * WIDTH + c]; }
    }
  }
  for (var i = 0u; i < rows * WIDTH; i++) { put(start * WIDTH + i, sums[i]); }
}
