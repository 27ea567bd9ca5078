// How long files are waited for of which nothing comes.

const SECONDS = 30;
export const NOTHING = `nothing came for ${SECONDS} seconds`;

/**
 * Calls `giveUp(name)` where nothing comes of all that is waited for, with the name of one. What counts are seconds in which this thread
 * was free: one that is busy counts none, nor does a machine that sleeps.
 *
 * Gives { wait(name, promise), heard(), end() }: `wait` gives what it is given, `heard` is for what comes in between.
 */
export function patience(giveUp) {
  const waiting = new Set();
  let quiet = 0;
  const heard = () => { quiet = 0; };
  const clock = setInterval(() => {
    if (!waiting.size || ++quiet <= SECONDS) return;
    clearInterval(clock);
    giveUp([...waiting][0].name);
  }, 1000);
  return {
    heard,
    end: () => clearInterval(clock),
    async wait(name, promise) {
      const mine = { name };
      waiting.add(mine);
      try {
        return await promise;
      } finally {
        waiting.delete(mine);
        heard();
      }
    },
  };
}

/** What a promise gives; an Error that names the file where it does not settle. */
export async function patiently(name, promise) {
  let giveUp = null;
  const given = new Promise((_, reject) => { giveUp = () => reject(new Error(`Could not download ${name}: ${NOTHING}.`)); });
  const watch = patience(giveUp);
  try {
    return await Promise.race([watch.wait(name, promise), given]);
  } finally {
    watch.end();
  }
}
