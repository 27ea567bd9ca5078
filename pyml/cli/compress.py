"""Compressed copies of a site's files, `NAME.br` and `NAME.gz`, for servers that send what the browser unpacks itself.

`pyml serve` sends them, and so do nginx (`gzip_static`, `brotli_static`), Caddy (`file_server { precompressed br gzip }`) and
others; a host that knows nothing of them sends the files as they are. What is compressed in itself (wheels, pictures, the kept
memory) has no copies. Brotli is Node's; without Node there is gzip.
"""

import gzip
import hashlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from pyml import paths
from pyml.assets.download import replacing
from pyml.cli.bytecode import SECONDS

KINDS = {".css", ".csv", ".html", ".js", ".json", ".mjs", ".py", ".svg", ".txt", ".wasm", ".wgsl"}
ENCODINGS = {"br": "br", "gzip": "gz"}                 # by their names in HTTP, best first: how a copy's name ends
LEAST = 16_384                                         # bytes; what is smaller fits into a few packets anyway
DAYS = 30                                              # after which an unused copy leaves the cache
SCRIPT = """
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
for (const [from, to] of JSON.parse(readFileSync(0, "utf8"))) {
  const bytes = readFileSync(from);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(to, brotliCompressSync(bytes, { params }));
}
"""


def compress(site: Path, names: Iterable[str], new: bool = True) -> set[str]:
    """Writes compressed copies beside the files of a site that gain by it; returns the copies' names.

    Args:
        site: The folder.
        names: The files in it.
        new: False takes only what was compressed before.
    """
    cache = paths.build_dir() / "cache" / "compressed"
    wanted = {}
    for name in sorted(names):
        path = site / name
        if path.suffix in KINDS and path.stat().st_size >= LEAST:
            wanted[name] = cache / hashlib.sha256(path.read_bytes()).hexdigest()[:24]
    if new:
        make({site / name: kept for name, kept in wanted.items()}, cache)
    written = set()
    for name, kept in wanted.items():
        for ending in ENCODINGS.values():
            source, target = kept.with_suffix(f".{ending}"), site / f"{name}.{ending}"
            if not source.is_file():
                continue
            if not (target.is_file() and target.stat().st_mtime_ns == source.stat().st_mtime_ns):
                with replacing(target) as part:
                    shutil.copyfile(source, part)
                    shutil.copystat(source, part)
            written.add(f"{name}.{ending}")
    return written


def make(files: dict[Path, Path], cache: Path) -> None:
    """Compresses files into the cache, those that it lacks, and removes what nobody used for long."""
    cache.mkdir(parents=True, exist_ok=True)
    for path, kept in files.items():
        if not kept.with_suffix(".gz").is_file():
            with replacing(kept.with_suffix(".gz")) as part:
                part.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    absent = {kept: path for path, kept in files.items() if not kept.with_suffix(".br").is_file()}
    node = shutil.which("node")
    if absent and node:
        with tempfile.TemporaryDirectory(dir=cache) as work:
            jobs = [(str(path), f"{work}/{kept.name}") for kept, path in absent.items()]
            command = [node, "--input-type=module", "--eval", SCRIPT]
            try:
                done = subprocess.run(command, input=json.dumps(jobs).encode(), capture_output=True, timeout=SECONDS)
            except (OSError, subprocess.TimeoutExpired):
                return
            for kept in absent if done.returncode == 0 else ():
                Path(work, kept.name).replace(kept.with_suffix(".br"))
    used = {kept.name for kept in files.values()}
    for old in cache.iterdir():
        if old.is_file() and old.stem not in used and time.time() - old.stat().st_mtime > DAYS * 86_400:
            old.unlink(missing_ok=True)


def table(site: Path, names: Iterable[str]) -> str:
    """Bytes over the wire: of every file as it is, with gzip and with brotli, the largest first, and of all."""
    rows = []
    for name in names:
        plain = (site / name).stat().st_size
        sizes = {ending: copy.stat().st_size if (copy := site / f"{name}.{ending}").is_file() else plain for ending in ENCODINGS.values()}
        rows.append((name, plain, sizes["gz"], sizes["br"]))
    rows.sort(key=lambda row: -row[1])
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows)))
    head = f"{'':60} {'plain':>11} {'gzip':>11} {'brotli':>11}"
    return "\n".join([head, *(f"{name:60} {plain:11,} {gz:11,} {br:11,}" for name, plain, gz, br in rows)])
