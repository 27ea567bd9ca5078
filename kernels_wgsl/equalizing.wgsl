// equalizing — y[c, b] = the value from 0 to 255 that spreads bar b of channel c evenly; -1 where all elements are in one bar.
// reads   below: CHUNKS x CHANNELS x BINS, i32, as histogram_thread counts      writes  y: CHANNELS x BINS, f32
// grid    (ceil(CHANNELS * ceil(BINS / SPAN) / WG), 1, 1), folded into x and y by X          shared  none
// limits  COUNT elements in each channel. SPAN bars a thread.
// source  Gonzalez and Woods, "Digital Image Processing": the running sum of a histogram, from the first bar that has any.
const CHANNELS: u32 = 3u;         // @param
const COUNT: u32 = 8u;            // @param
const CHUNKS: u32 = 2u;           // @param
const BINS: u32 = 256u;           // @param
const SPAN: u32 = 1u;             // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
const SPANS: u32 = (BINS + SPAN - 1u) / SPAN;

@group(0) @binding(0) var<storage, read> below: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

fn store(i: u32, v: f32) { y[i] = v; }  // @hook

fn total(c: u32, b: u32) -> i32 {
  var sum = 0;
  for (var p = 0u; p < CHUNKS; p++) { sum += below[(p * CHANNELS + c) * BINS + b]; }
  return sum;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= CHANNELS * SPANS) { return; }
  let c = t / SPANS;
  let first = t % SPANS * SPAN;
  var least = 0;
  for (var b = 0u; b < BINS && least == 0; b++) { least = total(c, b); }
  let rest = i32(COUNT) - least;
  for (var b = first; b < min(BINS, first + SPAN); b++) {
    let step = round(f32(total(c, b) - least) * 255.0 / f32(max(rest, 1)));
    store(c * BINS + b, select(clamp(step, 0.0, 255.0), -1.0, rest == 0));
  }
}
