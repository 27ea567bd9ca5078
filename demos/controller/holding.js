// Buttons that record while they are held: with a pointer, with Enter or the space bar on them, or by a letter anywhere on the page.

/**
 * @param buttons  by the commands that they stand for.
 * @param keys     the command of each letter.
 * @param able     whether holding is possible now.
 * @param stays    whether what is held stays so, whatever is let go.
 */
export function holding(buttons, keys, { able, stays }) {
  let held = null;

  function hold(command) {
    if (buttons[command].disabled || !able() || held === command) return;
    release();
    held = command;
    buttons[command].setAttribute("aria-pressed", "true");
  }

  function release() {
    if (stays()) return;
    if (held) buttons[held].setAttribute("aria-pressed", "false");
    held = null;
  }

  for (const [command, button] of Object.entries(buttons)) {
    button.addEventListener("pointerdown", (event) => { if (event.button === 0) hold(command); });
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is not a question
    button.addEventListener("keydown", (event) => { if ([" ", "Enter"].includes(event.key)) { event.preventDefault(); hold(command); } });
    button.addEventListener("keyup", (event) => { if ([" ", "Enter"].includes(event.key)) release(); });
    button.addEventListener("blur", release);
  }
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, release);
  addEventListener("blur", release);
  addEventListener("keydown", (event) => {
    const command = keys[event.key.toLowerCase()];
    if (command && !event.ctrlKey && !event.metaKey && !event.altKey) hold(command);
  });
  addEventListener("keyup", (event) => { if (keys[event.key.toLowerCase()] === held) release(); });
  return { held: () => held, hold, release };
}
