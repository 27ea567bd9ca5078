// scatter_core — y[r] = updates[j] with indices[j] == r, joined in order of j, 0 where there are none; for a processor core.
// reads   indices: COUNT (i32), updates: COUNT x WIDTH, T = f32 | i32 | u32     writes  y: ROWS x WIDTH
// grid    (ceil(ROWS / BLOCK), 1, 1): one workgroup of one thread has BLOCK rows
// shared  BLOCK * (WIDTH + 1) elements: all results of a block, and which rows have one
// limits  other indices are dropped.
// source  as scatter_add_sums, for what does not begin at 0.
const ROWS: u32 = 1u;             // @param
const WIDTH: u32 = 1u;            // @param
const COUNT: u32 = 1u;            // @param
const BLOCK: u32 = 1u;            // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> updates: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
var<workgroup> held: array<T, BLOCK * WIDTH>;
var<workgroup> begun: array<u32, BLOCK>;

fn store(i: u32, v: T) { y[i] = v; }  // @hook
fn joined(a: T, b: T) -> T { return a * b; }  // @hook

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let start = g.x * BLOCK;
  let rows = min(BLOCK, ROWS - start);
  for (var i = 0u; i < rows * WIDTH; i++) { held[i] = T(); }
  for (var r = 0u; r < rows; r++) { begun[r] = 0u; }
  for (var j = 0u; j < COUNT; j++) {
    let r = u32(indices[j]) - start;  // wraps to a large number outside
    if (r < rows) {
      for (var c = 0u; c < WIDTH; c++) {
        let v = updates[j * WIDTH + c];
        if (begun[r] == 0u) { held[r * WIDTH + c] = v; } else { held[r * WIDTH + c] = joined(held[r * WIDTH + c], v); }
      }
      begun[r] = 1u;
    }
  }
  for (var i = 0u; i < rows * WIDTH; i++) { store(start * WIDTH + i, held[i]); }
}
