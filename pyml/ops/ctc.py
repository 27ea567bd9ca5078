"""Sequences whose labels have no times (CTC): the loss of them, and the labels that steps spell."""

from __future__ import annotations

from itertools import groupby, product
from typing import Any

import numpy as np

from ..core.loop import scan
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .apply import as_float
from .arithmetic import floor_divide, maximum, mod
from .contraction import einsum
from .creation import full, zeros
from .crossentropy import log_softmax, one_hot
from .declare import draw, op, sample
from .elementary import exp, log1p
from .joining import concatenate, stack
from .largest import top_k
from .logic import equal, greater_equal, less, logical_and, logical_not, logical_or, not_equal, where
from .math import logsumexp
from .positions import take_along_axis
from .products import matmul
from .reduce import argmax
from .reduce import max as _max
from .reduce import sum as _sum
from .running import cumsum
from .shaping import broadcast_to, expand_dims, reshape, swapaxes

__all__ = ["ctc_decode", "ctc_loss"]

_NEVER = -1e30  # the logarithm of no chance: minus infinity would have no gradient
_STRIDE = 1000003  # of fingerprints of labels, which wrap around at 32 bits


def _either(a: Tensor, b: Tensor) -> Tensor:
    """`log(exp(a) + exp(b))`."""
    return maximum(a, b) + log1p(exp(-abs(a - b)))


def _counts(lengths: TensorLike, batch: int, what: str) -> Tensor:
    node = prims.cast(as_node(lengths), dtype="int32")
    if node.shape != (batch,):
        raise ShapeError(f"{what}: expected one length for each of {batch} sequences, ({batch},). Received: {node.shape}")
    return Tensor(prims.reshape(node, (batch, 1)))


def _numbers(n: int) -> Tensor:
    return Tensor(prims.iota(n))


def _spelt(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> np.ndarray:
    """The loss in numpy: the chances of all ways to spell the labels, one by one."""
    losses = []
    for labels, x, size, steps in zip(target, output, target_length, output_length, strict=True):
        shares = np.exp(x[:steps]) / np.exp(x[:steps]).sum(-1, keepdims=True)
        chance = 0.0
        for way in product(range(x.shape[1]), repeat=int(steps)):
            if [c for c, _ in groupby(way) if c != mask_index] == list(labels[:size]):
                chance += np.prod(shares[np.arange(steps), list(way)])
        losses.append(-np.log(chance))
    return np.array(losses)


def _within(lengths: TensorLike, most: int, what: str, of: str) -> None:
    """Looks at lengths that the host has; those that a device computed are not read back."""
    if isinstance(lengths, np.ndarray | list | tuple) and not any(isinstance(n, Tensor) for n in lengths):
        numbers = np.asarray(lengths)
        if numbers.size and (numbers.min() < 0 or numbers.max() > most):
            raise ValueError(f"{what} must be from 0 to {most}, the {of} that there are. Received: {numbers.tolist()}")


@op(like=_spelt, dtypes="own", samples=[
    sample(np.array([[1, 2], [2, 2]]), draw(2, 4, 3), np.array([2, 1]), np.array([4, 3])),
    sample(np.array([[0, 0, 1]]), draw(1, 5, 3), np.array([3]), np.array([5]), mask_index=2),
])  # fmt: skip
def ctc_loss(
    target: TensorLike, output: TensorLike, target_length: TensorLike, output_length: TensorLike, mask_index: int = 0
) -> Tensor:
    """Minus the logarithm of the chance that the steps of `output` spell `target`, with repeats and blanks between its labels.

    Args:
        target: Labels `(batch, labels)`, integers.
        output: Logits `(batch, steps, classes)`.
        target_length: How many labels each has, `(batch,)`.
        output_length: How many steps each has, `(batch,)`.
        mask_index: The class that is the blank.

    Returns:
        float32 `(batch,)`; infinite where there are too few steps for the labels.

    Raises:
        ShapeError: `target` is not of rank 2, `output` not of rank 3, or the batches differ.
        ValueError: A length that is no tensor is negative, or more than there are labels or steps.

    Source: Keras `ops.ctc_loss`; Graves et al. 2006, "Connectionist Temporal Classification".

    Example:
        >>> pyml.ops.ctc_loss([[1]], [[[0., 0.], [0., 0.]]], [1], [2]).numpy().round(4)         # 3 of 4 ways spell 1
        array([0.2877], dtype=float32)
    """
    labels, logits = Tensor(prims.cast(as_node(target), dtype="int32")), as_float(output)
    if labels.ndim != 2 or logits.ndim != 3 or labels.shape[0] != logits.shape[0]:
        raise ShapeError(
            "ctc_loss: expected labels (batch, labels) and logits (batch, steps, classes). "
            f"Received: {labels.shape} and {logits.shape}"
        )
    (batch, width), (_, steps, classes) = labels.shape, logits.shape
    counts, lengths = _counts(target_length, batch, "ctc_loss"), _counts(output_length, batch, "ctc_loss")
    _within(target_length, width, "ctc_loss: target_length", "labels")
    _within(output_length, steps, "ctc_loss: output_length", "steps")
    blank, nothing = full((batch, 1), mask_index, "int32"), full((batch, 1), _NEVER)
    states = reshape(stack([broadcast_to(blank, labels.shape), labels], axis=-1), (batch, 2 * width))
    states = concatenate([states, blank], axis=1)                          # blank, label, blank, label, ..., blank
    two_back = concatenate([blank, blank, states], axis=1)[:, : 2 * width + 1]
    skips = not_equal(states, two_back)                                    # never into a blank: two back of it is one
    chances = einsum("btc,bsc->tbs", log_softmax(logits), one_hot(states, classes))

    def step(before: Tensor, now: tuple[Tensor, Tensor]) -> tuple[Tensor, Any]:
        one = concatenate([nothing, before], axis=1)[:, : 2 * width + 1]
        two = concatenate([nothing, one], axis=1)[:, : 2 * width + 1]
        after = _either(_either(before, one), where(skips, two, _NEVER)) + now[0]
        return where(less(now[1], lengths), after, before), None

    first = concatenate([zeros((batch, 1)), full((batch, 2 * width), _NEVER)], axis=1)
    last, _ = scan(step, first, (chances, _numbers(steps)))
    place = expand_dims(_numbers(2 * width + 1), 0)
    ends = logical_or(equal(place, 2 * counts), equal(place, 2 * counts - 1))
    loss = -logsumexp(where(ends, last, _NEVER), axis=1)
    return where(loss > -0.5 * _NEVER, float("inf"), loss)


def _greedy(inputs: Tensor, lengths: Tensor, merge_repeated: bool, blank: int) -> tuple[Tensor, Tensor]:
    batch, steps, _ = inputs.shape
    counts = less(expand_dims(_numbers(steps), 0), lengths)
    best = where(counts, argmax(inputs, axis=-1), blank)
    score = -_sum(where(counts, _max(inputs, axis=-1), 0.0), axis=1, keepdims=True)
    kept = not_equal(best, blank)
    if merge_repeated:
        kept = logical_and(kept, not_equal(best, concatenate([full((batch, 1), -1, "int32"), best[:, :-1]], axis=1)))
    place = cumsum(where(kept, 1, 0), axis=1) - 1 + expand_dims(_numbers(batch), 1) * steps
    place = where(kept, place, -1)
    found = prims.scatter_add(as_node(reshape(place, (-1,))), as_node(reshape(best + 1, (-1,))), batch * steps)
    return reshape(Tensor(found), (1, batch, steps)) - 1, score


def _beams(inputs: Tensor, lengths: Tensor, width: int, paths: int, blank: int) -> tuple[Tensor, Tensor]:
    """The likeliest `paths` labels, of `width` that are kept from step to step.

    Each beam has its labels, the last one, their number, a fingerprint, and two chances: of ending in a label or in a blank.
    """
    batch, steps, classes = inputs.shape
    logs = log_softmax(inputs)
    classes_here, places = _numbers(classes), _numbers(steps)
    rows = expand_dims(_numbers(batch), 1) * width

    def beam_of(x: Tensor, parent: Tensor) -> Tensor:
        return take_along_axis(x, parent, axis=1)

    def step(now: dict[str, Tensor], x: tuple[Tensor, Tensor]) -> tuple[dict[str, Tensor], None]:
        """One step of all beams: each stays, or adds a label; the best `width` go on."""
        log, number = x
        emit, rest, tail, marks = now["emit"], now["rest"], now["tail"], now["marks"]
        total = _either(emit, rest)
        of_tail = take_along_axis(log, maximum(tail, 0), axis=1)
        # labels that another beam has too, once its next label is added
        whole = equal(expand_dims(marks, 2) * _STRIDE + expand_dims(tail, 1) + 1, expand_dims(marks, 1))
        longer = equal(expand_dims(now["count"], 2) + 1, expand_dims(now["count"], 1))
        match = logical_and(whole, longer)
        same = equal(expand_dims(tail, 2), expand_dims(tail, 1))
        through = where(same, expand_dims(rest, 2), expand_dims(total, 2)) + expand_dims(of_tail, 1)
        joined = _max(where(match, through, _NEVER), axis=1)
        emit = _either(where(greater_equal(tail, 0), emit + of_tail, _NEVER), joined)
        rest = total + log[:, blank : blank + 1]
        more = where(equal(expand_dims(tail, 2), classes_here), expand_dims(now["rest"], 2), expand_dims(total, 2))
        more = more + expand_dims(log, 1)
        taken = matmul(where(match, 1.0, 0.0), one_hot(tail, classes)) > 0.5
        more = where(logical_or(taken, equal(classes_here, blank)), 2 * _NEVER, more)
        every = concatenate([_either(emit, rest), reshape(more, (batch, width * classes))], axis=1)
        score, chosen = top_k(every, width)
        stays = less(chosen, width)
        parent = where(stays, chosen, floor_divide(maximum(chosen - width, 0), classes))
        label = mod(maximum(chosen - width, 0), classes)
        count = beam_of(now["count"], parent)
        labels = Tensor(prims.gather(as_node(reshape(now["labels"], (batch * width, steps))), as_node(parent + rows)))
        added = logical_and(equal(places, expand_dims(count, 2)), expand_dims(logical_not(stays), 2))
        new = {
            "labels": where(added, expand_dims(label, 2), labels),
            "emit": where(stays, beam_of(emit, parent), score),
            "rest": where(stays, beam_of(rest, parent), _NEVER),
            "tail": where(stays, beam_of(tail, parent), label),
            "count": count + where(stays, 0, 1),
            "marks": where(stays, beam_of(marks, parent), beam_of(marks, parent) * _STRIDE + label + 1),
        }
        runs = less(number, lengths)
        return {k: where(expand_dims(runs, 2) if v.ndim == 3 else runs, v, now[k]) for k, v in new.items()}, None

    none = full((batch, width - 1), _NEVER)
    first = {
        "labels": full((batch, width, steps), -1, "int32"), "emit": full((batch, width), _NEVER),
        "rest": concatenate([zeros((batch, 1)), none], axis=1), "tail": full((batch, width), -1, "int32"),
        "count": zeros((batch, width), "int32"), "marks": zeros((batch, width), "int32"),
    }  # fmt: skip
    last, _ = scan(step, first, (swapaxes(logs, 0, 1), places))
    score, chosen = top_k(_either(last["emit"], last["rest"]), paths)
    labels = Tensor(prims.gather(as_node(reshape(last["labels"], (batch * width, steps))), as_node(chosen + rows)))
    alive = score > 0.5 * _NEVER
    return swapaxes(where(expand_dims(alive, 2), labels, -1), 0, 1), where(alive, score, float("-inf"))


def _read(inputs: np.ndarray, sequence_lengths: np.ndarray, **kwargs: Any) -> list[np.ndarray]:
    """Beam search in numpy, where beams are wide enough for everything: the chances of all ways, by what they spell."""
    count, blank = kwargs["top_paths"], kwargs.get("mask_index", 0)
    labels = np.full((count, len(inputs), inputs.shape[1]), -1)
    scores = np.zeros((len(inputs), count))
    for b, (x, steps) in enumerate(zip(inputs, sequence_lengths, strict=True)):
        shares = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
        chances: dict[tuple[int, ...], float] = {}
        for way in product(range(x.shape[1]), repeat=int(steps)):
            spelt = tuple(c for c, _ in groupby(way) if c != blank)
            chances[spelt] = chances.get(spelt, 0.0) + float(np.prod(shares[np.arange(steps), list(way)]))
        for k, (spelt, chance) in enumerate(sorted(chances.items(), key=lambda item: -item[1])[:count]):
            labels[k, b, : len(spelt)], scores[b, k] = spelt, np.log(chance)
    return [labels, scores]


@op(like=_read, dtypes="own", samples=[
    sample(draw(2, 4, 3), np.array([4, 3]), strategy="beam_search", beam_width=60, top_paths=3),
    sample(draw(1, 3, 4), np.array([3]), strategy="beam_search", top_paths=2, mask_index=3),
], gradient=False)  # fmt: skip
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The labels that the steps of `inputs` spell.

    Args:
        inputs: Logits `(batch, steps, classes)`.
        sequence_lengths: How many steps each has, `(batch,)`.
        strategy: `"greedy"`: the likeliest class of each step; or `"beam_search"`: the likeliest labels, over all ways to
            spell them.
        beam_width: How many beginnings a search keeps.
        top_paths: How many labels a search gives, up to `beam_width`.
        merge_repeated: Whether greedy counts a class that stays for several steps once.
        mask_index: The class that is the blank.

    Returns:
        Labels, int32 `(paths, batch, steps)` filled up with -1, `paths` being 1 for greedy; and float32: for greedy minus the
        sum of the largest logits `(batch, 1)`, for a search the logarithms of the chances, `(batch, top_paths)`.

    Raises:
        ValueError: The strategy is unknown, or `top_paths` is larger than `beam_width`.
        ShapeError: `inputs` is not of rank 3, or there is not a length for each sequence.

    Source: Keras `ops.ctc_decode`; Graves 2012, "Supervised Sequence Labelling", 7.5.

    Example:
        >>> steps = pyml.ops.one_hot([[1, 1, 0, 1, 2]], 3) * 5.
        >>> pyml.ops.ctc_decode(steps, [5])[0].numpy()
        array([[[ 1,  1,  2, -1, -1]]], dtype=int32)
    """
    logits = as_float(inputs)
    if logits.ndim != 3 or not logits.shape[1] or not logits.shape[2]:
        raise ShapeError(f"ctc_decode: expected logits (batch, steps, classes). Received: {logits.shape}")
    lengths, blank = _counts(sequence_lengths, logits.shape[0], "ctc_decode"), int(mask_index)
    if not 0 <= blank < logits.shape[2]:
        raise ValueError(f"ctc_decode: mask_index must be one of {logits.shape[2]} classes. Received: mask_index={mask_index}")
    if strategy == "greedy":
        return _greedy(logits, lengths, merge_repeated, blank)
    if strategy != "beam_search":
        raise ValueError(f"ctc_decode: strategy must be 'greedy' or 'beam_search'. Received: strategy={strategy!r}")
    if not 1 <= top_paths <= beam_width:
        raise ValueError(f"ctc_decode: top_paths must be from 1 to beam_width. Received: top_paths={top_paths}, beam_width={beam_width}")
    return _beams(logits, lengths, int(beam_width), int(top_paths), blank)
