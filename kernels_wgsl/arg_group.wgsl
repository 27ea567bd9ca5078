// arg_group — y[r] = column of the largest (or, without LARGEST, smallest) x[r, c]; the first on ties, the first NaN if
//         there is one. One row a workgroup.
// reads   x: ROWS x COLS, T = f32 | i32 | u32      writes  y: ROWS, i32
// grid    (ROWS, 1, 1), folded into x and y by X          shared  8 * WG bytes
// limits  COLS >= 1, WG a power of two.
// source  the definition, as numpy treats ties and NaN.
const ROWS: u32 = 64u;            // @param
const COLS: u32 = 512u;           // @param
const LARGEST: bool = true;       // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;

fn store(i: u32, v: i32) { y[i] = v; }  // @hook
fn is_nan(v: T) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }  // @hook

var<workgroup> value: array<T, WG>;
var<workgroup> column: array<u32, WG>;

// whether v at column c goes before best at column b
fn before(v: T, c: u32, best: T, b: u32) -> bool {
  if (is_nan(v) || is_nan(best)) { return is_nan(v) && (!is_nan(best) || c < b); }
  return select((v < best), (v > best), LARGEST) || (v == best && c < b);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let r = min(g.y * X + g.x, ROWS - 1u);
  var at = min(l, COLS - 1u);
  var best = x[r * COLS + at];
  for (var c = l + WG; c < COLS; c += WG) {
    let v = x[r * COLS + c];
    if (before(v, c, best, at)) {
      best = v;
      at = c;
    }
  }
  value[l] = best;
  column[l] = at;
  workgroupBarrier();
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    if (l < half && before(value[l + half], column[l + half], value[l], column[l])) {
      value[l] = value[l + half];
      column[l] = column[l + half];
    }
    workgroupBarrier();
  }
  if (l == 0u && g.y * X + g.x < ROWS) { store(r, i32(column[0])); }
}
