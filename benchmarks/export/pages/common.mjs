// What all pages of this benchmark do the same way: the picture, the report, the steady times.
export { picture } from '../../picture.mjs';

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
