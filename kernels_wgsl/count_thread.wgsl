// count_thread — y[p, r] = how many numbers of chunk p are r; y[p, ROWS] = how many of it are no row. One chunk a workgroup of one thread.
// reads   x: COUNT, i32      writes  y: CHUNKS x (ROWS + 1), i32
// grid    (CHUNKS, 1, 1), CHUNKS = ceil(COUNT / CHUNK)      shared  4 * COPIES * (ROWS + 1) bytes
// limits  COPIES 1 or 4.
// source  counters are a thread's own, so nothing waits; four copies of them, so that of equal neighbours none waits for the other.
const ROWS: u32 = 1u;             // @param
const COUNT: u32 = 8u;            // @param
const CHUNK: u32 = 8u;            // @param
const COPIES: u32 = 4u;           // @param
const BINS: u32 = ROWS + 1u;

@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
var<workgroup> counts: array<i32, COPIES * BINS>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  for (var i = 0u; i < COPIES * BINS; i++) { counts[i] = 0; }
  let start = g.x * CHUNK;
  let last = min(COUNT, start + CHUNK);
  let fours = start + (last - start) / 4u * 4u;
  for (var i = start; i < fours; i += 4u) {
    for (var j = 0u; j < 4u; j++) {
      let k = j % COPIES * BINS + min(u32(x[i + j]), ROWS);  // a negative one wraps to a large one
      counts[k] = counts[k] + 1;
    }
  }
  for (var i = fours; i < last; i++) {
    let k = min(u32(x[i]), ROWS);
    counts[k] = counts[k] + 1;
  }
  for (var r = 0u; r < BINS; r++) {
    var many = counts[r];
    for (var j = 1u; j < COPIES; j++) { many += counts[j * BINS + r]; }
    store(g.x * BINS + r, many);
  }
}
