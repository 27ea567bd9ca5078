// segment_ends — y[r, :] = the updates of row r joined: what segment_runs has at the ends of chunks within the row, and at its end.
// reads   keys: COUNT, i32, increasing as unsigned numbers; runs: COUNT x WIDTH, T = E | vec4<E>, WIDTH counted in T
// writes  y: ROWS x WIDTH, 0 for a row without updates
// grid    (ceil(ceil(ROWS / BLOCK) * WIDTH / WG), 1, 1), folded into x and y by X          shared  none
// limits  chunks of CHUNK. BLOCK rows of a column a thread, which looks for the first by bisection and then goes on.
// source  the second half of a segmented scan; the end of a row by steps that double, and bisection.
const ROWS: u32 = 1u;             // @param
const WIDTH: u32 = 1u;            // @param
const COUNT: u32 = 1u;            // @param
const CHUNK: u32 = 1u;            // @param
const BLOCK: u32 = 1u;            // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> keys: array<i32>;
@group(0) @binding(1) var<storage, read> runs: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook
fn joined(a: T, b: T) -> T { return a + b; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  let c = i % WIDTH;
  let first = i / WIDTH * BLOCK;
  if (first >= ROWS) { return; }
  var low = 0u;
  var high = COUNT;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (u32(keys[middle]) < first) { low = middle + 1u; } else { high = middle; }  // a negative one wraps to a large one
  }
  for (var row = first; row < min(first + BLOCK, ROWS); row++) {
    high = low;
    if (low < COUNT && u32(keys[min(low, COUNT - 1u)]) == row) {
      var step = 1u;
      while (low + step < COUNT && u32(keys[min(low + step, COUNT - 1u)]) == row) { step *= 2u; }
      var inside = low + step / 2u + 1u;  // the row ends there at the earliest, and at `high` at the latest
      high = min(low + step, COUNT);
      while (inside < high) {
        let middle = (inside + high) / 2u;
        if (u32(keys[middle]) == row) { inside = middle + 1u; } else { high = middle; }
      }
    }
    var sum = T();
    if (low < high) {
      var e = low / CHUNK * CHUNK + CHUNK - 1u;
      sum = runs[min(e, high - 1u) * WIDTH + c];
      while (e < high - 1u) {  // 32 at a time: one long chain of sums would lose digits
        e += CHUNK;
        var part = runs[min(e, high - 1u) * WIDTH + c];
        for (var k = 1u; k < 32u && e < high - 1u; k++) {
          e += CHUNK;
          part = joined(part, runs[min(e, high - 1u) * WIDTH + c]);
        }
        sum = joined(sum, part);
      }
    }
    put(row * WIDTH + c, sum);
    low = high;
  }
}
