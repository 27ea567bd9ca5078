// resample — y[n, i, c] = sum over k of taps[i, k] * x[n, first[i] + k, c]: each output is a weighted sum of a few neighbours
//         along one axis. The table holds, from START, the COUNT firsts and then COUNT rows of TAPS weights. One element,
//         or four, a thread.
// reads   x: BATCH x N x WIDTH, T = f32 | vec4f, WIDTH counted in T; table: i32, weights as the bits of f32
// writes  y: BATCH x COUNT x WIDTH
// grid    (ceil(BATCH * COUNT * WIDTH / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size; first[i] + TAPS <= N.
// source  the definition.
const BATCH: u32 = 2u;            // @param
const N: u32 = 8u;                // @param
const COUNT: u32 = 5u;            // @param
const WIDTH: u32 = 3u;            // @param
const TAPS: u32 = 4u;             // @param
const START: u32 = 0u;            // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> table: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook
fn put(i: u32, v: T) { store(i, v); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= BATCH * COUNT * WIDTH) { return; }
  let out = (i / WIDTH) % COUNT;
  let begin = (i / (WIDTH * COUNT) * N + u32(table[START + out])) * WIDTH + i % WIDTH;
  let weights = START + COUNT + out * TAPS;
  var sum = T();
  for (var k = 0u; k < TAPS; k++) {
    sum += bitcast<f32>(table[weights + k]) * x[begin + k * WIDTH];
  }
  put(i, sum);
}
