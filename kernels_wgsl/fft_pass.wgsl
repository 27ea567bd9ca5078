// fft_pass — one pass of a Fourier transform (Stockham), radix R: R numbers a thread.
// reads   x: (ROWS, R, M, S), f32: all real parts, then all imaginary ones, or side by side with FROM_PAIRS;
//         t: cosines and negative sines of k / N turns for k < LOW, then of k LOW / N turns
// writes  y: (ROWS, M, R, S), in the form of x, or side by side with TO_PAIRS
// grid    (ceil(ROWS * M * S / WG), 1, 1), folded into x and y by X          shared  none
// limits  any size. FIRST is 1 for the inverse, which is the transform with real and imaginary parts exchanged.
// source  Stockham 1966 as in Govindaraju et al. 2008; y[m, r, s] = e(m r / (R M)) sum_j e(j r / R) x[j, m, s].
const ROWS: u32 = 1u;             // @param
const R: u32 = 2u;                // @param
const M: u32 = 4u;                // @param
const S: u32 = 1u;                // @param
const TURN: u32 = 1u;             // @param
const LOW: u32 = 8u;              // @param
const HIGH: u32 = 1u;             // @param
const FIRST: u32 = 0u;            // @param
const FROM_PAIRS: bool = false;   // @param
const TO_PAIRS: bool = false;     // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
const ALL: u32 = ROWS * R * M * S;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

fn re(i: u32) -> f32 { return x[select(i + FIRST * ALL, 2u * i + FIRST, FROM_PAIRS)]; }
fn im(i: u32) -> f32 { return x[select(i + (1u - FIRST) * ALL, 2u * i + (1u - FIRST), FROM_PAIRS)]; }

fn put(i: u32, real: f32, imaginary: f32) {
  store(select(i + FIRST * ALL, 2u * i + FIRST, TO_PAIRS), real);
  store(select(i + (1u - FIRST) * ALL, 2u * i + (1u - FIRST), TO_PAIRS), imaginary);
}

// e(k / N): k < N
fn turned(k: u32) -> vec2f {
  let a = vec2f(t[k % LOW], t[LOW + k % LOW]);
  if (HIGH == 1u) { return a; }
  let b = vec2f(t[2u * LOW + k / LOW], t[2u * LOW + HIGH + k / LOW]);
  return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

fn work(p: u32, at: u32, to: u32) { let w = turned(p * TURN); let a = re(at) - re(at + M * S); let b = im(at) - im(at + M * S); put(to, re(at) + re(at + M * S), im(at) + im(at + M * S)); put(to + S, a * w.x - b * w.y, a * w.y + b * w.x); }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let i = (g.y * X + g.x) * WG + l;
  if (i >= ROWS * M * S) { return; }
  let p = i / S % M;
  let row = i / (S * M) * (R * M * S) + i % S;
  work(p, row + p * S, row + p * R * S);
}
