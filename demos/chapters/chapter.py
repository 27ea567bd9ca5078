"""What the files of chapters use besides pyml: their data, and sliders. On their pages, and on the desktop:

    python demos/chapters/NAME.py [--save FOLDER] [--as html|svg|png|json] [--backend cpu|wasm|webgpu]

The numbers are printed; with --save the charts are written into a folder.
"""

import argparse
import atexit
import importlib.util
import os
import re
import sys
import types

import pyml
from pyml import vis

place = None  # the page: an object with `control(...)`; None on the desktop


def file(name):
    """The path of a data file of the demos, such as "cars.csv"."""
    if os.path.exists(name):
        return name
    if sys.platform == "emscripten":
        raise FileNotFoundError(f"{name}: this page does not have it; its CHAPTER line names the files that it brings.")
    from pyml import paths

    path = paths.assets_dir() / "data" / name
    if not path.is_file():
        raise FileNotFoundError(f"{name}: not fetched yet; `make setup` brings it.")
    return str(path)


def package(name, spare=()):
    """Imports a package of pure Python that comes with the chapter's data as NAME.zip; one that is installed comes first.

    Args:
        name: Of the package.
        spare: Modules that it asks for at its start and that the chapter can do without: a page lacks parts of the standard library, and an
            empty module stands in for each.
    """
    for module in spare:
        if module not in sys.modules and importlib.util.find_spec(module) is None:
            sys.modules[module] = types.ModuleType(module)
    if importlib.util.find_spec(name) is None:
        sys.path.append(file(f"{name}.zip"))
        importlib.invalidate_caches()
    return importlib.import_module(name)


def slider(label, low, high, value, then, step=None):
    """A slider on the chapter's page; on the desktop `then(value)` is called once.

    Args:
        label: What stands beside it.
        low, high, value: Its ends and where it stands at first.
        then: Called with the number, at once and after each move. Figures that it shows take the place of those of the same name; a text
            that it returns is shown beside the slider.
        step: The least move; by default a hundredth of the way.
    """
    step = (high - low) / 100 if step is None else step
    if not (low <= value <= high and low < high and step > 0):
        raise ValueError(f"slider: value must lie from low to high, and step be positive. Received: {low}, {high}, {value}, step={step}")
    text = then(value)
    if place is not None:
        place.control("slider", label, then, text, low=low, high=high, step=step, value=value)
    elif text:
        print(f"{label} {value:g}: {text}")


def choice(label, options, then):
    """A list to choose from on the chapter's page; on the desktop `then(options[0])` is called once. Otherwise as `slider`."""
    text = then(options[0])
    if place is not None:
        place.control("choice", label, then, text, options=[str(option) for option in options], values=list(options))
    elif text:
        print(f"{label} {options[0]}: {text}")


def buttons(label, options, then):
    """Buttons on the chapter's page, which call `then` with their value at each press; on the desktop nothing is pressed.

    Args:
        label: What stands beside them.
        options: The buttons' texts and their values, a dict.
        then: As for `slider`.
    """
    if place is not None:
        place.control("buttons", label, then, "", options=list(options), values=list(options.values()))


def text(label, value, then):
    """A field for a line of text on the chapter's page; on the desktop `then(value)` is called once. Otherwise as `slider`."""
    said = then(value)
    if place is not None:
        place.control("text", label, then, said, value=value)
    elif said:
        print(f"{label} {value!r}: {said}")


def camera(label, then, size=128):
    """Buttons on the chapter's page for the camera and for a file; `then` is called with each picture that is seen. On the desktop nothing
    is seen.

    Args:
        label: What stands beside them.
        then: As for `slider`, called with the middle of the picture, uint8 `(size, size, 3)`.
        size: Pixels of a side.
    """
    if place is not None:
        place.control("camera", label, then, "", size=size)


def pause(seconds=0):
    """Lets the page hear sliders and buttons in the middle of a long computation; elsewhere, and in browsers that cannot wait inside
    Python, it does nothing and they are heard afterwards.

    Args:
        seconds: How long to wait, so that whoever sits before the page sees what was drawn.

    Returns:
        Whether the answer to a control, which is being worked out, is wanted no more: another one of its cell was moved or pressed.
    """
    return place.pause(seconds) if place is not None else False


def desktop(arguments):
    """Reads the command line of a chapter's file; its charts are kept, and saved when it ends."""
    parser = argparse.ArgumentParser(description="A chapter of pyml's demos.")
    parser.add_argument("--save", metavar="FOLDER", help="write the charts into a folder")
    parser.add_argument("--as", dest="kind", choices=["html", "svg", "png", "json"], default="html", help="their kind (default: html)")
    parser.add_argument("--backend", help="cpu, wasm or webgpu; by default the fastest that is there")
    options = parser.parse_args(arguments)
    if options.backend:
        pyml.config.set_backend(options.backend)
    charts = {}
    vis.draw_with(lambda name, tab, figure: charts.__setitem__(name, figure))
    atexit.register(finish, charts, options)


def finish(charts, options):
    """Writes the charts, or says how to."""
    if not charts:
        return
    if not options.save:
        print(f"{len(charts)} charts: {', '.join(charts)}. --save FOLDER writes them.")
        return
    os.makedirs(options.save, exist_ok=True)
    for name, figure in charts.items():
        path = os.path.join(options.save, f"{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.{options.kind}")
        figure.save(path)
        print(path)


main = getattr(sys.modules["__main__"], "__file__", None)
if main and os.path.dirname(os.path.abspath(main)) == os.path.dirname(os.path.abspath(__file__)) and sys.platform != "emscripten":
    desktop(sys.argv[1:])
