// lu_factor — x = P L U with the largest pivot of each column, one matrix a thread, no barrier.
// reads   x: B x M x N
// writes  y: B x M x (N + 2): L below the diagonal and U from it on; the row that each step exchanged its own with; where each row
//         came from
// grid    (ceil(B / WG), 1, 1), folded into x and y by X          shared  none
// limits  4 * M * (N + 2) bytes of private memory a thread. A column without a pivot is left as it is, as LAPACK does.
// source  Golub and Van Loan, "Matrix Computations", outer products with partial pivoting.
const B: u32 = 2u;               // @param
const M: u32 = 3u;               // @param
const N: u32 = 4u;               // @param
const K: u32 = 3u;               // @param
const WG: u32 = 4u;              // @param
const X: u32 = 65535u;           // @param

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let b = (g.y * X + g.x) * WG + l;
  if (b >= B) { return; }
  var a: array<f32, M * N>;
  var swaps: array<f32, M>;
  var order: array<f32, M>;
  for (var i = 0u; i < M; i++) {
    swaps[i] = 0.0;
    order[i] = f32(i);
    for (var j = 0u; j < N; j++) { a[i * N + j] = x[(b * M + i) * N + j]; }
  }
  for (var k = 0u; k < K; k++) {
    var found = k;
    for (var i = k + 1u; i < M; i++) {
      if (abs(a[i * N + k]) > abs(a[found * N + k])) { found = i; }
    }
    swaps[k] = f32(found);
    let place = order[k];
    order[k] = order[found];
    order[found] = place;
    for (var j = 0u; j < N; j++) {
      let other = a[k * N + j];
      a[k * N + j] = a[found * N + j];
      a[found * N + j] = other;
    }
    let pivot = a[k * N + k];
    for (var i = k + 1u; i < M; i++) {
      let factor = a[i * N + k] / select(pivot, 1.0, pivot == 0.0);
      a[i * N + k] = factor;
      for (var j = k + 1u; j < N; j++) { a[i * N + j] -= factor * a[k * N + j]; }
    }
  }
  for (var i = 0u; i < M; i++) {
    let row = (b * M + i) * (N + 2u);
    for (var j = 0u; j < N; j++) { store(row + j, a[i * N + j]); }
    store(row + N, swaps[i]);
    store(row + N + 1u, order[i]);
  }
}
