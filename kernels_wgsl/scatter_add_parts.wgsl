// scatter_add_parts — y[p, r] = sum of the updates[j] of chunk p with indices[j] == r, in order. One chunk a thread.
// reads   indices: COUNT (i32), updates: COUNT x WIDTH, T = E | vec4<E>, WIDTH counted in T     writes  y: CHUNKS x ROWS x WIDTH
// grid    (ceil(CHUNKS / WG), 1, 1)          shared  WG * ROWS * WIDTH elements of T, as compilers take minutes over private memory of that size
// limits  CHUNKS = ceil(COUNT / CHUNK); other indices are dropped.
// source  as scatter_add_sums, for many threads.
const ROWS: u32 = 1u;             // @param
const WIDTH: u32 = 1u;            // @param
const COUNT: u32 = 1u;            // @param
const CHUNK: u32 = 1u;            // @param
const CHUNKS: u32 = 1u;           // @param
const WG: u32 = 1u;               // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> updates: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;
var<workgroup> sums: array<T, WG * ROWS * WIDTH>;  // of thread l: every WG-th one

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let p = g.x * WG + l;
  if (p >= CHUNKS) { return; }
  for (var i = 0u; i < ROWS * WIDTH; i++) { sums[i * WG + l] = T(); }
  for (var j = p * CHUNK; j < min(p * CHUNK + CHUNK, COUNT); j++) {
    let r = u32(indices[j]);  // a negative one wraps to a large one
    if (r < ROWS) {
      for (var c = 0u; c < WIDTH; c++) { sums[(r * WIDTH + c) * WG + l] += updates[j * WIDTH + c]; }
    }
  }
  for (var i = 0u; i < ROWS * WIDTH; i++) { put(p * ROWS * WIDTH + i, sums[i * WG + l]); }
}
