"""A model on disk: whole, its weights alone, exported, pickled."""

from __future__ import annotations

import io
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

from pyml import settings
from pyml.saving import loading, writing
from pyml.saving import weights as weight_files
from pyml.saving.waiting import naming
from pyml.tracebacks import is_ours, shown
from pyml.trainers.trainer import Trainer

if TYPE_CHECKING:
    from pyml.models.model import Model


class KeptInFiles(Trainer, abstract=True):
    """Part of Model: writing and reading files."""

    @shown
    def save(self, filepath: str | PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Writes the model: `.keras`, `.h5`, or a layers-model of TensorFlow.js; see `pyml.saving.save_model`.

        Args:
            filepath: A path whose ending says the form, a folder for TensorFlow.js, or an address such as `"indexeddb://digits"`.
            overwrite: Replace what is there; without it, something there is an error.
            zipped: False writes the files of a `.keras` into a folder.
            **kwargs: Those of `pyml.saving.save_model`.

        Raises:
            ValueError: The form cannot hold the model; the message says which can.
            SyncReadError: This browser cannot wait; write `await model.save_async(filepath)`.

        Example:
            >>> import os, tempfile
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
            >>> path = os.path.join(tempfile.mkdtemp(), "mine.keras")
            >>> model.save(path)
            >>> pyml.models.load_model(path).output_shape
            (None, 3)
        """
        with naming(f"await model.save_async({filepath!r})"):
            writing.save_model(_whole(self), filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    async def save_async(self, filepath: str | PathLike[str], overwrite: bool = True, zipped: bool | None = None,
                         **kwargs: Any) -> None:
        """`save` that works in every browser: `await model.save_async("indexeddb://digits")`."""
        await writing.save_model_async(_whole(self), filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    @shown
    def export(self, filepath: str | PathLike[str], format: str = "web", verbose: bool | None = None, **kwargs: Any) -> None:
        """Writes the model as a folder that runs without Python; see `pyml.export`, whose arguments it takes.

        Args:
            filepath: The folder.
            format: `"web"`; the formats of other frameworks need those frameworks.
            verbose: Print what was written.

        Raises:
            ValueError: `format` is another one, or the model cannot be exported.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(2)])
            >>> model.export("on_a_page", batch_sizes=(1, 8))
        """
        if format != "web":
            raise ValueError(
                f"export: format must be 'web', a folder for pages and Node. Received: format={format!r}; `save` writes .keras, .h5 and "
                "the layers-model of TensorFlow.js."
            )
        from ..export import export_web

        folder = export_web(self, filepath, **kwargs)
        if verbose:
            settings.print_msg(f"exported to {folder}")

    @shown
    def save_weights(self, filepath: str | PathLike[str], overwrite: bool = True, max_shard_size: float | None = None,
                     **kwargs: Any) -> None:
        """Writes all weights into a `.weights.h5`, or an `.npz`; see `pyml.saving.save_weights`.

        Args:
            filepath: A path that ends in `.weights.h5` or `.npz`.
            overwrite: Replace what is there.
            max_shard_size: Gigabytes of one file; larger weights are written as several, with a `.json` that names them.

        Raises:
            ValueError: The path has another ending, or the model has no weights yet.
            FileExistsError: The file exists and `overwrite` is False.
            SyncReadError: This browser cannot wait; write `await model.save_weights_async(filepath)`.

        Example:
            >>> import os, tempfile
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
            >>> path = os.path.join(tempfile.mkdtemp(), "mine.weights.h5")
            >>> model.save_weights(path)
            >>> model.load_weights(path)
        """
        with naming(f"await model.save_weights_async({filepath!r})"):
            weight_files.save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size, **kwargs)

    async def save_weights_async(self, filepath: str | PathLike[str], overwrite: bool = True, max_shard_size: float | None = None,
                                 **kwargs: Any) -> None:
        """`save_weights` that works in every browser."""
        await weight_files.save_weights_async(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size, **kwargs)

    def _save_known(self, path: str, arrays: dict[int, Any], weights_only: bool) -> None:
        """`save` or `save_weights` into a file of Keras with values of variables that were read before."""
        writing.save_known(self, path, arrays, weights_only)

    def _load_state(self, data: bytes, where: object) -> None:
        """`load_weights` from the content of a `.weights.h5`."""
        loading.load_state(self, data, where)

    @shown
    def load_weights(self, filepath: str | PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Reads weights that `save_weights` wrote into a model of the same structure.

        Args:
            filepath: The path that was given to `save_weights`.
            skip_mismatch: Leave layers alone whose weights have other shapes, with a warning.

        Raises:
            ValueError: The path has another ending, or the model has no weights yet.
            ModelFileError: There is no such file, it is damaged, or it does not fit the model.
            ShapeError: An `.npz` holds another number of weights, or other shapes.
        """
        weight_files.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    async def load_weights_async(self, filepath: str | PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> None:
        """`load_weights` that works in every browser."""
        await weight_files.load_weights_async(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def __reduce__(self) -> Any:
        """Models are pickled as the bytes of a `.keras` file, with the classes that are not pyml's own."""
        buffer = io.BytesIO()
        writing.save_model(_whole(self), buffer)
        own = {type(layer).__name__: type(layer) for layer in self._flatten_layers() if not is_ours(type(layer))}
        return _unpickled, (buffer.getvalue(), own)


def _whole(model: KeptInFiles) -> Model:
    return cast("Model", model)


def _unpickled(data: bytes, own: dict[str, Any]) -> Any:
    return loading.load_model(io.BytesIO(data), custom_objects=own, safe_mode=False)
