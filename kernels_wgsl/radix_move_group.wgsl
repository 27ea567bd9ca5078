// radix_move_group — keys in the order of one digit of four bits, and with COLUMNS the column each came from. One chunk a workgroup.
// reads   x: ROWS x N elements, or what an earlier pass has written;
//         ends: ROWS x (16 * CHUNKS), running sums of radix_count_group's result
// writes  y: the keys, ROWS x N, and with COLUMNS the columns behind them; with LAST the columns alone, or the elements
// grid    (ROWS * CHUNKS, 1, 1), folded into x and y by X          shared  36 * WG + 64 bytes
// limits  16 bins; CHUNK a multiple of WG below 65536; CHUNKS = ceil(N / CHUNK); WG a power of two from 16 on.
// source  Satish, Harris and Garland 2009, "Designing efficient sorting algorithms for manycore GPUs": each thread counts its
//         neighbouring elements, two counters of 16 bits a word, and running sums over threads give every element its place.
const ROWS: u32 = 1u;             // @param
const N: u32 = 8u;                // @param
const CHUNK: u32 = 64u;           // @param
const CHUNKS: u32 = 1u;           // @param
const BINS: u32 = 16u;            // @param
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

var<workgroup> counts: array<u32, 8u * WG>;  // of digit d and thread l: in word d % 8 * WG + l, the upper half from d = 8 on
var<workgroup> part: array<u32, WG>;
var<workgroup> shift: array<u32, BINS>;  // from a place in the chunk to one in the row

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = min(g.y * X + g.x, ROWS * CHUNKS - 1u);
  let row = t / CHUNKS;
  let c = t % CHUNKS;
  let each = CHUNK / WG;
  for (var w = 0u; w < 8u; w++) { counts[w * WG + l] = 0u; }
  let first = row * N + c * CHUNK + l * each;
  let last = min(first + each, row * N + N);
  for (var i = first; i < last; i++) {
    let d = (key(i) >> SHIFT) & 15u;
    counts[(d & 7u) * WG + l] += 1u << (2u * (d & 8u));
  }
  workgroupBarrier();
  var sum = 0u;
  for (var w = 0u; w < 8u; w++) { sum += counts[8u * l + w]; }
  part[l] = sum;
  workgroupBarrier();
  for (var apart = 1u; apart < WG; apart *= 2u) {
    let before = select(0u, part[max(l, apart) - apart], l >= apart);
    workgroupBarrier();
    part[l] += before;
    workgroupBarrier();
  }
  var running = part[l] - sum + (part[WG - 1u] << 16u);  // digits from 8 on come after all of the lower half
  for (var w = 0u; w < 8u; w++) {
    let own = counts[8u * l + w];
    counts[8u * l + w] = running;
    running += own;
  }
  workgroupBarrier();
  if (l < BINS) {
    let j = l * CHUNKS + c;
    let start = select(ends[row * BINS * CHUNKS + max(j, 1u) - 1u], 0u, j == 0u);
    shift[l] = row * N + start - ((counts[(l & 7u) * WG] >> (2u * (l & 8u))) & 0xffffu);
  }
  workgroupBarrier();
  if (g.y * X + g.x < ROWS * CHUNKS) {
    for (var i = first; i < last; i++) {
      let k = key(i);
      let d = (k >> SHIFT) & 15u;
      let w = (d & 7u) * WG + l;
      let p = shift[d] + ((counts[w] >> (2u * (d & 8u))) & 0xffffu);
      counts[w] += 1u << (2u * (d & 8u));
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
}
