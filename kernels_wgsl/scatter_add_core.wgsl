// scatter_add_core — y[r] is the sum of updates[j] with indices[j] == r, in order of j; for a processor core.
// reads   indices: COUNT (i32), updates: COUNT x WIDTH, T = E | vec4<E>, WIDTH counted in T     writes  y: ROWS x WIDTH
// grid    (ceil(ROWS / BLOCK), 1, 1): one workgroup of one thread has BLOCK rows
// shared  4 * (BLOCK + COUNT) bytes: for each row the first of its updates, for each update the next one of the same row
// limits  other indices are dropped.
// source  lists of updates, so that every one is read once; the sum is in registers, so an epilogue can follow.
const ROWS: u32 = 1u;             // @param
const WIDTH: u32 = 1u;            // @param
const COUNT: u32 = 1u;            // @param
const BLOCK: u32 = 1u;            // @param
const NONE: u32 = 0xffffffffu;
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> updates: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;
var<workgroup> head: array<u32, BLOCK>;
var<workgroup> next: array<u32, COUNT>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let start = g.x * BLOCK;
  for (var r = 0u; r < BLOCK; r++) { head[r] = NONE; }
  for (var k = 0u; k < COUNT; k++) {
    let j = COUNT - 1u - k;
    let r = u32(indices[j]) - start;  // wraps to a large number outside
    if (r < BLOCK) {
      next[j] = head[r];
      head[r] = j;
    }
  }
  for (var r = 0u; r < min(BLOCK, ROWS - start); r++) {
    for (var c = 0u; c < WIDTH; c++) {
      var sum = T();
      var j = head[r];
      while (j != NONE) {
        sum += updates[j * WIDTH + c];
        j = next[j];
      }
      put((start + r) * WIDTH + c, sum);
    }
  }
}
