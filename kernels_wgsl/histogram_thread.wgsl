// histogram_thread — y[p, c, b] = how many elements of channel c in chunk p lie in bar b or below it. LANES channels of a chunk a thread.
// reads   x: OUTER x CHANNELS x INNER, f32      writes  y: CHUNKS x CHANNELS x BINS, i32
// grid    (ceil(CHUNKS * CHANNELS / LANES / WG), 1, 1), folded into x and y by X
// shared  WG * COPIES * LANES * BINS counts, as compilers take minutes over private memory of that size
// limits  LANES divides CHANNELS, COPIES 4; COUNT = OUTER * INNER; what is below the first bar is in it, what is above the last one in that.
// source  counters are a thread's own, so nothing waits; four copies of them, so that of equal neighbours none waits for the other.
const CHANNELS: u32 = 3u;         // @param
const INNER: u32 = 1u;            // @param
const COUNT: u32 = 8u;            // @param
const CHUNK: u32 = 4u;            // @param
const CHUNKS: u32 = 2u;           // @param
const LANES: u32 = 1u;            // @param
const COPIES: u32 = 1u;           // @param
const BINS: u32 = 256u;           // @param
const LOW: f32 = 0.0;             // @param
const SPREAD: f32 = 255.0;        // @param
const WG: u32 = 1u;               // @param
const X: u32 = 65535u;            // @param
alias T = vec4f;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
var<workgroup> counts: array<i32, WG * COPIES * LANES * BINS>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook
fn scaled(v: T) -> T { return v; }  // @hook

fn element(i: u32, c: u32) -> f32 { return x[(i / INNER * CHANNELS + c) * INNER + i % INNER]; }

fn bars(v: vec4f) -> vec4<u32> {
  let top = vec4f(f32(BINS - 1u));
  return min(vec4<u32>(clamp(scaled(v) * top / vec4f(255.0), vec4f(), top)), vec4<u32>(BINS - 1u));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = (g.y * X + g.x) * WG + l;
  if (t >= CHUNKS * (CHANNELS / LANES)) { return; }
  let p = t / (CHANNELS / LANES);
  let first = t % (CHANNELS / LANES) * LANES;
  let own = l * COPIES * LANES * BINS;
  for (var i = 0u; i < COPIES * LANES * BINS; i++) { counts[own + i] = 0; }
  let start = p * CHUNK;
  let last = min(COUNT, start + CHUNK);
  let fours = start + (last - start) / 4u * 4u;
  for (var i = start; i < fours; i += 4u) {
    for (var c = 0u; c < LANES; c++) {
      let a = first + c;
      let b = bars(vec4f(element(i, a), element(i + 1u, a), element(i + 2u, a), element(i + 3u, a)));
      for (var j = 0u; j < 4u; j++) {
        let k = own + (j % COPIES * LANES + c) * BINS + b[j];
        counts[k] = counts[k] + 1;
      }
    }
  }
  for (var i = fours; i < last; i++) {
    for (var c = 0u; c < LANES; c++) {
      let k = own + c * BINS + bars(vec4f(element(i, first + c))).x;
      counts[k] = counts[k] + 1;
    }
  }
  for (var c = 0u; c < LANES; c++) {
    var below = 0;
    for (var b = 0u; b < BINS; b++) {
      for (var j = 0u; j < COPIES; j++) { below += counts[own + (j * LANES + c) * BINS + b]; }
      store((p * CHANNELS + first + c) * BINS + b, below);
    }
  }
}
