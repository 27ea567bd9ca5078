// recurrence — y[r, i] = x[r, i] + factor[r, i] * y[r, i - 1], or with REVERSE y[r, i + 1]. One chunk of a row a thread.
// reads   x, factor: ROWS x N, f32; ends: ROWS x CHUNKS, what whole chunks came to
// writes  y: ROWS x N
// grid    (ceil(ROWS * CHUNKS / WG), 1, 1), folded into x and y by X          shared  none
// limits  CHUNKS = ceil(N / CHUNK).
// source  the definition.
const ROWS: u32 = 4u;             // @param
const N: u32 = 8u;                // @param
const CHUNK: u32 = 8u;            // @param
const CHUNKS: u32 = 1u;           // @param
const REVERSE: bool = false;      // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> factor: array<f32>;
@group(0) @binding(2) var<storage, read> ends: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= ROWS * CHUNKS) { return; }
  let c = t % CHUNKS;
  let first = t / CHUNKS * N + c * CHUNK;
  let many = min(N - c * CHUNK, CHUNK);
  var before = 0.0;
  if (REVERSE) {
    if (c + 1u < CHUNKS) { before = ends[t + 1u]; }
  } else {
    if (c > 0u) { before = ends[t - 1u]; }
  }
  for (var k = 0u; k < many; k++) {
    let i = first + select(k, many - 1u - k, REVERSE);
    before = x[i] + factor[i] * before;
    store(i, before);
  }
}
