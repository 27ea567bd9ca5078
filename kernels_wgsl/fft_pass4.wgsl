// fft_pass4 — one pass of a Fourier transform (Stockham), radix R, for a processor: neighbouring columns four at a time.
// reads   x: (ROWS, R, M, S), f32 as vec4: all real parts, then all imaginary ones;
//         t: cosines and negative sines of k / N turns for k < LOW, then of k LOW / N turns
// writes  y: (ROWS, M, R, S), in the form of x, or side by side with TO_PAIRS
// grid    (ceil(ROWS * M * ceil(S / 4 / SPAN) / WG), 1, 1), folded into x and y by X; SPAN fours a thread     shared  none
// limits  S % 4 == 0. FIRST is 1 for the inverse, which is the transform with real and imaginary parts exchanged.
// source  as fft_pass; factors are found once for all columns of a thread.
const ROWS: u32 = 1u;             // @param
const R: u32 = 2u;                // @param
const M: u32 = 4u;                // @param
const S: u32 = 4u;                // @param
const TURN: u32 = 1u;             // @param
const LOW: u32 = 8u;              // @param
const HIGH: u32 = 1u;             // @param
const FIRST: u32 = 0u;            // @param
const TO_PAIRS: bool = false;     // @param
const SPAN: u32 = 1u;             // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
const S4: u32 = S / 4u;
const ALL4: u32 = ROWS * R * M * S4;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

fn store4(i: u32, v: vec4f) { y[i / 4u] = v; }  // @hook

fn re(i: u32) -> vec4f { return x[i + FIRST * ALL4]; }
fn im(i: u32) -> vec4f { return x[i + (1u - FIRST) * ALL4]; }

fn put(i: u32, real: vec4f, imaginary: vec4f) {
  if (TO_PAIRS) {
    let a = select(real, imaginary, FIRST == 1u);
    let b = select(imaginary, real, FIRST == 1u);
    store4(8u * i, vec4f(a.x, b.x, a.y, b.y));
    store4(8u * i + 4u, vec4f(a.z, b.z, a.w, b.w));
  } else {
    store4(4u * (i + FIRST * ALL4), real);
    store4(4u * (i + (1u - FIRST) * ALL4), imaginary);
  }
}

// e(k / N): k < N
fn turned(k: u32) -> vec2f {
  let a = vec2f(t[k % LOW], t[LOW + k % LOW]);
  if (HIGH == 1u) { return a; }
  let b = vec2f(t[2u * LOW + k / LOW], t[2u * LOW + HIGH + k / LOW]);
  return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

fn work(p: u32, first: u32, last: u32, row: u32) { let w = turned(p * TURN); for (var q = first; q < last; q++) { let at = row + p * S4 + q; let to = row + p * R * S4 + q; let a = re(at) - re(at + M * S4); let b = im(at) - im(at + M * S4); put(to, re(at) + re(at + M * S4), im(at) + im(at + M * S4)); put(to + S4, a * w.x - b * w.y, a * w.y + b * w.x); } }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  const PARTS = (S4 + SPAN - 1u) / SPAN;
  let i = (g.y * X + g.x) * WG + l;
  if (i >= ROWS * M * PARTS) { return; }
  let first = i % PARTS * SPAN;
  work(i / PARTS % M, first, min(first + SPAN, S4), i / (PARTS * M) * (R * M * S4));
}
