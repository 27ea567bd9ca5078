// fft_first4 — the first pass of a Fourier transform of rows (Stockham), radix R, for a processor: 4 R numbers a thread.
// reads   x: (ROWS, R, M), f32 as vec4: all real parts, then all imaginary ones, or side by side with FROM_PAIRS;
//         t: cosines and negative sines of k / N turns for k < LOW, then of k LOW / N turns
// writes  y: (ROWS, M, R): all real parts, then all imaginary ones
// grid    (ceil(ROWS * M / 4 / WG), 1, 1), folded into x and y by X          shared  none
// limits  M % 4 == 0, R % 4 == 0. FIRST is 1 for the inverse, which is the transform with real and imaginary parts exchanged.
// source  as fft_pass; four neighbouring columns are computed as vectors and stored as rows.
const ROWS: u32 = 1u;             // @param
const R: u32 = 4u;                // @param
const M: u32 = 4u;                // @param
const LOW: u32 = 16u;             // @param
const HIGH: u32 = 1u;             // @param
const FIRST: u32 = 0u;            // @param
const FROM_PAIRS: bool = false;   // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
const M4: u32 = M / 4u;
const ALL4: u32 = ROWS * R * M4;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn evens(i: u32) -> vec4f { return vec4f(x[2u * i].x, x[2u * i].z, x[2u * i + 1u].x, x[2u * i + 1u].z); }
fn odds(i: u32) -> vec4f { return vec4f(x[2u * i].y, x[2u * i].w, x[2u * i + 1u].y, x[2u * i + 1u].w); }

fn re(i: u32) -> vec4f {
  if (!FROM_PAIRS) { return x[i + FIRST * ALL4]; }
  if (FIRST == 0u) { return evens(i); }
  return odds(i);
}

fn im(i: u32) -> vec4f {
  if (!FROM_PAIRS) { return x[i + (1u - FIRST) * ALL4]; }
  if (FIRST == 1u) { return evens(i); }
  return odds(i);
}

// a 4 x 4 block of columns as rows, R numbers apart; real parts or imaginary ones
fn put(i: u32, part: u32, a: vec4f, b: vec4f, c: vec4f, d: vec4f) {
  let here = i + (part + FIRST - 2u * part * FIRST) * 4u * ALL4;
  store4(here, vec4f(a.x, b.x, c.x, d.x));
  store4(here + R, vec4f(a.y, b.y, c.y, d.y));
  store4(here + 2u * R, vec4f(a.z, b.z, c.z, d.z));
  store4(here + 3u * R, vec4f(a.w, b.w, c.w, d.w));
}

fn four(k: u32) -> vec4f { return vec4f(t[k], t[k + 1u], t[k + 2u], t[k + 3u]); }

// real and imaginary parts of e(k / N) for k, k + 1, k + 2, k + 3; LOW is a multiple of four
fn turned_re(k: u32) -> vec4f {
  if (HIGH == 1u) { return four(k); }
  return four(k % LOW) * t[2u * LOW + k / LOW] - four(LOW + k % LOW) * t[2u * LOW + HIGH + k / LOW];
}

fn turned_im(k: u32) -> vec4f {
  if (HIGH == 1u) { return four(LOW + k); }
  return four(k % LOW) * t[2u * LOW + HIGH + k / LOW] + four(LOW + k % LOW) * t[2u * LOW + k / LOW];
}

fn work(p: u32, at: u32, to: u32) { let a = re(at); let b = im(at); put(to, 0u, a, a, a, a); put(to, 1u, b, b, b, b); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= ROWS * M4) { return; }
  let p = i % M4;
  let row = i / M4 * R * M4;
  work(4u * p, row + p, 4u * (row + p * R));
}
