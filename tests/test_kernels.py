"""Hand-written kernels: every file compiles as it stands, and every routine matches numpy in every family."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from every import every

from pyml.compile import kernels
from pyml.compile.canonical import Canonical
from pyml.core.tensor import Tensor, as_node
from pyml.device.base import DeviceKernel, Dispatch
from pyml.device.wasm import WasmDevice
from pyml.dtypes import NUMPY
from pyml.errors import KernelError
from pyml.graph.node import Node, toposort
from pyml.graph.op import OPS, Profile
from pyml.graph.prims import INPUT, choose, conv, long_windows, move

FILES = sorted(path.stem for path in kernels.folder().glob("*.wgsl"))
PROFILES = {
    "register": Profile("register", threads=1024),
    "tile": Profile("tile", threads=65536),
    "wasm": WasmDevice.profile,
    "tile, a small GPU": Profile("tile", threads=512),  # takes the largest tiles that a result can fill
}


# `test_kernel_variants.py` takes each branch on a small GPU too.
WITH_A_SMALL_GPU_SLOW = [pytest.param(f, marks=pytest.mark.slow) if f == "tile, a small GPU" else f for f in PROFILES]


@pytest.fixture
def device(request, family):
    """Where kernels of a family run."""
    return request.getfixturevalue("wasm" if family == "wasm" else "gpu")


def leaf(array):
    return Node(INPUT, (), {}, array.shape, str(array.dtype))


def random(seed, *shape):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def run(device, node: Node, arrays, profile: Profile):
    """The value of one routine node, by its kernel on the device."""
    spec = node.op.spec(node, profile)
    assert max(spec.grid) <= 65535 and min(spec.grid) >= 1, spec.grid
    source = kernels.fill(spec.file, spec.params, spec.hooks, spec.operands)
    kernel = DeviceKernel(node.op.name, source, ("read",) * len(arrays) + ("read_write",), spec.grid)
    buffers = []
    for a in arrays:
        a = a.astype(np.uint32) if a.dtype == np.bool_ else a
        buffers.append(device.alloc(-(-a.nbytes // 16) * 16))
        device.write(buffers[-1], a)
    dtype = NUMPY["uint32"] if node.dtype == "bool" else NUMPY[node.dtype]
    out = device.alloc(-(-node.size * 4 // 16) * 16)
    device.write(out, np.full(-(-node.size // 4) * 4, 7, dtype))  # so that an element left out shows
    device.sync_wait(device.prepare([kernel]))
    device.replay(device.record([Dispatch(kernel, (*buffers, out))]))
    data = device.sync_wait(device.read(out, node.size * 4))
    return np.frombuffer(data, dtype)[: node.size].reshape(node.shape).astype(NUMPY[node.dtype])


def check(device, op, arrays, attrs, profile: Profile):
    """The kernel, and where the op is split its parts added up, against numpy."""
    node = op(*(leaf(a) for a in arrays), **attrs)
    expected = op.numpy(*arrays, **attrs)
    assert expected.shape == node.shape
    scale = max(1e-30, float(np.abs(expected.astype(np.float64)).max()))
    results = [run(device, node, arrays, profile)]
    lowered = op.lower(node, profile) if op.lower else None
    if profile.family == "wasm":  # as programs run it, packed or split
        results.append(Tensor(op(*map(as_node, arrays), **attrs)).numpy())
    elif lowered is not None and lowered.op is OPS["reduce_sum"]:
        parts = lowered.src[0]
        results.append(run(device, parts, arrays, profile).sum(0))
        np.testing.assert_allclose(parts.op.numpy(*arrays, **parts.attrs).sum(0), expected, atol=1e-4 * scale)
    for result in results:
        np.testing.assert_allclose(result, expected, atol=1e-4 * scale, rtol=0)


@every("file", FILES)
def test_a_kernel_file_compiles_as_it_stands(gpu, file):
    source = kernels.read(file)
    kinds = re.findall(r"@binding\(\d+\) var(?:<storage, (\w+)>)? \w+: (texture\w*)?", source)
    bindings = tuple(mode or {"texture_2d": "texture", "texture_storage_2d": "canvas"}[texture] for mode, texture in kinds)
    assert len(bindings) == source.count("@group(0)")
    gpu.sync_wait(gpu.prepare([DeviceKernel(file, source, bindings, (1, 1, 1))]))
    header = source[: source.index("const ")]
    assert all(word in header for word in ("reads", "writes", "grid", "shared", "limits", "source")), header


def has_kernel(op, arrays, attrs):
    """Whether a device computes it: what has no kernel is made of others, or the host's, as what one thread would turn too often for is."""
    return op.kernel is not None and not (op.host is not None and op.host(op(*map(leaf, arrays), **attrs), PROFILES["tile"]))


# `test_op_table.py` has the others.
ROUTINES = [(op.name, i) for op in OPS.values() if op.kind == "routine" for i, sample in enumerate(op.samples) if has_kernel(op, *sample)]


@pytest.mark.few(3)
@pytest.mark.parametrize("family", WITH_A_SMALL_GPU_SLOW)
@every("name, sample", ROUTINES, blocks=3)
def test_a_routine_matches_numpy_on_its_samples(device, family, name, sample):
    op = OPS[name]
    check(device, op, *op.samples[sample], PROFILES[family])


PLAIN = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
SIZES = [(1, 3, 5), (7, 1, 2), (127, 127, 127), (64, 128, 100), (5, 8, 4), (1, 40, 64), (66, 12, 700), (130, 132, 20), (4, 4, 2100)]


@pytest.mark.few(3)
@pytest.mark.parametrize("family", PROFILES)
@every("transposed, size", [((ta, tb), size) for size in SIZES for tb in (False, True) for ta in (False, True)], blocks=3)
def test_matmul_of_any_size_and_transpose_matches_numpy(device, family, transposed, size):
    (ta, tb), (m, n, k) = transposed, size
    a, b = random(0, *((k, m) if ta else (m, k))), random(1, *((n, k) if tb else (k, n)))
    check(device, OPS["matmul"], (a, b), {"ta": ta, "tb": tb}, PROFILES[family])


@pytest.mark.parametrize(
    "tile",
    [t if i in (0, 8) else pytest.param(t, marks=pytest.mark.slow) for i, t in enumerate(choose.TILES)],
    ids=lambda t: f"{8 * t.ty}x{8 * t.tx}x{t.slices}",
)
def test_a_product_of_vectors_by_any_tile_matches_numpy(gpu, tile, monkeypatch):
    monkeypatch.setattr(choose, "tile_of", lambda *sizes: tile)
    (m, n, k), ta, tb = (140, 136, 100), tile.tx % 8 == 0, tile.ty % 8 == 0  # more than one workgroup either way, none of the last full
    a, b = random(0, *((k, m) if ta else (m, k))), random(1, *((n, k) if tb else (k, n)))
    check(gpu, OPS["matmul"], (a, b), {"ta": ta, "tb": tb}, PROFILES["tile"])


def test_tiles_of_vectors_keep_to_the_limits_of_every_browser():
    for t in choose.TILES:
        quads = t.bk * (t.tx + t.ty) // 2  # blocks of four by four that a slice brings in a step
        assert t.threads <= 256 and t.shared <= 16384 and quads <= t.tx * t.ty and t.bk % 4 == 0
    small = Profile("tile", max_invocations=64, max_shared=8192)
    assert choose.tile_of(1024, 1024, 1024, 1, small).threads <= 64


def test_a_gpu_gets_workgroups_enough_for_what_it_has():
    """ResNet-18's filter gradients and forward passes, a book's first convolution: none leaves half of a GPU idle."""
    profile = Profile()
    for m, n, k in ((65536, 64, 576), (16384, 128, 1152), (4096, 256, 2304), (1024, 512, 4608), (512, 512, 512)):
        tile = choose.tile_of(m, n, k, 1, profile)
        assert tile.groups(m, n) * tile.threads >= profile.threads // 2
    for rows, filters, pixels in ((576, 64, 65536), (1152, 128, 16384), (2304, 256, 4096), (4608, 512, 1024)):
        parts = choose.filter_splits(rows, filters, pixels, 1, True, profile)
        tile = choose.tile_of(rows, filters, choose.chunk_of(pixels, parts), parts, profile)
        assert parts * tile.groups(rows, filters) * tile.threads >= profile.threads // 2
    assert choose.filter_splits(25, 8, 512 * 24 * 24, 1, False, profile) >= 512


@pytest.mark.parametrize("family", PROFILES)
def test_grids_longer_than_an_axis_are_folded(device, family, monkeypatch):
    monkeypatch.setattr(choose, "_AXIS", 3)
    monkeypatch.setattr(choose, "width", lambda threads, profile: 4)
    profile = PROFILES[family]
    check(device, OPS["matmul"], (random(0, 5, 70, 12), random(1, 5, 12, 40)), {"ta": False, "tb": False}, profile)
    check(device, OPS["matmul"], (random(0, 70, 13), random(1, 13, 33)), {"ta": False, "tb": False}, profile)
    check(device, OPS["conv2d"], (random(0, 2, 9, 9, 4), random(1, 3, 3, 4, 8)), PLAIN, profile)
    check(device, OPS["conv2d_filter_grad"], (random(0, 2, 9, 9, 4), random(1, 2, 7, 7, 8)), PLAIN | {"kernel_hw": (3, 3)}, profile)
    check(device, OPS["max_pool2d"], (random(0, 2, 9, 9, 4),), {"size": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}, profile)
    check(device, OPS["softmax"], (random(0, 17, 40),), {}, profile)
    check(device, OPS["argmax"], (random(0, 17, 40),), {}, profile)


CONVOLUTIONS = {  # input, (kernel height, width, filters), attributes
    "one channel": ((3, 9, 8, 1), (5, 5, 8), {}),
    "three channels, padded": ((2, 7, 9, 3), (3, 3, 12), {"padding": ((1, 1), (1, 1))}),
    "vectors": ((2, 7, 5, 8), (3, 3, 4), {}),
    "vectors, padded, strided": ((2, 8, 9, 4), (3, 3, 16), {"padding": ((0, 1), (1, 1)), "strides": (2, 2)}),
    "odd counts": ((1, 5, 5, 7), (2, 3, 5), {"padding": ((1, 0), (1, 1))}),
    "pointwise": ((2, 5, 3, 8), (1, 1, 12), {}),
    "whole strides": ((2, 8, 6, 4), (3, 3, 8), {"strides": (2, 2), "padding": ((0, 1), (0, 1))}),
    "whole strides, in groups": ((3, 12, 6, 6), (4, 2, 4), {"strides": (3, 2), "padding": ((1, 1), (0, 1)), "groups": 2}),
    "pointwise, strided": ((1, 5, 7, 8), (1, 1, 4), {"strides": (2, 3)}),
    "dilated": ((1, 9, 9, 4), (3, 2, 8), {"dilation": (2, 3), "padding": ((2, 2), (0, 3))}),
    "groups": ((2, 6, 6, 12), (3, 3, 8), {"groups": 4, "padding": ((1, 1), (1, 1))}),
    "depthwise": ((2, 7, 6, 8), (3, 3, 8), {"groups": 8, "padding": ((1, 1), (1, 1))}),
    "depthwise, strided": ((1, 9, 8, 4), (3, 3, 4), {"groups": 4, "strides": (2, 2), "padding": ((0, 1), (0, 1))}),
    "depthwise, odd": ((1, 5, 5, 3), (3, 3, 6), {"groups": 3}),
    "a window of the whole image": ((2, 4, 4, 4), (4, 4, 8), {}),
    "many pixels, few filters": ((4, 20, 20, 2), (3, 3, 4), {}),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("family", WITH_A_SMALL_GPU_SLOW)
@every("case", CONVOLUTIONS, blocks=3)
def test_convolution_and_its_gradients_match_numpy(device, family, case):
    x_shape, (kh, kw, filters), more = CONVOLUTIONS[case]
    attrs, profile = PLAIN | more, PROFILES[family]
    x, w = random(0, *x_shape), random(1, kh, kw, x_shape[3] // attrs["groups"], filters)
    dy = random(2, *OPS["conv2d"].shape(x.shape, w.shape, **attrs))
    check(device, OPS["conv2d"], (x, w), attrs, profile)
    check(device, OPS["conv2d_input_grad"], (dy, w), attrs | {"input_hw": x_shape[1:3]}, profile)
    check(device, OPS["conv2d_filter_grad"], (x, dy), attrs | {"kernel_hw": (kh, kw)}, profile)


POOLS = {
    "apart": ((2, 6, 4, 8), (2, 2), (2, 2), ((0, 0), (0, 0))),
    "apart, cells left over": ((1, 7, 5, 3), (2, 2), (2, 2), ((0, 0), (0, 0))),
    "apart, padded below": ((1, 5, 7, 4), (2, 3), (2, 3), ((0, 1), (0, 2))),
    "overlapping": ((2, 6, 7, 4), (3, 3), (2, 2), ((1, 1), (1, 1))),
    "sparse": ((1, 9, 8, 2), (2, 1), (3, 3), ((0, 0), (0, 0))),
    "the whole image": ((3, 4, 4, 5), (4, 4), (1, 1), ((0, 0), (0, 0))),
}


@pytest.mark.parametrize("family", ["register", "tile", "wasm"])
@every("case, ties", [*itertools.product(POOLS, [False, True])], blocks=2)
def test_pools_and_their_gradients_match_numpy(device, family, ties, case):
    shape, size, strides, padding = POOLS[case]
    attrs, profile = {"size": size, "strides": strides, "padding": padding}, PROFILES[family]
    x = np.round(random(0, *shape)) if ties else random(0, *shape)
    y = OPS["max_pool2d"].numpy(x, **attrs)
    d, v = random(1, *y.shape), random(2, *shape)
    check(device, OPS["max_pool2d"], (x,), attrs, profile)
    check(device, OPS["max_pool2d_grad"], (x, y, d), attrs, profile)
    check(device, OPS["max_pool2d_pick"], (x, y, v), attrs, profile)
    check(device, OPS["avg_pool2d"], (x,), attrs, profile)
    check(device, OPS["avg_pool2d_grad"], (d,), attrs | {"input_hw": shape[1:3]}, profile)
    check(device, OPS["max_pool2d"], ((x * 9).astype(np.int32),), attrs, profile)


@pytest.mark.parametrize("family", ["register", "tile", "wasm"])
def test_max_pool_passes_a_nan_on(device, family):
    x = random(0, 1, 4, 4, 4)
    x[0, 1, 1, 2] = np.nan
    attrs = {"size": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
    y = run(device, OPS["max_pool2d"](leaf(x), **attrs), (x,), PROFILES[family])
    assert np.isnan(y[0, 0, 0, 2]) and np.isnan(y).sum() == 1


@pytest.mark.parametrize("family", ["register", "tile", "wasm"])
def test_a_nan_before_a_tanh_reaches_what_sequences_give(device, family):
    for name, gates in (("lstm", 4), ("lstm_grad", 4), ("gru", 3), ("gru_grad", 3)):
        op = OPS[name]
        arrays = [np.array(a) for a in op.samples[0][0]]
        into = arrays[1 if name.endswith("grad") else 0]  # gates before their functions, of which the third has the tanh
        into[0, 0, 2 * into.shape[2] // gates + 1] = np.nan
        expected = op.numpy(*arrays)
        assert np.isnan(expected).any()
        np.testing.assert_array_equal(np.isnan(run(device, op(*map(leaf, arrays)), arrays, PROFILES[family])), np.isnan(expected))


@pytest.mark.parametrize("family", ["register", "tile", "wasm"])
@pytest.mark.parametrize("shape", [(1, 1), (70, 10), (3, 1000), (9, 33), (2, 64)])
def test_row_operations_match_numpy(device, family, shape):
    x, profile = random(0, *shape) * 20, PROFILES[family]
    for name in ("softmax", "log_softmax", "argmax", "argmin"):
        check(device, OPS[name], (x,), {}, profile)
    for name in ("argmax", "argmin"):
        check(device, OPS[name], (np.round(x / 8).astype(np.int32),), {}, profile)  # ties
        check(device, OPS[name], (np.round(x / 8).astype(np.int32).view(np.uint32),), {}, profile)
    if shape[1] > 4:
        x[0, [2, 4]] = np.nan
        check(device, OPS["argmax"], (x,), {}, profile)
        check(device, OPS["argmin"], (x,), {}, profile)


@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_long_rows_of_whole_numbers_are_searched_in_parts_that_nothing_in_the_last_one_wins(gpu, dtype):
    ends = np.iinfo(dtype)
    for op, value in (("argmax", ends.min), ("argmin", ends.max)):
        x = np.full((2, 20_011), value, dtype)
        x[1, 17_000] = 7
        np.testing.assert_array_equal(Tensor(OPS[op](as_node(x))).numpy(), [0, 17_000])


def test_a_name_that_a_kernel_file_does_not_have_is_refused():
    for params, hooks in (({"NOTHING": 1}, {}), ({}, {"nothing": "return 1;"})):
        with pytest.raises(KernelError, match=r"kernels_wgsl/softmax_core\.wgsl has no marked line for (NOTHING|nothing)\."):
            kernels.fill("softmax_core", params, hooks)


@pytest.mark.parametrize("family", ["register", "tile", "wasm"])
@pytest.mark.parametrize("columns", [7, 100])
def test_softmax_of_rows_that_are_not_finite_is_as_in_numpy(device, family, columns):
    x = random(0, 6, columns)
    x[0, 1], x[1, 2], x[2, :], x[3, 4], x[4, 0] = np.nan, np.inf, -np.inf, -np.inf, 1e30
    x[4, 1] = -1e30
    for name in ("softmax", "log_softmax"):
        op = OPS[name]
        with np.errstate(all="ignore"):
            expected = op.numpy(x)
        np.testing.assert_allclose(run(device, op(leaf(x)), (x,), PROFILES[family]), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("family", ["register", "tile", "wasm"])
@every("shape, dtype", [*itertools.product([(5, 4), (6, 3), (3,), (4, 2, 6)], ["float32", "int32", "uint32", "bool"])], blocks=2)
def test_gather_and_scatter_match_numpy(device, family, dtype, shape):
    rng, profile = np.random.default_rng(0), PROFILES[family]
    x = rng.integers(0, 50, shape).astype(NUMPY[dtype])
    indices = rng.integers(-1, shape[0] + 1, (3, 3)).astype(np.int32)
    check(device, OPS["gather"], (x, indices), {}, profile)
    computed = OPS["gather"](as_node(x), OPS["neg"](as_node(-indices)))  # places that a kernel computes are looked up there
    np.testing.assert_array_equal(Tensor(computed).numpy(), OPS["gather"].numpy(x, indices))
    if dtype != "bool":
        updates = rng.integers(0, 50, (3, 3, *shape[1:])).astype(NUMPY[dtype])
        check(device, OPS["scatter_add"], (indices, updates), {"rows": shape[0]}, profile)
        indices, updates = indices.ravel(), updates.reshape(9, *shape[1:])
        order = np.argsort(indices.view(np.uint32), kind="stable").astype(np.int32)
        check(device, OPS["scatter_add_sorted"], (order, indices, updates), {"rows": shape[0]}, profile)


@pytest.mark.parametrize("count", [pytest.param(2000, id="tile, sorted by a workgroup"), pytest.param(2400, id="tile, sorted in passes")])
def test_rows_that_many_indices_add_up_to_are_found_by_their_order(gpu, count):
    """An Embedding's gradient looked at every index for every row: 128 million looks for 20,000 rows and 6,400 indices."""
    rng = np.random.default_rng(0)
    shape = (count // 40, 40)
    indices, updates = rng.integers(-5, 3005, shape).astype(np.int32), rng.integers(-9, 9, (*shape, 4)).astype(np.float32)
    found = Tensor(OPS["scatter_add"](as_node(indices), as_node(updates), rows=3000))
    np.testing.assert_array_equal(found.numpy(), OPS["scatter_add"].numpy(indices, updates, rows=3000))


@pytest.mark.parametrize(("family", "rows", "sorts"), [
    ("tile", 2560, False), ("tile", 3000, True), ("register", 40, False), ("register", 80, True), ("wasm", 20_000, False),
])  # fmt: skip
def test_indices_are_sorted_where_looking_at_each_for_every_row_costs_more(family, rows, sorts):
    op = OPS["scatter_add"]
    node = op(as_node(np.zeros(6400, np.int32)), as_node(np.zeros((6400, 1 if family == "tile" else 32), np.float32)), rows=rows)
    made = Canonical(PROFILES[family], list(node.src))([node])
    assert ("scatter_add_sorted" in {n.op.name for n in toposort(made)}) == sorts


def test_a_window_in_parts_and_a_padding_that_a_convolution_takes_over_give_what_they_are_made_of(cpu):
    image = random(0, 1, 3, 40, 2)
    for op, lowest, mean in ((OPS["max_pool2d"], -np.inf, False), (OPS["avg_pool2d"], 0, True)):
        whole = op(as_node(image), size=(1, 20), strides=(1, 7), padding=((0, 0), (9, 4)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(long_windows, "LARGEST", 12)
            parts = long_windows.pool_in_parts(op, whole, lowest, mean)
        np.testing.assert_allclose(Tensor(parts).numpy(), Tensor(whole).numpy(), rtol=1e-6)
    attrs = PLAIN | {"padding": ((1, 0), (0, 2))}
    padded = OPS["conv2d"](move.pad(as_node(image), ((0, 0), (0, 1), (2, 0), (0, 0))), as_node(random(1, 2, 3, 2, 4)), **attrs)
    inner = conv._absorb_pad(padded)
    assert inner is not None and inner.attrs["padding"] == ((1, 1), (2, 2))
    np.testing.assert_array_equal(Tensor(inner).numpy(), Tensor(padded).numpy())
    assert conv.conv2d(as_node(image), as_node(random(1, 2, 3, 2, 4))).shape == (1, 2, 38, 4)  # by itself without zeros around
