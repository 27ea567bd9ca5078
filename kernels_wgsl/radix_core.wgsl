// radix_core — y[r, p] = column of the element that is number p of row r in order of its key, earlier columns first on ties;
//         or, without COLUMNS, the element itself. For a processor core.
// reads   x: ROWS x N, T = f32 | i32 | u32      writes  y: ROWS x N, Y = i32 | T
// grid    (ROWS, 1, 1), folded into x and y by X: one workgroup of one thread a row
// shared  keys and columns twice, 16 * N bytes, and a count of each digit
// limits  PASSES <= 4; keys differ in their last 8 * PASSES bits only.
// source  radix sort, all passes in one kernel: a row lies in a core's cache, and nothing waits for others.
const ROWS: u32 = 1u;             // @param
const N: u32 = 8u;                // @param
const PASSES: u32 = 4u;           // @param
const COLUMNS: bool = true;       // @param
const X: u32 = 65535u;            // @param
alias T = u32;                    // @param
alias Y = i32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;
var<workgroup> keys: array<u32, 2u * N>;
var<workgroup> columns: array<u32, 2u * N>;
var<workgroup> next: array<u32, 256>;

fn store(i: u32, v: Y) { y[i] = v; }  // @hook
fn key(i: u32) -> u32 { return u32(x[i]); }  // @hook
fn element(k: u32) -> Y { return Y(k); }  // @hook

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let row = g.y * X + g.x;
  if (row >= ROWS) { return; }
  for (var i = 0u; i < N; i++) {
    keys[i] = key(row * N + i);
    columns[i] = i;
  }
  var here = 0u;
  for (var p = 0u; p < PASSES; p++) {
    let there = N - here;
    for (var b = 0u; b < 256u; b++) { next[b] = there; }
    for (var i = here; i < here + N; i++) {
      let d = (keys[i] >> (8u * p)) & 255u;
      next[d] = next[d] + 1u;
    }
    var before = there;
    for (var b = 0u; b < 256u; b++) {
      let many = next[b] - there;
      next[b] = before;
      before += many;
    }
    for (var i = here; i < here + N; i++) {
      let k = keys[i];
      let d = (k >> (8u * p)) & 255u;
      let to = next[d];
      next[d] = to + 1u;
      keys[to] = k;
      if (COLUMNS) { columns[to] = columns[i]; }
    }
    here = there;
  }
  for (var i = 0u; i < N; i++) {
    if (COLUMNS) {
      store(row * N + i, Y(columns[here + i]));
    } else {
      store(row * N + i, element(keys[here + i]));
    }
  }
}
