// top_quad — the columns of the K largest keys of each chunk, largest first, the earlier of equals first. One chunk a thread.
// reads   x: ROWS x Q, T = vec4<f32 | i32 | u32>, Q counted in vectors      writes  y: ROWS x CHUNKS x K, i32; -1 where a chunk has no more
// grid    (ceil(ROWS * CHUNKS / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size; chunks differ by one vector at most.
// source  as top_thread, four keys to a comparison.
const ROWS: u32 = 4u;             // @param
const Q: u32 = 8u;                // @param
const CHUNKS: u32 = 1u;           // @param
const K: u32 = 2u;                // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = vec4<u32>;              // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook
fn key(i: u32) -> vec4<u32> { return vec4<u32>(x[i]); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= ROWS * CHUNKS) { return; }
  let row = t / CHUNKS;
  let c = t % CHUNKS;
  let start = row * Q + Q / CHUNKS * c + min(c, Q % CHUNKS);
  let last = start + Q / CHUNKS + select(0u, 1u, c < Q % CHUNKS);
  var keys: array<u32, K>;
  var places: array<u32, K>;
  var held = 0u;
  var least = 0u;
  for (var q = start; q < last; q++) {
    let four = key(q);
    if (any(four > vec4<u32>(least)) | (held < K)) {
      for (var lane = 0u; lane < 4u; lane++) {
        let k = four[lane];
        if ((k > least) | (held < K)) {
          var j = min(held, K - 1u);
          for (; j > 0u; j--) {
            if (keys[j - 1u] >= k) { break; }
            keys[j] = keys[j - 1u];
            places[j] = places[j - 1u];
          }
          keys[j] = k;
          places[j] = 4u * (q - row * Q) + lane;
          held = min(held + 1u, K);
          least = select(0u, keys[K - 1u], held == K);
        }
      }
    }
  }
  for (var j = 0u; j < K; j++) { store(t * K + j, select(-1, i32(places[j]), j < held)); }
}
