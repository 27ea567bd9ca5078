// arg_thread — y[r] = column of the largest (or, without LARGEST, smallest) x[r, c]; the first on ties, the first NaN if
//         there is one. One row a thread, no barrier.
// reads   x: ROWS x COLS, T = f32 | i32 | u32      writes  y: ROWS, i32
// grid    (ceil(ROWS / WG), 1, 1), folded into x and y by X          shared  none
// limits  COLS >= 1.
// source  the definition, as numpy treats ties and NaN.
const ROWS: u32 = 64u;            // @param
const COLS: u32 = 10u;            // @param
const LARGEST: bool = true;       // @param
const WG: u32 = 16u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook
fn is_nan(v: T) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }  // @hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let r = (g.y * X + g.x) * WG + l;
  if (r >= ROWS) { return; }
  var best = x[r * COLS];
  var at = 0u;
  for (var c = 1u; c < COLS; c++) {
    let v = x[r * COLS + c];
    if (!is_nan(best) && (is_nan(v) || select((v < best), (v > best), LARGEST))) {
      best = v;
      at = c;
    }
  }
  store(r, i32(at));
}
