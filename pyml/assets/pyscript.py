"""PyScript's core, which `pyml build --pyscript` puts into a site."""

import tarfile
from pathlib import Path

from pyml import paths
from pyml.assets.download import npm_pack, unpack
from pyml.assets.pins import NpmPin

CORE = NpmPin(
    "@pyscript/core@0.7.31",
    "sha512-GqM1aonc1N4RTkNZ1zJ8jJk8+i2cqeztZslPsAiQtn+wHHkUX9Z1FgIg4HjCvhBylB68UKmbTVTzOobpgPIMVQ==",
    1_564_433,
    ("LICENSE",),  # and all scripts and style sheets of dist/
)


def fetch(folder: Path, cache: Path | None = None) -> None:
    """Puts the scripts, the style sheets and the licence of PyScript's core into `folder`.

    Raises:
        AssetError: It could not be fetched, or is not the file that was pinned.
    """
    tarball = npm_pack(CORE.spec, CORE.integrity, cache or paths.build_dir() / "cache", CORE.size)
    with tarfile.open(tarball) as archive:
        names = [name.removeprefix("package/") for name in archive.getnames()]
    wanted = [name for name in names if name.startswith("dist/") and name.endswith((".js", ".css"))]
    unpack(tarball, [*CORE.files, *wanted], folder, lambda member: Path(member).name)
