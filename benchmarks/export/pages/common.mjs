// What all pages of this benchmark do the same way: the picture, the report, the steady times.

/** A photo in the network's size, float32 (side, side, 3), in the values that the network takes. */
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

/** Reports the first prediction, which `start` makes and gives a function for the next ones; `window.steady` times those. */
export async function measure(start) {
  try {
    const { predict, threads } = await start();
    const values = await predict();
    const first = performance.now();                    // since the page was asked for
    window.steady = async (most, budget) => {
      const times = [];
      for (let i = 0, spent = 0; i < most && spent < budget; i++) {
        await new Promise((go) => setTimeout(go, 10));
        const t = performance.now();
        await predict();
        times.push(performance.now() - t);
        spent += times.at(-1);
      }
      return times;
    };
    window.out = { first, threads, values: values.map((v) => [...v]) };
  } catch (error) {
    window.out = { error: String(error?.message ?? error).slice(0, 300) };
  }
}
