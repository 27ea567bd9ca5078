// scan_group — y[r, i] = the sum, or with PRODUCT the product, of x[r, 0 … i]. One chunk of a row a workgroup.
// reads   x: ROWS x N, T = f32 | i32 | u32; ends: ROWS x CHUNKS, the running results over whole chunks
// writes  y: ROWS x N
// grid    (ROWS * CHUNKS, 1, 1), folded into x and y by X          shared  4 * WG bytes
// limits  CHUNKS = ceil(N / CHUNK), CHUNK a multiple of 4 * WG unless CHUNKS is 1. The order is a fixed tree.
// source  Hillis and Steele 1986, "Data parallel algorithms", over the threads' results of four neighbours each.
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

fn joined(a: T, b: T) -> T {
  if (PRODUCT) { return a * b; }
  return a + b;
}

var<workgroup> part: array<T, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = min(g.y * X + g.x, ROWS * CHUNKS - 1u);
  let writes = g.y * X + g.x < ROWS * CHUNKS;
  let row = t / CHUNKS;
  let c = t % CHUNKS;
  let neutral = select(T(0), T(1), PRODUCT);
  var running = neutral;
  if (c > 0u) { running = ends[t - 1u]; }
  let last = row * N + min(N, (c + 1u) * CHUNK);
  for (var tile = row * N + c * CHUNK; tile < last; tile += 4u * WG) {
    let first = tile + 4u * l;
    var own = neutral;
    for (var i = first; i < min(first + 4u, last); i++) { own = joined(own, x[i]); }
    part[l] = own;
    workgroupBarrier();
    for (var apart = 1u; apart < WG; apart *= 2u) {
      var before = neutral;
      if (l >= apart) { before = part[l - apart]; }
      workgroupBarrier();
      part[l] = joined(before, part[l]);
      workgroupBarrier();
    }
    var now = running;
    if (l > 0u) { now = joined(running, part[l - 1u]); }
    if (writes) {
      for (var i = first; i < min(first + 4u, last); i++) {
        now = joined(now, x[i]);
        store(i, now);
      }
    }
    running = joined(running, part[WG - 1u]);
    workgroupBarrier();
  }
}
