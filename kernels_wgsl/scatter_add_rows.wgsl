// scatter_add_rows — y[r, :] = sum of updates[i, :] over the i with indices[i] == r, in order. One element, or four, a thread.
// reads   indices: COUNT, i32 as vec4; updates: COUNT x WIDTH, T = f32 | i32 | vec4f, WIDTH counted in T
// writes  y: ROWS x WIDTH
// grid    (ceil(ROWS * WIDTH / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size. Reads every index once for every output thread: COUNT * ROWS * WIDTH / 4 loads.
// source  a gather from the updates, because WebGPU has no float atomics and their order would not repeat. Where there are many
//         indices, sums of 128 of them, and of 128 of those, are added up apart: one long chain would lose digits.
const ROWS: u32 = 64u;            // @param
const WIDTH: u32 = 8u;            // @param
const COUNT: u32 = 16u;           // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param
alias E = f32;                    // @param

@group(0) @binding(0) var<storage, read> indices: array<vec4i>;
@group(0) @binding(1) var<storage, read> updates: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<E>;

fn store(i: u32, v: E) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= ROWS * WIDTH) { return; }
  let row = vec4i(i32(i / WIDTH));
  let c = i % WIDTH;
  var total = T();
  var part = T();
  var sum = T();
  for (var j = 0u; j < COUNT; j += 4u) {
    let hit = (indices[j / 4u] == row) & (vec4u(j, j + 1u, j + 2u, j + 3u) < vec4u(COUNT));
    if (any(hit)) {
      if (hit.x) { sum += updates[j * WIDTH + c]; }
      if (hit.y) { sum += updates[(j + 1u) * WIDTH + c]; }
      if (hit.z) { sum += updates[(j + 2u) * WIDTH + c]; }
      if (hit.w) { sum += updates[(j + 3u) * WIDTH + c]; }
    }
    if (COUNT > 1024u) {
      if ((j & 124u) == 124u) { part += sum; sum = T(); }
      if ((j & 16380u) == 16380u) { total += part; part = T(); }
    }
  }
  put(i, total + (part + sum));
}
