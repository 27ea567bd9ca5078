"""`pyml hub`: lists and fetches the networks of `pyml.hub`."""

import argparse

from pyml.cli.failing import fail
from pyml.hub.registry import ENTRIES, SMALL


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `hub` to the command line of `pyml`."""
    hub = commands.add_parser("hub", help="list and fetch the trained networks of pyml.hub")
    actions = hub.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="what there is, with sizes and licences")
    fetch = actions.add_parser("fetch", help="download networks, check them, and convert them once")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="as in `pyml hub list`")
    fetch.add_argument("--all", action="store_true", help="every network")
    fetch.add_argument("--small", action="store_true", help=f"those that the tests need: {', '.join(SMALL)}")


def run(options: argparse.Namespace) -> int:
    """`pyml hub list`, `pyml hub fetch NAME… | --small | --all`."""
    from pyml.hub.fetch import AssetError, fetch_models

    if options.action == "list":
        print(listing())
        return 0
    names = list(dict.fromkeys([*options.names, *(SMALL if options.small else ()), *(e.name for e in ENTRIES if options.all)]))
    if not names:
        return fail("hub fetch: name what to fetch, or pass --all. `pyml hub list` shows the names.")
    try:
        folder = fetch_models(names)
    except AssetError as error:
        return fail(error)
    print(f"networks are in {folder}")
    return 0


def listing() -> str:
    """A table of all entries."""
    from pyml.hub.fetch import is_ready, models_dir

    lines = []
    for entry in ENTRIES:
        state = "here" if is_ready(entry, models_dir() / entry.name) else "not fetched"
        lines.append(f"{entry.name:22} {entry.size / 1e6:5.1f} MB (download {entry.download / 1e6:.0f} MB), {state}")
        lines += [f"    {entry.task}", f"    {entry.licence}; {entry.source}"]
    return "\n".join(lines)
