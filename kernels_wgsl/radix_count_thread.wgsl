// radix_count_thread — y[r, b, c] = how many keys of chunk c of row r have the digit b. One chunk a thread.
// reads   x: ROWS x N elements, or keys that an earlier pass has moved      writes  y: ROWS x BINS x CHUNKS, u32
// grid    (ceil(ROWS * CHUNKS / WG), 1, 1), folded into x and y by X          shared  none
// limits  BINS a power of two; CHUNKS = ceil(N / CHUNK).
// source  the first half of a pass of radix sort; counters are a thread's own, so nothing waits.
const ROWS: u32 = 1u;             // @param
const N: u32 = 8u;                // @param
const CHUNK: u32 = 4u;            // @param
const CHUNKS: u32 = 2u;           // @param
const BINS: u32 = 256u;           // @param
const SHIFT: u32 = 0u;            // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = u32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

fn store(i: u32, v: u32) { y[i] = v; }  // @hook
fn key(i: u32) -> u32 { return u32(x[i]); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= ROWS * CHUNKS) { return; }
  let row = t / CHUNKS;
  let c = t % CHUNKS;
  var counts: array<u32, BINS>;
  let last = row * N + min(N, (c + 1u) * CHUNK);
  for (var i = row * N + c * CHUNK; i < last; i++) {
    let d = (key(i) >> SHIFT) & (BINS - 1u);
    counts[d] = counts[d] + 1u;
  }
  for (var b = 0u; b < BINS; b++) { store((row * BINS + b) * CHUNKS + c, counts[b]); }
}
