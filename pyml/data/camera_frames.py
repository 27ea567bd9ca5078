"""`pyml.data.webcam`: frames of a camera as tensors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np

from pyml import ops
from pyml.browser.pixels import picture_tensor
from pyml.core import Program, Tensor
from pyml.data.media import IN_BROWSER, Captured, MediaError, PageDevice, page_devices, whole


def webcam(video: Any = None, resize_width: int | None = None, resize_height: int | None = None, center_crop: bool = False,
           facing_mode: str | None = None, device_id: str | None = None, frame_rate: float | None = None) -> Webcam:
    """Frames of a camera, the newest one whenever the next is asked for.

    Args:
        video: In a page a `<video>` element that shows the camera, if any. On the desktop the path of a video file or
            the number of a camera, 0 by default; this needs OpenCV (`pip install opencv-python`) or imageio
            (`pip install "imageio[pyav]"`).
        resize_width, resize_height: Size of the frames, both or neither.
        center_crop: Cut out the central part that has the shape of `resize_width` by `resize_height`, instead of
            distorting the frame.
        facing_mode: `"user"` (default) or `"environment"`.
        device_id: One camera of `await pyml.data.cameras()`.
        frame_rate: Frames per second to ask the camera for.

    Returns:
        A Webcam. `await` it to start the camera at once; otherwise the first frame does.

    Raises:
        ValueError: Arguments are wrong. Starting and reading raise `MediaError`, whose `kind` tells denied permission,
            a missing or unplugged camera, a hidden page and so on.

    Source: TensorFlow.js `tf.data.webcam`.

    Example:
        >>> async with pyml.data.webcam(resize_width=224, resize_height=224) as camera:    # doctest: +SKIP
        ...     frame = await camera.capture()
    """
    return Webcam(video, resize_width, resize_height, center_crop, facing_mode, device_id, frame_rate)


async def cameras() -> list[dict[str, str]]:
    """The cameras of the page: dicts of `device_id` and `label`, which is empty before a camera was allowed.

    Raises:
        RuntimeError: There is no page: this is the desktop.

    Example:
        >>> [found["label"] for found in await pyml.data.cameras()]     # doctest: +SKIP
    """
    return await page_devices("camera")


class Webcam(Captured):
    """A camera: `await capture()`, `async for`, `await start()`, `await switch()`, `stop()`; see `pyml.data.webcam`.

    Frames are int32 `(height, width, 3)` from 0 to 255; resized ones float32. The camera is released by `stop()`, at
    the end of `async with`, and with the last reference.
    """

    def __init__(self, video: Any, resize_width: int | None, resize_height: int | None, center_crop: bool,
                 facing_mode: str | None, device_id: str | None, frame_rate: float | None):
        if (resize_width is None) != (resize_height is None):
            raise ValueError("webcam: give both resize_width and resize_height, or neither.")
        if resize_width is not None:
            whole("webcam", "resize_width", resize_width)
            whole("webcam", "resize_height", resize_height)
        elif center_crop:
            raise ValueError("webcam: center_crop needs resize_width and resize_height.")
        if frame_rate is not None and not frame_rate > 0:
            raise ValueError(f"webcam: frame_rate must be positive. Received: frame_rate={frame_rate!r}")
        _check_facing(facing_mode)
        self.size = None if resize_width is None or resize_height is None else (resize_height, resize_width)
        self.center_crop = bool(center_crop)
        self._choice = {"facingMode": facing_mode, "deviceId": device_id}
        self._frame_rate = frame_rate
        self.label = ""                                # of the camera, once it has started
        self._running = False
        self._resizers: dict = {}
        self._device: Any = PageDevice("camera", video) if IN_BROWSER else _DesktopCamera(0 if video is None else video)

    async def start(self) -> Webcam:
        """Starts the camera, if it is not running.

        Raises:
            MediaError: It cannot be started.
        """
        if not self._running:
            height, width = self.size or (None, None)
            chosen = {name: value for name, value in self._choice.items() if value is not None}
            wishes = {"width": width, "height": height, "frameRate": self._frame_rate}
            info = await self._device.call("open", **chosen, **{k: v for k, v in wishes.items() if v is not None})
            self.label, self._running = info.label, True
        return self

    async def switch(self, device_id: str | None = None, facing_mode: str | None = None) -> Webcam:
        """Goes on with another camera.

        Args:
            device_id, facing_mode: As for `pyml.data.webcam`.

        Raises:
            MediaError: It cannot be started; the camera is off then.
        """
        _check_facing(facing_mode)
        self.stop()
        self._choice = {"facingMode": facing_mode, "deviceId": device_id}
        return await self.start()

    async def capture(self) -> Tensor:
        """The newest frame that was not given before; starts the camera if need be.

        Raises:
            MediaError: There is none: the page is hidden, the camera was unplugged, and so on.
        """
        picture = await self._next()
        # float32 where it is resized, which needs that; no camera has transparent pixels
        frame = picture_tensor(picture, 3, "int32" if self.size is None else "float32", opaque=True)
        if hasattr(picture, "close"):
            picture.close()
        return frame if self.size is None else self._resized(frame, self.size)

    def _resized(self, frame: Tensor, size: tuple[int, int]) -> Tensor:
        resizer = self._resizers.get(frame.shape)
        if resizer is None:
            resizer = self._resizers[frame.shape] = resizing(frame.shape, size, self.center_crop)
        return resizer(frame)


def resizing(shape: tuple, size: tuple, center_crop: bool) -> Program:
    """A program that resizes frames of `shape` to `size`, bilinear as `tf.image.crop_and_resize`.

    Source: each axis is a product with a matrix of the two weights per output row.
    """
    (height, width, channels), (rows, columns) = shape, size
    tall, wide = 1.0, 1.0                              # share of each axis that is kept
    if center_crop:
        tall = min(1.0, (width * rows / columns) / height)
        wide = min(1.0, (height * columns / rows) / width)
    down, across = _weights(height, rows, tall), _weights(width, columns, wide)

    def resize(frame: Tensor) -> Tensor:
        x = ops.reshape(ops.cast(frame, "float32"), (height, width * channels))
        x = ops.reshape(ops.matmul(down, x), (rows, width, channels))
        x = ops.reshape(ops.transpose(x, (1, 0, 2)), (width, rows * channels))
        x = ops.reshape(ops.matmul(across, x), (columns, rows, channels))
        return ops.transpose(x, (1, 0, 2))

    return Program(resize, "webcam_resize")


def _weights(size: int, wanted: int, share: float) -> np.ndarray:
    """The matrix `(wanted, size)` that interpolates between the rows of the central `share` of an axis."""
    first, last = (1 - share) / 2 * (size - 1), (1 + share) / 2 * (size - 1)
    at = np.linspace(first, last, wanted) if wanted > 1 else np.array([(first + last) / 2])
    low = np.clip(np.floor(at).astype(int), 0, size - 1)
    high = np.minimum(low + 1, size - 1)
    matrix = np.zeros((wanted, size), np.float32)
    np.add.at(matrix, (np.arange(wanted), low), 1 - (at - low))
    np.add.at(matrix, (np.arange(wanted), high), at - low)
    return matrix


def _check_facing(facing_mode: str | None) -> None:
    if facing_mode not in (None, "user", "environment"):
        raise ValueError(f"webcam: facing_mode must be 'user' or 'environment'. Received: {facing_mode!r}")


class _Info(NamedTuple):
    """What `open` of a device answers."""

    label: str


class _DesktopCamera:
    """A camera or video file by OpenCV or imageio, with the methods of a PageDevice."""

    def __init__(self, source: int | str | os.PathLike[str]):
        self.source = source
        self._reader: Generator[np.ndarray, None, None] | None = None

    async def call(self, method: str, **options: Any) -> _Info | np.ndarray:
        answer: Callable[..., _Info | np.ndarray] = self._open if method == "open" else self._next
        return await asyncio.to_thread(answer, **options)

    def _open(self, width: int | None = None, height: int | None = None, frameRate: float | None = None,
              deviceId: str | None = None, facingMode: str | None = None) -> _Info:  # fmt: skip
        """Opens the camera or file with OpenCV, or with imageio where that is missing."""
        source = self.source if deviceId is None else int(deviceId)
        try:
            import cv2
        except ImportError:
            self._reader = _imageio_frames(source)
            return _Info(str(source))
        capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
        if not capture.isOpened():
            raise MediaError("camera", "missing" if isinstance(source, int) else "other", str(source))
        for name, value in (("WIDTH", width), ("HEIGHT", height)):
            if value is not None:
                capture.set(getattr(cv2, f"CAP_PROP_FRAME_{name}"), value)
        if frameRate is not None:
            capture.set(cv2.CAP_PROP_FPS, frameRate)
        self._reader = _opencv_frames(capture)
        return _Info(str(source))

    def _next(self) -> np.ndarray:
        if self._reader is None:
            raise MediaError("camera", "stopped")
        frame = next(self._reader, None)
        if frame is None:
            if isinstance(self.source, int):
                raise MediaError("camera", "unplugged")
            raise VideoEnded(f"the video {self.source} has ended.")
        return frame

    def stop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


class VideoEnded(MediaError):
    """A video file has no more frames; a loop over it just ends."""

    def __init__(self, text: str):
        OSError.__init__(self, text)
        self.kind = "ended"


def _opencv_frames(capture: Any) -> Generator[np.ndarray, None, None]:
    try:
        while True:
            there, frame = capture.read()
            if not there:
                return
            yield np.ascontiguousarray(frame[..., ::-1])  # OpenCV has blue first
    finally:
        capture.release()


def _imageio_frames(source: int | str | os.PathLike[str]) -> Generator[np.ndarray, None, None]:
    try:
        import imageio.v3 as imageio
    except ImportError:
        raise ImportError(
            "webcam: on the desktop a camera or video file is read by OpenCV or imageio; "
            "install one: pip install opencv-python, or pip install \"imageio[pyav]\"."
        ) from None
    return imageio.imiter(f"<video{source}>" if isinstance(source, int) else source)
