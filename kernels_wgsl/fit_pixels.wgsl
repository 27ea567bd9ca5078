// fit_pixels — y[first + (i * width + j) * channels + k] = scale * (byte k of the picture, resized) + offset; one pixel of y a thread.
//         Between the four pixels around ((2i + 1) * H / height - 1) / 2, as resize_bilinear takes them for half-pixel centres.
// reads   picture: texture of rgba8unorm, H x W, exactly as large as the picture
//         fit: width, height, channels, first, and the bits of scale and offset
// writes  y: floats, those from first to first + height * width * channels
// grid    (ceil(width / 8), ceil(height / 8), 1)          shared  none
// limits  channels from 1 to 4. A texel is byte / 255 up to float rounding, so that rounding gives the byte back.
// source  the definition.
const WG: u32 = 8u;               // of each side of a workgroup

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> fit: array<u32>;

fn bytes(row: u32, column: u32) -> vec4f { return round(textureLoad(picture, vec2u(column, row), 0) * 255.0); }

@compute @workgroup_size(WG, WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let width = fit[0];
  let height = fit[1];
  let channels = fit[2];
  if (at.x >= width || at.y >= height) { return; }
  let size = textureDimensions(picture);
  let row = 2u * at.y * size.y + size.y + height;
  let column = 2u * at.x * size.x + size.x + width;
  let top = min(max(row / (2u * height), 1u) - 1u, size.y - 1u);
  let bottom = min(row / (2u * height), size.y - 1u);
  let left = min(max(column / (2u * width), 1u) - 1u, size.x - 1u);
  let right = min(column / (2u * width), size.x - 1u);
  let down = f32(row % (2u * height)) / f32(2u * height);
  let across = f32(column % (2u * width)) / f32(2u * width);
  let upper = bytes(top, left) + (bytes(top, right) - bytes(top, left)) * across;
  let lower = bytes(bottom, left) + (bytes(bottom, right) - bytes(bottom, left)) * across;
  let value = (upper + (lower - upper) * down) * bitcast<f32>(fit[4]) + bitcast<f32>(fit[5]);
  let first = fit[3] + (at.y * width + at.x) * channels;
  for (var k = 0u; k < channels; k++) { y[first + k] = value[k]; }
}
