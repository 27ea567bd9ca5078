"""`pyml export`: a model from a file or the hub as a folder that runs without Python."""

import argparse
from pathlib import Path
from typing import Any

from pyml import hub
from pyml.cli.failing import fail
from pyml.errors import PymlError
from pyml.hub.registry import ENTRIES


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `export` to the command line of `pyml`."""
    export = commands.add_parser("export", help="write a model as a folder that needs no Python")
    export.add_argument("model", metavar="MODEL", help="a .keras or .h5 file, a TensorFlow.js folder, or a name of `pyml hub list`")
    export.add_argument("folder", type=Path, metavar="FOLDER", help="the folder to write")
    export.add_argument("--batch", type=int, action="append", metavar="N", help="rows at once; may be repeated (default: 1)")
    export.add_argument("--input", action="append", metavar="224x224x3", help="a size of the input, for models that take any")
    export.add_argument("--weights", default="float32", choices=("float32", "float16", "int8"), help="how weights are stored")
    export.add_argument("--device", action="append", choices=("webgpu", "wasm", "software"), help="for this device only; may be repeated")
    export.add_argument("--training", action="store_true", help="with fit and evaluate, of a model that was compiled when it was saved")
    apps = export.add_mutually_exclusive_group()
    apps.add_argument("--page", dest="app", action="store_const", const="page", help="also write an index.html to begin with")
    apps.add_argument("--pwa", dest="app", action="store_const", const="pwa", help="one that opens without a network")
    apps.add_argument("--extension", dest="app", action="store_const", const="extension", help="a browser extension")


def run(options: argparse.Namespace) -> int:
    """`pyml export MODEL FOLDER`."""
    from pyml.export import export_web

    try:
        shapes = [tuple(int(n) for n in size.split("x")) for size in options.input or ()] or None
    except ValueError:
        return fail(f"export: --input takes a size such as 224x224x3. Received {', '.join(options.input)}.")
    try:
        model = opened(options.model, options.training)
        folder = export_web(model, options.folder, batch_sizes=options.batch or (1,), input_shapes=shapes, weights=options.weights,
                            devices=options.device or ("webgpu", "wasm"), training=options.training, app=options.app)  # fmt: skip
    except (PymlError, ValueError, OSError) as error:
        return fail(error)
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    print(f"{folder} holds {size / 1e6:.1f} MB; import {{ load }} from \"./{folder.name}/model.js\"")
    return 0


def opened(name: str, compiled: bool = False) -> Any:
    """The model of a file, a folder or the hub; `compiled` as it was when it was saved."""
    from pyml import saving

    if name in {entry.name for entry in ENTRIES} and not Path(name).exists():
        network = getattr(hub, name)()
        return getattr(network, "keras", network)
    return saving.load_model(name, compile=compiled)
