"""Packages as npm hands them out, for tests of what is fetched."""

import io
import tarfile
from pathlib import Path


def npm_tarball(path: Path, files: dict[str, bytes]) -> Path:
    """Writes a tarball with these files below `package/`."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path
