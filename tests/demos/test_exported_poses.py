"""What the pose demo leaves behind when it is exported: places that the device itself computes, and poses read in JavaScript."""

import json
import subprocess

import numpy as np
import pytest

import pyml
from pyml import hub, paths
from pyml.hub import store
from pyml.hub.drawing import LEFT, MIDDLE, RIGHT
from pyml.hub.pose import EDGES, KEYPOINTS, Keypoint, Pose

READ = """
import { calmed, shown } from "POSES_URL";
let text = "";
for await (const chunk of process.stdin) text += chunk;
const { poses, size, about } = JSON.parse(text);
let before = null;
console.log(JSON.stringify(poses.map((pose) => {
  before = before ? calmed(before, pose, about.sure, 12) : pose;
  return shown(before, size, about);
})));
"""


def test_poses_without_python_show_the_same(demo_module):
    demo, pick, size = demo_module("pose", "pose"), np.random.default_rng(2), (384, 288)
    poses, wanted, before = [], [], None
    places = pick.uniform(0, 280, (17, 2))
    for step in range(12):
        places = places + pick.normal(0, 3, places.shape) if step % 4 else pick.uniform(0, 280, (17, 2))
        pose = Pose(
            [
                Keypoint(name, *place, score)
                for name, place, score in zip(KEYPOINTS, places.tolist(), pick.uniform(0, 1, 17).tolist(), strict=True)
            ]
        )
        before = demo.calmed(before, pose) if before else pose
        poses.append([point._asdict() for point in pose])
        wanted.append(demo.shown(before, *size))
    about = {"sure": demo.SURE, "edges": EDGES, "colours": {"left": LEFT, "right": RIGHT, "middle": MIDDLE}}
    code = READ.replace("POSES_URL", (paths.checkout() / "demos" / "pose" / "poses.js").as_uri())
    given = json.dumps({"poses": poses, "size": size, "about": about})
    done = subprocess.run(["node", "--input-type=module", "-e", code], input=given, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert len({gesture for one in wanted for gesture in one["gestures"]}) >= 5
    for own, python in zip(found, wanted, strict=True):
        assert own["gestures"] == python["gestures"] and own["points"] == python["points"]
        assert own["score"] == pytest.approx(python["score"])
        for part in ("lines", "dots"):
            assert len(own[part]) == len(python[part])
            for a, b in zip(own[part], python[part], strict=True):
                assert [pytest.approx(value) if isinstance(value, float) else value for value in b] == a


@pytest.mark.slow
@pytest.mark.parametrize("name", ["movenet", "posenet"])
def test_the_device_computes_the_places_of_the_points(demo_module, name):
    if store.folder_of(name) is None or store.folder_of("photos") is None:
        pytest.skip(f"{name} and the photos were not fetched; `make models` does it")
    from PIL import Image

    demo, network = demo_module("pose", "pose"), getattr(hub, name)()
    with Image.open(hub.photo("astronaut")) as photo:
        picture = np.asarray(photo.convert("RGB").resize((network.side, network.side)), np.float32)
    found = pyml.program(lambda x: demo.places(network, x))(pyml.ops.convert_to_tensor(picture[None]))
    np.testing.assert_allclose(found.numpy(), network.estimate(picture).as_array(), rtol=1e-5, atol=1e-3)
