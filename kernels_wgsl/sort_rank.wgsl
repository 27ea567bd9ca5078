// sort_rank — y[r, p] = column of the element that is number p of row r in order of its key, earlier columns first on ties;
//         or the element itself.
// reads   x: ROWS x N, T = f32 | i32 | u32      writes  y: ROWS x N, Y = i32 | T
// grid    (ceil(ROWS * N / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size; every element is compared with all of its row, so this is for short rows.
// source  counting those that come before.
const ROWS: u32 = 4u;             // @param
const N: u32 = 8u;                // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = u32;                    // @param
alias Y = i32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;

fn store(i: u32, v: Y) { y[i] = v; }  // @hook
fn key(i: u32) -> u32 { return u32(x[i]); }  // @hook
fn item(i: u32, column: u32) -> Y { return Y(column); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= ROWS * N) { return; }
  let first = i / N * N;
  let own = key(i);
  var rank = 0u;
  for (var j = first; j < first + N; j++) {
    let k = key(j);
    rank += select(0u, 1u, (k < own) | ((k == own) & (j < i)));
  }
  store(first + rank, item(i, i - first));
}
