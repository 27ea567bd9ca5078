// cholesky — L of x = L L^T, one matrix a thread, no barrier.
// reads   x: B x N x N; of it the mean with its transpose          writes  y: B x N x N, zeros above the diagonal
// grid    (ceil(B / WG), 1, 1), folded into x and y by X          shared  none
// limits  4 * N * N bytes of private memory a thread. NaN in all of a matrix that is not positive definite.
// source  Golub and Van Loan, "Matrix Computations", the Cholesky-Banachiewicz order.
const B: u32 = 2u;               // @param
const N: u32 = 3u;               // @param
const WG: u32 = 4u;              // @param
const X: u32 = 65535u;           // @param

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let b = (g.y * X + g.x) * WG + l;
  if (b >= B) { return; }
  let first = b * N * N;
  var a: array<f32, N * N>;
  var good = true;
  for (var i = 0u; i < N; i++) {
    for (var j = 0u; j <= i; j++) {
      var s = 0.5 * (x[first + i * N + j] + x[first + j * N + i]);
      for (var k = 0u; k < j; k++) { s -= a[i * N + k] * a[j * N + k]; }
      if (i == j) {
        good = good && s > 0.0;
        a[i * N + j] = sqrt(max(s, 1e-30));
      } else {
        a[i * N + j] = s / a[j * N + j];
      }
    }
  }
  var nan_bits = 0x7fc00000u | (b & 1u);
  let nan = bitcast<f32>(nan_bits);
  for (var i = 0u; i < N; i++) {
    for (var j = 0u; j < N; j++) { store(first + i * N + j, select(nan, select(0.0, a[i * N + j], j <= i), good)); }
  }
}
