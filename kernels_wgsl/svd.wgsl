// svd — x = U diag(s) V^T by rotations of pairs of columns, one matrix a thread, no barrier.
// reads   x: B x M x N, M >= N
// writes  y: B x (M + N + 1) x N: the columns of U, below them those of V, below them s, the largest first
// grid    (ceil(B / WG), 1, 1), folded into x and y by X          shared  none
// limits  4 * (M + N) * N bytes of private memory a thread. Of the elements of a column of V within a tenth of the largest the
//         first is positive. Columns of U for values that are 0 but for rounding are any that are orthogonal to the others.
// source  Hestenes 1958, one-sided Jacobi.
const B: u32 = 2u;               // @param
const M: u32 = 4u;               // @param
const N: u32 = 3u;               // @param
const SWEEPS: u32 = 10u;         // @param
const WG: u32 = 4u;              // @param
const X: u32 = 65535u;           // @param

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let b = (g.y * X + g.x) * WG + l;
  if (b >= B) { return; }
  var u: array<f32, M * N>;
  var v: array<f32, N * N>;
  var s: array<f32, N>;
  var largest = 0.0;
  for (var i = 0u; i < M * N; i++) {
    u[i] = x[b * M * N + i];
    largest = max(largest, abs(u[i]));
  }
  let scale = select(1.0, largest, largest > 0.0);     // squares of the scaled columns neither overflow nor vanish
  for (var i = 0u; i < M * N; i++) { u[i] = u[i] / scale; }
  for (var i = 0u; i < N * N; i++) { v[i] = select(0.0, 1.0, i % (N + 1u) == 0u); }
  var moving = true;
  for (var sweep = 0u; sweep < SWEEPS && moving; sweep++) {
    moving = false;
    for (var p = 0u; p + 1u < N; p++) {
      for (var q = p + 1u; q < N; q++) {
        var alpha = 0.0;
        var beta = 0.0;
        var gamma = 0.0;
        for (var k = 0u; k < M; k++) {
          let one = u[k * N + p];
          let other = u[k * N + q];
          alpha += one * one;
          beta += other * other;
          gamma += one * other;
        }
        if (abs(gamma) > 1e-7 * sqrt(alpha * beta) && abs(gamma) > 1e-20) {
          moving = true;
          let zeta = 0.5 * (beta - alpha) / gamma;
          let t = select(-1.0, 1.0, zeta >= 0.0) / (abs(zeta) + sqrt(1.0 + min(zeta * zeta, 1e30)));
          let c = 1.0 / sqrt(1.0 + t * t);
          let d = c * t;
          for (var k = 0u; k < M; k++) {
            let one = u[k * N + p];
            let other = u[k * N + q];
            u[k * N + p] = c * one - d * other;
            u[k * N + q] = d * one + c * other;
          }
          for (var k = 0u; k < N; k++) {
            let one = v[k * N + p];
            let other = v[k * N + q];
            v[k * N + p] = c * one - d * other;
            v[k * N + q] = d * one + c * other;
          }
        }
      }
    }
  }
  for (var j = 0u; j < N; j++) {
    var square = 0.0;
    for (var k = 0u; k < M; k++) { square += u[k * N + j] * u[k * N + j]; }
    s[j] = sqrt(square);
  }
  let start = b * (M + N + 1u) * N;
  for (var place = 0u; place < N; place++) {
    var found = place;      // columns before it are sorted, and those of U have length 1
    for (var j = place + 1u; j < N; j++) {
      if (s[j] > s[found]) { found = j; }
    }
    let value = s[found];
    s[found] = s[place];
    s[place] = value;
    var size = 0.0;
    for (var k = 0u; k < N; k++) {
      let element = v[k * N + found];
      v[k * N + found] = v[k * N + place];
      v[k * N + place] = element;
      size = max(size, abs(element));
    }
    let whole = value > 1.2e-7 * f32(M) * s[0];
    for (var k = 0u; k < M; k++) {
      let element = u[k * N + found];
      u[k * N + found] = u[k * N + place];
      u[k * N + place] = select(element, element / value, whole);
    }
    if (!whole) {
      // the unit vector that the columns so far reach least, made orthogonal to them
      var least = 2.0;
      var chosen = 0u;
      for (var k = 0u; k < M; k++) {
        var reached = 0.0;
        for (var c = 0u; c < place; c++) { reached += u[k * N + c] * u[k * N + c]; }
        if (reached < least) {
          least = reached;
          chosen = k;
        }
      }
      for (var k = 0u; k < M; k++) { u[k * N + place] = select(0.0, 1.0, k == chosen); }
      for (var turn = 0u; turn < 2u; turn++) {
        for (var c = 0u; c < place; c++) {
          var along = 0.0;
          for (var k = 0u; k < M; k++) { along += u[k * N + c] * u[k * N + place]; }
          for (var k = 0u; k < M; k++) { u[k * N + place] -= along * u[k * N + c]; }
        }
        var square = 0.0;
        for (var k = 0u; k < M; k++) { square += u[k * N + place] * u[k * N + place]; }
        for (var k = 0u; k < M; k++) { u[k * N + place] = u[k * N + place] / sqrt(square); }
      }
    }
    var sign = 0.0;
    for (var k = 0u; k < N; k++) {
      let element = v[k * N + place];
      if (sign == 0.0 && abs(element) >= 0.9 * size) { sign = select(1.0, -1.0, element < 0.0); }
    }
    for (var k = 0u; k < M; k++) { store(start + k * N + place, sign * u[k * N + place]); }
    for (var k = 0u; k < N; k++) { store(start + (M + k) * N + place, sign * v[k * N + place]); }
    store(start + (M + N) * N + place, value * scale);
  }
}
