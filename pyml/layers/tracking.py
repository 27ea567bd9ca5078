"""What a layer owns: weights, sublayers, random states and metrics, noticed when they become attributes."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from pyml.core import Variable
from pyml.layers.call_context import innermost
from pyml.metrics.base import Metric
from pyml.random import SeedGenerator

_numbers = itertools.count()
# What every layer keeps under these names; pyml sets them by `_keep_apart`.
_RESERVED = frozenset({"_begun", "_build_shapes", "_constructor", "_remat", "_signature", "_tracked_children", "_tracked_since"})


def _place(variable: Any) -> tuple[bool, int]:
    """Where a Variable stands among those of its layer: as it was when a layer first had it, so that weights in files keep their order."""
    if not hasattr(variable, "_first_seen"):
        variable._first_seen = (not variable.trainable, next(_numbers))
    return variable._first_seen


def _leaves(value: Any, above: tuple[int, ...] = ()) -> Iterator[Any]:
    """What is in lists, tuples and dicts, in their order: keys of a dict need not be of one kind. What holds itself is looked into once."""
    if isinstance(value, (list, tuple, dict)):
        for item in (value.values() if isinstance(value, dict) else value) if id(value) not in above else ():
            yield from _leaves(item, (*above, id(value)))
    else:
        yield value


def _dated(value: Any, when: int, above: tuple[int, ...] = ()) -> Iterator[tuple[int, Tracking]]:
    """The layers in an attribute that came at `when`, each with when it came."""
    if isinstance(value, Tracking):
        yield max(when, value._begun), value
    elif isinstance(value, (list, tuple, dict)) and id(value) not in above:
        for item in value.values() if isinstance(value, dict) else value:
            for came, layer in _dated(item, when, (*above, id(value))):
                if layer is item:
                    when = came
                yield came, layer


class _Sublayers:
    """`layer._layers`, as code written for Keras reads it, until a layer of somebody's own keeps something under that name."""

    def __get__(self, layer: Any, owner: type[Any]) -> Any:
        return self if layer is None else layer._tracked_layers()


class Tracking:
    """Mixin of Layer: attributes that are Variables, layers, seed generators or metrics are remembered.

    Lists, tuples and dicts of layers are remembered too and looked through when weights are collected, so layers
    appended later count.
    """

    _trainable_variables: list[Variable]
    _non_trainable_variables: list[Variable]
    _seed_generators: list[SeedGenerator]
    _metrics: list[Metric]
    _tracked_children: dict[str, Any]                  # attribute name -> layer or container of layers
    _tracked_since: dict[str, int]                     # attribute name -> when that became one
    _begun: int                                         # when this object was
    _building = False                                   # whether its `build` runs

    def _init_tracking(self) -> None:
        self._keep_apart(_trainable_variables=[], _non_trainable_variables=[], _seed_generators=[], _metrics=[], _tracked_children={},
                         _tracked_since={}, _begun=next(_numbers))  # fmt: skip

    def _keep_apart(self, **attributes: Any) -> None:
        """Sets attributes of pyml's own past `__setattr__`: what they hold is no part of the layer, and users cannot take their names."""
        self.__dict__.update(attributes)

    def __setattr__(self, name: str, value: Any) -> None:
        if "_tracked_children" not in self.__dict__:           # before super().__init__(), as Keras allows
            self._init_tracking()
        if name in _RESERVED:
            raise AttributeError(f"{type(self).__name__}: every layer has a {name!r} of its own; give your attribute another name.")
        self._track_attribute(name, value)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._untrack_attribute(self.__dict__.get(name))
        self._forget_attribute(name)
        object.__delattr__(self, name)

    def _untrack_attribute(self, old: Any) -> None:
        stores: tuple[list[Any], ...] = (
            self._trainable_variables, self._non_trainable_variables, self._seed_generators, self._metrics)
        for store in stores:
            store[:] = [item for item in store if item is not old]

    def _untrack_variable(self, variable: Any) -> None:
        """Takes a Variable away, by the name that layers written for Keras use."""
        self._untrack_attribute(variable)

    def _own_variables(self) -> list[Variable]:
        """Variables of this layer alone, also those in lists and dicts: what can be trained first, each in the order in which it came."""
        own, held = [*self._trainable_variables, *self._non_trainable_variables], self._in_containers(Variable)
        return sorted(own + held, key=_place) if held else own

    def _in_containers(self, kind: type) -> list[Any]:
        """What is of a kind in lists, tuples and dicts that are attributes."""
        containers = [value for value in self._tracked_children.values() if isinstance(value, (list, tuple, dict))]
        return [leaf for leaf in _leaves(containers) if isinstance(leaf, kind)]

    def _metrics_of(self) -> list[Metric]:
        """Metrics of this layer alone, in the order of the attributes that they, or their lists and dicts, are."""
        if not self._metrics and not any(isinstance(value, (list, tuple, dict)) for value in self._tracked_children.values()):
            return []
        own = [value for name, value in self.__dict__.items()
               if isinstance(value, Metric) or (name in self._tracked_children and isinstance(value, (list, tuple, dict)))]  # fmt: skip
        return [leaf for leaf in _leaves(own) if isinstance(leaf, Metric)]

    def _track_attribute(self, name: str, value: Any) -> None:
        """Takes an attribute into account: a Variable, a seed generator, a metric, or what may hold layers."""
        old = self.__dict__.get(name)
        if isinstance(old, Tracking) and isinstance(value, Tracking) and self._is_another(old, value):
            raise ValueError(
                f"{type(self).__name__}: {name!r} cannot become another layer once this one is built: its programs, and what training and "
                "files know of weights, are of the first. Make a new model, and give it the weights of the others by set_weights."
            )
        if isinstance(old, Variable) and isinstance(value, Variable) and old is not value and self._is_called():
            raise ValueError(f"{type(self).__name__}: call() makes a new weight {name!r} each time, which is never trained. Make it once, "
                             "in __init__() or build().")  # fmt: skip
        if old is None and getattr(self, "built", False) and self._is_late(value):
            raise ValueError(
                f"{type(self).__name__}: {name!r} cannot become state (weights or layers) of a layer that is already built: its programs "
                "and its optimizer know only what was there. Make all of it in __init__() or build()."
            )
        if old is not None and old is not value:
            self._untrack_attribute(old)
        if isinstance(value, Variable):
            self._track_variable(value)
        elif isinstance(value, SeedGenerator):
            if not any(value is s for s in self._seed_generators):
                self._seed_generators.append(value)
        elif isinstance(value, Metric):
            if not any(value is m for m in self._metrics):
                self._metrics.append(value)
        elif isinstance(value, (Tracking, list, tuple, dict)):
            self._tracked_children[name] = value
            self._tracked_since.setdefault(name, next(_numbers))
            if not isinstance(value, Tracking):
                for leaf in _leaves(value):
                    if isinstance(leaf, Variable):
                        _place(leaf)
        else:
            self._forget_attribute(name)

    def _is_another(self, old: Any, value: Any) -> bool:
        """Whether a layer that is built would get one that it has not yet in the place of the one that it has."""
        return value is not old and getattr(self, "built", False) and not any(value is layer for layer in self._tracked_layers())

    def _is_late(self, value: Any) -> bool:
        """Whether somebody's code gives a layer that is built a weight or layer that is new to it, neither in `build` nor in `call`."""
        if self._building or innermost()[0] > 0 or not isinstance(value, (Variable, Tracking, list, tuple, dict)):
            return False
        if getattr(self, "_symbolic_graph", None) is not None or sys._getframe(3).f_globals.get("__name__", "").startswith("pyml."):
            return False
        known = {id(one) for one in (*self._own_variables(), *self._tracked_layers())}
        return any(isinstance(leaf, (Variable, Tracking)) and id(leaf) not in known for leaf in _leaves(value))

    def _is_called(self) -> bool:
        """Whether this happens in a call of a layer that is built."""
        return getattr(self, "built", False) and innermost()[0] > 0

    def _forget_attribute(self, name: str) -> None:
        self._tracked_children.pop(name, None)
        self._tracked_since.pop(name, None)

    def _track_variable(self, variable: Any) -> None:
        store = self._trainable_variables if variable.trainable else self._non_trainable_variables
        if not any(variable is v for v in store):
            _place(variable)
            store.append(variable)

    _layers = _Sublayers()

    def _tracked_layers(self) -> list[Any]:
        """Direct sublayers, each once, in the order in which they came, as Keras has them: of lists that are filled in turn, in turn.

        A list does not tell when a layer was appended: that is not before the layer was made, and not before the one in front of it came.
        """
        found: list[tuple[int, Any]] = []
        seen, contained = set(), False
        for name, value in self._tracked_children.items():
            contained = contained or not isinstance(value, Tracking)
            for when, layer in _dated(value, self._tracked_since[name]):
                if id(layer) not in seen and layer is not self:
                    seen.add(id(layer))
                    found.append((when, layer))
        return [layer for _, layer in (sorted(found, key=itemgetter(0)) if contained else found)]

    def _flatten_layers(self, include_self: Any = True, recursive: Any = True) -> list[Any]:
        """This layer and all layers inside it, each once."""
        found, seen = [], set()
        stack = [self] if include_self else list(reversed(self._tracked_layers()))
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            found.append(layer)
            if recursive or layer is self:
                stack.extend(reversed(layer._tracked_layers()))
        return found

    def _collect_variables(self, with_seeds: Any) -> list[Variable]:
        """The Variables of this layer and those below, each once, `with_seeds` those of seed generators too."""
        variables, seen = [], set()

        def take(variable: Any) -> None:
            if id(variable) not in seen:
                seen.add(id(variable))
                variables.append(variable)

        for layer in self._flatten_layers():
            for variable in layer._own_variables():
                take(variable)
            if with_seeds:
                for generator in (*layer._seed_generators, *layer._in_containers(SeedGenerator)):
                    take(generator.state)
        return variables
