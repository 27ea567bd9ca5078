// scatter_add_sums — y[r] is the sum of updates[j] with indices[j] == r, in order of j; for a processor core.
// reads   indices: COUNT (i32), updates: COUNT x WIDTH, T = E | vec4<E>, WIDTH counted in T     writes  y: ROWS x WIDTH
// grid    (ceil(ROWS / BLOCK), 1, 1): one workgroup of one thread has BLOCK rows
// shared  BLOCK * WIDTH elements of T: all sums of a block; HELD twice and COUNTED numbers where LONG
// limits  other indices are dropped. HELD is BLOCK * WIDTH and COUNTED is BLOCK where LONG, else 1.
// source  updates are read in their order, each once; every block looks at all indices. Where LONG a row's sum joins its total after
//         64 updates, and what rounding takes from totals goes into the next: Kahan 1965, "Further remarks on reducing truncation errors".
const ROWS: u32 = 1u;             // @param
const WIDTH: u32 = 1u;            // @param
const COUNT: u32 = 1u;            // @param
const BLOCK: u32 = 1u;            // @param
const LONG: bool = false;         // @param   one chain of a row's updates could lose digits
const RARE: bool = false;         // @param   but probably none does: that is found out first, with counts of four rows a word
const HELD: u32 = 1u;             // @param
const COUNTED: u32 = 1u;          // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> updates: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;
var<workgroup> sums: array<T, BLOCK * WIDTH>;
var<workgroup> totals: array<T, HELD>;
var<workgroup> lost: array<T, HELD>;
var<workgroup> counts: array<u32, COUNTED>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

fn join(r: u32, first: bool) {
  for (var i = r * WIDTH; i < r * WIDTH + WIDTH; i++) {
    if (first) {
      totals[i] = sums[i];
      lost[i] = T();
    } else {
      let v = sums[i] - lost[i];
      let total = totals[i] + v;
      let e = (total - totals[i]) - v;
      lost[i] = select(T(), e, e - e == T());  // nothing where a total is infinite
      totals[i] = total;
    }
    sums[i] = T();
  }
}

fn one_is_long(start: u32, rows: u32) -> bool {
  for (var i = 0u; i < rows / 4u + 1u; i++) { counts[i] = 0u; }
  for (var j = 0u; j < COUNT; j++) {
    let r = u32(indices[j]) - start;
    if (r < rows) {
      let four = counts[r / 4u];
      let shift = 8u * (r % 4u);
      if (((four >> shift) & 63u) == 63u) { return true; }
      counts[r / 4u] = four + (1u << shift);
    }
  }
  return false;
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let start = g.x * BLOCK;
  let rows = min(BLOCK, ROWS - start);
  for (var i = 0u; i < rows * WIDTH; i++) { sums[i] = T(); }
  var long = LONG;
  if (RARE) { long = one_is_long(start, rows); }
  if (long) {
    for (var r = 0u; r < rows; r++) { counts[r] = 0u; }
    for (var j = 0u; j < COUNT; j++) {
      let r = u32(indices[j]) - start;  // wraps to a large number outside
      if (r < rows) {
        for (var c = 0u; c < WIDTH; c++) { sums[r * WIDTH + c] += updates[j * WIDTH + c]; }
        counts[r] += 1u;
        if (counts[r] % 64u == 0u) { join(r, counts[r] == 64u); }
      }
    }
    for (var r = 0u; r < rows; r++) {
      if (counts[r] >= 64u) { for (var i = r * WIDTH; i < r * WIDTH + WIDTH; i++) { sums[i] = totals[i] + (sums[i] - lost[i]); } }
    }
  } else {
    for (var j = 0u; j < COUNT; j++) {
      let r = u32(indices[j]) - start;
      if (r < rows) { for (var c = 0u; c < WIDTH; c++) { sums[r * WIDTH + c] += updates[j * WIDTH + c]; } }
    }
  }
  for (var i = 0u; i < rows * WIDTH; i++) { put(start * WIDTH + i, sums[i]); }
}
