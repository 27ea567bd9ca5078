"""The `pyml` command: demo, serve, build, hub, cache, export, info."""

import argparse
import errno
import math
import socket
import sys
from functools import partial
from pathlib import Path

from pyml import paths
from pyml.cli import cache, export, hub
from pyml.cli.failing import fail


def whole(name: str, text: str, least: int, most: int | None = None) -> int:
    """A whole number of the command line; argparse shows what is wrong with another text."""
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name} must be a whole number. Received: {text}") from None
    if number < least or (most is not None and number > most):
        end = "" if most is None else f" to {most}"
        raise argparse.ArgumentTypeError(f"{name} must be from {least}{end}. Received: {text}")
    return number


def port(text: str) -> int:
    """A port of the command line."""
    return whole("port", text, 0, 65535)


def epochs(text: str) -> int:
    """Epochs of the command line."""
    return whole("epochs", text, 1)


def seconds(text: str) -> float:
    """A time of the command line; `inf` is for ever."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not number > 0:
        raise argparse.ArgumentTypeError(f"timeout must be a number of seconds above 0. Received: {text}")
    return number


def parser() -> argparse.ArgumentParser:
    """The command line of `pyml`."""
    top = argparse.ArgumentParser(prog="pyml", description="Deep learning on WebGPU, in a browser and here.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="run a demo in a browser; without a display, headless")
    demo.add_argument("name", nargs="?", help="a folder of demos/; without it the demos are listed")
    demo.add_argument("--headless", action="store_true", help="no window, even where there is a display")
    demo.add_argument("--port", type=port, default=8000, help="where a window finds it; a free one where this is taken (default: 8000)")
    demo.add_argument("--epochs", type=epochs, help="for a headless run; the page has its own default")
    demo.add_argument("--backend", default="webgpu", choices=("webgpu", "wasm", "cpu"), help="for a headless run (default: webgpu)")
    demo.add_argument("--timeout", type=seconds, default=900, help="seconds a headless run may take (default: 900)")

    serve = commands.add_parser("serve", help="serve a site; in a checkout, rebuilt when a file changed")
    serve.add_argument("folder", nargs="?", type=Path, help="a built site (default: this checkout's own)")
    serve.add_argument("--port", type=port, default=8000, help="0 takes a free one (default: 8000)")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1, this machine only)")

    build = commands.add_parser("build", help="write a folder that any static host can serve")
    build.add_argument("folder", type=Path, help="the folder to write")
    build.add_argument("--programs", action=argparse.BooleanOptionalAction, default=True,
                       help="run each page's programs.py once, and ship what that compiles (default)")  # fmt: skip
    build.add_argument("--page", type=Path, help="your page: a folder with an index.html; with --jupyterlite a folder of notebooks, "
                                                 "with --marimo a notebook")  # fmt: skip
    build.add_argument("--package", action="append", default=[], metavar="NAME", dest="packages",
                       help="a package of Pyodide that your page loads, such as pandas; may be repeated")  # fmt: skip
    host = build.add_mutually_exclusive_group()
    host.add_argument("--jupyterlite", action="store_true", help="a JupyterLite site, with pyml in its Python and a first notebook")
    host.add_argument("--marimo", action="store_true", help="a marimo notebook that runs in a tab, with pyml in its Python")
    host.add_argument("--pyscript", action="store_true", help="a PyScript page, with pyml in its Python")

    hub.add_command(commands)
    cache.add_command(commands)
    export.add_command(commands)
    commands.add_parser("info", help="print the devices, limits, features and versions")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Runs the `pyml` command and returns its exit status."""
    options = parser().parse_args(arguments)
    try:
        return COMMANDS[options.command](options)
    except KeyboardInterrupt:
        return 130


def run_info(options: argparse.Namespace) -> int:
    """`pyml info`."""
    from pyml import config

    print(config.describe())
    return 0


def run_build(options: argparse.Namespace) -> int:
    """`pyml build DIR [--page FOLDER] [--package NAME] [--no-programs | --jupyterlite | --marimo | --pyscript]`."""
    from pyml.cli import jupyterlite, marimo, pyscript
    from pyml.cli.build import AssetError, BuildError, build_site

    host = next((name for name in ("jupyterlite", "marimo", "pyscript") if getattr(options, name)), None)
    if host is not None and options.packages:
        return fail(f"build: --package goes without --{host}: notebooks install packages with %pip, PyScript pages name them in their "
                    "config.")
    try:
        if options.jupyterlite:
            jupyterlite.build(options.folder, options.page)
        elif options.marimo:
            marimo.build(options.folder, options.page)
        elif options.pyscript:
            pyscript.build(options.folder, options.page)
        else:
            build_site(options.folder, options.page, programs=options.programs, packages=options.packages)
    except (AssetError, BuildError) as error:
        return fail(error)
    except OSError as error:
        return fail(f"build: {options.folder} cannot be written ({error.filename or error}: {error.strerror}).")
    return 0


def run_serve(options: argparse.Namespace) -> int:
    """`pyml serve [DIR] [--port N]`."""
    from pyml.cli.build import AssetError, BuildError, build_site
    from pyml.cli.fetching import Fetching
    from pyml.cli.renew import Renewer
    from pyml.cli.serve import make_server

    folder, renew, fetching = options.folder, None, None
    try:
        if folder is None:
            folder = build_site(paths.site_dir())
            renew = Renewer(lambda: build_site(paths.site_dir(), quick=True))
            fetching = Fetching(partial(renew, at_once=True))
        elif folder.is_file():
            return fail(f"serve: {folder} is a file; name the folder that holds it.")
        elif not folder.is_dir():
            return fail(f"serve: there is no folder {folder}; build a site with `pyml build {folder}`.")
        elif not (folder / "index.html").is_file():
            return fail(f"serve: {folder} holds no index.html; build a site with `pyml build {folder}`.")
    except (AssetError, BuildError) as error:
        return fail(error)
    try:
        server = make_server(folder, options.port, renew, host=options.host, fetching=fetching)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            return fail(f"serve: this machine cannot listen at {options.host} ({error.strerror}); leave out --host, or name one of its own "
                        "addresses.")
        return fail(f"serve: port {options.port} of {options.host} cannot be used ({error.strerror}); choose another with --port.")
    name = f"[{options.host}]" if ":" in options.host else options.host
    print(f"serving {folder} at http://{name}:{server.server_address[1]}/  (Ctrl-C stops)", flush=True)
    with server:
        server.serve_forever()
    return 0


def run_demo(options: argparse.Namespace) -> int:
    """`pyml demo [NAME]`."""
    from pyml.cli import demo
    from pyml.cli.build import AssetError, BuildError

    try:
        return demo.run(
            options.name,
            port=options.port,
            headless=options.headless,
            timeout=options.timeout,
            query={"backend": options.backend, "epochs": options.epochs},
        )
    except (AssetError, BuildError, demo.DemoError) as error:
        return fail(error)


COMMANDS = {
    "demo": run_demo, "serve": run_serve, "build": run_build, "hub": hub.run, "cache": cache.run, "export": export.run, "info": run_info,
}  # fmt: skip
