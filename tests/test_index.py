"""View algebra: the index maps of movement ops against numpy indexing."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pyml
from pyml.compile.wgsl import index_text
from pyml.graph import prims
from pyml.graph.index import Var, coordinates, linear, variable
from pyml.graph.node import Node, toposort
from pyml.graph.prims import BUFFER

shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@given(shapes, st.data())
@settings(max_examples=200, deadline=None)
def test_quotients_and_remainders_simplify_to_the_same_integers(shape, data):
    i = variable(Var("i", prod(shape)))
    factor, offset = data.draw(st.integers(1, 6)), data.draw(st.integers(0, 9))
    e = i * factor + offset
    k = data.draw(st.integers(1, 12))
    values = np.arange(prod(shape))
    raw = values * factor + offset
    np.testing.assert_array_equal(np.broadcast_to((e // k).evaluate({"i": values}), raw.shape), raw // k)
    np.testing.assert_array_equal(np.broadcast_to((e % k).evaluate({"i": values}), raw.shape), raw % k)
    back = linear(coordinates(i, shape), shape)
    assert back.key == i.key


def test_equal_indices_are_divided_once():
    first, second = (variable(Var("i", 100)) * 6 + variable(Var("j", 50)) for _ in range(2))
    assert first is not second and first // 7 is second // 7 and first % 7 is second % 7
    assert first // 7 is not (variable(Var("j", 50)) + variable(Var("i", 100)) * 6) // 7  # its text has another order


def _leaf(shape):
    return Node(BUFFER, (), {"shape": shape}, shape, "float32")


@st.composite
def chains(draw):
    """A leaf and up to four random movements on it."""
    shape = draw(shapes)
    leaf = node = _leaf(shape)
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["permute", "reshape", "broadcast", "slice", "flip", "pad", "concat"]))
        n = node.shape
        if kind == "permute":
            node = prims.permute(node, draw(st.permutations(range(len(n)))))
        elif kind == "reshape":
            flat = prod(n)
            divisor = draw(st.sampled_from([d for d in range(1, flat + 1) if flat % d == 0]))
            node = prims.reshape(node, draw(st.sampled_from([(flat,), (divisor, flat // divisor), (1, flat // divisor, divisor)])))
        elif kind == "broadcast":
            node = prims.broadcast_to(node, (draw(st.integers(1, 3)), *n))
        elif kind == "slice":
            start = [draw(st.integers(0, m - 1)) for m in n]
            stop = [draw(st.integers(a + 1, m)) for a, m in zip(start, n, strict=True)]
            node = prims.slice_(node, start, stop, [draw(st.integers(1, 3)) for _ in n])
        elif kind == "flip":
            node = prims.flip(node, draw(st.lists(st.sampled_from(range(len(n))), unique=True, min_size=1)))
        elif kind == "pad":
            node = prims.pad(node, [(draw(st.integers(0, 2)), draw(st.integers(0, 2))) for _ in n], -1.0)
        else:
            node = prims.concat([node, prims.flip(node, (0,))], draw(st.integers(0, len(n) - 1)))
    return leaf, node


def _numpy(leaf, node, array):
    env = {id(leaf): array}
    for n in toposort([node]):
        if id(n) not in env:
            env[id(n)] = np.asarray(n.op.numpy(*(env[id(s)] for s in n.src), **n.attrs))
    return env[id(node)]


def _by_index(leaf, node, array, at, values):
    """The element of `node` at index expression `at`, following the index maps."""
    if node is leaf:
        index = np.asarray(at.evaluate(values)) % (1 << 32)
        return array.reshape(-1)[np.minimum(index, array.size - 1)]  # a masked-out index may be anything
    found = node.op.index(coordinates(at, node.shape), *(s.shape for s in node.src), **node.attrs)
    result = None
    for s, (coords, tests, otherwise) in reversed(list(zip(node.src, found, strict=False))):
        value = _by_index(leaf, s, array, linear(coords, s.shape), values)
        if otherwise is not None:
            result = np.full(np.shape(value), otherwise)
        if result is None:
            result = value
            continue
        test = np.True_
        for e, size in tests:
            test = test & ((np.asarray(e.evaluate(values)) % (1 << 32)) < size)
        result = np.where(test, value, result)
    return result


@given(chains())
@settings(max_examples=300, deadline=None)
def test_index_maps_find_the_elements_numpy_finds(chain):
    leaf, node = chain
    array = np.arange(1, leaf.size + 1, dtype=np.float32).reshape(leaf.shape)
    expected = _numpy(leaf, node, array)
    assert expected.shape == node.shape
    values = {"i": np.arange(node.size)}
    got = _by_index(leaf, node, array, variable(Var("i", node.size)), values)
    np.testing.assert_array_equal(np.broadcast_to(got, (node.size,)), expected.reshape(-1))
    # by lanes of four, as vector kernels read
    quads = -(-node.size // 4)
    lanes = variable(Var("v", quads)) * 4 + variable(Var("lane", 4))
    values = {"v": np.repeat(np.arange(quads), 4), "lane": np.tile(np.arange(4), quads)}
    got = np.broadcast_to(_by_index(leaf, node, array, lanes, values), (quads * 4,))[: node.size]
    np.testing.assert_array_equal(got, expected.reshape(-1))


def test_a_row_beginning_with_its_last_element_is_read_backwards_on_every_device(device):
    """The index of a lane counts down from a constant here, which no compiler may find below zero."""
    x = np.arange(3, dtype=np.float32).reshape(1, 3)
    twice = pyml.ops.concatenate([x, x[:, :1]], axis=1)
    np.testing.assert_array_equal((pyml.ops.flip(twice, 1) + 1.0).numpy(), [[1, 3, 2, 1]])


@pytest.mark.every_device
@pytest.mark.parametrize("pads", [(0, 3), (3, 0), (1, 2), (0, 0)])
@pytest.mark.parametrize("axis", [0, 1])
def test_sums_over_rows_or_columns_of_padded_matrices_leave_the_padding_out(device, pads, axis):
    x = np.arange(6 * (16 - sum(pads)), dtype=np.float32).reshape(6, -1) + 1
    given = pyml.convert_to_tensor(x)
    found = pyml.ops.max(pyml.ops.pad(given, ((0, 0), pads), constant_values=-5), axis=axis)
    np.testing.assert_array_equal(found.numpy(), np.pad(x, ((0, 0), pads), constant_values=-5).max(axis))
    np.testing.assert_array_equal(pyml.ops.sum(pyml.ops.pad(given, ((0, 0), pads)), axis=axis).numpy(), np.pad(x, ((0, 0), pads)).sum(axis))


@pytest.mark.every_device
@pytest.mark.parametrize("shape", [(8, 3), (4, 6), (12, 5), (3, 8), (8, 4), (2, 4, 3)])
def test_sums_down_columns_of_any_number_are_right(device, shape):
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    np.testing.assert_array_equal(pyml.ops.sum(pyml.convert_to_tensor(x), axis=0).numpy(), x.sum(0))


@pytest.mark.parametrize("shape", [(4, 3), (3, 1, 3), (5, 2, 3)])
def test_gradients_of_products_down_columns_read_nothing_outside_where_an_index_is_below_zero(device, shape):
    """Elements that do not count have indices below 0, which are divided modulo 2**32: WebAssembly stops where such a one is read."""
    x = np.random.default_rng(0).uniform(1, 2, shape).astype(np.float32)
    found = pyml.grad(lambda x: pyml.ops.sum(pyml.ops.prod(x, axis=0)))(pyml.convert_to_tensor(x))
    np.testing.assert_allclose(found, x.prod(0) / x, rtol=1e-5)


@pytest.mark.parametrize(("const", "terms", "text"), [(0, 0, "0u"), (7, 0, "7u"), (-2, 1, "i - 2u"), (0, 1, "i"), (3, 1, "i + 3u"),
                                                     (3, -1, "0u - i + 3u"), (0, -1, "0u - i"), (-3, -2, "0u - i * 2u - 3u")])  # fmt: skip
def test_an_index_is_written_with_what_is_added_first(const, terms, text):
    e = variable(Var("i", 9)) * terms + const
    assert index_text(e, lambda atom: atom.name) == text
