"""Control flow of TensorFlow 1: the cycles of Enter, Merge, Switch, NextIteration and Exit become one node a loop."""

from __future__ import annotations

from dataclasses import dataclass

from ..files import ModelFileError
from .topology import Graph, Node, Ref


@dataclass
class Loop:
    """What a `_Loop` node runs: `variables` values first, then values that stay the same."""

    graph: Graph
    variables: int
    condition: Ref
    results: list[Ref]  # the variables after one turn
    condition_feeds: list[Ref]
    body_feeds: list[Ref]


def lift_loops(graph: Graph) -> None:
    """Replaces every loop of `graph` by a node `_Loop`; its Exit nodes read that node.

    Raises:
        ModelFileError: A loop lacks one of its parts.
    """
    frames: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        if node.op == "Enter":
            frames.setdefault(node.attr("frame_name", ""), []).append(node)
    consumers: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        for name, _ in node.inputs:
            consumers.setdefault(name, []).append(node)
    for node in graph.nodes.values():  # before the switches of loops change
        node.controls = [c for c in node.controls if _is_pivot(graph, c)]
    for frame, enters in frames.items():
        _lift(graph, frame, enters, consumers)


def _lift(graph: Graph, frame: str, enters: list[Node], consumers: dict[str, list[Node]]) -> None:
    """Replaces the nodes of a loop (Enter, Merge, Switch, Exit) by one node `_Loop`, which has the condition and the body."""
    what = f"{graph.where}: the loop {frame!r}"
    starts, merges, nexts, constants = [], [], [], []
    for enter in enters:
        merge = next((n for n in consumers.get(enter.name, []) if n.op == "Merge"), None)
        if merge is None:
            constants.append(enter)
            continue
        following = next((graph.nodes[r[0]] for r in merge.inputs if graph.nodes[r[0]].op == "NextIteration"), None)
        if following is None:
            raise ModelFileError(f"{what} has a variable that no NextIteration sets: {merge.name!r}.")
        starts.append(enter)
        merges.append(merge)
        nexts.append(following)
    switches: list[list[Node]] = [[n for n in consumers.get(m.name, []) if n.op == "Switch"] for m in merges]
    conditions = {n.inputs[1][0] for group in switches for n in group if len(n.inputs) > 1 and graph.nodes[n.inputs[1][0]].op == "LoopCond"}
    if len(conditions) != 1:
        raise ModelFileError(f"{what} has {len(conditions)} conditions; expected one LoopCond.")
    condition = graph.nodes[conditions.pop()].inputs[0]
    name = f"_loop/{frame}"
    node = graph.nodes[name] = Node(name, "_Loop", [e.inputs[0] for e in [*starts, *constants]])
    kept = [(e.name, 0) for e in constants]
    feeds, exits = [], 0
    for i, group in enumerate(switches):
        alias = (f"_loop/{frame}/variable{i}", 0)  # a variable may have several switches: all read this one
        graph.nodes[alias[0]] = Node(alias[0], "Placeholder", [])
        feeds.append(alias)
        for switch in group:
            for reader in consumers.get(switch.name, []):
                if reader.op == "Exit":
                    reader.op, reader.inputs = "Identity", [(name, i)]
                    exits += 1
                else:
                    reader.inputs = [alias if r == (switch.name, 1) else r for r in reader.inputs]
    if not exits:
        raise ModelFileError(f"{what} has no Exit.")
    node.value = Loop(graph, len(merges), condition, [n.inputs[0] for n in nexts], [*((m.name, 0) for m in merges), *kept], [*feeds, *kept])


def _is_pivot(graph: Graph, name: str) -> bool:
    """Whether a control edge comes from a Switch outside loops: it then tells which branch is alive."""
    for _ in range(100):
        node = graph.nodes.get(name)
        if node is None:
            return False
        if node.op == "Switch":
            return len(node.inputs) > 1 and graph.nodes[node.inputs[1][0]].op != "LoopCond"
        if node.op != "Identity" or not node.inputs:
            return False
        name = node.inputs[0][0]
    return False


def inside_loops(graph: Graph) -> set[str]:
    """The nodes of the loops that `lift_loops` lifted: they run as part of a `_Loop` node only."""
    consumers: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        for name, _ in node.inputs:
            consumers.setdefault(name, []).append(node.name)
    found: set[str] = set()
    stack = [n.name for n in graph.nodes.values() if n.op == "Enter" or n.name.startswith("_loop/")]
    stack = [n for n in stack if graph.nodes[n].op != "_Loop"]
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += consumers.get(name, [])
    return found
