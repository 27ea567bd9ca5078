"""`Figure`: a Vega-Lite specification with its data, that shows itself where it can and is saved where it cannot."""

from __future__ import annotations

import copy
import html
import json
import os
import sys
from typing import Any

from pyml import atomic, paths
from pyml.vis import notebook
from pyml.vis.theme import SCHEMA, THEMES, themed

VEGA_LITE = "application/vnd.vegalite.v5+json"
_SCRIPTS = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js")


class Figure:
    """A picture of data.

    In JupyterLab, JupyterLite, marimo and VS Code the last value of a cell draws itself. `show()` opens it in the visor of a
    page, and `save()` writes a file.

    Args:
        spec: Vega-Lite specification, with data and without colours of text and background, which the theme adds.

    Attributes:
        spec: The specification, a dict that JSON can hold.
        values: The numbers behind the picture as an array, where a function says so; else None.

    Example:
        >>> figure = pyml.vis.line_chart([1.0, 3.0, 2.0], title="Rain", y_label="mm")
        >>> figure.spec["mark"]["type"], len(figure.spec["data"]["values"])
        ('line', 3)
    """

    def __init__(self, spec: dict[str, Any], values: Any = None):
        self.spec = {"$schema": SCHEMA, **spec}
        self.values = values

    @property
    def title(self) -> str:
        """The title, or nothing."""
        title = self.spec.get("title", "")
        return title.get("text", "") if isinstance(title, dict) else title

    def themed(self, theme: str = "auto") -> dict[str, Any]:
        """The specification with the colours of a theme: `"light"`, `"dark"`, or `"auto"`, which can be read on both."""
        return themed(copy.deepcopy(self.spec), theme)

    def to_json(self) -> str:
        """The specification as text."""
        return json.dumps(self.spec, allow_nan=False)

    def show(self, name: str | None = None, tab: str = "Visor") -> Figure:
        """Shows the figure: in a page in its visor, in a notebook below the cell; elsewhere it says how to save it.

        Args:
            name: The surface of the visor, by default the title; a figure of the same name takes its place.
            tab: The tab of the visor.
        """
        from pyml.vis.panel import has_place, visor

        if has_place():
            visor().surface(name or self.title or self.spec.get("description") or "figure", tab).draw(self)
            return self
        if notebook.in_notebook():
            notebook.display(self)
        else:
            print(f"{self!r}: save('figure.html') writes a page that shows it.")
        return self

    def save(self, path: str | os.PathLike[str], theme: str | None = None, scale: float = 2.0) -> None:
        """Writes the figure to a file, by its ending: `.json`, `.html` (a page that needs no network), `.svg` or `.png`.

        Args:
            path: The file.
            theme: `"light"` or `"dark"`. By default a page follows its reader's theme, and a picture is light.
            scale: Pixels of a PNG for each of the figure.

        Raises:
            ValueError: The ending is another one.
            ImportError: SVG and PNG need vl-convert.
        """
        name = os.fspath(path)
        kind = os.path.splitext(name)[1].lower()
        if kind not in (".json", ".html", ".svg", ".png"):
            raise ValueError(f"Figure.save: the name must end in .json, .html, .svg or .png. Received: {name!r}")
        if kind == ".json":
            atomic.write(path, self.to_json().encode())
        elif kind == ".html":
            atomic.write(path, self._page(theme).encode())
        elif kind == ".svg":
            atomic.write(path, _converter(kind).vegalite_to_svg(self.themed(theme or "light")).encode())
        else:
            atomic.write(path, _converter(kind).vegalite_to_png(self.themed(theme or "light"), scale=scale))

    def _page(self, theme: str | None) -> str:
        """A page of its own for the figure, which needs no other file; with no theme it follows its reader's."""
        folder = paths.assets_dir() / "vendor"
        if not all((folder / name).is_file() for name in _SCRIPTS):
            return _converter(".html").vegalite_to_html(self.themed(theme or "light"), bundle=True, vl_version="5.20")
        themes = (theme, theme) if theme else ("light", "dark")
        light, dark = map(self.themed, themes)
        both = {key: value for key, value in light.items() if value == dark.get(key)}  # the rows are written once
        both["$schema"] = "https://vega.github.io/schema/vega-lite/v6.json"
        fixed = light.get("width") == light.get("height") or "usermeta" in light  # squares and tables
        if light.get("autosize") and (light.get("width") or 0) <= 400 and not fixed:  # as in web/figures.js: what is wider has a reason
            both["width"] = "container"
        looks = [{key: value for key, value in spec.items() if key not in both} for spec in (light, dark)]
        scripts = "\n".join(f"<script>{(folder / name).read_text(encoding='utf-8')}</script>" for name in _SCRIPTS)
        text = json.dumps([both, *looks], allow_nan=False).replace("<", "\\u003c")
        colours = [f"color:{THEMES[one]['ink']};background:{spec['background']}" for one, spec in zip(themes, (light, dark), strict=True)]
        scheme = "light dark" if theme is None else "dark" if theme == "dark" else "light"
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{html.escape(self.title or 'Figure')}</title><style>"
            f":root{{color-scheme:{scheme}}}body{{margin:1rem;font:15px system-ui,sans-serif;{colours[0]}}}"
            f"@media (prefers-color-scheme:dark){{body{{{colours[1]}}}}}"
            f"#figure{{width:100%;max-width:60rem;overflow-x:auto}}</style><div id=\"figure\"></div>\n{scripts}\n"
            f"<script>const [both, ...looks] = {text}, dark = matchMedia('(prefers-color-scheme: dark)');\n"
            "const draw = () => vegaEmbed('#figure', {...both, ...looks[dark.matches ? 1 : 0]}, {actions: false, renderer: 'svg'});\n"
            "draw(); dark.addEventListener('change', draw);</script></html>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What notebooks ask for: the specification; where no Jupyter asks, also a table for those that draw no Vega-Lite."""
        spec = self.themed()
        bundle = {VEGA_LITE: notebook.without_null(spec) if sys.platform == "emscripten" else spec, "text/plain": repr(self)}
        if "IPython" not in sys.modules:  # JupyterLab ranks a page's text above Vega-Lite, and would show that instead
            bundle["text/html"] = self._text()
        return bundle

    def _mime_(self) -> tuple[str, str]:
        """What marimo asks for: the specification alone, since of several forms it shows the table first."""
        return VEGA_LITE, json.dumps(self.themed())

    def _text(self) -> str:
        """The numbers as a table, for readers that draw no Vega-Lite."""
        rows = self.rows()[:20]
        names = list(rows[0]) if rows else []
        cell = lambda value: html.escape("" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)[:60])
        body = "".join("<tr>" + "".join(f"<td>{cell(row.get(name))}</td>" for name in names) + "</tr>" for row in rows)
        head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
        return f"<table><caption>{html.escape(self.title or 'Figure')}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def rows(self) -> list[dict[str, Any]]:
        """The rows of data that are drawn."""
        waiting: list[Any] = [self.spec]
        while waiting:
            part = waiting.pop(0)
            values = part.get("data", {}).get("values")
            if values:
                return [row if isinstance(row, dict) else {"value": row} for row in values]
            waiting.extend([*part.get("layer", ()), *part.get("vconcat", ()), *part.get("hconcat", ())])
        return []

    def __repr__(self) -> str:
        return f"<Figure {self.title!r} of {len(self.rows())} rows>"


def _converter(kind: str) -> Any:
    try:
        import vl_convert
    except ImportError:
        raise ImportError(
            f"Figure.save: {kind} files need vl-convert (pip install vl-convert-python), which browsers do not have; .json and, with the "
            "fetched assets, .html need nothing."
        ) from None
    return vl_convert
