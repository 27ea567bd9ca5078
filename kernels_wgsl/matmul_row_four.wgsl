// matmul_row_four — y = a @ b where a is one row and b has 4 bits a number, on one processor core: 32 columns at a time, block by block of rows.
// reads   a: K, f32, b: K x N, 4 bits packed in words of eight columns     writes  y: N as vec4
// grid    (ceil(N / COLS), 1, 1), folded into x and y by X: one workgroup of one thread has COLS columns
// shared  4 * COLS bytes: the sums
// limits  N % 32 == 0; COLS is N or a multiple of 32.
// source  numbers stay where they are in their words, 16, 256 … times too large, and 8 too large, so that a mask and a conversion make floats of
//         four; sums are brought to their size once for a block, and 8 times the sum of a taken from them.
const N: u32 = 32u;               // @param
const K: u32 = 8u;                // @param
const BLOCK: u32 = 8u;            // @param
const COLS: u32 = 32u;            // @param
const X: u32 = 65535u;            // @param
alias B = i32;                    // @param
const ACROSS: u32 = (N + COLS - 1u) / COLS;

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
var<workgroup> sums: array<vec4f, COLS / 4u>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook
// row r of b: its numbers n … n + 31
fn words_b(r: u32, n: u32) -> vec4<i32> { let p = (r * N + n) / 8u; return vec4<i32>(b[p], b[p + 1u], b[p + 2u], b[p + 3u]); }  // @hook
// the sums of block i for columns n … n + 3, brought to their scale; `whole` is the sum of a
fn scaled(i: u32, n: u32, s: vec4f, whole: vec4f) -> vec4f { return s; }  // @hook

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) w: vec3u) {
  let t = w.y * X + w.x;
  if (t >= ACROSS) { return; }
  let first = t * COLS;
  let width = (min(first + COLS, N) - first) / 4u;
  var i = 0u;
  while (i < width) {  // no `for`, as in matmul_row
    sums[i] = vec4f();
    i += 1u;
  }
  var start = 0u;
  while (start < K) {  // a block's lines of memory stay in the first cache while all its columns are read
    let stop = min(start + BLOCK, K);
    var total = 0.0;
    var k = start;
    while (k < stop) {
      total += a[k];
      k += 1u;
    }
    let whole = vec4f(total);
    let more = vec4f(8.0) * whole;
    let size = vec4f(1.0, 1.0 / 16.0, 1.0 / 256.0, 1.0 / 4096.0);
    i = 0u;
    while (i < width) {
      let n = first + 4u * i;
      var s0 = vec4f();
      var s1 = vec4f();
      var s2 = vec4f();
      var s3 = vec4f();
      var s4 = vec4f();
      var s5 = vec4f();
      var s6 = vec4f();
      var s7 = vec4f();
      k = start;
      while (k < stop) {
        let x = vec4f(a[k]);
        let v = words_b(k, n) ^ vec4<i32>(-2004318072);  // 0x88888888: 8 more in each
        let h = v >> vec4<u32>(16u);
        s0 = fma(vec4f(v & vec4<i32>(0xf)), x, s0);
        s1 = fma(vec4f(v & vec4<i32>(0xf0)), x, s1);
        s2 = fma(vec4f(v & vec4<i32>(0xf00)), x, s2);
        s3 = fma(vec4f(v & vec4<i32>(0xf000)), x, s3);
        s4 = fma(vec4f(h & vec4<i32>(0xf)), x, s4);
        s5 = fma(vec4f(h & vec4<i32>(0xf0)), x, s5);
        s6 = fma(vec4f(h & vec4<i32>(0xf00)), x, s6);
        s7 = fma(vec4f(h & vec4<i32>(0xf000)), x, s7);
        k += 1u;
      }
      sums[i] += scaled(start / BLOCK, n + 0u, vec4f(s0.x, s1.x, s2.x, s3.x) * size - more, whole);
      sums[i + 1u] += scaled(start / BLOCK, n + 4u, vec4f(s4.x, s5.x, s6.x, s7.x) * size - more, whole);
      sums[i + 2u] += scaled(start / BLOCK, n + 8u, vec4f(s0.y, s1.y, s2.y, s3.y) * size - more, whole);
      sums[i + 3u] += scaled(start / BLOCK, n + 12u, vec4f(s4.y, s5.y, s6.y, s7.y) * size - more, whole);
      sums[i + 4u] += scaled(start / BLOCK, n + 16u, vec4f(s0.z, s1.z, s2.z, s3.z) * size - more, whole);
      sums[i + 5u] += scaled(start / BLOCK, n + 20u, vec4f(s4.z, s5.z, s6.z, s7.z) * size - more, whole);
      sums[i + 6u] += scaled(start / BLOCK, n + 24u, vec4f(s0.w, s1.w, s2.w, s3.w) * size - more, whole);
      sums[i + 7u] += scaled(start / BLOCK, n + 28u, vec4f(s4.w, s5.w, s6.w, s7.w) * size - more, whole);
      i += 8u;
    }
    start += BLOCK;
  }
  i = 0u;
  while (i < width) {
    store4(first + 4u * i, sums[i]);
    i += 1u;
  }
}
