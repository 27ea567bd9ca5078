"""When a layer makes its weights: at its first call, or when it is told the shapes of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from pyml.core.naming import current_path, name_scope
from pyml.core.probes import without_probe
from pyml.core.trace import tracing
from pyml.layers.kept_weights import KeptWeights
from pyml.layers.signature import Signature
from pyml.tracebacks import is_ours


class Building(KeptWeights):
    """Part of Layer: `build`, and the shapes that it was called with."""

    name: str
    built: bool
    _build_shapes: Any
    _path: str | None
    _signature: Signature

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = _noted(cls.__dict__["build"], theirs=not is_ours(cls))  # type: ignore[method-assign]

    def _build_at_init(self) -> None:
        """A layer that has all it needs once it is made calls this (Keras' name): it is built, unless a user's subclass builds more."""
        self.built = not getattr(type(self).build, "theirs", False)

    def build(self, *input_shape: Any, **shapes: Any) -> None:
        """Makes the weights; called with the shape of the first inputs."""
        if self._build_shapes is None:
            self._note_shapes(input_shape, shapes)
        self.built = True

    def _note_shapes(self, shapes: tuple[Any, ...], named: dict[str, Any]) -> None:
        if named or len(shapes) != 1:
            shapes = (dict(zip(self._signature.build_names, shapes, strict=False)) | named,)
        self._keep_apart(_build_shapes=without_probe(shapes[0]))

    def _missing(self, name: str, args: Any) -> str:
        said = f'Layer "{self.name}": missing a required argument: {name!r}'
        if args and isinstance(args[0], (list, tuple)) and len(args[0]) > 1:
            said += f". It takes its tensors one by one: layer({', '.join(self._signature.names[: len(args[0])])}), not as a list."
        return said

    def _maybe_build(self, args: Any, kwargs: Any) -> None:
        if self.built:
            return
        shapes, by_name = self._signature.build_shapes(args, kwargs)
        if not by_name and len(self._signature.build_needs) > 1 and (missing := self._signature.missing(args, kwargs)):
            raise TypeError(self._missing(missing, args))
        with tracing(None), name_scope(self.name, self):
            self._path = current_path()
            if not self._signature.build_takes_shape:
                shapes, by_name = {}, True
            self.build(**shapes) if by_name else self.build(shapes)
        self._keep_apart(_build_shapes=without_probe(shapes))
        self.built = True

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds from what `get_build_config` returned."""
        if config and not self.built:
            shapes = config["shapes_dict"] if "shapes_dict" in config else config["input_shape"]
            self._keep_apart(_build_shapes=shapes)  # the next file has them too
            if "shapes_dict" in config:
                self.build(**shapes)
            else:
                self.build(shapes)
            self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes the layer was built for."""
        shapes = self._build_shapes
        if isinstance(shapes, dict) and set(shapes) <= set(self._signature.build_names):
            return {"shapes_dict": shapes} if len(shapes) != 1 else {"input_shape": next(iter(shapes.values()))}
        return None if shapes is None else {"input_shape": shapes}


def _noted(build: Callable[..., Any], theirs: bool) -> Callable[..., Any]:
    """A `build` under the layer's path that keeps the shapes it was called with, whoever calls it, and leaves the layer built:
    without that the first call would make the weights anew."""

    @wraps(build)
    def noted(self: Building, *shapes: Any, **named: Any) -> Any:
        first, around = self._build_shapes is None, self._building
        self._keep_apart(_building=True)
        try:
            with name_scope(self.name, self):
                if self._path is None:
                    self._path = current_path()
                found = build(self, *shapes, **named)
        finally:
            self._keep_apart(_building=around)
        if first:  # over what a build that it called has kept
            self._note_shapes(shapes, named)
        self.built = True
        return found

    noted.theirs = theirs  # type: ignore[attr-defined]
    return noted
