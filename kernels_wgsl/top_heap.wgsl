// top_heap — the columns of the K largest keys of each chunk, largest first, the earlier of equals first; for a processor core.
// reads   x: ROWS x Q, T = vec4<f32 | i32 | u32>, Q counted in vectors      writes  y: ROWS x CHUNKS x K, i32
// grid    (ROWS * CHUNKS, 1, 1), folded into x and y by X: one chunk a workgroup of one thread          shared  8 * K bytes
// limits  a chunk has at least K elements; chunks differ by one vector at most.
// source  Williams 1964, "Heapsort": the least of those held is at the top, most elements are compared with it alone.
const ROWS: u32 = 4u;             // @param
const Q: u32 = 8u;                // @param
const CHUNKS: u32 = 1u;           // @param
const K: u32 = 2u;                // @param
const X: u32 = 65535u;            // @param
alias T = vec4<u32>;              // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
var<workgroup> keys: array<u32, K>;
var<workgroup> places: array<u32, K>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook
fn key(i: u32) -> vec4<u32> { return vec4<u32>(x[i]); }  // @hook

// lets the element (k, p) sink from place `top` of a heap of `size`, below all that are less: a smaller key, or an equal one that is later
fn sink(top: u32, size: u32, k: u32, p: u32) {
  var i = top;
  var child = 2u * i + 1u;
  while (child < size) {
    let other = min(child + 1u, size - 1u);
    if (keys[other] < keys[child] || (keys[other] == keys[child] && places[other] > places[child])) { child = other; }
    if (keys[child] > k || (keys[child] == k && places[child] < p)) { break; }
    keys[i] = keys[child];
    places[i] = places[child];
    i = child;
    child = 2u * i + 1u;
  }
  keys[i] = k;
  places[i] = p;
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) g: vec3u) {
  let t = g.y * X + g.x;
  if (t >= ROWS * CHUNKS) { return; }
  let row = t / CHUNKS;
  let c = t % CHUNKS;
  let start = row * Q + Q / CHUNKS * c + min(c, Q % CHUNKS);
  let last = start + Q / CHUNKS + select(0u, 1u, c < Q % CHUNKS);
  var held = 0u;
  var least = 0u;
  for (var q = start; q < last; q++) {
    let four = key(q);
    if (held < K || any(four > vec4<u32>(least))) {
      for (var lane = 0u; lane < 4u; lane++) {
        let k = four[lane];
        let p = 4u * (q - row * Q) + lane;
        if (held < K) {
          keys[held] = k;
          places[held] = p;
          held += 1u;
          if (held == K) {
            for (var j = 0u; j < K / 2u; j++) {
              let i = K / 2u - 1u - j;
              sink(i, K, keys[i], places[i]);
            }
            least = keys[0];
          }
        } else if (k > least) {
          sink(0u, K, k, p);
          least = keys[0];
        }
      }
    }
  }
  for (var j = 0u; j + 1u < K; j++) {  // the least goes behind the others, again and again
    let end = K - 1u - j;
    let k = keys[end];
    let p = places[end];
    keys[end] = keys[0];
    places[end] = places[0];
    sink(0u, end, k, p);
  }
  for (var j = 0u; j < K; j++) { store(t * K + j, i32(places[j])); }
}
