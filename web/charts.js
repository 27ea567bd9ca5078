// Live line charts with Vega-Lite. vega, vega-lite and vega-embed are plain scripts from this origin; they are
// fetched when the first chart is made. Without them the page works and says that the charts are missing.

const SCRIPTS = ["vega.min.js", "vega-lite.min.js", "vega-embed.min.js"];
let loading = null;

function loadVega() {
  loading ??= SCRIPTS.reduce((before, name) => before.then(() => loadScript(name)), Promise.resolve());
  return loading;
}

function loadScript(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`../vendor/${name}`, import.meta.url).href;
    script.onload = resolve;
    script.onerror = () => { loading = null; reject(new Error(`Could not download ${name}.`)); };
    document.head.append(script);
  });
}

function specification({ title, y, percent }) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { gridColor: colour("--line"), domainColor: colour("--line"), tickColor: colour("--line"), labelColor: colour("--quiet"), titleColor: colour("--quiet") };
  const position = {
    x: { field: "t", type: "quantitative", title: "epoch", axis: { tickMinStep: 1, format: "d" } },
    y: { field: y, type: "quantitative", title: null, scale: { zero: !percent, nice: true, clamp: true }, axis: percent ? { format: ".0%" } : {} },
    color: {
      field: "split", type: "nominal", title: null, legend: { orient: "top", labelColor: colour("--ink"), offset: 2 },
      scale: { domain: ["training", "test"], range: [colour("--accent"), colour("--wrong")] },
    },
  };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: title,
    title: { text: title, anchor: "start", color: colour("--ink"), fontSize: 13 },
    width: "container", height: 230, autosize: { type: "fit", contains: "padding", resize: true }, background: "transparent",
    data: { name: "points" },
    layer: [
      { mark: { type: "line", clip: true, strokeWidth: 1.5 }, encoding: position },
      { transform: [{ filter: "datum.split === 'test'" }], mark: { type: "point", filled: true, size: 50 }, encoding: position },
    ],
    config: { view: { stroke: null }, axis, font: "system-ui, sans-serif" },
  };
}

/** A chart in `element`: { add(points), clear() }, points being { t, split, [y]: number }. */
export async function liveChart(element, options) {
  let points = [];
  let view = null;
  async function draw() {
    const { view: made } = await globalThis.vegaEmbed(element, specification(options), {
      actions: false, renderer: "svg", logLevel: globalThis.vega.Error, // it warns about charts without points
    });
    view = made;
    if (points.length) view.change("points", globalThis.vega.changeset().insert(points)).run();
  }
  try {
    await loadVega();
    await draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  } catch (error) {
    element.textContent = `No chart: ${error.message}`;
  }
  return {
    add(more) {
      points.push(...more);
      view?.change("points", globalThis.vega.changeset().insert(more)).runAsync();
    },
    clear() {
      points = [];
      view?.change("points", globalThis.vega.changeset().remove(() => true)).runAsync();
    },
  };
}
