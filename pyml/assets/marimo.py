"""What a marimo notebook needs in a tab: the release of Pyodide that marimo's own scripts are made for, and marimo's packages."""

from collections.abc import Callable
from pathlib import Path

from pyml import paths
from pyml.assets import wheels
from pyml.assets.download import npm_pack, pip_download, unpack
from pyml.assets.pins import NpmPin

VERSION = "0.25.2"  # of marimo on the desktop, which writes the page, and of marimo-base in it; the two must be the same
PYODIDE = NpmPin(
    "pyodide@314.0.0",
    "sha512-WIofRQehY78IC9n3+p9COjKUZGCCHfrvtR5dXKm0BHIWUun2B8DBf17rXytMF/KYkrsDQRa+BDGhi8UKwzaU3w==",
    6_486_000,
    ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"),
)
IN_A_TAB = ("--platform", "pyemscripten_2026_0_wasm32", "--abi", "cp314", "--python-version", "3.14")
ON_LINUX = ("--platform", "manylinux2014_x86_64", "--abi", "cp312", "--python-version", "3.12")
# name: version, SHA-256 and bytes of the wheel at PyPI
PURE = {
    "docutils": ("0.22.4", "d0013f540772d1420576855455d050a2180186c91c15779301ac2ccb3eeb68de", 633_196),
    "itsdangerous": ("2.2.0", "c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef", 16_234),
    "marimo-base": (VERSION, "9daea77b550c5954193b9c3f69405b4cddb5114e305d06b4a251a0c4fbaf5639", 2_124_903),
    "markdown": ("3.11.3", "e1a31a112232504d753e5c01bb8c2de90d3f0ba986b063e10770cf7695b09e73", 116_758),
    "narwhals": ("2.18.1", "a0a8bb80205323851338888ba3a12b4f65d352362c8a94be591244faf36504ad", 444_952),
    "packaging": ("26.1", "5d9c0669c6285e491e0ced2eee587eaf67b670d94a19e94e3984a481aba6802f", 95_831),
    "pymdown-extensions": ("11.0", "fbc4acb641814fa9d17521bbd21a5240ef739a662f11c06330c4b78c93e954d6", 269_415),
    "pyodide-http": ("0.2.2", "cf006ea593c1643b5badeb4d42ed24a6eebd830276171fa1f82de0777b3fb608", 9_796),
    "python-multipart": ("0.0.34", "ebacd224bd686eee2f9aa1066a657affe07435a185834e05e5235e2e59173e91", 32_585),
    "tomlkit": ("0.15.2", "05562412163a3037b94497385fb7f9204c637bc605af7a48199e41cf2272f437", 52_225),
}
MSGSPEC = ("msgspec==0.22.0", "a66b1766311e42371e509c996c3933b161c7ae0eabdf361af5316dec197e1022", 136_814)
# PyYAML has no wheel for a tab: the Python of this one, without its compiled parser, is what goes there
PYYAML = ("pyyaml==6.0.3", "ba1cc08a7ccde2d2ec775841541641e4548226580ab850948cbfda66a1befcdc", 807_870)
OF_PYODIDE = ("jedi", "parso", "pygments", "micropip")  # as in every host
# what marimo-base names as its needs in a tab
DEPENDS = ("jedi", "markdown", "pymdown-extensions", "pygments", "tomlkit", "pyyaml", "python-multipart", "docutils", "itsdangerous",
           "narwhals", "packaging", "msgspec")  # fmt: skip
IMPORTS = {"marimo-base": ["marimo"], "pymdown-extensions": ["pymdownx"], "python-multipart": ["python_multipart"], "pyyaml": ["yaml"]}


def fetch_runtime(folder: Path) -> None:
    """Puts the core of that Pyodide into `folder`.

    Raises:
        AssetError: It could not be fetched, or is not the file that was pinned.
    """
    tarball = npm_pack(PYODIDE.spec, PYODIDE.integrity, paths.build_dir() / "cache", PYODIDE.size)
    unpack(tarball, PYODIDE.files, folder, lambda member: member)


def fetch_wheels(say: Callable[[str], None] = print, cache: Path | None = None) -> dict[str, Path]:
    """The wheels of marimo and of all it needs, by their names; downloads those that are not there.

    Raises:
        AssetError: One could not be fetched, or is not the file that was pinned.
    """
    cache = cache or paths.build_dir() / "cache"
    found = wheels.fetch(OF_PYODIDE, say=say, cache=cache)
    for name, (version, sha256, size) in PURE.items():
        found[name] = pip_download(f"{name}=={version}", sha256, cache, size, wheels.PYODIDES_PYTHON)
        say(f"{found[name].name}: ready")
    found["msgspec"] = pip_download(*MSGSPEC[:2], cache, MSGSPEC[2], IN_A_TAB)
    found["pyyaml"] = pip_download(*PYYAML[:2], cache, PYYAML[2], ON_LINUX)
    return found
