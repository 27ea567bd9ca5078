"""`export`: a model, or a function of tensors, as a folder of files that need no Python."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pyml import version
from pyml.atomic import write_together
from pyml.core import Program
from pyml.dtypes import host_array
from pyml.export import apps, models
from pyml.export.bundle import STORE, declarations, runtime, store
from pyml.export.programs import PROFILES, ExportError, Programs
from pyml.export.training import add_training
from pyml.export.weights import ENCODINGS, encoded, read_state
from pyml.trainers.trainer import Trainer

if TYPE_CHECKING:
    from pyml.models.model import Model

FORMAT = 2
UNNAMED = re.compile(r"(sequential|functional)(_\d+)?")  # what a model is called that was given no name


def export_web(
    model: Any,
    folder: str | os.PathLike[str],
    *,
    batch_sizes: int | Sequence[int] = (1,),
    input_shapes: Any = None,
    inputs: Sequence[Any] | None = None,
    training: bool = False,
    targets: Any = None,
    sample_weight: bool = False,
    weights: str = "float32",
    devices: Sequence[str] = ("webgpu", "wasm"),
    overwrite: bool = True,
    app: str | None = None,
) -> Path:
    """Writes a model as a static folder: `import { load } from "./folder/model.js"` predicts in any page, worker or Node.

    Args:
        model: A model; or a program or function of tensors, with `inputs`.
        folder: Where the files go; it is made if need be.
        batch_sizes: The numbers of rows that `predict` takes at once.
        input_shapes: Sizes of inputs without the batch, for models that take any: `(224, 224, 3)`, or a list of such; a list
            of lists where there are several inputs.
        inputs: Of a function: an array for every argument.
        training: Also export `fit` and `evaluate` of a compiled model, for batches of the sizes named.
        targets: An example of `y`, where the loss and the outputs do not say its shape and dtype.
        sample_weight: Let `fit` and `evaluate` take a weight for each row.
        weights: `"float32"`, `"float16"` (half the bytes) or `"int8"` (a quarter); the loader makes float32 of them.
        devices: For which devices: `"webgpu"`, `"wasm"`, or both. `"software"` adds to `"webgpu"` plans for adapters that are software,
            which a page takes only where it asks for WebGPU by name.
        overwrite: False refuses a folder that holds an exported model.
        app: `"page"` adds an index.html to begin with, `"pwa"` one that opens without a network, `"extension"` what makes the
            folder an extension of Chromium and Firefox.

    Returns:
        The folder: `model.js`, `store.js`, `model.d.ts`, `plan.json`, `weights.bin`, and for each device its plan.

    Raises:
        ExportError: Something cannot be exported, or an argument does not fit; nothing is written then.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> sorted(path.name for path in pyml.export(model, "small", devices="wasm").iterdir())[:3]
        ['model.d.ts', 'model.js', 'model.relaxed.wasm']
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise ExportError(f"export: {target} is a file; give the path of a folder.")
    if not overwrite and (target / "plan.json").exists():
        raise ExportError(f"export: {target} holds an exported model already; pass overwrite=True to replace it.")
    export = Export(model, Options(batch_sizes, input_shapes, inputs, training, targets, sample_weight, weights, devices, app))
    files = export.files([read_state(state) for state in export.states], target.resolve().name)
    write_together(target, files, says="plan.json")
    return target


@dataclass(frozen=True)
class Options:
    """What of the options of `export_web` says what the files hold.

    Raises:
        ExportError: One does not fit.
    """

    batch_sizes: int | Sequence[int] = (1,)
    input_shapes: Any = None
    inputs: Sequence[Any] | None = None
    training: bool = False
    targets: Any = None
    sample_weight: bool = False
    weights: str = "float32"
    devices: str | Sequence[str] = ("webgpu", "wasm")
    app: str | None = None

    def __post_init__(self) -> None:
        if not self.named or any(d not in PROFILES for d in self.named):
            raise ExportError(f"export: devices must be some of {', '.join(PROFILES)}. Received: devices={self.devices!r}")
        if "software" in self.named and "webgpu" not in self.named:
            raise ExportError("export: 'software' has plans for WebGPU's software adapters, in addition to those of 'webgpu'; name both.")
        if self.app not in (None, "page", "pwa", "extension"):
            raise ExportError(f"export: app must be None, 'page', 'pwa' or 'extension'. Received: app={self.app!r}")
        if self.weights not in ENCODINGS:
            raise ExportError(f"export: weights must be one of {', '.join(ENCODINGS)}. Received: weights={self.weights!r}")
        if self.sample_weight and not self.training:
            raise ExportError("export: sample_weight=True is for training=True; predictions have no weights.")

    @property
    def named(self) -> Sequence[str]:
        """The names of devices, of one or several."""
        return [self.devices] if isinstance(self.devices, str) else list(self.devices)


class Export:
    """An export that is planned, with nothing written yet.

    Attributes:
        states: Those whose values `files` wants, in order.

    Raises:
        ExportError: As `export_web`.
    """

    def __init__(self, model: Any, options: Options) -> None:
        self._options = options
        self._programs = Programs({d: PROFILES[d] for d in PROFILES if d in options.named})
        self._plan = _planned(model, self._programs, options)
        self.states = list(self._programs.states.values())

    def files(self, values: Sequence[np.ndarray], folder: str = "") -> dict[str, bytes]:
        """The files by name; `values` are those of `states`. An app whose model was given no name has that of the `folder`."""
        plan, programs = self._plan, self._programs
        small = {i for i, state in enumerate(self.states) if not state.written}
        plan["states"], data = encoded(self.states, values, self._options.weights, small)
        plan["bytes"] = len(data)
        files: dict[str, bytes] = {"weights.bin": data}
        if "wasm" in programs.devices:
            plan["wasm"], modules = programs.devices["wasm"].wasm()
            files |= modules
        for name in ("webgpu", "software"):
            if name in programs.devices:
                files[f"{name}.json"] = _json(programs.devices[name].webgpu(_shows_pictures(plan["predict"])))
        plan["devices"] = [name for name in programs.devices if name != "software"]
        plan["software"] = "software" in programs.devices
        made = hashlib.sha256()
        for name in sorted(files):
            made.update(files[name])
        plan["made"] = made.hexdigest()[:10]
        files["plan.json"] = _json(plan)
        files["model.js"] = runtime().encode()
        files[STORE] = store().encode()
        files["model.d.ts"] = declarations().encode()
        app = self._options.app
        title = folder if folder and UNNAMED.fullmatch(plan["name"]) else plan["name"]
        if app == "pwa":
            files |= apps.pwa(title, files)
        elif app is not None:
            files |= apps.page(title) if app == "page" else apps.extension(title, version())
        return files


def _planned(model: Any, programs: Programs, options: Options) -> dict[str, Any]:
    """Adds the programs of whatever is exported; what the loader must know of them."""
    plan: dict[str, Any] = {"format": FORMAT}
    named = getattr(model, "name", None)
    if hasattr(model, "_exported"):  # networks of the hub, and graph-models
        model, example = model._exported()
        options = replace(options, inputs=example if options.inputs is None else options.inputs)
    if isinstance(model, Trainer):
        own = cast("Model", model)  # whose class cannot be asked for here: its module imports the export
        if options.inputs is not None:
            raise ExportError("export: inputs= is for functions; a model's sizes are named by input_shapes= and batch_sizes=.")
        batches, sizes = models.batches_of(options.batch_sizes), models.shapes_of(own, options.input_shapes)
        with models.telling_of_text(own):
            if not own.built:
                own.build((None, *sizes[0][0]))
            plan |= {"name": own.name, "inputs": models.input_names(own), **models.add_predict(own, programs, sizes, batches)}
        if options.training:
            if len(sizes) > 1:
                raise ExportError("export: a model that continues training is exported for one size of inputs.")
            plan["train"] = add_training(own, programs, sizes[0], batches, options.targets, options.sample_weight)
        return plan
    if options.training:
        raise ExportError("export: training=True is for models; a function that assigns Variables trains by being called.")
    if not callable(model):
        raise ExportError(f"export: expected a model, a program or a function of tensors. Received a {type(model).__name__}.")
    if options.inputs is None:
        raise ExportError("export: pass inputs=[...], an array for every argument of the function; what counts is its shape and dtype.")
    if options.input_shapes is not None or options.batch_sizes != Options.batch_sizes:
        raise ExportError("export: input_shapes= and batch_sizes= are for models with layers; a function has the sizes of inputs=[...].")
    function = model.fn if isinstance(model, Program) else model
    call = models.traced(lambda *xs: models.in_order(function(*xs)), *(host_array(np.asarray(x), None) for x in options.inputs))
    if not call.form.types:
        raise ExportError("export: the function returns no tensor.")
    shapes = [list(shape) for shape, _ in call.inputs]
    plan |= {"name": named or getattr(function, "__name__", "program"), "outputs": models.output_form(call)}
    plan["inputs"] = [f"input {i}" for i in range(len(shapes))]
    plan["predict"] = [{"shapes": shapes, "whole": {"program": "call", **programs.add("call", call)}}]
    return plan


def _shows_pictures(forms: list[dict[str, Any]]) -> bool:
    """Whether some input can be a picture of floats: (height, width) or (height, width, channels), of a function with the rows."""
    for form in forms:
        specs = (form["whole"] if "whole" in form else next(iter(form["batches"].values())))["inputs"]
        for shape, spec in zip(form["shapes"], specs, strict=True):
            size = shape[1:] if "whole" in form and len(shape) == 4 else shape
            if spec["dtype"] == "float32" and (len(size) == 2 or (len(size) == 3 and size[2] <= 4)):
                return True
    return False


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


__all__ = ["Export", "Options", "export_web"]
