// radix_move_thread — keys in the order of one digit, and with COLUMNS the column each came from. One chunk a thread.
// reads   x: ROWS x N elements, or what an earlier pass has written;
//         ends: ROWS x (BINS * CHUNKS), running sums of radix_count_thread's result
// writes  y: the keys, ROWS x N, and with COLUMNS the columns behind them; with LAST the columns alone, or the elements
// grid    (ceil(ROWS * CHUNKS / WG), 1, 1), folded into x and y by X          shared  none
// limits  BINS a power of two; CHUNKS = ceil(N / CHUNK).
// source  the second half of a pass of radix sort: elements of a chunk are taken in order, so equal digits stay in order.
const ROWS: u32 = 1u;             // @param
const N: u32 = 8u;                // @param
const CHUNK: u32 = 4u;            // @param
const CHUNKS: u32 = 2u;           // @param
const BINS: u32 = 256u;           // @param
const SHIFT: u32 = 0u;            // @param
const LAST: bool = false;         // @param
const COLUMNS: bool = true;       // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = u32;                    // @param
alias Y = u32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> ends: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

fn store(i: u32, v: Y) { y[i] = v; }  // @hook
fn key(i: u32) -> u32 { return u32(x[i]); }  // @hook
fn column(i: u32) -> u32 { return u32(x[ROWS * N + i]); }  // @hook
fn element(k: u32) -> Y { return Y(k); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= ROWS * CHUNKS) { return; }
  let row = t / CHUNKS;
  let c = t % CHUNKS;
  var next: array<u32, BINS>;
  for (var b = 0u; b < BINS; b++) {
    let j = b * CHUNKS + c;
    next[b] = row * N + select(ends[row * BINS * CHUNKS + max(j, 1u) - 1u], 0u, j == 0u);
  }
  let last = row * N + min(N, (c + 1u) * CHUNK);
  for (var i = row * N + c * CHUNK; i < last; i++) {
    let k = key(i);
    let d = (k >> SHIFT) & (BINS - 1u);
    let p = next[d];
    next[d] = p + 1u;
    if (COLUMNS) {
      if (LAST) {
        store(p, Y(column(i)));
      } else {
        store(p, Y(k));
        store(ROWS * N + p, Y(column(i)));
      }
    } else {
      store(p, element(k));
    }
  }
}
