"""Drawing a pose: as plain lines and dots that a page can draw, or on a copy of the picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.browser import to_pixels
from pyml.errors import to_install
from pyml.hub.pictures import open_picture, pixels
from pyml.hub.pose import Pose

LEFT, RIGHT, MIDDLE = "#ff9e2c", "#2cb5ff", "#ffffff"


def pose_shapes(pose: Pose, min_score: float = 0.3, scale: float = 1.0) -> dict[str, list]:
    """A pose as lines and dots, of plain values that go to a page as they are.

    Args:
        pose: What `estimate` returned.
        min_score: Points below are left out, and lines to them.
        scale: The size of the drawing, as a part of that of the picture.

    Returns:
        A dict of `lines`, each `[x0, y0, x1, y1, colour]`, and `dots`, each `[x, y, colour, name]`.
        The person's left is orange, the right blue.

    Example:
        for (const [x0, y0, x1, y1, colour] of shapes.lines) { … context.lineTo(x1, y1) … }    // in the page
    """
    lines = [
        [a.x * scale, a.y * scale, b.x * scale, b.y * scale, _colour(a.name, b.name)] for a, b in pose.edges(min_score)
    ]
    dots = [[p.x * scale, p.y * scale, _colour(p.name), p.name] for p in pose if p.score >= min_score]
    return {"lines": lines, "dots": dots}


def _colour(*names: str) -> str:
    sides = {name.partition("_")[0] for name in names} & {"left", "right"}
    return MIDDLE if len(sides) != 1 else LEFT if sides == {"left"} else RIGHT


def draw_pose(image: Any, pose: Pose, min_score: float = 0.3) -> Any:
    """A copy of a picture with the pose on it, as a Pillow image.

    Args:
        image: A Pillow image, a path, an array or a tensor of values from 0 to 255.
        pose: What `estimate` returned for it.
        min_score: As in `pose_shapes`.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise ImportError(f"draw_pose: drawing on a picture needs Pillow; `{to_install('pillow')}`.") from None
    if hasattr(image, "getbands"):
        picture = image.convert("RGB")
    elif isinstance(image, (str, bytes)) or hasattr(image, "__fspath__"):
        picture = open_picture(image, "draw_pose")
    else:
        values = np.clip(pixels(image, "draw_pose").numpy(), 0, 255) / 255
        picture = Image.fromarray(to_pixels(values.astype("float32"))[..., :3].copy())
    pencil, width = ImageDraw.Draw(picture), max(2, round(max(picture.size) / 150))
    shapes = pose_shapes(pose, min_score)
    for x0, y0, x1, y1, colour in shapes["lines"]:
        pencil.line((x0, y0, x1, y1), colour, width)
    for x, y, colour, _ in shapes["dots"]:
        pencil.ellipse((x - 1.5 * width, y - 1.5 * width, x + 1.5 * width, y + 1.5 * width), colour, "#000000")
    return picture
