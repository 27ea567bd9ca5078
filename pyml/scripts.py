"""The JavaScript that Python runs itself: files of `web/` in a checkout, package data in a wheel."""

from pathlib import Path


def text_of(name: str) -> str:
    """The text of a file of `web/`."""
    package = Path(__file__).resolve().parent
    shipped, checkout = package / "_data" / "web" / name, package.parent / "web" / name
    return (shipped if shipped.is_file() else checkout).read_text(encoding="utf-8")


def body_of(name: str) -> str:
    """The same without the exports at its end: a module of the page, to be run as a plain script."""
    return text_of(name).rpartition("export {")[0]
