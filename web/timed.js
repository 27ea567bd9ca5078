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
 * toggle  awaits `ready()`, which opens what is recorded from, so that one sees oneself before it begins, and gives false where it has
 *         said why that is not there; counts down in the words of `name` and on the button, calls `begin(wanted, done)`, which collects
 *         and calls `done` when there are as many, and then `end()`; the same button pressed again, and Escape, stop it, and so does what
 *         takes the button out of the page. Resolves to whether it came to its end.
 */
export function timedRecording({ say, count }) {
  let current = null; // { button, stop }

  async function toggle(button, { name, ready = () => true, begin, end }) {
    const again = current?.button === button;
    current?.stop();
    if (again) return false;
    let stopped = false, finish = null;
    const over = new Promise((resolve) => { finish = resolve; });
    const mine = current = { button, stop() { stopped = true; finish(); } };
    const label = button.textContent;
    const gone = new MutationObserver(() => { if (!button.isConnected) mine.stop(); });
    gone.observe(document.body, { childList: true, subtree: true });
    button.setAttribute("aria-pressed", "true");
    const able = await Promise.race([over.then(() => true), ready()]);
    for (let left = SECONDS; able && left > 0 && !stopped; left--) {
      say(`${name}: it begins in ${left}…`);
      button.textContent = `In ${left}…`;
      await Promise.race([over, new Promise((resolve) => { setTimeout(resolve, 1000); })]);
    }
    if (able && !stopped) {
      const wanted = count();
      say(`${name}: recording ${wanted} example${wanted === 1 ? "" : "s"}…`);
      button.textContent = "Stop";
      await begin(wanted, finish);
      await over;
    }
    gone.disconnect();
    end();
    button.textContent = label;
    button.setAttribute("aria-pressed", "false");
    if (current === mine) current = null;
    if (able) say(stopped ? `${name}: stopped.` : `${name}: done.`);
    return able && !stopped;
  }

  addEventListener("keydown", (event) => { if (event.key === "Escape") current?.stop(); });
  return { toggle, stop: () => current?.stop(), going: () => current !== null };
}
