// draw_pixels — canvas[r, c] = the pixel x[r, c, :], its colours multiplied by its alpha as canvases keep them.
// reads   x: height x width x CHANNELS, T = f32 from 0 to 1 | i32 | u32 from 0 to 255; what lies outside is clamped
// writes  canvas: texture of rgba8unorm, exactly as large as the picture
// grid    (ceil(width / 8), ceil(height / 8), 1)          shared  none
// limits  CHANNELS 1, 3 or 4. Bytes are floor(255 x + 0.5), as to_pixels has them; alpha is ALPHA unless there are 4.
// source  the definition.
const CHANNELS: u32 = 3u;         // @param
const SCALE: f32 = 255.0f;        // @param    255 for floats, 1 for integers
const ALPHA: f32 = 1.0f;          // @param
alias T = f32;                    // @param

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var canvas: texture_storage_2d<rgba8unorm, write>;

fn byte(i: u32) -> f32 { return floor(clamp(f32(x[i]) * SCALE, 0.0, 255.0) + 0.5) / 255.0; }

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let size = textureDimensions(canvas);
  if (any(at.xy >= size)) { return; }
  let first = (at.y * size.x + at.x) * CHANNELS;
  var color = vec3f(byte(first));
  if (CHANNELS > 1u) { color = vec3f(color.x, byte(first + min(1u, CHANNELS - 1u)), byte(first + min(2u, CHANNELS - 1u))); }
  var alpha = ALPHA;
  if (CHANNELS == 4u) { alpha = byte(first + 3u); }
  textureStore(canvas, at.xy, vec4f(color * alpha, alpha));
}
