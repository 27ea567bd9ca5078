"""Python's own modules as a page loads them: compiled, and without those that cannot do anything in a browser.

Pyodide's `python_stdlib.zip` holds sources, which a page that starts Python from nothing would compile at every visit. The
served one holds what the page's own compiler made of them (`pyml.cli.bytecode`), so tracebacks name the lines of these modules
without showing them.
"""

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

from pyml.assets.download import digest, replacing
from pyml.cli import bytecode
from pyml.cli.wheel import write_zip

NAME = "python_stdlib.zip"
PLACE = "/lib/python314.zip"
# Terminals, servers, mail and databases that need sockets or libraries that a page has not, and other systems' files;
# tests/test_stdlib.py imports everything of ours and asserts that none of it is asked for. pydoc, which scipy imports, wants the pager.
WITHOUT = re.compile(
    r"_pyrepl/(?!(__init__|pager|types)\.py$)|(ctypes/macholib|sqlite3|wsgiref|xmlrpc|__phello__)/"
    r"|(ftplib|imaplib|mailbox|nntplib|poplib|smtplib|telnetlib|http/server|_osx_support|_aix_support|_android_support|_apple_support"
    r"|_ios_support)\.py$"
)


def place(runtime: Path, folder: Path, cache: Path) -> Path:
    """Writes the zip of compiled modules into `folder`, unless it is there; where Node cannot compile, Pyodide's own.

    Args:
        runtime: The folder of Pyodide's own files.
        folder: The site's `pyodide` folder.
        cache: Where compiled modules and the zip are kept.
    """
    source = runtime / NAME
    recipe = f"{digest(source)} {bytecode.CACHE_TAG} {WITHOUT.pattern}"
    kept = cache / f"stdlib-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.zip"
    if not kept.is_file():
        files = served(source, runtime, cache)
        if files is None:
            kept = source
        else:
            write_zip(kept, files)
    target = folder / NAME
    if not (target.is_file() and digest(target) == digest(kept)):
        with replacing(target) as part:
            shutil.copyfile(kept, part)
    return target


def served(source: Path, runtime: Path, cache: Path) -> dict[str, bytes] | None:
    """The files of the served zip, each module in its compiled form only; None without a compiler."""
    with zipfile.ZipFile(source) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/") and not WITHOUT.search(name)}
    modules = {name: data for name, data in files.items() if name.endswith(".py")}
    compiled = bytecode.with_bytecode(modules, runtime, cache, place=PLACE)
    if len(compiled) == len(modules):
        return None
    for name in modules:
        if code := compiled.get(bytecode.cached_path(name)):
            del files[name]
            files[f"{name}c"] = code  # beside no source: there Python looks for it in a zip
    return dict(sorted(files.items()))
