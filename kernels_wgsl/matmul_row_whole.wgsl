// matmul_row_whole — y = a @ b of whole numbers where a is one row, on one processor core: b is read once, U pairs of its rows side by side.
// reads   a: K, f32 that hold 8 bits, b: K x N, 8 bits packed in words of four columns     writes  y: N as vec4
// grid    (ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has COLS columns
// shared  4 * COLS bytes: the sums, exact in 32 bits
// limits  N % 16 == 0; COLS is N or a multiple of 16; U divides ceil(K / 2); K < 2^17.
// source  matmul_row, with the multiply-add of 16-bit pairs of matmul_whole: numbers of two rows lie side by side as soon as their bytes do.
const N: u32 = 16u;                // @param
const K: u32 = 8u;                // @param
const COLS: u32 = 16u;            // @param
const U: u32 = 4u;                // @param
const X: u32 = 65535u;            // @param
alias B = i32;                    // @param
const ACROSS: u32 = (N + COLS - 1u) / COLS;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> sums: array<vec4<i32>, COLS / 4u>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook
// row r of b: its numbers n … n + 15
fn words_b(r: u32, n: u32) -> vec4<i32> { let p = (r * N + n) / 4u; return vec4<i32>(b[p], b[p + 1u], b[p + 2u], b[p + 3u]); }  // @hook

// products of both halves, added, as in matmul_whole
fn dot_i16x8(p: vec4<i32>, q: vec4<i32>) -> vec4<i32> {
  let s = vec4<u32>(16u);
  return ((p << s) >> s) * ((q << s) >> s) + (p >> s) * (q >> s);
}

// the four numbers of a word in the lower halves, those of another in the upper ones
fn pairs_of(low: i32, high: i32) -> vec4<i32> {
  let factors = vec4<i32>(16777216, 65536, 256, 1);
  return (((vec4<i32>(low) * factors) >> vec4<u32>(24u)) & vec4<i32>(65535)) | (((vec4<i32>(high) * factors) >> vec4<u32>(24u)) << vec4<u32>(16u));
}

// two instructions or three in WebAssembly, where these are their names
fn pairs_0(p: vec4<i32>, q: vec4<i32>) -> vec4<i32> { return pairs_of(p.x, q.x); }
fn pairs_1(p: vec4<i32>, q: vec4<i32>) -> vec4<i32> { return pairs_of(p.y, q.y); }
fn pairs_2(p: vec4<i32>, q: vec4<i32>) -> vec4<i32> { return pairs_of(p.z, q.z); }
fn pairs_3(p: vec4<i32>, q: vec4<i32>) -> vec4<i32> { return pairs_of(p.w, q.w); }

fn whole(r: u32) -> i32 {  // behind an odd last row there is a 0
  if (K % 2u == 1u) { return select(0, i32(a[min(r, K - 1u)]), r < K); }
  return i32(a[r]);
}

fn words(r: u32, n: u32) -> vec4<i32> {
  if (K % 2u == 1u) { return words_b(min(r, K - 1u), n); }
  return words_b(r, n);
}

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) w: vec3u) {
  let t = w.y * X + w.x;
  if (t >= ACROSS) { return; }
  let first = t * COLS;
  let width = (min(first + COLS, N) - first) / 4u;
  var n = 0u;
  while (n < width) {  // no `for`, as in matmul_row
    sums[n] = vec4<i32>();
    n += 1u;
  }
  var k = 0u;
  while (k < K) {
    var x: array<vec4<i32>, U>;
    for (var u = 0u; u < U; u++) { x[u] = vec4<i32>((whole(k + 2u * u) & 65535) | (whole(k + 2u * u + 1u) << 16u)); }
    n = 0u;
    while (n < width) {
      var s0 = sums[n];
      var s1 = sums[n + 1u];
      var s2 = sums[n + 2u];
      var s3 = sums[n + 3u];
      for (var u = 0u; u < U; u++) {
        let p = words(k + 2u * u, first + 4u * n);
        let q = words(k + 2u * u + 1u, first + 4u * n);
        s0 += dot_i16x8(x[u], pairs_0(p, q));
        s1 += dot_i16x8(x[u], pairs_1(p, q));
        s2 += dot_i16x8(x[u], pairs_2(p, q));
        s3 += dot_i16x8(x[u], pairs_3(p, q));
      }
      sums[n] = s0;
      sums[n + 1u] = s1;
      sums[n + 2u] = s2;
      sums[n + 3u] = s3;
      n += 4u;
    }
    k += 2u * U;
  }
  n = 0u;
  while (n < width) {
    store4(first + 4u * n, vec4f(sums[n]));
    n += 1u;
  }
}
