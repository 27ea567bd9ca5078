// The visor: a panel over the page with tabs of surfaces, on which figures of pyml.vis are drawn. It is loaded with the first
// message of Python (`pyml_page.post("visor", ...)`). The key ` (left of 1, whatever stands on it) shows and hides it, Escape in it
// hides it, and while it is hidden a button in the corner shows it again; its place is remembered.
import { drawing } from "./figures.js";

const KEPT = "pyml-visor";
const LEAST = 280;
const STYLE = `
.pyml-visor { position: fixed; inset: 0 0 0 auto; width: min(var(--visor-width, 420px), 100vw); z-index: 1000; display: flex; flex-direction: column;
  background: #ffffff; color: #1f2328; border-left: 1px solid #b9b3a7; box-shadow: -4px 0 18px #0003; font: 15px/1.4 system-ui, sans-serif; }
.pyml-visor[hidden] { display: none; }
.pyml-visor header { display: flex; gap: 4px; align-items: center; padding: 6px 8px 0 14px; border-bottom: 1px solid #dcd7cd; }
.pyml-visor [role=tablist] { display: flex; flex: 1; gap: 2px; overflow-x: auto; }
.pyml-visor button { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 6px 6px 0 0; padding: 6px 10px; cursor: pointer;
  white-space: nowrap; min-height: 36px; }
.pyml-visor [aria-selected=true] { border-color: #b9b3a7; border-bottom-color: transparent; font-weight: 600; }
.pyml-visor button:hover { background: #7773; }
.pyml-visor :focus-visible { outline: 3px solid #0f6b61; outline-offset: -3px; }
.pyml-visor [role=tabpanel] { flex: 1; overflow: auto; padding: 8px 14px 24px; }
.pyml-visor [role=tabpanel][hidden] { display: none; }
.pyml-visor section { margin: 0 0 18px; }
.pyml-visor h2 { font-size: 14px; margin: 8px 0 4px; color: inherit; }
.pyml-visor .figure { overflow-x: auto; }
.pyml-visor .figure .vega-embed { display: block; width: 100%; padding: 0; }
.pyml-visor .vega-bind input { font: inherit; color: inherit; max-width: 100%; margin: 2px 8px; min-height: 34px; vertical-align: middle; accent-color: #0f6b61; }
.pyml-visor .vega-bind input:not([type=range]) { background: none; border: 1px solid #b9b3a7; border-radius: 6px; padding: 4px 8px; }
.pyml-visor .edge { position: absolute; inset: 0 auto 0 0; width: 8px; cursor: ew-resize; touch-action: none; }
.pyml-visor .edge:hover { background: #7775; }
.pyml-visor-back { position: fixed; right: 12px; bottom: 12px; z-index: 1000; font: 15px/1.4 system-ui, sans-serif; min-height: 36px; padding: 4px 12px;
  color: #1f2328; background: #ffffff; border: 1px solid #b9b3a7; border-radius: 8px; box-shadow: 0 1px 6px #0003; cursor: pointer; }
.pyml-visor-back[hidden] { display: none; }
.pyml-visor-back:focus-visible { outline: 3px solid #0f6b61; outline-offset: 2px; }
@media (max-width: 600px) {
  .pyml-visor { inset: auto 0 0 0; width: 100vw; height: min(var(--visor-height, 60vh), 92vh); border-left: 0; border-top: 1px solid #b9b3a7; }
  .pyml-visor header { padding-top: 20px; }
  .pyml-visor .edge { inset: 0 0 auto 0; width: auto; height: 20px; cursor: ns-resize; }
  .pyml-visor .edge::after { content: ""; position: absolute; left: calc(50% - 20px); top: 8px; width: 40px; height: 4px; border-radius: 2px; background: #8a8f94; }
}
@media (prefers-color-scheme: dark) {
  .pyml-visor { background: #1d2226; color: #e6e4df; border-color: #4a535b; }
  .pyml-visor header { border-color: #343b41; }
  .pyml-visor [aria-selected=true] { border-color: #4a535b; border-bottom-color: transparent; }
  .pyml-visor :focus-visible { outline-color: #5cc7b5; }
  .pyml-visor .vega-bind input { accent-color: #5cc7b5; }
  .pyml-visor-back { color: #e6e4df; background: #1d2226; border-color: #4a535b; }
  .pyml-visor-back:focus-visible { outline-color: #5cc7b5; }
}`;

const narrow = () => matchMedia("(max-width: 600px)").matches;

/** What was kept of an earlier visit; nothing where a page may keep nothing, or something else wrote there. */
function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {};
  }
}

class Visor {
  constructor() {
    this.kept = { open: true, ...remembered() };
    this.tabs = new Map(); // name -> { button, panel, surfaces }
    const style = Object.assign(document.createElement("style"), { textContent: STYLE });
    document.head.append(style);
    this.panel = document.createElement("aside");
    this.panel.className = "pyml-visor";
    this.panel.setAttribute("aria-label", "Visor");
    this.list = document.createElement("div");
    this.list.setAttribute("role", "tablist");
    this.list.setAttribute("aria-label", "Tabs of the visor");
    const shut = Object.assign(document.createElement("button"), { type: "button", textContent: "✕", title: "Hide the visor (key `)" });
    shut.setAttribute("aria-label", "Hide the visor");
    shut.addEventListener("click", () => this.show(false));
    const head = document.createElement("header");
    head.setAttribute("role", "presentation"); // a page has one banner, its own
    head.append(this.list, shut);
    this.edge = document.createElement("div");
    this.edge.className = "edge";
    this.edge.tabIndex = 0;
    this.edge.setAttribute("role", "separator");
    this.edge.setAttribute("aria-label", "Size of the visor");
    this.panel.append(this.edge, head);
    this.back = Object.assign(document.createElement("button"), { type: "button", textContent: "Show the visor", className: "pyml-visor-back" });
    this.back.addEventListener("click", () => { this.show(true); shut.focus(); });
    document.body.append(this.panel, this.back);
    this.resize(this.kept.width ?? 420, this.kept.height ?? Math.round(innerHeight * 0.6), false);
    this.show(this.kept.open, false);
    this.listen();
  }

  listen() {
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
      if ((event.key === "`" || event.code === "Backquote") && !typing && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey) this.show(this.panel.hidden);
      if (event.key === "Escape" && this.panel.contains(event.target)) this.show(false);
    });
    this.list.addEventListener("keydown", (event) => {
      const names = [...this.tabs.keys()];
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const at = names.indexOf(this.active);
      const next = step ? names.at((at + step) % names.length) : { Home: names[0], End: names.at(-1) }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      this.choose(next);
      this.tabs.get(next).button.focus();
    });
    this.edge.addEventListener("pointerdown", (event) => {
      this.edge.setPointerCapture(event.pointerId);
      const move = (at) => this.resize(innerWidth - at.clientX, innerHeight - at.clientY);
      this.edge.addEventListener("pointermove", move);
      this.edge.addEventListener("lostpointercapture", () => { this.edge.removeEventListener("pointermove", move); this.redraw(); }, { once: true });
    });
    this.edge.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: 24, ArrowUp: 24, ArrowRight: -24, ArrowDown: -24 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.resize(this.width + (narrow() ? 0 : step), this.height + (narrow() ? step : 0));
      this.redraw();
    });
    addEventListener("resize", () => { this.giveRoom(); this.redraw(); });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  keep(change) {
    Object.assign(this.kept, change);
    try { localStorage.setItem(KEPT, JSON.stringify(this.kept)); } catch { /* a page that may keep nothing */ }
  }

  resize(width, height, keep = true) {
    this.width = Math.round(Math.min(Math.max(width, LEAST), Math.max(LEAST, innerWidth - 40)));
    this.height = Math.round(Math.min(Math.max(height, 160), innerHeight * 0.92));
    this.panel.style.setProperty("--visor-width", `${this.width}px`);
    this.panel.style.setProperty("--visor-height", `${this.height}px`);
    const [now, most] = narrow() ? [this.height, Math.round(innerHeight * 0.92)] : [this.width, innerWidth];
    this.edge.setAttribute("aria-orientation", narrow() ? "horizontal" : "vertical");
    for (const [name, value] of [["now", now], ["min", narrow() ? 160 : LEAST], ["max", most]]) this.edge.setAttribute(`aria-value${name}`, value);
    this.giveRoom();
    if (keep) this.keep(narrow() ? { height: this.height } : { width: this.width });
  }

  /** What lies below the visor on a phone can be scrolled into sight. */
  giveRoom() {
    document.documentElement.style.paddingBottom = narrow() && !this.panel.hidden ? `${this.height}px` : "";
  }

  show(open, keep = true) {
    const inside = this.panel.contains(document.activeElement);
    this.panel.hidden = !open;
    this.back.hidden = open;
    this.giveRoom();
    if (keep) this.keep({ open });
    if (open) this.redraw();
    else if (inside) this.back.focus();
  }

  tab(name) {
    if (!this.tabs.has(name)) {
      const id = `pyml-visor-${this.tabs.size}`;
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name, id: `${id}-tab` });
      button.setAttribute("role", "tab");
      button.setAttribute("aria-controls", id);
      button.addEventListener("click", () => this.choose(name));
      const panel = Object.assign(document.createElement("div"), { id, tabIndex: 0 });
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", button.id);
      this.list.append(button);
      this.panel.append(panel);
      this.tabs.set(name, { button, panel, surfaces: new Map() });
      if (this.active === undefined || this.kept.tab === name) this.choose(name, false);
      else this.choose(this.active, false);
    }
    return this.tabs.get(name);
  }

  choose(name, keep = true) {
    this.active = name;
    for (const [other, { button, panel }] of this.tabs) {
      button.setAttribute("aria-selected", String(other === name));
      button.tabIndex = other === name ? 0 : -1;
      panel.hidden = other !== name;
    }
    if (keep) { this.keep({ tab: name }); this.redraw(); }
  }

  draw({ name, tab, spec }) {
    const { panel, surfaces } = this.tab(tab);
    if (!surfaces.has(name)) {
      const section = document.createElement("section");
      const title = Object.assign(document.createElement("h2"), { textContent: name });
      const figure = Object.assign(document.createElement("div"), { className: "figure" });
      section.setAttribute("aria-label", name);
      section.append(title, figure);
      panel.append(section);
      surfaces.set(name, drawing(figure, name, () => !this.panel.hidden && tab === this.active));
    }
    surfaces.get(name).draw(spec);
  }

  redraw() {
    for (const surface of this.tabs.get(this.active)?.surfaces.values() ?? []) surface.redraw();
  }
}

let visor = null;

/** What Python sends: [what, message]. */
export function hear([what, message]) {
  visor ??= new Visor();
  if (what === "draw") visor.draw(message);
  else if (what === "open") visor.show(true);
  else if (what === "close") {
    visor.show(false);
    visor.back.hidden = true; // the page has its own way to open it
  }
  else if (what === "toggle") visor.show(visor.panel.hidden);
  else if (what === "tab") visor.choose(message.tab);
}
