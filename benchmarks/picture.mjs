/** A photo in a network's size, float32 (side, side, 3), in the values that the network takes. */
export async function picture({ side, scale }) {
  const reply = await fetch('/extra/build/site/models/photos/astronaut.png');
  if (!reply.ok) throw new Error(`no photo: HTTP ${reply.status}; run make models`);
  const bitmap = await createImageBitmap(await reply.blob(), { resizeWidth: side, resizeHeight: side });
  const canvas = new OffscreenCanvas(side, side).getContext('2d', { willReadFrequently: true });
  canvas.drawImage(bitmap, 0, 0);
  const { data } = canvas.getImageData(0, 0, side, side);
  const x = new Float32Array(side * side * 3);
  for (let i = 0; i < side * side; i++) for (let c = 0; c < 3; c++) x[3 * i + c] = data[4 * i + c];
  return scale === 'unit' ? x.map((v) => v / 127.5 - 1) : x;
}
