// segment_runs — y[j, :] = updates joined from the first one of its row, or of its chunk, up to the one at place j of the order.
// reads   order: COUNT, i32; keys: COUNT, i32, the row of each place; updates: COUNT x WIDTH, T = E | vec4<E>, WIDTH counted in T
// writes  y: COUNT x WIDTH
// grid    (ceil(CHUNKS * WIDTH / WG), 1, 1), folded into x and y by X          shared  none
// limits  CHUNKS = ceil(COUNT / CHUNK). One chunk of a column, or of four, a thread.
// source  the first half of a segmented scan (Blelloch 1990): no thread has more than a chunk, however long a segment is.
const WIDTH: u32 = 1u;            // @param
const COUNT: u32 = 1u;            // @param
const CHUNK: u32 = 1u;            // @param
const CHUNKS: u32 = 1u;           // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> order: array<i32>;
@group(0) @binding(1) var<storage, read> keys: array<i32>;
@group(0) @binding(2) var<storage, read> updates: array<T>;
@group(0) @binding(3) var<storage, read_write> y: array<E>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook
fn joined(a: T, b: T) -> T { return a + b; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= CHUNKS * WIDTH) { return; }
  let first = i / WIDTH * CHUNK;
  let c = i % WIDTH;
  var row = keys[first];
  var run = updates[u32(order[first]) * WIDTH + c];
  put(first * WIDTH + c, run);
  for (var j = first + 1u; j < min(first + CHUNK, COUNT); j++) {
    let r = keys[j];
    let v = updates[u32(order[j]) * WIDTH + c];
    if (r == row) { run = joined(run, v); } else { run = v; }
    row = r;
    put(j * WIDTH + c, run);
  }
}
