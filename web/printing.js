// What Python prints on its way to the page. Lines go one by one; where very many come they go together, some times a second:
// a page that hears of every line of a loop has no time left for its Stop button.

const SPAN = 50; // ms
const SINGLE = 20; // lines of a span that go one by one

/** A line as a terminal shows it in the end: what a return to its beginning (`end="\r"`) wrote over is gone, and so are colours. */
const seen = (text) => text.replace(/\x1b\[[\d;?]*[A-Za-z]/g, "").replace(/\r+$/, "").replace(/^[^]*\r/, "");

/**
 * What takes the bytes that Python writes to stdout or stderr, as Pyodide's `setStdout` wants it: `line` is called with each line
 * that is whole, `end()` with one that will not be ended.
 */
export function lineWriter(line) {
  const decoder = new TextDecoder();
  let begun = "";
  return {
    write(bytes) {
      const lines = (begun + decoder.decode(bytes.slice(), { stream: true })).split("\n"); // a decoder takes no shared memory
      begun = lines.pop().replace(/^[^]*\r(?=[^\r])/, ""); // what has been written over is not kept
      for (const each of lines) line(seen(each));
      return bytes.length;
    },
    end() {
      if (begun) line(seen(begun));
      begun = "";
    },
  };
}

/** An `emit` that gathers floods of lines, a text each, into texts of many; `emit.flush()` sends what waits. */
export function gathering(emit) {
  let began = -Infinity, lines = 0, timer = null, waiting = [];
  const flush = () => {
    clearTimeout(timer);
    timer = null;
    const sent = waiting;
    waiting = [];
    for (const { type, texts } of sent) emit({ type, text: texts.join("\n") });
    return sent.length > 0;
  };
  const told = (event) => {
    if (event.type !== "stdout" && event.type !== "stderr") {
      flush(); // what was printed before a chart comes before it
      return emit(event);
    }
    const now = performance.now();
    if (now - began > SPAN) {
      lines = flush() ? SINGLE : 0; // a flood that goes on is gathered from its next line on
      began = now;
    }
    if (++lines <= SINGLE) return emit(event);
    if (waiting.at(-1)?.type !== event.type) waiting.push({ type: event.type, texts: [] });
    waiting.at(-1).texts.push(event.text);
    timer ??= setTimeout(flush, SPAN); // runs where Python waits or is done
  };
  told.flush = flush;
  return told;
}
