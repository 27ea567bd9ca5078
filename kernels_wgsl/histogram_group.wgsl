// histogram_group — y[p, c, b] = how many elements of channel c in chunk p lie in bar b or below it. One chunk of a channel a workgroup.
// reads   x: OUTER x CHANNELS x INNER, f32      writes  y: CHUNKS x CHANNELS x BINS, i32
// grid    (CHUNKS * CHANNELS, 1, 1), folded into x and y by X      shared  4 * BINS bytes
// limits  COUNT = OUTER * INNER; what is below the first bar is in it, what is above the last one in that.
// source  integer atomics, whose order changes nothing.
const CHANNELS: u32 = 3u;         // @param
const INNER: u32 = 1u;            // @param
const COUNT: u32 = 8u;            // @param
const CHUNK: u32 = 4u;            // @param
const CHUNKS: u32 = 2u;           // @param
const BINS: u32 = 256u;           // @param
const LOW: f32 = 0.0;             // @param
const SPREAD: f32 = 255.0;        // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
var<workgroup> counts: array<atomic<u32>, BINS>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook
fn scaled(v: T) -> T { return v; }  // @hook

fn bar(v: f32) -> u32 {
  let top = f32(BINS - 1u);
  return min(u32(clamp(scaled(v) * top / 255.0, 0.0, top)), BINS - 1u);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let t = min(g.y * X + g.x, CHUNKS * CHANNELS - 1u);
  let p = t / CHANNELS;
  let c = t % CHANNELS;
  for (var b = l; b < BINS; b += WG) { atomicStore(&counts[b], 0u); }
  workgroupBarrier();
  for (var i = p * CHUNK + l; i < min(COUNT, (p + 1u) * CHUNK); i += WG) {
    atomicAdd(&counts[bar(x[(i / INNER * CHANNELS + c) * INNER + i % INNER])], 1u);
  }
  workgroupBarrier();
  if (g.y * X + g.x >= CHUNKS * CHANNELS) { return; }
  for (var b = l; b < BINS; b += WG) {
    var below = 0u;
    for (var k = 0u; k <= b; k++) { below += atomicLoad(&counts[k]); }
    store(t * BINS + b, i32(below));
  }
}
