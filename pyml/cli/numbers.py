"""Numbers of their content in the addresses of a site's scripts: `charts.js?0123456789`.

Hosts let browsers keep each file by itself, for minutes or for days, and a page of a new build would meet modules of an old one.
With another number a script is another file for the browser, and what has not changed stays kept. Files lie under their plain names:
a page of somebody's own, or on another host, imports `web/pyml.js`, and that names the rest with their numbers.
"""

import hashlib
import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path

REFERENCE = re.compile(r"""(\b(?:from|import\(?|new URL\()\s*|<script\b[^>]*?\ssrc=)(["'])((?:\.{0,2}/)?[\w./-]+\.m?js)\2""")
SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)  # a page may show code too
WHOLE = re.compile(r"(?s).+")
FOLDERS = ("web/", "demos/", "vendor/", "pyodide/")
OTHERS = ("web/exported/", "pyodide/", "vendor/")  # which name no script of ours; an export numbers its own files


def numbered(files: Mapping[str, Path], own: Callable[[str], bool] = lambda inside: inside.startswith(FOLDERS)) -> dict[str, str]:
    """The texts of those pages and scripts of a site that name scripts, with the scripts' numbers in them.

    Args:
        files: The site's files, by their names in it.
        own: Whether a script gets a number; others are named as they are.
    """
    texts: dict[str, str] = {}
    numbers: dict[str, str] = {}

    def number(inside: str) -> str:
        if inside not in numbers:
            content = text(inside).encode() if is_read(inside) else files[inside].read_bytes()
            numbers[inside] = hashlib.sha256(content).hexdigest()[:10]
        return numbers[inside]

    def text(inside: str) -> str:
        if inside not in texts:
            plain = files[inside].read_bytes().decode()
            code = SCRIPT if inside.endswith(".html") else WHOLE
            texts[inside] = code.sub(lambda found: in_code(inside, found[0]), plain)
        return texts[inside]

    def in_code(inside: str, code: str) -> str:
        return REFERENCE.sub(lambda found: named(inside, *found.groups()), code)

    def named(inside: str, before: str, quote: str, address: str) -> str:
        other = posixpath.normpath(posixpath.join(posixpath.dirname(inside), address))
        bare = before.startswith(("from", "import")) and not address.startswith((".", "/"))
        tail = f"?{number(other)}" if not bare and not address.startswith("/") and other in files and own(other) else ""
        return f"{before}{quote}{address}{tail}{quote}"

    found = {inside: text(inside) for inside in files if is_read(inside)}
    return {inside: made for inside, made in found.items() if made != files[inside].read_bytes().decode()}


def is_read(inside: str) -> bool:
    return inside.endswith((".js", ".html")) and not inside.startswith((*OTHERS, "docs/"))
