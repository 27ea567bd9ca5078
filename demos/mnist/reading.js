// Reads what is written on the pad, in the page that trains and in the one that it exports.
import { showBars } from "../../web/bars.js";
import { $, newestOnly, sentence } from "../../web/basics.js";
import { drawingPad } from "../../web/pad.js";

/**
 * Makes the pad; one question at a time, always ending with the newest drawing.
 *
 * ask  gives the chances of ten digits for 784 values from 0 to 1; null where nothing was trained yet.
 *
 * Returns a function that asks about the drawing again.
 */
export function readingPad(ask) {
  let drawn = null;
  const busy = (whether) => $("reading").setAttribute("aria-busy", whether); // until the newest drawing is read
  const showChances = (chances) => showBars($("bars"), Array.from({ length: 10 }, (_, digit) => ({ name: digit, share: Number.isFinite(chances?.[digit]) ? chances[digit] : null })));
  const read = newestOnly(async (pixels) => {
    try {
      const chances = pixels && (await ask(pixels));
      showChances(chances);
      const best = chances ? chances.indexOf(Math.max(...chances)) : null;
      if (best === -1) $("reading").value = "Its answers are not numbers any more; train it again.";
      else $("reading").value = !pixels ? "Write a digit." : chances ? `Reads as ${best} (${(100 * chances[best]).toFixed(0)}%)` : "Train the network, then write.";
    } catch (error) {
      $("reading").value = sentence(error);
    }
    if (pixels === drawn) busy(false);
  });
  showChances(null);
  const pad = drawingPad($("pad"), (pixels) => {
    busy(true);
    read(drawn = pixels);
  });
  $("clear").addEventListener("click", () => pad.clear());
  return () => read(drawn);
}
