// scatter_add_span — y[r, :] = sum of updates[i, :] over the i with indices[i] == r, in order. SPAN columns of a row a thread.
// reads   indices: COUNT, i32 as vec4; updates: COUNT x WIDTH, T = f32 | i32 | vec4f, WIDTH counted in T
// writes  y: ROWS x WIDTH
// grid    (ceil(ROWS * BLOCKS / WG), 1, 1), folded into x and y by X, BLOCKS = ceil(WIDTH / SPAN)          shared  none
// limits  any size. Reads every index once for every thread: COUNT * ROWS * BLOCKS loads. For software adapters.
// source  as scatter_add_rows; the sums of a span are in private memory, so that the indices are looked at less often.
const ROWS: u32 = 64u;            // @param
const WIDTH: u32 = 8u;            // @param
const COUNT: u32 = 16u;           // @param
const SPAN: u32 = 8u;             // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param
alias E = f32;                    // @param
const BLOCKS: u32 = (WIDTH + SPAN - 1u) / SPAN;

@group(0) @binding(0) var<storage, read> indices: array<vec4i>;
@group(0) @binding(1) var<storage, read> updates: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= ROWS * BLOCKS) { return; }
  let row = i / BLOCKS;
  let first = i % BLOCKS * SPAN;
  let columns = min(SPAN, WIDTH - first);
  var sum: array<T, SPAN>;
  for (var c = 0u; c < SPAN; c++) { sum[c] = T(); }
  for (var j = 0u; j < COUNT; j += 4u) {
    let four = indices[j / 4u];
    if (any(four == vec4i(i32(row)))) {
      for (var k = 0u; k < 4u; k++) {
        if (j + k < COUNT && four[k] == i32(row)) {
          for (var c = 0u; c < columns; c++) { sum[c] += updates[(j + k) * WIDTH + first + c]; }
        }
      }
    }
  }
  for (var c = 0u; c < columns; c++) { put(row * WIDTH + first + c, sum[c]); }
}
