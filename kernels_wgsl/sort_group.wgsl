// sort_group — y[r, p] = column of the element that is number p of row r in order of its key, earlier columns first on ties;
//         or the element itself. One row a workgroup.
// reads   x: ROWS x N, T = f32 | i32 | u32      writes  y: ROWS x N, Y = i32 | T
// grid    (ROWS, 1, 1), folded into x and y by X          shared  8 * P bytes
// limits  P a power of two from max(2, N) to 2048; WG a power of two.
// source  Batcher 1968, "Sorting networks and their applications": bitonic; columns break ties, so the order is the stable one.
const ROWS: u32 = 4u;             // @param
const N: u32 = 8u;                // @param
const P: u32 = 8u;                // @param
const WG: u32 = 64u;              // @param
const X: u32 = 65535u;            // @param
alias T = u32;                    // @param
alias Y = i32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<Y>;

fn store(i: u32, v: Y) { y[i] = v; }  // @hook
fn key(i: u32) -> u32 { return u32(x[i]); }  // @hook
fn item(i: u32, column: u32) -> Y { return Y(column); }  // @hook

var<workgroup> keys: array<u32, P>;
var<workgroup> places: array<u32, P>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) g: vec3u, @builtin(local_invocation_index) l: u32) {
  let row = min(g.y * X + g.x, ROWS - 1u);
  for (var i = l; i < P; i += WG) {
    keys[i] = select(0xffffffffu, key(row * N + min(i, N - 1u)), i < N);
    places[i] = i;
  }
  workgroupBarrier();
  for (var size = 2u; size <= P; size *= 2u) {
    for (var apart = size / 2u; apart > 0u; apart /= 2u) {
      for (var t = l; t < P / 2u; t += WG) {
        let a = 2u * t - (t & (apart - 1u));
        let b = a + apart;
        let ka = keys[a];
        let kb = keys[b];
        let pa = places[a];
        let pb = places[b];
        let later = (ka > kb) || (ka == kb && pa > pb);
        if (later == ((a & size) == 0u)) {
          keys[a] = kb;
          keys[b] = ka;
          places[a] = pb;
          places[b] = pa;
        }
      }
      workgroupBarrier();
    }
  }
  if (g.y * X + g.x < ROWS) {
    for (var i = l; i < N; i += WG) { store(row * N + i, item(row * N + places[i], places[i])); }
  }
}
