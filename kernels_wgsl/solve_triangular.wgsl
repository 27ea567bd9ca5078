// solve_triangular — x of A x = y, A a triangle; one column a thread, no barrier.
// reads   a: B x N x N, element (i, k) of A at i * ROW + k * COLUMN; y: B x N x K          writes  x: B x N x K
// grid    (ceil(B * K / WG), 1, 1), folded into x and y by X          shared  none
// limits  4 * N bytes of private memory a thread.
// source  forward and back substitution; with UNIT the diagonal counts as ones.
const B: u32 = 2u;               // @param
const N: u32 = 3u;               // @param
const K: u32 = 2u;               // @param
const ROW: u32 = 3u;             // @param
const COLUMN: u32 = 1u;          // @param
const LOWER: bool = true;        // @param
const UNIT: bool = false;        // @param
const WG: u32 = 4u;              // @param
const X: u32 = 65535u;           // @param

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> x: array<f32>;

fn store(i: u32, v: f32) { x[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= B * K) { return; }
  let b = t / K;
  let c = t % K;
  let first = b * N * N;
  var known: array<f32, N>;
  for (var step = 0u; step < N; step++) {
    let i = select(N - 1u - step, step, LOWER);
    var s = y[(b * N + i) * K + c];
    for (var before = 0u; before < step; before++) {
      let k = select(N - 1u - before, before, LOWER);
      s -= a[first + i * ROW + k * COLUMN] * known[k];
    }
    if (!UNIT) { s = s / a[first + i * ROW + i * COLUMN]; }
    known[i] = s;
    store((b * N + i) * K + c, s);
  }
}
