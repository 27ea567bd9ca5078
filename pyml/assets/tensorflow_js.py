"""TensorFlow.js itself, which the tests compare with; neither pyml nor its pages use it."""

import hashlib
import http.client
import json
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from pyml import paths
from pyml.assets import pins
from pyml.assets.download import AssetError, digest, npm_address, npm_pack, replacing, unpack

_BROKEN = (urllib.error.URLError, http.client.HTTPException, tarfile.TarError, EOFError, OSError)


def folder() -> Path:
    """Where it lies: a folder whose `node_modules` Node finds it in (`TFJS_FOLDER` of the scripts for Node)."""
    return paths.build_dir() / "tensorflow-js"


def script() -> Path:
    """The file for pages and for Node.

    Raises:
        AssetError: It has not been fetched.
    """
    path = folder() / "node_modules" / "@tensorflow" / "tfjs" / "tf.min.js"
    if not path.is_file():
        raise AssetError("TensorFlow.js is not here; `make test` fetches it (python3 tools/setup.py --tests).")
    return path


def fetch(target: Path, cache: Path, say: Callable[[str], None] = print) -> None:
    """Puts `tf.min.js` into `target/node_modules`, with what Node needs to `require("@tensorflow/tfjs")`.

    The file lies near the beginning of a package of 31 MB; the download ends where the file does, after 4 MB.

    Raises:
        AssetError: It could not be fetched, or is not the one pinned.
    """
    pin = pins.TENSORFLOW_JS
    place = target / "node_modules" / "@tensorflow" / "tfjs"
    path = place / "tf.min.js"
    if not (path.is_file() and digest(path) == pins.TENSORFLOW_JS_SHA256):
        address = npm_address(pin.spec, cache)
        data = address and beginning(address, f"package/{pin.files[0]}")
        if data and hashlib.sha256(data).hexdigest() == pins.TENSORFLOW_JS_SHA256:
            with replacing(path) as part:
                part.write_bytes(data)
        else:
            tarball = npm_pack(pin.spec, pin.integrity, cache, pin.size)
            unpack(tarball, pin.files, place, lambda member: Path(member).name)
            tarball.unlink()
    name, _, version = pin.spec.rpartition("@")
    with replacing(place / "package.json") as part:
        part.write_text(json.dumps({"name": name, "version": version, "main": "tf.min.js"}) + "\n")
    say(f"{pin.spec}: tf.min.js")


def beginning(address: str, member: str) -> bytes | None:
    """A file of the tarball at an address, read no further than to its end; None where that does not work."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer, tarfile.open(fileobj=answer, mode="r|gz") as archive:
            for entry in archive:
                if entry.name == member:
                    file = archive.extractfile(entry)
                    return file.read() if file else None
    except _BROKEN:
        pass
    return None
