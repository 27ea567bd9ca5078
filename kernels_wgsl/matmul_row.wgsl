// matmul_row — y[z] = a[z] @ b[z] where a[z] is one row, on one processor core: b is read once, U rows of it side by side.
// reads   a: Z x K, f32, b: Z x K x N, f32 or packed     writes  y: Z x N as vec4
// grid    (Z * ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has COLS columns
// shared  4 * COLS bytes: the sums
// limits  N % 4 == 0; COLS is N or a multiple of 4; U divides K.
// source  a panel of b would be copied to be read once, so there is none: rows are read from end to end, as memory is quickest.
const N: u32 = 8u;                // @param
const K: u32 = 8u;                // @param
const Z: u32 = 1u;                // @param
const COLS: u32 = 8u;             // @param
const U: u32 = 8u;                // @param
const X: u32 = 65535u;            // @param
alias B = f32;                    // @param
const ACROSS: u32 = (N + COLS - 1u) / COLS;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> sums: array<vec4f, COLS / 4u>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook
// row r of b: its numbers n … n + 3; a hook takes packed numbers apart
fn four_b(r: u32, n: u32) -> vec4f { let p = r * N + n; return vec4f(b[p], b[p + 1u], b[p + 2u], b[p + 3u]); }  // @hook

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) w: vec3u) {
  let t = w.y * X + w.x;
  let z = t / ACROSS;
  if (z >= Z) { return; }
  let first = select(t % ACROSS * COLS, 0u, ACROSS == 1u);
  let width = (min(first + COLS, N) - first) / 4u;
  var n = 0u;
  while (n < width) {  // no `for`, which would be written out where it is short
    sums[n] = vec4f();
    n += 1u;
  }
  var k = 0u;
  while (k < K) {
    var x: array<vec4f, U>;
    for (var u = 0u; u < U; u++) { x[u] = vec4f(a[z * K + (k + u)]); }
    n = 0u;
    while (n < width) {
      var s = sums[n];
      for (var u = 0u; u < U; u++) { s += x[u] * four_b(z * K + (k + u), first + 4u * n); }
      sums[n] = s;
      n += 1u;
    }
    k += U;
  }
  n = 0u;
  while (n < width) {
    store4(z * N + (first + 4u * n), sums[n]);
    n += 1u;
  }
}
