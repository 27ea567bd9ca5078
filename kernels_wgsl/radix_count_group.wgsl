// radix_count_group — y[r, b, c] = how many keys of chunk c of row r have the digit b. One chunk a workgroup.
// reads   x: ROWS x N elements, or keys that an earlier pass has moved      writes  y: ROWS x BINS x CHUNKS, u32
// grid    (ROWS * CHUNKS, 1, 1), folded into x and y by X          shared  4 * BINS bytes
// limits  BINS a power of two, at most WG; CHUNKS = ceil(N / CHUNK).
// source  the first half of a pass of radix sort; integer atomics, whose order changes nothing.
const ROWS: u32 = 1u;             // @param
const N: u32 = 8u;                // @param
const CHUNK: u32 = 4u;            // @param
const CHUNKS: u32 = 2u;           // @param
const BINS: u32 = 16u;            // @param
const SHIFT: u32 = 0u;            // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = u32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

fn store(i: u32, v: u32) { y[i] = v; }  // @hook
fn key(i: u32) -> u32 { return u32(x[i]); }  // @hook

var<workgroup> counts: array<atomic<u32>, BINS>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = min(g.y * X + g.x, ROWS * CHUNKS - 1u);
  let row = t / CHUNKS;
  let c = t % CHUNKS;
  if (l < BINS) { atomicStore(&counts[l], 0u); }
  workgroupBarrier();
  let last = row * N + min(N, (c + 1u) * CHUNK);
  for (var i = row * N + c * CHUNK + l; i < last; i += WG) {
    atomicAdd(&counts[(key(i) >> SHIFT) & (BINS - 1u)], 1u);
  }
  workgroupBarrier();
  if (l < BINS && g.y * X + g.x < ROWS * CHUNKS) { store((row * BINS + l) * CHUNKS + c, atomicLoad(&counts[l])); }
}
