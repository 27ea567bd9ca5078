"""`pyml.tree`: structures of every kind, as Keras handles them."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from pyml import tree

Point = namedtuple("Point", ["x", "y"])
STRUCTURES = [
    1, None, [], (), {}, [1, [2, (3,)]], {"b": 1, "a": [2, 3]}, OrderedDict([("b", 1), ("a", 2)]), Point(1, {"c": 2, "b": 3}),
    deque([1, (2, 3)]), defaultdict(list, {"z": 1, "y": (2,)}), [None, {"a": None}], {2: "two", 1: "one"},
]  # fmt: skip


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_packing_what_was_flattened_gives_the_structure(structure):
    leaves = tree.flatten(structure)
    again = tree.pack_sequence_as(structure, leaves)
    assert again == structure and type(again) is type(structure)
    assert [leaf for _, leaf in tree.flatten_with_path(structure)] == leaves
    tree.assert_same_structure(again, structure)


def test_dicts_go_by_sorted_keys_and_ordered_dicts_by_their_own():
    assert tree.flatten({"b": 1, "a": 2}) == [2, 1]
    assert tree.flatten(OrderedDict([("b", 1), ("a", 2)])) == [1, 2]
    assert tree.flatten_with_path(Point({"k": 5}, [6])) == [((0, "k"), 5), ((1, 0), 6)]
    with pytest.raises(TypeError):
        tree.flatten({"a": 1, 2: 3})


def test_dicts_that_are_made_anew_keep_the_order_that_they_had():
    nested = {"b": 1, "a": {"z": 2, "c": 3}}
    for again in (tree.map_structure(lambda x: -x, nested), tree.pack_sequence_as(nested, [-3, -2, -1]),
                  tree.map_structure_up_to(nested, lambda x: -x, nested), tree.traverse(lambda x: None, nested)):  # fmt: skip
        assert list(again) == ["b", "a"] and list(again["a"]) == ["z", "c"]
    assert tree.flatten(nested) == [3, 2, 1]


def test_map_structure_takes_leaves_at_one_place():
    assert tree.map_structure(lambda a, b: a * b, Point(1, [2]), Point(3, [4])) == Point(3, [8])
    assert tree.map_structure(str, [None, 1]) == ["None", "1"]
    assert tree.map_structure(str, [None, 1], none_is_leaf=False) == [None, "1"]


OTHERS = [([1], (1,)), ([1], [1, 2]), ({"a": 1}, {"b": 1}), (1, [1]), ([1], 1), (Point(1, 2), (1, 2)), ([[1]], [1])]


@pytest.mark.parametrize(("a", "b"), OTHERS)
def test_structures_of_other_forms_are_refused(a, b):
    with pytest.raises(ValueError, match="same nested structure"):
        tree.assert_same_structure(a, b)
    with pytest.raises(ValueError, match="same nested structure"):
        tree.map_structure(lambda x, y: x, a, b)


def test_dicts_of_all_kinds_are_one_form():
    tree.assert_same_structure({"a": 1, "b": 2}, OrderedDict([("b", 1), ("a", 2)]))


def test_paths_may_be_the_same_in_other_kinds_of_sequences():
    tree.assert_same_paths([0, {"a": 1}], (2, {"a": 3}))
    with pytest.raises(ValueError, match="only a has"):
        tree.assert_same_paths([0, 1], [0])


def test_map_structure_up_to_stops_where_the_shallow_one_does():
    assert tree.map_structure_up_to([None, [None]], lambda a, b: (a, b), [[1], [2]], ["x", [["y"]]]) == [([1], "x"), [(2, ["y"])]]
    with pytest.raises(ValueError, match="same nested structure"):
        tree.map_structure_up_to([[None]], len, [1])


def test_traverse_visits_in_keras_order_and_replaces():
    seen: list = []
    structure = [(1, 2), [3], {"a": 4}]
    assert tree.traverse(seen.append, structure) == structure
    assert seen == [structure, (1, 2), 1, 2, [3], 3, {"a": 4}, 4]
    seen.clear()
    tree.traverse(seen.append, structure, top_down=False)
    assert seen == [1, 2, (1, 2), 3, [3], 4, {"a": 4}, structure]
    cut = lambda part: tree.MAP_TO_NONE if isinstance(part, tuple) else len(part) if isinstance(part, dict) else None
    assert tree.traverse(cut, structure) == [None, [3], 1]


def test_lists_become_tuples_and_shapes_are_leaves():
    assert tree.lists_to_tuples([1, {"a": [2, [3]]}]) == (1, {"a": (2, (3,))})
    assert tree.map_shape_structure(lambda s: len(s), [(None, 3), {"a": [2, 2, 2]}]) == [2, {"a": 3}]


@pytest.mark.parametrize(
    "call", [lambda f: tree.map_structure(f, [1]), lambda f: tree.traverse(f, [1]), lambda f: tree.map_structure_up_to(1, f, [1])]
)
def test_a_function_is_needed(call):
    with pytest.raises(TypeError, match="func must be callable"):
        call(3)


def test_values_must_be_as_many_as_leaves():
    with pytest.raises(ValueError, match="2 leaves"):
        tree.pack_sequence_as([1, 2], [1])
    with pytest.raises(TypeError):
        tree.pack_sequence_as([1, 2], 7)
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(str)
