// eigh — eigenvalues and eigenvectors of symmetric x by Jacobi's rotations, one matrix a thread, no barrier.
// reads   x: B x N x N; of it the mean with its transpose
// writes  y: B x (N + 1) x N: the vectors as columns, below them the values, the least first
// grid    (ceil(B / WG), 1, 1), folded into x and y by X          shared  none
// limits  where x holds NaN or infinity so do the values, as rotations would pass it by. 8 * N * N bytes of private memory a thread. Of a vector's elements within a tenth of the largest the first is positive.
// source  Jacobi 1846, cyclic order; Golub and Van Loan, "Matrix Computations".
const B: u32 = 2u;               // @param
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
  let first = b * N * N;
  var a: array<f32, N * N>;
  var v: array<f32, N * N>;
  var largest = 0.0;
  var odd = 0.0;
  for (var i = 0u; i < N; i++) {
    for (var j = 0u; j < N; j++) {
      a[i * N + j] = 0.5 * (x[first + i * N + j] + x[first + j * N + i]);
      v[i * N + j] = select(0.0, 1.0, i == j);
      largest = max(largest, abs(a[i * N + j]));
      if ((bitcast<u32>(a[i * N + j]) & 0x7fffffffu) >= 0x7f800000u) { odd = a[i * N + j]; }
    }
  }
  let negligible = 1e-9 * largest;
  var moving = true;
  for (var sweep = 0u; sweep < SWEEPS && moving; sweep++) {
    moving = false;
    for (var p = 0u; p + 1u < N; p++) {
      for (var q = p + 1u; q < N; q++) {
        let apq = a[p * N + q];
        if (abs(apq) > negligible) {
          moving = true;
          let theta = 0.5 * (a[q * N + q] - a[p * N + p]) / apq;
          let t = select(-1.0, 1.0, theta >= 0.0) / (abs(theta) + sqrt(1.0 + min(theta * theta, 1e30)));
          let c = 1.0 / sqrt(1.0 + t * t);
          let s = t * c;
          let app = a[p * N + p] - t * apq;
          let aqq = a[q * N + q] + t * apq;
          for (var k = 0u; k < N; k++) {
            let akp = a[k * N + p];
            let akq = a[k * N + q];
            let one = c * akp - s * akq;
            let other = s * akp + c * akq;
            a[k * N + p] = one;
            a[p * N + k] = one;
            a[k * N + q] = other;
            a[q * N + k] = other;
            let vkp = v[k * N + p];
            let vkq = v[k * N + q];
            v[k * N + p] = c * vkp - s * vkq;
            v[k * N + q] = s * vkp + c * vkq;
          }
          a[p * N + p] = app;
          a[q * N + q] = aqq;
          a[p * N + q] = 0.0;
          a[q * N + p] = 0.0;
        }
      }
    }
  }
  for (var place = 0u; place < N; place++) {
    var found = place;      // columns before it are sorted
    for (var j = place + 1u; j < N; j++) {
      if (a[j * N + j] < a[found * N + found]) { found = j; }
    }
    let value = a[found * N + found];
    a[found * N + found] = a[place * N + place];
    a[place * N + place] = value;
    var size = 0.0;
    for (var k = 0u; k < N; k++) {
      let element = v[k * N + found];
      v[k * N + found] = v[k * N + place];
      v[k * N + place] = element;
      size = max(size, abs(element));
    }
    var sign = 0.0;
    for (var k = 0u; k < N; k++) {
      let element = v[k * N + place];
      if (sign == 0.0 && abs(element) >= 0.9 * size) { sign = select(1.0, -1.0, element < 0.0); }
    }
    let out = b * (N + 1u) * N + place;
    for (var k = 0u; k < N; k++) { store(out + k * N, sign * v[k * N + place]); }
    store(out + N * N, value + odd);
  }
}
