"""Which feed brings the batches of some data to a model, and how large they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyml import settings
from pyml.trainers import resident
from pyml.trainers.adapt import Source
from pyml.trainers.batches import Batches
from pyml.trainers.data import Arrays
from pyml.trainers.datasets import DatasetBatches, DatasetFeed
from pyml.trainers.feed import ArrayFeed, BatchFeed, Feed, ResidentFeed

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer


class Residents:
    """The datasets of one model that are on the device, by what they are used for."""

    def __init__(self) -> None:
        self._kept: dict[str, resident.Resident] = {}

    def of(self, model: Trainer, use: str, source: Arrays) -> resident.Resident:
        """`source` on the device, in the place of data of the same form where there is some."""
        data = self._kept.get(use)
        if data is not None and data.fits(source):
            data.update(source)
            return data
        if data is not None:
            model._step_programs.forget(data)
        self._kept[use] = resident.Resident(source)
        return self._kept[use]

    def drop_large(self, model: Trainer) -> None:
        """Datasets stay for the next call, unless they are large."""
        for use, data in list(self._kept.items()):
            if data.nbytes > resident.KEPT:
                model._step_programs.forget(data)
                del self._kept[use]


def make_feed(
    model: Trainer, kind: str, source: Source, batch_size: int, shuffle: bool = False, steps: int | None = None, nested: bool = False
) -> Feed:
    """The batches of `source` as calls of one step each; the dataset goes to the device when it fits.

    Args:
        kind: `"train"` or `"test"`.
        steps: Steps per epoch, where the user asked for a number.
        nested: Another call on this model is in progress and needs its own data.
    """
    if isinstance(source, Batches):
        source.begin(not model._ready_kinds, shuffle)
    model._prepare_steps(source, batch_size, kind)
    if isinstance(source, DatasetBatches):
        return DatasetFeed(model, kind, source)
    if isinstance(source, Batches):
        return BatchFeed(model._step_programs, kind, source)
    model._check_numbers(source.x, source.y)
    if source.nbytes > resident.LIMIT or model._own_function(kind) is not None:
        return ArrayFeed(model._step_programs, kind, source, batch_size, shuffle, steps)
    data = model._resident_data.of(model, f"{kind}, nested" if nested else kind, source)
    return ResidentFeed(model._step_programs, kind, data, batch_size, shuffle, steps)


def rows_of(model: Trainer, source: Source, asked: int | None, what: str, steps: int | None = None) -> int:
    """Samples in each batch: what was asked for, else what the model's inputs say, else as many as share arrays out over `steps`, else 32.

    Raises:
        ValueError: A layer remembers batches of one size, and these have another.
    """
    graph = model._symbolic_graph
    sizes = {tensor.shape[0] for tensor in (graph.inputs if graph is not None else ()) if tensor.shape and tensor.shape[0] is not None}
    if not sizes:
        shared = -(-source.size // steps) if steps and isinstance(source, Arrays) else 32
        return shared if asked is None else asked
    fixed = min(sizes)
    if not any(getattr(layer, "stateful", False) for layer in model._flatten_layers()):
        return fixed if asked is None else asked       # only what is remembered from batch to batch needs as many again
    takes = f"{what}: model '{model.name}' takes batches of exactly {fixed} samples, as its Input says."
    if asked not in (None, fixed):
        raise ValueError(f"{takes} Received: batch_size={asked}")
    if isinstance(source, Arrays) and source.size % fixed:
        raise ValueError(
            f"{takes} Received {source.size} samples, which leaves {source.size % fixed} for the last batch; "
            f"give a number of samples that {fixed} divides."
        )
    return fixed


def steps_of(source: Source, batch_size: int, asked: int | None) -> int | None:
    """The steps that were asked for, or fewer where `pyml.config.set_max_steps_per_epoch` allows fewer; None for all there are."""
    most = settings.max_steps_per_epoch()
    if most is None:
        return asked
    there = -(-source.size // batch_size) if isinstance(source, Arrays) else source.steps
    if asked is None and there is not None and there <= most:
        return None
    steps = most if asked is None else min(most, asked)
    if not isinstance(source, Arrays):
        source.steps = source.per_epoch = steps
    return steps
