"""`save_model`: a model into files, in the form that the end of their path says."""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..atomic import write
from ..optimizers.base import known_values
from ..tracebacks import shown, warn
from . import stores_browser, whole_files
from .artifacts import artifacts_of
from .handlers import coroutine_of, saver_of
from .stores import parse, target_of
from .tfjs.calls import Unwritable
from .waiting import wait

if TYPE_CHECKING:
    from ..models.model import Model

_ENDS = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class Wanted:
    """What a call of `save_model` asks for; names and defaults are those of its arguments."""

    overwrite: bool = True
    zipped: bool | None = None
    quantize: str | None = None
    include_optimizer: bool = True
    keras_version: int | None = None
    save_format: str | None = None  # of Keras 2

    @staticmethod
    def of(more: dict[str, Any], **options: Any) -> Wanted:
        """What the arguments say; `more` are those that have no place in the signature.

        Raises:
            ValueError: There is no such version, or no such argument.
        """
        if options["keras_version"] not in (None, 2, 3):
            raise ValueError(f"save: keras_version must be 2 or 3. Received: {options['keras_version']!r}")
        unknown = sorted(set(more) - {"save_format"})
        if unknown:
            raise ValueError(f"save: arguments not recognized: {', '.join(unknown)}.")
        return Wanted(**options, **more)


@shown
def save_model(model: Model, filepath: Any, overwrite: bool = True, zipped: bool | None = None, quantize: str | None = None,
               include_optimizer: bool = True, keras_version: int | None = None, **kwargs: Any) -> None:
    """Writes a model; the end of the path says in which form.

    Args:
        model: A model with weights.
        filepath: A path that ends in `.keras` keeps all there is, layers of your own and the state of training too, and Keras 3 opens
            it; `.h5` is the form of Keras 2. Else the path of a `model.json`, or a folder for it (with a slash at the end of a name such
            as `net.v2/`), of a TensorFlow.js layers-model, which `tf.loadLayersModel` opens; the weights go beside it in shards of 4 MB.
            In a browser also `"indexeddb://NAME"` or `"localstorage://NAME"`, the stores of TensorFlow.js, or `"downloads://NAME"`,
            which lets the user keep `NAME.json` and `NAME.weights.bin`; a NAME that ends in `.keras` or `.h5` keeps that file there. Or a
            handler of `pyml.io`, such as `http(...)`.
        overwrite: False refuses to replace an existing file.
        zipped: False writes the files of a `.keras` into a folder.
        quantize: Of a layers-model: None keeps float32; `"float16"`, `"uint16"` and `"uint8"` make the files 2 to 4 times smaller. A
            weight with numbers that these cannot hold, such as NaN, stays float32, and a warning names it.
        include_optimizer: False leaves the state of the optimizer out of an `.h5`.
        keras_version: 2 writes a `.keras` or `.h5` that Keras 2.15 (TensorFlow 2.15) opens, with the state of the optimizer; 3 one for
            Keras 3. By default a `.keras` is for Keras 3, and both read an `.h5` of layers that both have.

    Raises:
        ValueError: The path ends in another suffix; or the model has a layer or an argument that the form has no place for, and the
            message names it, and the way that keeps such a model. Nothing was written.
        OSError: The files cannot be written; an old model there is as it was.
        FileExistsError: The file or the kept model exists and `overwrite` is False.
        ModelStoreError: The browser has no room, or this is not a browser; what was kept before is still there.
        SyncReadError: This browser cannot wait; write `await model.save_async(filepath)`.

    Source: keras.saving.save_model; tf.LayersModel.save.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> pyml.saving.save_model(model, "digits.keras")
        >>> pyml.saving.save_model(model, "digits/model.json", quantize="float16")
    """
    wanted = Wanted.of(kwargs, overwrite=overwrite, zipped=zipped, quantize=quantize, include_optimizer=include_optimizer,
                       keras_version=keras_version)  # fmt: skip
    if _store_of(filepath) is not None:
        wait(_saved(model, filepath, wanted), f"await model.save_async({filepath!r})")
        return
    form = _form_of_keras(filepath, wanted)
    if form is not None:
        _write_keras(form, model, filepath, wanted, None)
        return
    from .tfjs.layers_save import model_artifacts

    handler = saver_of(filepath)
    if handler is None:
        target_of(filepath)                            # refuses addresses that nothing is written to
        _into_folder(model, _path(filepath), overwrite, quantize)
        return
    answer = handler.save(artifacts_of(*model_artifacts(model, quantize)))
    if inspect.isawaitable(answer):
        wait(coroutine_of(answer), "await model.save_async(handler)")


async def save_model_async(model: Model, filepath: Any, overwrite: bool = True, zipped: bool | None = None, quantize: str | None = None,
                           include_optimizer: bool = True, keras_version: int | None = None, **kwargs: Any) -> Any:
    """`save_model` that works in every browser.

    Raises:
        ValueError: As `save_model`.
        ModelStoreError: The browser has no room, or this is not a browser; what was kept before is still there.

    Example:
        >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
        >>> asyncio.run(pyml.saving.save_model_async(model, "digits.keras"))
    """
    wanted = Wanted.of(kwargs, overwrite=overwrite, zipped=zipped, quantize=quantize, include_optimizer=include_optimizer,
                       keras_version=keras_version)  # fmt: skip
    return await _saved(model, filepath, wanted)


async def _saved(model: Model, filepath: Any, wanted: Wanted) -> Any:
    """Writes a model once its values have been read, which nobody has to wait for here."""
    overwrite, quantize = wanted.overwrite, wanted.quantize
    store = _store_of(filepath)
    form = _form_of_keras(filepath if store is None else store[1], wanted)
    arrays = await values_of(model)
    if form is not None and store is not None:
        scheme, name = store
        file = io.BytesIO()
        _write_keras(form, model, file, wanted, arrays)
        await whole_files.keep((scheme, name if name.endswith(_ENDS) else f"{name}.keras"), [file.getbuffer()], overwrite)
        return None
    if form is not None:
        _write_keras(form, model, filepath, wanted, arrays)
        return None
    from .tfjs.layers_save import model_artifacts

    handler = saver_of(filepath)
    if handler is not None:
        save = getattr(handler, "save_async", handler.save)
        answer = save(artifacts_of(*model_artifacts(model, quantize, arrays=arrays)))
        return await answer if inspect.isawaitable(answer) else answer
    if store is None:
        target_of(filepath)
        return _into_folder(model, _path(filepath), overwrite, quantize, arrays)

    try:
        await stores_browser.save(*store, *model_artifacts(model, quantize, arrays=arrays), overwrite)
    except Unwritable as why:
        if not why.replaceable or quantize is not None or store[0] == "downloads":
            raise
        await stores_browser.save(*store, *_whole(model, arrays), overwrite)
        warn(f"{why.reason} {filepath} holds a file of Keras instead, which load_model opens, and TensorFlow.js does not.")
    return None


def _into_folder(model: Model, path: Any, overwrite: bool, quantize: str | None, arrays: dict[int, Any] | None = None) -> None:
    """Writes a layers-model; where TensorFlow.js has no form for the model and only a folder was asked for, a file of Keras into it."""
    from .tfjs.layers_files import listing_of, save_layers_model, write_files

    try:
        save_layers_model(model, path, overwrite, quantize, arrays)
    except Unwritable as why:
        if not why.replaceable or str(path).endswith(".json") or quantize is not None:
            raise
        write_files(listing_of(path), *_whole(model, arrays))
        warn(
            f"{why.reason} The folder {path} holds a file of Keras instead, which load_model opens, and TensorFlow.js does not. "
            "A path that ends in model.json asks for TensorFlow.js alone, one that ends in .keras for that file alone."
        )


def _whole(model: Model, arrays: dict[int, Any] | None) -> tuple[dict[str, Any], list[bytes]]:
    """A model as a `.keras` file and what describes it where a layers-model is expected."""
    file = io.BytesIO()
    _write_keras("archive", model, file, Wanted(), arrays)
    return whole_files.description_of("model.keras"), [file.getvalue()]


def _store_of(target: Any) -> tuple[str, str] | None:
    """Scheme and name of a place of the browser that no handler has taken over."""
    return target_of(target) if parse(target) is not None and saver_of(target) is None else None


async def values_of(model: Any) -> dict[int, Any]:
    """The values of all Variables that a file of the model holds, by their identities."""
    variables = [*model.variables, *model.weights, *getattr(getattr(model, "optimizer", None), "variables", ())]
    return {id(variable): await variable.data() for variable in {id(variable): variable for variable in variables}.values()}


def reader(arrays: dict[int, Any] | None) -> Callable[[Any], Any] | None:
    """Gives the values of a Variable from those that were read before; None where there are none."""
    return None if arrays is None else lambda variable: arrays[id(variable)] if id(variable) in arrays else variable.numpy()


@contextmanager
def _known(arrays: dict[int, Any]) -> Iterator[None]:
    """Configs of optimizers take their numbers from here meanwhile."""
    before = known_values.set(arrays)
    try:
        yield
    finally:
        known_values.reset(before)


def _form_of_keras(target: Any, wanted: Wanted) -> str | None:
    """The form of Keras that a target asks for, `"archive"` or `"h5"`; None where it asks for a layers-model.

    Raises:
        ValueError: Something is wanted that the form has no place for.
    """
    named = str(_path(os.fspath(target))) if isinstance(target, (str, os.PathLike)) else ""
    is_file = not named and hasattr(target, "write") and not hasattr(target, "save")
    to_archive = named.endswith(".keras") or wanted.zipped is not None or is_file
    to_h5 = not to_archive and named.endswith((".h5", ".hdf5"))
    if wanted.save_format and not to_archive and not to_h5:
        raise ValueError(
            f"save: save_format is Keras 2's; the end of the path says the form now: .keras or .h5. Received: filepath={named!r}, "
            f"save_format={wanted.save_format!r}")
    if not to_archive and not to_h5:
        if wanted.keras_version is not None:
            raise ValueError(f"save: keras_version is for files that end in .keras or .h5. Received: {named}")
        return None
    if wanted.quantize is not None:
        raise ValueError("save: quantize is for layers-models of TensorFlow.js; use model.quantize('int8') for a smaller file of Keras.")
    if named and to_archive and named.endswith(".keras") is (wanted.zipped is False):
        raise ValueError(
            f"save: a path that ends in .keras is a zip; zipped=False is for folders. Received: {named}, zipped={wanted.zipped}")
    return "archive" if to_archive else "h5"


def _write_keras(form: str, model: Any, target: Any, wanted: Wanted, arrays: dict[int, Any] | None) -> None:
    """Writes a model in a form of Keras, to a path or into an open file."""
    target = str(_path(os.fspath(target))) if isinstance(target, (str, os.PathLike)) else target
    with _known({} if arrays is None else arrays):
        if form == "archive":
            from .keras import archive

            archive.save_archive(model, target, reader(arrays), wanted.overwrite, wanted.zipped is not False, wanted.keras_version)
        else:
            from .keras import legacy

            legacy.save(model, target, wanted.overwrite, wanted.include_optimizer, reader(arrays), wanted.keras_version)


def save_known(model: Any, path: str, arrays: dict[int, Any], weights_only: bool) -> None:
    """Writes a `.keras`, `.h5` or `.weights.h5` with values that were read before, by the identities of their Variables."""
    if not weights_only:
        form = _form_of_keras(path, Wanted())
        assert form is not None, "callbacks have looked at the end of the path"
        _write_keras(form, model, path, Wanted(), arrays)
        return
    from .keras import hdf5, state

    write(path, hdf5.write(state.save_state(model, reader(arrays))))


def _path(filepath: Any) -> Any:
    return filepath.removeprefix("file://") if isinstance(filepath, str) else filepath
