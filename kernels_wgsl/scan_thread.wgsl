// scan_thread — y[r, i] = the sum, or with PRODUCT the product, of x[r, 0 … i]. One chunk of a row a thread.
// reads   x: ROWS x N, T = f32 | i32 | u32; ends: ROWS x CHUNKS, the running results over whole chunks
// writes  y: ROWS x N
// grid    (ceil(ROWS * CHUNKS / WG), 1, 1), folded into x and y by X          shared  none
// limits  CHUNKS = ceil(N / CHUNK). Products are made in the order of the elements within a chunk, sums in blocks of 64: what came
//         before a block, and before the chunk, is added to each sum in it, so that no chain loses digits.
// source  the definition.
const ROWS: u32 = 4u;             // @param
const N: u32 = 8u;                // @param
const CHUNK: u32 = 8u;            // @param
const CHUNKS: u32 = 1u;           // @param
const PRODUCT: bool = false;      // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> ends: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;

fn store(i: u32, v: T) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= ROWS * CHUNKS) { return; }
  let row = t / CHUNKS;
  let c = t % CHUNKS;
  var running = select(T(0), T(1), PRODUCT);
  if (c > 0u) { running = ends[t - 1u]; }
  let last = row * N + min(N, (c + 1u) * CHUNK);
  if (PRODUCT || CHUNK <= 64u) {
    for (var i = row * N + c * CHUNK; i < last; i++) {
      if (PRODUCT) { running = running * x[i]; } else { running = running + x[i]; }
      store(i, running);
    }
    return;
  }
  var before = T(0);
  for (var block = row * N + c * CHUNK; block < last; block += 64u) {
    var own = T(0);
    for (var i = block; i < min(block + 64u, last); i++) {
      own += x[i];
      store(i, running + (before + own));
    }
    before += own;
  }
}
