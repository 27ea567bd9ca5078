"""Where somebody's nose, shoulders and hands are, in a photo or in live video.

In a terminal: `python demos/pose/pose.py PHOTO` (needs Pillow) prints the key points and writes PHOTO.pose.png.
"""

import json
import math

import numpy as np

from pyml import hub, ops
from pyml.export import export_zip_async
from pyml.hub.drawing import LEFT, MIDDLE, RIGHT, pose_shapes
from pyml.hub.pose import EDGES, KEYPOINTS, Keypoint, Pose

NETWORKS = ("movenet", "posenet")
SURE = 0.3  # least score of a point that is shown


class Finder:
    """Finds the key points of one person, with a network that is loaded when it is first chosen."""

    def __init__(self):
        self.loaded = {}
        self.before = None  # the pose of the last picture of a video

    async def network(self, name, progress=None):
        if name not in NETWORKS:
            raise ValueError(f"There is no network {name!r}; there are {' and '.join(NETWORKS)}.")
        if name not in self.loaded:
            self.loaded[name] = await getattr(hub, f"{name}_async")(progress)
        return self.loaded[name]

    async def find(self, picture, name="movenet", live=False):
        """The pose in a picture; with `live` points move smoothly from that of the picture before."""
        network = await self.network(name)
        pose = await network.estimate_async(picture)
        self.before = calmed(self.before, pose) if live and self.before is not None else pose
        return self.before

    async def export_page(self, files, name="movenet"):
        """A zip file with a page of `files`, texts by their names, and a network, which runs with no Python; as bytes."""
        network = await self.network(name)

        def pose(pictures):
            return places(network, pictures)

        colours = {"left": LEFT, "right": RIGHT, "middle": MIDDLE}
        facts = {"names": KEYPOINTS, "edges": EDGES, "colours": colours, "side": network.side, "sure": SURE,
                 "source": network.source, "licence": network.licence}  # fmt: skip
        square = np.zeros((1, network.side, network.side, 3), np.float32)
        pages = {**files, "pose.json": json.dumps(facts)}
        return await export_zip_async(pose, "pose", pages, inside="model", inputs=[square], weights="float16")


def places(network, pictures):
    """x, y and score of each point on the device, `(17, 3)`; x and y in pixels of the square that the network sees."""
    found = network.graph.execute(network._inputs(pictures), network.outputs)
    count = len(KEYPOINTS)
    if network.name == "movenet":
        y, x, score = ops.split(ops.reshape(found, (count, 3)), 3, axis=1)
        return ops.concatenate([x * float(network.side), y * float(network.side), score], axis=1)
    heat, offsets = found
    columns = heat.shape[2]
    cells = ops.reshape(heat, (-1, count))
    best = ops.argmax(cells, axis=0)
    own = np.eye(count, dtype=np.float32)  # of each point's row of offsets, its own
    moved = ops.take(ops.reshape(offsets, (-1, 2 * count)), best, axis=0)
    y = ops.cast(best // columns * network.stride, "float32") + ops.sum(moved[:, :count] * own, axis=1)
    x = ops.cast(best % columns * network.stride, "float32") + ops.sum(moved[:, count:] * own, axis=1)
    return ops.stack([x, y, ops.sigmoid(ops.max(cells, axis=0))], axis=1)


def calmed(before, now, reach=12.0):
    """The pose `now`, with points that moved less than `reach` pixels or so held back: a network trembles, people do not."""
    points = []
    for old, new in zip(before, now, strict=True):
        moved = math.hypot(new.x - old.x, new.y - old.y)
        part = 1.0 if old.score < SURE else min(1.0, 0.3 + moved / reach)
        points.append(Keypoint(new.name, old.x + part * (new.x - old.x), old.y + part * (new.y - old.y), new.score))
    return Pose(points)


def gestures(pose):
    """What the pose shows, in a few words for each: raised hands, bent arms, a tilted or turned head."""
    found = []
    seen = {point.name: point for point in pose if point.score >= SURE}

    def both(*names):
        return all(name in seen for name in names)

    for side in ("left", "right"):
        wrist, elbow, shoulder = f"{side}_wrist", f"{side}_elbow", f"{side}_shoulder"
        if both(wrist, shoulder) and seen[wrist].y < seen[shoulder].y:
            found.append(f"{side} hand up")
        if both(wrist, elbow, shoulder) and angle(seen[wrist], seen[elbow], seen[shoulder]) < 70:
            found.append(f"{side} arm bent")
    if both("left_eye", "right_eye"):
        left, right = seen["left_eye"], seen["right_eye"]
        tilt = math.degrees(math.atan2(left.y - right.y, abs(left.x - right.x) or 1e-9))
        if abs(tilt) > 15:
            found.append(f"head tilted to the {'left' if tilt > 0 else 'right'}")
    if both("nose") and ("left_ear" in seen) != ("right_ear" in seen):
        found.append(f"face turned to the {'right' if 'left_ear' in seen else 'left'}")
    return found


def angle(a, corner, b):
    """The angle at `corner` between two points, in degrees."""
    one, two = math.atan2(a.y - corner.y, a.x - corner.x), math.atan2(b.y - corner.y, b.x - corner.x)
    between = abs(math.degrees(one - two)) % 360
    return min(between, 360 - between)


def shown(pose, width, height):
    """Plain values for the page: lines and dots in parts of the picture's width and height, and what the pose shows."""
    shapes = pose_shapes(pose, SURE)
    return {
        "lines": [[x0 / width, y0 / height, x1 / width, y1 / height, colour] for x0, y0, x1, y1, colour in shapes["lines"]],
        "dots": [[x / width, y / height, colour, name] for x, y, colour, name in shapes["dots"]],
        "points": [{"name": p.name.replace("_", " "), "score": p.score} for p in pose],
        "gestures": gestures(pose),
        "score": pose.score,
    }


async def main(arguments=None):
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", nargs="?", help="a picture file (default: a photo of an astronaut)")
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    options = parser.parse_args(arguments)
    photo = options.photo or str(hub.photo("astronaut"))
    pose = await Finder().find(photo, options.network)
    for point in pose:
        print(f"{point.name:15} {point.x:6.0f} {point.y:6.0f}  {point.score:5.2f}")
    print("; ".join(gestures(pose)) or "no gesture")
    if options.photo:
        hub.draw_pose(photo, pose, SURE).save(f"{photo}.pose.png")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
