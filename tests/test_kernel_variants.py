"""Every branch of every hand-written kernel gives what numpy gives, alone and with more work in the same kernel.

`kernel_variants.py` finds the branches by asking the choosers; the tests here say that it finds them all.
"""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from every import every
from kernel_variants import PROFILES, Case, Variant, conditions_of, cover, hooks_of, switches_of, variant, variants
from test_kernels import FILES, run

from pyml.compile.plan import Plan, graph_key, make_plan
from pyml.compile.program import Bound, to_host
from pyml.core.tensor import as_node, upload
from pyml.dtypes import NUMPY
from pyml.graph import prims
from pyml.graph.node import Node
from pyml.graph.op import OPS, Routine
from pyml.graph.prims.fft import table
from pyml.graph.prims.keys import host_keys

# These need a canvas of a page; e2e/test_pixels.py compares them with the page's own pixels.
OF_PAGES = {"draw_pixels", "fit_pixels", "unpack_pixels"}
# Hooks that the choosers always fill in, or never: on a GPU neighbours load neighbours, so no thread adds up four columns.
GEMMS = ("gemm_reg", "gemm_tile", "gemm_tile_four", "gemm_tile_large")
ALWAYS = {(file, hook) for file in GEMMS for hook in ("load_a", "load_b", "out_index")}
ALWAYS |= {(file, "work") for file in ("fft_first4", "fft_pass", "fft_pass4")}
ALWAYS |= {("matmul_whole", "pair_b"), ("matmul_row_whole", "words_b"), ("matmul_row_four", "words_b")}
NEVER = {("scatter_add_rows", "put")}
STORES = {"store", "store4"}  # for what follows in the same kernel


def of(file: str) -> list[Variant]:
    return [v for v in variants() if v.file == file]


def named(chosen: list[Variant]) -> list:
    return [pytest.param(variants()[v], id=str(v)) for v in chosen]


# ---- which there are
def test_every_kernel_file_is_chosen_by_some_case():
    assert {v.file for v in variants()} == set(FILES) - OF_PAGES


@every("file", sorted(set(FILES) - OF_PAGES), blocks=1)
def test_every_switch_hook_and_condition_of_a_file_goes_both_ways(file):
    one_way = [s for s in switches_of(file) if {dict(v.switches).get(s) for v in of(file)} != {True, False}]
    one_way += [c for c in conditions_of(file) if {dict(v.ways)[c] for v in of(file)} != {True, False}]
    for hook in set(hooks_of(file)) - STORES:
        given = {hook in dict(v.hooks) for v in of(file)}
        expected = {True} if (file, hook) in ALWAYS else {False} if (file, hook) in NEVER else {True, False}
        one_way += [f"fn {hook}"] if given != expected else []
    assert not one_way, f"give kernel_variants.py a case in which these of {file} are otherwise"


def test_choosers_pick_no_variant_that_the_cases_miss():
    """Sizes drawn at random, far from those of the cases."""
    rng, missed = np.random.default_rng(0), {}
    for case in variants().values():
        for _ in range(20):
            other = _resized(case, rng)
            if other is not None and variant(other.spec()) not in variants():
                missed[str(variant(other.spec()))] = other
    assert not missed


def _resized(case: Case, rng: np.random.Generator) -> Case | None:
    """A case of the same op with other sizes; None for ops whose operands depend on each other in ways of their own."""
    names = list(PROFILES)
    profile = names[rng.integers(len(names))]
    if case.op in ("softmax", "log_softmax", "argmax", "argmin", "sort", "argsort"):
        shape = (int(rng.integers(1, 200)), int(rng.integers(1, 3000)))
        return Case(case.op, ((shape, case.operands[0][1]),), case.attrs, profile)
    if case.op == "matmul":
        m, n, k = (int(rng.integers(1, 400)) for _ in range(3))
        attrs = dict(case.attrs)
        a, b = ((k, m) if attrs["ta"] else (m, k)), ((n, k) if attrs["tb"] else (k, n))
        return Case("matmul", ((a, "float32"), (b, "float32")), case.attrs, profile)
    if case.op in ("avg_pool2d", "max_pool2d"):
        (_, h, w, _), dtype = case.operands[0]
        shape = (int(rng.integers(1, 9)), h + int(rng.integers(30)), w + int(rng.integers(30)), int(rng.integers(1, 80)))
        return Case(case.op, ((shape, dtype),), case.attrs, profile)
    if case.op == "conv2d":
        attrs = dict(case.attrs)
        (_, h, w, channels), filters = case.operands[0][0], case.operands[1][0][3]
        groups = attrs["groups"]
        more = 1 if groups > 1 else int(rng.integers(1, 9))
        x = (int(rng.integers(1, 9)), h + int(rng.integers(20)), w + int(rng.integers(20)), channels * more)
        kernel = (*case.operands[1][0][:2], channels * more // groups, filters)
        return Case("conv2d", ((x, "float32"), (kernel, "float32")), case.attrs, profile)
    return None


# ---- numbers
def of_device(device, case: Case) -> bool:
    """Whether a case is one of this device; the other one has a test of its own."""
    return case.profile.startswith("wasm") == (device.name == "wasm")


on_each = pytest.mark.parametrize("device", ["webgpu", "wasm"], indirect=True)


_BY_PLACE = {"gather", "scatter_add", "scatter_add_sorted", "scatter_add_parts", "scatter_by", "last_place", "last_place_sorted",
             "segment_runs", "segment_ends", "bincount"}  # fmt: skip


def arrays_of(case: Case) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    made = []
    for shape, dtype in case.operands:
        if case.op == "packed_matmul" and not made and dict(case.attrs)["exact"]:
            made.append(rng.integers(-128, 128, shape).astype(np.float32))
        elif dtype == "float32":
            made.append(rng.uniform(-1, 1, shape).astype(np.float32))
        elif dtype == "bool":
            made.append(rng.integers(0, 2, shape).astype(bool))
        elif case.op == "put_rows" and len(made) == 1:
            made.append(np.argsort(rng.uniform(size=shape), axis=1).astype(np.int32))
        elif case.op == "pick_rows" and len(made) == 1:
            made.append(rng.integers(0, made[0].shape[1], shape).astype(np.int32))
        elif case.op == "radix_move" and len(made) == 1:
            counts = {k: v for k, v in case.attrs if k != "last"}
            made.append(np.cumsum(OPS["radix_count"].numpy(made[0], **counts), axis=1, dtype=np.uint32))
        elif case.op in _BY_PLACE and len(shape) == 1 and dtype == "int32" and len(made) < 2:
            made.append(rng.integers(-1, 6, shape).astype(np.int32))  # some out of range
        elif case.op == "packed_matmul":
            made.append(rng.integers(-(2**31), 2**31, shape).astype(np.int32))
        elif case.op == "resample":
            made.append(prims.resample_table(np.array([0, 1, 3]), rng.uniform(-1, 1, (3, 2)), 5)[0])
        else:
            made.append(rng.integers(0, 2 if "lstm" in case.op or "gru" in case.op else 50, shape).astype(NUMPY[dtype]))
    if case.op == "search":
        made[0] = np.sort(host_keys(rng.choice(made[1].ravel(), made[0].size)))
    if case.op == "scatter_add_sorted":
        made[0] = np.argsort(made[1].view(np.uint32), kind="stable").astype(np.int32)
    if case.op in ("segment_runs", "segment_ends", "last_place_sorted"):  # rows in order, those of no row behind
        if case.op != "segment_ends":
            made[0] = np.argsort(made[0].view(np.uint32), kind="stable").astype(np.int32)
        keys = -2 if case.op != "last_place_sorted" else -1
        made[keys] = np.sort(made[keys].view(np.uint32)).view(np.int32)
    if case.op in ("max_pool2d_grad", "max_pool2d_pick"):
        made[1] = OPS["max_pool2d"].numpy(made[0], **dict(case.attrs))
    if case.op in ("fft", "fft_pass"):  # numpy knows the factors that kernels read
        form, shape = dict(case.attrs)["form"], case.operands[0][0]
        inside = shape[:-1] if form == "from pairs" else shape[1:]
        made[1] = table(inside[1] if case.op == "fft" else prod(inside[1:]))
    if case.op == "cholesky":
        made[0] = made[0] @ made[0].transpose(0, 2, 1) + np.eye(3, dtype=np.float32)
    return made


def same(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.shape == expected.shape and got.dtype == expected.dtype
    scale = max(1e-30, float(np.abs(expected.astype(np.float64)).max(initial=0)))
    np.testing.assert_allclose(got, expected, atol=1e-4 * scale, rtol=0)


@pytest.mark.slow  # each of them is met followed by more
@pytest.mark.every_device
@on_each
@every("case", lambda: named([*variants()]), blocks=5)
def test_a_variant_of_a_kernel_matches_numpy(device, case):
    if not of_device(device, case):
        return
    arrays = arrays_of(case)
    expected = OPS[case.op].numpy(*arrays, **dict(case.attrs))
    same(run(device, case.node(), arrays, PROFILES[case.profile]), expected.astype(NUMPY[case.node().dtype]))


def followed(node: Node) -> Node:
    """More work at the same elements, which joins the kernel."""
    if node.dtype == "bool":
        return prims.logical_not(node)
    return node + 1 if node.dtype != "float32" else node * 0.5 + 1


def planned(root: Node, case: Case) -> tuple[Plan, list[Node]]:
    _, leaves, _ = graph_key([root], lift=False)
    return make_plan([root], PROFILES[case.profile], leaves), leaves


def files_followed(plan: Plan, case: Case) -> set[str]:
    """The kernel files that have something to do behind their own result."""
    groups = [k.group for k in plan.kernels if k.group.kind == "routine" and k.group.members]
    anchors = [g.anchors[0] for g in groups]
    return {a.op.spec(a, PROFILES[case.profile]).file for a in anchors if isinstance(a.op, Routine)}


def matches_numpy_and_is_followed(device, case, monkeypatch):
    if not of_device(device, case):
        return
    monkeypatch.setattr(device, "profile", PROFILES[case.profile])
    arrays = arrays_of(case)
    y = OPS[case.op].numpy(*arrays, **dict(case.attrs))
    expected = ~y if y.dtype == bool else y + np.ones((), y.dtype) if y.dtype.kind != "f" else y * 0.5 + 1
    root = followed(OPS[case.op](*map(upload, arrays), **dict(case.attrs)))
    plan, leaves = planned(root, case)
    bound = Bound(plan, device, [n.buffer for n in leaves])
    bound.run()
    same(to_host(device.sync_wait(device.read(bound.at(plan.out_refs[0]), root.size * 4)), root), expected.astype(NUMPY[root.dtype]))


@pytest.mark.every_device
@on_each
@every("case", lambda: named(cover()), blocks=3)
def test_a_variant_followed_by_more_matches_numpy(device, case, monkeypatch):
    """Some variants, in which every branch of every file is taken and left."""
    matches_numpy_and_is_followed(device, case, monkeypatch)


@pytest.mark.slow
@pytest.mark.every_device
@on_each
@every("case", lambda: named([v for v in variants() if v not in cover()]), blocks=3)
def test_any_other_variant_followed_by_more_matches_numpy(device, case, monkeypatch):
    matches_numpy_and_is_followed(device, case, monkeypatch)


def test_every_kernel_file_is_followed_by_more_in_some_case():
    met = set()
    for case in variants().values():
        root = followed(OPS[case.op](*(as_node(np.ones(shape, NUMPY[dtype])) for shape, dtype in case.operands), **dict(case.attrs)))
        met |= files_followed(planned(root, case)[0], case)
    assert met == {v.file for v in variants()}
