// qr — x = Q R by Householder reflections, one matrix a thread, no barrier.
// reads   x: B x M x N
// writes  y: B x M x (K + N): Q, whose columns are orthonormal, and beside it R in the first K rows, zeros below
// grid    (ceil(B / WG), 1, 1), folded into x and y by X          shared  none
// limits  4 * M * (N + K) bytes of private memory a thread. Signs as LAPACK has them.
// source  Householder 1958; LAPACK's geqr2 and org2r.
const B: u32 = 2u;               // @param
const M: u32 = 4u;               // @param
const N: u32 = 3u;               // @param
const K: u32 = 3u;               // @param
const STEPS: u32 = 3u;           // @param
const WG: u32 = 4u;              // @param
const X: u32 = 65535u;           // @param

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let b = (g.y * X + g.x) * WG + l;
  if (b >= B) { return; }
  var a: array<f32, M * N>;      // R, and the reflections' vectors below its diagonal
  var q: array<f32, M * K>;
  var tau: array<f32, STEPS>;
  for (var i = 0u; i < M * N; i++) { a[i] = x[b * M * N + i]; }
  for (var j = 0u; j < STEPS; j++) {
    let alpha = a[j * N + j];
    var largest = abs(alpha);
    for (var i = j + 1u; i < M; i++) { largest = max(largest, abs(a[i * N + j])); }
    let scale = select(1.0, largest, largest > 0.0);
    var below = 0.0;
    for (var i = j + 1u; i < M; i++) {
      let v = a[i * N + j] / scale;
      below += v * v;
    }
    tau[j] = 0.0;
    if (below > 0.0) {
      let head = alpha / scale;
      let beta = -select(-1.0, 1.0, alpha >= 0.0) * scale * sqrt(head * head + below);
      tau[j] = (beta - alpha) / beta;
      for (var i = j + 1u; i < M; i++) { a[i * N + j] = a[i * N + j] / (alpha - beta); }
      a[j * N + j] = beta;
      for (var c = j + 1u; c < N; c++) {
        var s = a[j * N + c];
        for (var i = j + 1u; i < M; i++) { s += a[i * N + j] * a[i * N + c]; }
        s *= tau[j];
        a[j * N + c] -= s;
        for (var i = j + 1u; i < M; i++) { a[i * N + c] -= s * a[i * N + j]; }
      }
    }
  }
  for (var i = 0u; i < M; i++) {
    for (var c = 0u; c < K; c++) { q[i * K + c] = select(0.0, 1.0, i == c); }
  }
  for (var back = 0u; back < STEPS; back++) {
    let j = STEPS - 1u - back;
    for (var c = j; c < K; c++) {
      var s = q[j * K + c];
      for (var i = j + 1u; i < M; i++) { s += a[i * N + j] * q[i * K + c]; }
      s *= tau[j];
      q[j * K + c] -= s;
      for (var i = j + 1u; i < M; i++) { q[i * K + c] -= s * a[i * N + j]; }
    }
  }
  for (var i = 0u; i < M; i++) {
    let row = (b * M + i) * (K + N);
    for (var c = 0u; c < K; c++) { store(row + c, q[i * K + c]); }
    for (var j = 0u; j < N; j++) { store(row + K + j, select(0.0, a[i * N + j], i <= j)); }
  }
}
