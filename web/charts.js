// Live charts with Vega-Lite. vega, vega-lite and vega-embed are plain scripts from this origin; they are
// fetched when the first chart is made. Without them the page works and says that the charts are missing.

import { patiently } from "./patience.js";

const SCRIPTS = { // by the name that each defines
  vega: new URL("../vendor/vega.min.js", import.meta.url),
  vegaLite: new URL("../vendor/vega-lite.min.js", import.meta.url),
  vegaEmbed: new URL("../vendor/vega-embed.min.js", import.meta.url),
};
let loading = null;

/** Loads the chart library, once. */
export function loadVega() {
  loading ??= Object.entries(SCRIPTS).reduce((before, [defined, url]) => before.then(() => loadScript(url, defined)), Promise.resolve());
  return loading;
}

function loadScript(url, defined) {
  const name = url.pathname.split("/").pop(), script = document.createElement("script");
  const loaded = new Promise((resolve, reject) => {
    const failed = (why) => reject(new Error(`Could not download ${name}: it ${why}.`));
    script.src = url.href;
    script.onload = () => (globalThis[defined] ? resolve() : failed("is damaged, or ended early"));
    script.onerror = () => failed("did not come, or ended early");
    document.head.append(script);
  });
  return patiently(name, loaded).catch((error) => {
    loading = null;
    script.remove();
    throw error;
  });
}

/** The colours and the common settings of every chart, taken from the style sheet. */
function look({ title, height = 230 }) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { gridColor: colour("--line"), domainColor: colour("--line"), tickColor: colour("--line"), labelColor: colour("--quiet"), titleColor: colour("--quiet") };
  const bySplit = {
    field: "split", type: "nominal", title: null, legend: { orient: "top", labelColor: colour("--ink"), offset: 2 },
    scale: { domain: ["training", "test"], range: [colour("--accent"), colour("--wrong")] },
  };
  const base = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: title,
    title: { text: title, anchor: "start", color: colour("--ink"), fontSize: 13 },
    width: "container", height, autosize: { type: "fit", contains: "padding", resize: true }, background: "transparent",
    config: { view: { stroke: null }, axis, axisQuantitative: { labelSeparation: 6 }, font: "system-ui, sans-serif", mark: { aria: false } }, // the chart has a name; its points have none
  };
  return { base, colour, bySplit };
}

/**
 * A chart in `element` whose rows change; `specify()` gives its Vega-Lite specification, with data by name. It is drawn when the
 * library is there, and again where the colours turn dark or light: { rows(name, list), add(name, list), redraw() }.
 */
function mount(element, specify) {
  const data = {};
  let view = null, stale = false;
  const push = (name, change) => view?.change(name, change).runAsync();
  const all = (name) => globalThis.vega.changeset().remove(() => true).insert(data[name]);
  async function redraw() {
    stale = false;
    const { view: made } = await globalThis.vegaEmbed(element, specify(), {
      actions: false, renderer: "svg", logLevel: globalThis.vega.Error, // it warns about charts without points
    });
    view = made;
    for (const name of Object.keys(data)) view.change(name, all(name));
    view.run();
    if (stale) await redraw();
  }
  async function begin() {
    try {
      element.replaceChildren();
      await loadVega();
      await redraw();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    } catch (error) {
      const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
      again.addEventListener("click", begin);
      element.replaceChildren(`No chart: ${error.message} `, again);
    }
  }
  begin();
  return {
    rows(name, list) {
      data[name] = [...list];
      if (view) push(name, all(name));
    },
    add(name, list) {
      (data[name] ??= []).push(...list);
      if (view) push(name, globalThis.vega.changeset().insert(list));
    },
    async redraw() {
      if (view) await redraw();
      else stale = true; // while it is drawn for the first time
    },
  };
}

/**
 * A chart of curves by epoch: { add(points), clear() }, points being { t, split, [y]: number }. Where the number is NaN
 * or infinite the curve has a gap.
 */
export function liveChart(element, { title, y, percent }) {
  const chart = mount(element, () => {
    const { base, bySplit } = look({ title });
    const position = {
      x: { field: "t", type: "quantitative", title: "epoch", axis: { tickMinStep: 1, format: "d" } },
      y: { field: y, type: "quantitative", title: null, scale: { zero: !percent, nice: true, clamp: true }, axis: { format: percent ? ".0%" : "~g" } },
      color: bySplit,
    };
    return {
      ...base,
      data: { name: "points" },
      layer: [
        { mark: { type: "line", clip: true, strokeWidth: 1.5, invalid: "break-paths-filter-domains" }, encoding: position },
        { transform: [{ filter: "datum.split === 'test'" }], mark: { type: "point", filled: true, size: 50 }, encoding: position },
      ],
    };
  });
  const drawable = (point) => (Number.isFinite(point[y]) ? point : { ...point, [y]: null });
  return { add: (points) => chart.add("points", points.map(drawable)), clear: () => chart.rows("points", []) };
}

/** The axes of a `fitChart` without data. */
export const NOTHING = { x: "", y: "", extent: { x: [0, 1], y: [0, 1] } };

/** The numbers of an axis, where Vega would write as many as 100,000,000,000,000,000,000; as `lettering` of pyml.vis. */
function lettering(extent) {
  const top = Math.max(...extent.map(Math.abs));
  return top && (top < 1e-4 || top >= 1e9) ? { axis: { format: ".3~g" } } : {};
}

/**
 * A cloud of points and the curve fitted to it: { show({ points, curve, x, y, extent }) } with points
 * { x, y, split }, curve { x, y }, the names of both axes and extent { x: [low, high], y: [low, high] }.
 * What is left out stays as it was.
 */
export function fitChart(element, { title, height = 360 }) {
  let axes = NOTHING;
  const chart = mount(element, () => {
    const { base, colour, bySplit } = look({ title, height });
    const axis = (name) => ({ field: name, type: "quantitative", title: axes[name], ...lettering(axes.extent[name]), scale: { domain: axes.extent[name], nice: true, zero: false } });
    return {
      ...base,
      layer: [
        { data: { name: "points" }, mark: { type: "point", filled: true, opacity: 0.6, size: 36, clip: true }, encoding: { x: axis("x"), y: axis("y"), color: bySplit } },
        { data: { name: "curve" }, mark: { type: "line", strokeWidth: 3, clip: true, color: colour("--ink") }, encoding: { x: axis("x"), y: axis("y"), order: { field: "x", type: "quantitative" } } },
      ],
    };
  });
  return {
    async show({ points, curve, ...changed }) {
      const wanted = { ...axes, ...changed };
      const other = JSON.stringify(wanted) !== JSON.stringify(axes);
      axes = wanted;
      if (points) chart.rows("points", points);
      if (curve) chart.rows("curve", curve);
      if (other) await chart.redraw();
    },
  };
}
