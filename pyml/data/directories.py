"""Datasets of the files of a folder: images, texts or sounds, labelled by the folders they lie in."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pyml import settings
from pyml.data.dataset import Dataset
from pyml.errors import to_install
from pyml.ops.resizing import resize

_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_COLORS = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}


def image_dataset_from_directory(directory: Any, labels: Any = "inferred", label_mode: str | None = "int",
                                 class_names: Sequence[str] | None = None, color_mode: str = "rgb", batch_size: int | None = 32,
                                 image_size: tuple[int, int] = (256, 256), shuffle: bool = True, seed: int | None = None,
                                 validation_split: float | None = None, subset: str | None = None, interpolation: str = "bilinear",
                                 follow_links: bool = False, crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False,
                                 data_format: str | None = None, format: str = "tf", verbose: bool = True) -> Any:  # fmt: skip
    """The images of a folder as a Dataset of batches `(images, labels)`; needs Pillow.

    Args:
        directory: Folder with a folder of images for each class; without labels, of images.
        labels: `"inferred"` by the folders, None, or a list with the class of each file in the order of their paths.
        label_mode: `"int"`, `"categorical"` (one-hot), `"binary"` (float32 0 or 1), or None for images alone.
        class_names: Names of the folders, in the order of the classes; by default sorted.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.
        batch_size: Images in a batch; None for single ones.
        image_size: Height and width that all images are brought to.
        shuffle: New order of the files at each pass; else in the order of their paths.
        seed: Of the order.
        validation_split: Share of the files, from the end, that is the subset `"validation"`.
        subset: `"training"`, `"validation"`, or `"both"` for a pair of Datasets; with `validation_split`.
        interpolation: As for `ops.image.resize`.
        follow_links: Also look into folders that are links.
        crop_to_aspect_ratio, pad_to_aspect_ratio: Keep the proportions, and cut off what is too much, or fill up.
        data_format: `"channels_last"` or `"channels_first"`; by default as `pyml.config.image_data_format()`.
        format: `"tf"` or `"grain"`, for Keras' signature; it is a `pyml.data.Dataset` in both cases.
        verbose: Print how many files there are.

    Returns:
        A Dataset with the attributes `class_names` and `file_paths`; images are float32 from 0 to 255.

    Raises:
        ValueError: An argument is unknown, or the folder has no such files.
        FileNotFoundError: There is no such folder.

    Source: `keras.utils.image_dataset_from_directory`.

    Example:
        >>> ds = pyml.utils.image_dataset_from_directory("photos", image_size=(64, 64))    # doctest: +SKIP
    """
    if color_mode not in _COLORS:
        raise ValueError(f'`color_mode` must be one of {{"rgb", "rgba", "grayscale"}}. Received: color_mode={color_mode}')
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("Only one of `pad_to_aspect_ratio`, `crop_to_aspect_ratio` can be set to `True`.")
    layout = settings.standardize_data_format(data_format, "image_dataset_from_directory")
    how = {"interpolation": interpolation, "crop_to_aspect_ratio": crop_to_aspect_ratio, "pad_to_aspect_ratio": pad_to_aspect_ratio}
    size = (int(image_size[0]), int(image_size[1]))
    read = partial(_image, mode=_COLORS[color_mode], size=size, how=how, first=layout == "channels_first")
    return _labelled(directory, labels, label_mode, class_names, _IMAGES, read, batch_size, shuffle, seed, validation_split, subset,
                     follow_links, format, verbose)  # fmt: skip


def text_dataset_from_directory(directory: Any, labels: Any = "inferred", label_mode: str | None = "int",
                                class_names: Sequence[str] | None = None, batch_size: int | None = 32, max_length: int | None = None,
                                shuffle: bool = True, seed: int | None = None, validation_split: float | None = None,
                                subset: str | None = None, follow_links: bool = False, format: str = "tf",
                                verbose: bool = True) -> Any:  # fmt: skip
    """The `.txt` files of a folder as a Dataset of batches `(texts, labels)`.

    Args:
        max_length: Characters that are kept of each text; None for all.
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links, format,
            verbose: As for `image_dataset_from_directory`.

    Returns:
        A Dataset with the attributes `class_names` and `file_paths`; texts are arrays of strings.

    Raises:
        ValueError: An argument is unknown, or the folder has no such files.
        FileNotFoundError: There is no such folder.

    Source: `keras.utils.text_dataset_from_directory`.

    Example:
        >>> ds = pyml.utils.text_dataset_from_directory("reviews", batch_size=16)    # doctest: +SKIP
    """
    read = partial(_text, most=max_length)
    return _labelled(directory, labels, label_mode, class_names, (".txt",), read, batch_size, shuffle, seed, validation_split, subset,
                     follow_links, format, verbose)  # fmt: skip


def audio_dataset_from_directory(directory: Any, labels: Any = "inferred", label_mode: str | None = "int",
                                 class_names: Sequence[str] | None = None, batch_size: int | None = 32, sampling_rate: int | None = None,
                                 output_sequence_length: int | None = None, ragged: bool = False, shuffle: bool = True,
                                 seed: int | None = None, validation_split: float | None = None, subset: str | None = None,
                                 follow_links: bool = False, verbose: bool = True) -> Any:  # fmt: skip
    """The `.wav` files of a folder as a Dataset of batches `(sounds, labels)`.

    Args:
        sampling_rate: Samples a second that the files must have; None takes any.
        output_sequence_length: Samples of each sound: more are cut off, fewer are followed by zeros. Needed for batches of
            sounds of different lengths.
        ragged: Only False.
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links, verbose:
            As for `image_dataset_from_directory`.

    Returns:
        A Dataset with the attributes `class_names` and `file_paths`; sounds are float32 `(samples, channels)` from -1 to 1.

    Raises:
        ValueError: An argument is unknown, the folder has no such files, or a file has another sampling rate.
        FileNotFoundError: There is no such folder.

    Source: `keras.utils.audio_dataset_from_directory`.

    Example:
        >>> ds = pyml.utils.audio_dataset_from_directory("words", output_sequence_length=16000)    # doctest: +SKIP
    """
    if ragged:
        raise ValueError("audio_dataset_from_directory: ragged tensors are not supported; give output_sequence_length.")
    read = partial(_sound, rate=sampling_rate, length=output_sequence_length)
    return _labelled(directory, labels, label_mode, class_names, (".wav",), read, batch_size, shuffle, seed, validation_split, subset,
                     follow_links, "tf", verbose)  # fmt: skip


# ---- one file
def _image(path: str, mode: str, size: tuple[int, int], how: dict[str, Any], first: bool) -> np.ndarray:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(f"image_dataset_from_directory: reading images needs Pillow: {to_install('pillow')}.") from None
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert(mode), np.float32)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if pixels.shape[:2] != size:
        pixels = resize(pixels, size, data_format="channels_last", **how).numpy()
    return np.moveaxis(pixels, -1, 0) if first else pixels


def _text(path: str, most: int | None) -> str:
    return Path(path).read_text(encoding="utf-8")[:most]


def _sound(path: str, rate: int | None, length: int | None) -> np.ndarray:
    """The samples of a WAV file, float32 `(length, channels)` from -1 to 1."""
    with wave.open(path) as file:
        channels, width, found = file.getnchannels(), file.getsampwidth(), file.getframerate()
        raw = file.readframes(file.getnframes())
    if rate is not None and rate != found:
        raise ValueError(f"audio_dataset_from_directory: {path} has {found} samples a second, not {rate}; convert it first.")
    if width == 1:
        samples = np.frombuffer(raw, np.uint8).astype(np.float32) / 128.0 - 1.0
    elif width in (2, 4):
        samples = np.frombuffer(raw, f"<i{width}").astype(np.float32) / 2.0 ** (8 * width - 1)
    else:
        raise ValueError(f"audio_dataset_from_directory: {path} has samples of {8 * width} bits; 8, 16 and 32 are read.")
    samples = samples.reshape(-1, channels)
    if length is None:
        return samples
    return np.pad(samples[:length], ((0, max(0, length - len(samples))), (0, 0)))


# ---- all files
def _labelled(directory: Any, labels: Any, label_mode: str | None, class_names: Sequence[str] | None, endings: tuple[str, ...],
              read: Callable[[str], Any], batch_size: int | None, shuffle: bool, seed: int | None, validation_split: float | None,
              subset: str | None, follow_links: bool, format: str, verbose: bool) -> Any:  # fmt: skip
    """The Datasets of what `read` makes of each file."""
    _check(labels, label_mode, class_names, validation_split, subset, shuffle, seed, format)
    if labels is None or label_mode is None:           # files beside the folders of classes count too, as in Keras
        labels = label_mode = None
    names, paths, numbers = _indexed(Path(directory), labels, class_names, endings, follow_links)
    if not paths:
        raise ValueError(f"No files with an ending of {endings} were found in {os.fspath(directory)!r}.")
    if label_mode == "binary" and len(names) != 2:
        raise ValueError(f'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: class_names={names}')
    if verbose:
        settings.print_msg(f"Found {len(paths)} files" + (f" belonging to {len(names)} classes." if labels is not None else "."))
    seed = int(np.random.randint(10**6)) if seed is None else seed
    if shuffle:
        order = np.random.RandomState(seed).permutation(len(paths))
        paths, numbers = [paths[i] for i in order], numbers[order]
    cut = len(paths) - int((validation_split or 0.0) * len(paths))
    parts = {"training": slice(0, cut), "validation": slice(cut, None), None: slice(None)}
    made = []
    for part in ("training", "validation") if subset == "both" else (subset,):
        chosen = paths[parts[part]]
        if not chosen:
            raise ValueError(f"The subset {part!r} of {len(paths)} files has none of them; choose another validation_split.")
        if verbose and part is not None:
            settings.print_msg(f"Using {len(chosen)} files for {part}.")
        coded = None if label_mode is None else _coded(numbers[parts[part]], label_mode, len(names))
        made.append(_dataset(chosen, coded, read, batch_size, shuffle and part != "validation", seed, None if labels is None else names))
    return made if subset == "both" else made[0]


def _dataset(paths: list[str], coded: Any, read: Callable[[str], Any], batch_size: int | None, shuffle: bool, seed: int,
             names: list[str] | None) -> Dataset:  # fmt: skip
    dataset = Dataset.from_tensor_slices(np.arange(len(paths), dtype=np.int32))
    if shuffle:
        dataset = dataset.shuffle(8 * batch_size if batch_size else 1024, seed=seed)
    dataset = dataset.map(lambda i: read(paths[i]) if coded is None else (read(paths[i]), coded[i]))
    dataset = dataset if batch_size is None else dataset.batch(batch_size)
    dataset.class_names, dataset.file_paths = names, paths
    return dataset


def _coded(numbers: np.ndarray, mode: str, classes: int) -> np.ndarray:
    if mode == "binary":
        return numbers.astype(np.float32)[:, None]
    return np.eye(classes, dtype=np.float32)[numbers] if mode == "categorical" else numbers


def _indexed(directory: Path, labels: Any, class_names: Sequence[str] | None, endings: tuple[str, ...],
             follow_links: bool) -> tuple[list[str], list[str], np.ndarray]:  # fmt: skip
    """Names of the classes, paths of the files in order, and the class of each."""
    if not directory.is_dir():
        raise FileNotFoundError(f"There is no folder {os.fspath(directory)!r}.")
    if labels != "inferred":
        paths = _files(directory, endings, follow_links)
        if labels is None:
            return [], paths, np.zeros(len(paths), np.int32)
        if len(labels) != len(paths):
            raise ValueError(
                f"`labels` must have one class for each file: there are {len(paths)} files in {directory}. Received: {len(labels)}"
            )
        return [str(name) for name in sorted(set(labels))], paths, np.asarray(labels, np.int32)
    found = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and not entry.name.startswith("."))
    if class_names is not None and set(class_names) != set(found):
        raise ValueError(
            f"The `class_names` passed did not match the names of the subdirectories of the target directory. Expected: {found}, "
            f"but received: {list(class_names)}"
        )
    names = found if class_names is None else list(class_names)
    inside = [_files(directory / name, endings, follow_links) for name in names]
    numbers = [np.full(len(files), i, np.int32) for i, files in enumerate(inside)]
    return names, [path for files in inside for path in files], np.concatenate([*numbers, np.zeros(0, np.int32)])


def _files(directory: Path, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    return [
        os.path.join(root, name)
        for root, _, names in sorted(os.walk(directory, followlinks=follow_links))
        for name in sorted(names)
        if name.lower().endswith(endings)
    ]


def _check(labels: Any, label_mode: Any, class_names: Any, split: Any, subset: Any, shuffle: bool, seed: Any, format: str) -> None:
    """Raises ValueError for arguments that do not fit each other."""
    if labels not in ("inferred", None) and not isinstance(labels, (list, tuple)):
        raise ValueError(f"`labels` should be a list/tuple of integer labels, 'inferred' or None. Received: labels={labels!r}")
    if labels != "inferred" and class_names is not None:
        raise ValueError("You can only pass `class_names` if `labels='inferred'`.")
    if label_mode not in ("int", "categorical", "binary", None):
        raise ValueError(f"`label_mode` must be 'int', 'categorical', 'binary' or None. Received: label_mode={label_mode!r}")
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` should be either "tf" or "grain". Received: format={format}')
    if split is not None and not 0 < split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1. Received: validation_split={split}")
    if (split is None) != (subset is None):
        raise ValueError("If `subset` is set, `validation_split` must be set, and inversely.")
    if subset not in ("training", "validation", "both", None):
        raise ValueError(f"`subset` must be 'training', 'validation' or 'both'. Received: subset={subset!r}")
    if split is not None and shuffle and seed is None:
        raise ValueError("If using `validation_split` and shuffling the data, you must provide a `seed` argument.")
