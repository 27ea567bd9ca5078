// Recording with free hands: a countdown, then a number of examples by themselves.

const SECONDS = 3; // of the countdown

/** The field for how many examples are taken. */
export const timedField = (what, count) => `<label>Timed takes <input class="timed-count" type="number" min="1" max="100" value="${count}" aria-label="${what}"></label>`;

/**
 * A recording at a time: { toggle(button, { name, begin, end }), stop(), going() }.
 *
 * say    shows a sentence.
 * count  gives how many examples are wanted.
 *
 * toggle  counts down in the words of `name`, calls `begin(wanted, done)`, which collects and calls `done` when there are as many, and then
 *         `end()`; the same button pressed again, and Escape, stop it, and so does what takes the button out of the page. Resolves to
 *         whether it came to its end.
 */
export function timedRecording({ say, count }) {
  let current = null; // { button, stop }

  async function toggle(button, { name, begin, end }) {
    const again = current?.button === button;
    current?.stop();
    if (again) return false;
    let stopped = false, finish = null;
    const over = new Promise((resolve) => { finish = resolve; });
    const mine = current = { button, stop() { stopped = true; finish(); } };
    const gone = new MutationObserver(() => { if (!button.isConnected) mine.stop(); });
    gone.observe(document.body, { childList: true, subtree: true });
    button.setAttribute("aria-pressed", "true");
    for (let left = SECONDS; left > 0 && !stopped; left--) {
      say(`${name}: it begins in ${left}…`);
      await Promise.race([over, new Promise((resolve) => { setTimeout(resolve, 1000); })]);
    }
    if (!stopped) {
      const wanted = count();
      say(`${name}: recording ${wanted} example${wanted === 1 ? "" : "s"}…`);
      await begin(wanted, finish);
      await over;
    }
    gone.disconnect();
    end();
    button.setAttribute("aria-pressed", "false");
    if (current === mine) current = null;
    say(stopped ? `${name}: stopped.` : `${name}: done.`);
    return !stopped;
  }

  addEventListener("keydown", (event) => { if (event.key === "Escape") current?.stop(); });
  return { toggle, stop: () => current?.stop(), going: () => current !== null };
}
