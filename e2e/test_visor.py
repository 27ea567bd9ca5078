"""The visor over a page: figures of pyml.vis drawn from Python, by mouse and by keyboard."""

from e2e.python_page import PythonPage

FIGURES = """
from pyml import vis
vis.line_chart([3, float("nan"), 1], title="Loss").show(tab="Training")
vis.bar_chart({"cats": 2, "dogs": 1}, title="Animals").show("Pets", tab="Data")
vis.image_grid([[[0.0, 1.0], [1.0, 0.0]]], labels=["one"]).show("Pictures", tab="Data")
vis.visor().tabs
"""


def test_figures_are_drawn_in_tabs_that_keys_change_and_the_visor_remembers(page, site):
    python = PythonPage(page, site, "backend=cpu&thread=main")
    page.set_viewport_size({"width": 390, "height": 800})
    page.evaluate("() => { localStorage.setItem('pyml-visor', '{half'); }")
    tall = page.evaluate("document.documentElement.scrollHeight")
    assert python.run(FIGURES) == ["Training", "Data"]
    visor, tabs = page.get_by_role("complementary", name="Visor"), page.get_by_role("tab")
    visor.locator("[role=tabpanel]:not([hidden]) svg").first.wait_for()
    assert tabs.all_text_contents() == ["Training", "Data"] and tabs.first.get_attribute("aria-selected") == "true"
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    visor.locator("[role=tabpanel]:not([hidden]) section:nth-of-type(2) svg image").wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Data"
    assert page.get_by_role("tabpanel", name="Data").is_visible() and page.get_by_role("heading", name="Pets").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    edge = page.get_by_role("separator", name="Size of the visor")
    before = int(edge.get_attribute("aria-valuenow"))
    edge.focus()
    page.keyboard.press("ArrowUp")
    assert int(edge.get_attribute("aria-valuenow")) == before + 24
    assert page.evaluate("document.documentElement.scrollHeight") > tall  # room to scroll what it hides into sight
    page.keyboard.press("Escape")
    assert not visor.is_visible() and page.evaluate("document.documentElement.scrollHeight") == tall
    page.keyboard.press("`")
    assert visor.is_visible()
    page.get_by_role("button", name="Hide the visor").click()
    back = page.get_by_role("button", name="Show the visor")  # a phone has no such key
    assert page.evaluate("document.activeElement.textContent") == "Show the visor"
    back.click()
    assert visor.is_visible() and not back.is_visible()
    for _ in range(2):  # a keyboard on which another sign stands there
        page.dispatch_event("body", "keydown", {"key": "Dead", "code": "Backquote", "bubbles": True})
    assert visor.is_visible()
    kept = page.evaluate("JSON.parse(localStorage.getItem('pyml-visor'))")
    assert kept == {"open": True, "tab": "Data", "height": before + 24}
    python.run("vis.bar_chart({'cats': 2, 'dogs': 9}, title='Animals').show('Pets', tab='Data')\n1")
    page.get_by_role("button", name="Hide the visor").click()
    assert not visor.is_visible() and back.is_visible()
    python.run("vis.visor().close()\n1")
    assert not back.is_visible()


EVERY = """
import numpy as np, pyml
from pyml import layers, vis
rng, nan = np.random.default_rng(0), float("nan")
model = pyml.Sequential([pyml.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu", name="edges"), layers.Flatten(),
                         layers.Dense(3, "softmax", name="answer")])
plane = pyml.Sequential([pyml.Input((2,)), layers.Dense(4, "tanh"), layers.Dense(1, "sigmoid")])
words = pyml.Input((6, 4))
looks = pyml.Model(words, layers.MultiHeadAttention(2, 3, name="look")(words, words))
picture, points, kinds = rng.random((8, 8, 1)), rng.normal(size=(30, 2)), np.arange(30) % 2
names, scores = ["Adelie", "Chinstrap", "Gentoo"], kinds * 0.3 + rng.random(30)
beaks = {"x_label": "length in mm", "y_label": "depth in mm"}
figures = {
    "line": vis.line_chart({"training": [3, 2, nan, 1.5, 1], "validation": [3.2, 2.4, 2.2, 2, 2.1]}, x_label="epoch", y_label="loss"),
    "cloud": vis.scatter_plot({"a class": points[kinds == 0], "another class": points[kinds == 1]}, **beaks),
    "bars": vis.bar_chart({"Set of words": 4, "Averaged vectors": 8, "Convolution": 16, "LSTM": 2}, y_label="mails"),
    "level": vis.bar_chart({"a": 1, "straight on": 2, "right": 3}),
    "square": vis.scatter_plot(points, width=300, height=300),
    "lying": vis.bar_chart({"a rather long name of a bar": 4, "b": 8}, horizontal=True, x_label="mails"),
    "histogram": vis.histogram(rng.normal(size=500), x_label="weight in kg"),
    "matrix": vis.heatmap(rng.random((5, 5)), list("abcde"), list("fghij")),
    "confusion": vis.confusion_matrix([0, 1, 2, 2], [0, 1, 1, 2], names),
    "two classes": vis.confusion_matrix([0, 1, 1, 0], [0, 1, 0, 0], ["female", "male"]),
    "large": vis.line_chart([1, 3, 2], x_label="epoch", font_size=14),
    "classes": vis.per_class_accuracy([0, 1, 2, 2], [0, 1, 1, 2], names),
    "roc": vis.roc_curve(kinds, scores), "pr": vis.precision_recall_curve(kinds, scores),
    "table": vis.table([["Ada", 1815], ["Grace", 1906]], ["name", "born"]),
    "narrow table": vis.table([["pupil of the network", "105 kB", "9.0", "94.0%"], ["that in 8 bits", "29 kB", "32.6", "93.9%"]],
                              ["network", "file", "times smaller", "right"]),
    "pictures": vis.image_grid(rng.random((6, 8, 8)), labels="abcdef"),
    "distribution": vis.values_distribution(rng.normal(size=99)), "summary": vis.model_summary(model),
    "layer": vis.layer(model.layers[0]), "graph": vis.model_graph(model),
    "history": vis.history({"loss": [3, 2], "val_loss": [3, nan], "accuracy": [0, 1]}),
    "activations": vis.activations(model, picture, "edges"), "answer": vis.activations(model, picture, "answer"),
    "filters": vis.filters(model, "edges", steps=1), "saliency": vis.saliency(model, picture),
    "gradients": vis.integrated_gradients(model, picture, steps=2), "occlusion": vis.occlusion(model, picture, patch=4),
    "grad-cam": vis.grad_cam(model, picture), "attention": vis.attention(looks, rng.random((6, 4))),
    "pca": vis.pca(points, kinds), "tsne": vis.tsne(points, kinds, perplexity=5, iterations=20),
    "projector": vis.projector(rng.random((40, 5)), np.arange(40) % 3, rng.random((40, 4, 4)), dimensions=3),
    "boundary": vis.decision_boundary(plane, points, kinds, resolution=12), "neurons": vis.neurons(plane, points),
    "nothing": vis.line_chart([]), "all equal": vis.line_chart([2.0] * 9), "one": vis.scatter_plot([[3, 4]]),
}
for name, figure in figures.items():
    figure.show(name, tab="Every")
list(figures)
"""
# Of each figure: texts that lie beyond its drawing, which would be cut off, and names of an axis that lie over each other.
CUT = """(name) => {
  const section = document.querySelector(`.pyml-visor section[aria-label='${name}']`), place = section.querySelector(".figure");
  const svg = section.querySelector("svg"), frame = svg.getBoundingClientRect(), found = [];
  if (frame.width < 40 || frame.height < 20) found.push(`it is ${frame.width} x ${frame.height}`);
  const scrolls = ["table", "narrow table", "summary", "graph"].includes(name);  // as wide as their texts
  if (!scrolls && place.scrollWidth > section.clientWidth + 1) found.push("it is too wide");
  const beyond = ({ left, right, top, bottom }) => left < frame.left - 2 || right > frame.right + 2 || top < frame.top - 2
    || bottom > frame.bottom + 2;
  for (const text of svg.querySelectorAll("text")) {
    if (text.textContent.trim() && beyond(text.getBoundingClientRect())) found.push(`cut off: ${text.textContent}`);
  }
  const texts = name.endsWith("table") ? [...svg.querySelectorAll(".mark-text text")] : [];
  const rows = texts.map((one) => [one.textContent, one.getBoundingClientRect()]);
  for (const [one, a] of rows) {
    for (const [other, b] of rows) {
      if (a.left < b.left && a.right > b.left && Math.abs(a.top - b.top) < 2) found.push(`${one} runs into ${other}`);
    }
  }
  const level = (text) => +getComputedStyle(text).opacity && !/rotate\\((?!0)/.test(text.getAttribute("transform"));
  for (const axis of svg.querySelectorAll(".role-axis-label")) {
    const places = [...axis.querySelectorAll("text")].filter(level).map((one) => [one.textContent, one.getBoundingClientRect()]);
    places.forEach(([one, a], i) => {
      for (const [other, b] of places.slice(i + 1)) {
        const apart = a.left >= b.right - 1 || b.left >= a.right - 1 || a.top >= b.bottom - 2 || b.top >= a.bottom - 2;
        if (!apart) found.push(`${one} lies over ${other}`);
      }
    });
  }
  return found;
}"""
DRAWN = """([names, ink]) => names.every((name) => {
  const svg = document.querySelector(`.pyml-visor section[aria-label='${name}'] .figure svg`);
  return svg && [...svg.querySelectorAll(".role-axis-label text")].every((one) => one.getAttribute("fill") === ink);
})"""


def test_every_chart_is_whole_on_a_phone_in_both_themes_and_shows_its_numbers(page, site):
    python = PythonPage(page, site, "backend=cpu&thread=main")
    page.set_viewport_size({"width": 390, "height": 844})
    names = python.run(EVERY)
    assert len(names) > 30
    cut = {}
    for theme, ink in (("light", "#59616a"), ("dark", "#a5adb5")):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(DRAWN, arg=[names, ink])
        cut |= {f"{name}, {theme}": found for name in names if (found := page.evaluate(CUT, name))}
    assert cut == {}
    of = lambda name, what: page.locator(f".pyml-visor section[aria-label='{name}'] svg {what}")
    heights = [float(bar.get_attribute("d").split("v")[1].split("h")[0]) for bar in of("bars", ".mark-rect.role-mark path").all()]
    assert [round(height / heights[1], 2) for height in heights] == [0.5, 1.0, 2.0, 0.25]
    assert of("bars", ".role-axis-label text").all_text_contents()[:4] == ["Set of words", "Averaged vectors", "Convolution", "LSTM"]
    square = of("square", "").bounding_box()
    assert abs(square["width"] - square["height"]) < 2 and 290 < square["width"] < 320
    middle = lambda found: [box["x"] + box["width"] / 2 for box in (one.bounding_box() for one in found.all())]
    names, bars = middle(of("level", ".role-axis-label text"))[:3], middle(of("level", ".mark-rect.role-mark path"))
    assert max(abs(name - bar) for name, bar in zip(names, bars, strict=True)) < 4
    assert [line.get_attribute("d").count("M") for line in of("line", ".mark-line path").all()] == [2, 1]  # NaN parts a line in two
    assert "There is nothing to show." in of("nothing", "text").all_text_contents()
    assert of("matrix", ".mark-rect.role-mark path").count() == 25 and of("cloud", ".mark-symbol.role-mark path").count() == 30
    assert of("pictures", "image").count() == 6 and of("projector", "image").count() == 40
