// unpack_pixels — y[r, c, k] = byte k of the pixel in row r and column c, as a number. One pixel a thread.
// reads   picture: texture of rgba8unorm, exactly as large as the picture
// writes  y: height x width x CHANNELS, T = i32 | f32
// grid    (ceil(width / 8), ceil(height / 8), 1)          shared  none
// limits  CHANNELS from 1 to 4. A texel is byte / 255 up to float rounding, so that rounding gives the byte back.
// source  the definition.
const CHANNELS: u32 = 3u;         // @param
alias T = i32;                    // @param

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let size = textureDimensions(picture);
  if (any(at.xy >= size)) { return; }
  let bytes = vec4<T>(round(textureLoad(picture, at.xy, 0) * 255.0));
  let first = (at.y * size.x + at.x) * CHANNELS;
  y[first] = bytes.x;
  if (CHANNELS > 1u) { y[first + min(1u, CHANNELS - 1u)] = bytes.y; }  // min: what is never run must compile too
  if (CHANNELS > 2u) { y[first + min(2u, CHANNELS - 1u)] = bytes.z; }
  if (CHANNELS > 3u) { y[first + min(3u, CHANNELS - 1u)] = bytes.w; }
}
