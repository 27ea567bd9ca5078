"""`pyml cache`: lists and clears the compiled programs that earlier runs left."""

import argparse
import time
from collections import Counter

from pyml import kept
from pyml.cli.failing import fail


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `cache` to the command line of `pyml`."""
    cache = commands.add_parser("cache", help="list and clear the compiled programs that are kept")
    cache.add_argument("action", nargs="?", choices=("list", "clear"), default="list", help="default: list")


def run(options: argparse.Namespace) -> int:
    """`pyml cache [list | clear]`."""
    folder = kept.folder()
    if folder is None:
        return fail("cache: PYML_CACHE is off, so nothing is kept; unset it, or name a folder in it.")
    if folder.exists() and not folder.is_dir():
        return fail(f"cache: PYML_CACHE names {folder}, which is a file, so nothing is kept; name a folder in it.")
    store = kept.FolderStore(folder)
    if options.action == "clear":
        size = sum(stat.st_size for _, stat in store.files())
        print(f"removed {store.clear():,} entries, {size / 1e6:.1f} MB, from {folder}")
    else:
        print(listing(store))
    return 0


def listing(store: kept.FolderStore) -> str:
    """What is in the folder: entries and bytes of each kind, and when they were used last."""
    number: Counter[str] = Counter()
    size: Counter[str] = Counter()
    used: dict[str, float] = {}
    for path, stat in store.files():
        try:
            with open(path, "rb") as file:
                head = file.read(len(kept.MAGIC) + kept.CHECK + 8)
        except OSError:  # another process has removed it, or it cannot be read
            continue
        kind = "plans" if head.endswith(b"PYMLPLAN") else "kernels (WebAssembly)" if head.startswith(kept.MAGIC) else "others"
        number[kind] += 1
        size[kind] += stat.st_size
        used[kind] = max(used.get(kind, 0), stat.st_mtime)
    when = {kind: time.strftime("%Y-%m-%d %H:%M", time.localtime(t)) for kind, t in used.items()}
    lines = [f"{kind:22} {number[kind]:7,}  {size[kind] / 1e6:7.2f} MB  used last {when[kind]}" for kind in sorted(number)]
    lines.append(f"{sum(size.values()) / 1e6:.1f} MB of at most {store.most / 1e6:.0f}")
    return "\n".join([f"{store.folder} (PYML_CACHE moves it or is `off`)", *lines])
