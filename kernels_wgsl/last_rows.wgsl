// last_rows — y[r] = the last j with indices[j] == r, -1 where there is none. One row a thread.
// reads   indices: COUNT, i32      writes  y: ROWS, i32
// grid    (ceil(ROWS / WG), 1, 1), folded into x and y by X          shared  none
// limits  other indices are dropped. Reads every index once for every row.
// source  the definition.
const ROWS: u32 = 1u;             // @param
const COUNT: u32 = 1u;            // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let row = (g.y * X + g.x) * WG + l;
  if (row >= ROWS) { return; }
  var last = -1;
  for (var j = 0u; j < COUNT; j++) { last = select(last, i32(j), indices[j] == i32(row)); }
  store(row, last);
}
