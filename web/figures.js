// Figures of pyml.vis in a page: Vega-Lite specifications in the page's colours, as wide as their place. The visor and the pages of
// chapters draw with this.
import { loadVega } from "./charts.js";

const COLOURS = {
  light: { ink: "#1f2328", quiet: "#59616a", line: "#dcd7cd" },
  dark: { ink: "#e6e4df", quiet: "#a5adb5", line: "#343b41" },
};
// What is bright enough on a dark ground, and what too bright; the names are those of pyml.vis.theme.
const ON_DARK = { "#0072B2": "#4da3e0", "#D55E00": "#ff8a4a", "#009E73": "#2fc79b", "#CC79A7": "#e59ac5", "#56B4E9": "#c4ebff", "#767676": "#858b91", "#550907": "#c53c3f", "#9608f4": "#b40dde", "#02144f": "#fff9ba", "#eef3fb": "#2a343b",
  "#1f2328": "#e6e4df" }; // as in pyml/vis/theme.py
const BLUES = ["#2a343b", "#4da3e0"]; // the scheme begins nearly white

const MANY = 500; // rows from which on a canvas draws: an element for each point would hold the page up

const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;

/** How many names of series have room beside each other; as `columns` of pyml.vis.theme. */
function columns(spec, width) {
  const names = (spec.layer ?? [spec]).map((part) => part.encoding?.color?.scale?.domain).find((domain) => domain?.length) ?? [];
  const longest = Math.max(3, ...names.map((name) => `${name}`.length));
  return Math.max(1, Math.min(6, Math.floor((width - 50) / (6 * longest + 28))));
}

/** A text in two lines where it has more letters than fit into one; words are not broken. */
function wrapped(text, letters) {
  const end = text.length > letters ? text.lastIndexOf(" ", letters) : -1;
  return end > 0 ? [text.slice(0, end), text.slice(end + 1)] : text;
}

/** Wraps a chart's title; gives how long those of its axes may be, which would else take the room of what they name; as `fit_titles` of pyml.vis.theme. */
function fitTitles(spec) {
  const { title, height = 230 } = spec, width = spec.width || 400;
  let above = 0; // lines
  if (title) {
    spec.title = typeof title === "string" ? { text: title } : title;
    for (const [name, letter] of [["text", 7.8], ["subtitle", 6.2]]) {
      const text = spec.title[name];
      if (typeof text === "string") spec.title[name] = wrapped(text, Math.floor((width - 30) / letter));
      above += [spec.title[name] ?? []].flat().length;
    }
    spec.title.limit = width - 10;
  }
  const around = spec.autosize ? 30 + 20 * above : 0; // otherwise the height is that of the plot alone
  return [width - 60, height - around];
}

/** A specification in the page's colours, as wide as its surface. */
function dressed(given, name, width) {
  const repeated = (given.title?.text ?? given.title) === name; // the surface says it already
  const title = repeated ? { text: given.title.subtitle ?? "", fontWeight: "normal", fontSize: 11 } : given.title;
  let text = JSON.stringify({ ...given, title: title?.text === "" ? undefined : title, $schema: undefined });
  if (dark()) for (const [from, to] of Object.entries(ON_DARK)) text = text.replaceAll(`"${from}"`, `"${to}"`);
  if (dark()) text = text.replaceAll('"scheme":"blues"', `"range":${JSON.stringify(BLUES)}`);
  const spec = JSON.parse(text);
  const { ink, quiet, line } = COLOURS[dark() ? "dark" : "light"];
  const series = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#767676", "#550907", "#9608f4", "#02144f"].map((c) => (dark() && ON_DARK[c]) || c);
  const own = spec.config ?? {};
  spec.config = {
    ...own, view: { stroke: null }, font: "system-ui, sans-serif", range: { category: series }, text: { color: ink }, rule: { color: quiet },
    axis: { gridColor: line, domainColor: line, tickColor: line, labelColor: quiet, titleColor: quiet, ...own.axis },
    axisQuantitative: { labelSeparation: 6 }, axisTemporal: { labelSeparation: 6 }, // else 2,000 and 2,500 become one number
    legend: { labelColor: ink, titleColor: quiet, orient: "top", columns: columns(spec, width), ...own.legend },
    title: { color: ink, subtitleColor: quiet, anchor: "start", fontSize: 13, ...own.title },
  };
  spec.background = "transparent";
  if (spec.autosize && spec.width && spec.width === spec.height) spec.width = spec.height = Math.min(spec.width, width); // square on purpose
  else if (spec.autosize && (spec.width ?? 0) <= 400) spec.width = Math.max(width, spec.usermeta?.least ?? 0); // what is wider has a reason: tables scroll
  for (const part of spec.vconcat ?? []) if ((part.width ?? 0) <= 400) part.width = width - 70;
  const limits = (spec.vconcat ?? [spec]).map(fitTitles);
  ["axisX", "axisY"].forEach((axis, i) => {
    spec.config[axis] = { titleLimit: Math.max(...limits.map((both) => both[i])), ...spec.config[axis] };
  });
  return spec;
}

/**
 * The place of a figure in a page: { draw(spec), redraw() }. The newest figure is drawn, one at a time; where only the rows differ,
 * only those change.
 *
 * element  where it goes.
 * name     what stands above it, which its own title need not repeat.
 * seen     says whether it can be seen now; what comes while it cannot waits for `redraw`.
 */
export function drawing(element, name, seen = () => true) {
  let newest = null, form = null, view = null, busy = false, stale = false, took = 0;

  async function render() {
    stale = true;
    if (busy || !newest || !seen()) return;
    busy = true;
    try {
      await loadVega();
      while (stale && seen()) {
        stale = false;
        // whatever comes in this frame is drawn at once, and the page has as long for itself as the last drawing took
        await new Promise((resolve) => setTimeout(resolve, Math.max(16, took)));
        const began = performance.now();
        const spec = dressed(newest, name, Math.max(200, element.clientWidth - 4));
        const rows = spec.data?.values;
        const renderer = rows?.length > MANY ? "canvas" : "svg";
        const now = rows && spec.mark ? renderer + JSON.stringify({ ...spec, data: null }) : null;
        if (now && now === form) {
          await view.change("rows", globalThis.vega.changeset().remove(() => true).insert(rows)).runAsync();
          took = performance.now() - began;
          continue;
        }
        if (now) spec.data = { name: "rows", values: rows };
        const fresh = document.createElement("div"); // the former figure stays until this one is there, its pictures too
        const made = await globalThis.vegaEmbed(fresh, spec, { actions: false, renderer, logLevel: globalThis.vega.Error });
        view?.finalize();
        ({ view } = made);
        element.replaceChildren(fresh);
        form = now;
        took = performance.now() - began;
        if (!spec.autosize && !spec.vconcat && (spec.width ?? 0) >= 280 && spec.width <= 400) { // a grid of pictures: as wide as its place
          const svg = element.querySelector("svg");
          if (svg) Object.assign(svg.style, { width: `min(100%, ${1.6 * spec.width}px)`, height: "auto" });
        }
      }
    } catch (error) {
      element.textContent = `No figure: ${error.message}`;
    } finally {
      busy = false;
    }
  }

  return {
    draw(spec) {
      newest = spec;
      element.setAttribute("role", "group");
      element.setAttribute("aria-label", spec.description ?? name);
      return render();
    },
    redraw() {
      form = null;
      return render();
    },
  };
}
