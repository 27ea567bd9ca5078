"""What elements of a generator are declared to be: dtypes and shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.errors import ShapeError


class Shape:
    """Sizes, None where they differ; a leaf of nested data, as a tuple of sizes is not."""

    def __init__(self, sizes: Any):
        self.sizes = None if sizes is None else tuple(sizes)


def shapes_like(types: Any, shapes: Any) -> Any:
    """Nested sizes as `Shape`s, in the form of the types."""
    if isinstance(types, dict):
        return {key: shapes_like(one, shapes[key]) for key, one in types.items()}
    if isinstance(types, tuple):
        return tuple(shapes_like(one, shape) for one, shape in zip(types, shapes, strict=True))
    return Shape(shapes)


class Signature:
    """A function of an element that makes arrays of the declared dtypes.

    Args:
        types: Nested names of dtypes; `"string"` leaves a leaf as it is.
        shapes: Nested `Shape`s, or None.
    """

    def __init__(self, types: Any, shapes: Any = None):
        self.types, self.shapes = types, shapes

    def __call__(self, *parts: Any) -> Any:
        element = parts if isinstance(self.types, tuple) else parts[0] if len(parts) == 1 else parts
        return self._fitted(element, self.types, self.shapes, "")

    def _fitted(self, value: Any, types: Any, shapes: Any, where: str) -> Any:
        """An element of a generator in the signature's dtypes, its structure and shapes checked."""
        if isinstance(types, dict):
            if not isinstance(value, dict) or value.keys() != types.keys():
                raise ShapeError(f"from_generator: expected a dict with the keys {list(types)}{where}. Received: {value!r:.80}")
            return {key: self._fitted(value[key], one, shapes and shapes[key], f"{where} at {key!r}") for key, one in types.items()}
        if isinstance(types, tuple):
            if not isinstance(value, (tuple, list)) or len(value) != len(types):
                raise ShapeError(f"from_generator: expected {len(types)} parts{where}. Received: {value!r:.80}")
            return tuple(self._fitted(value[i], one, shapes and shapes[i], f"{where} at [{i}]") for i, one in enumerate(types))
        name = getattr(types, "name", types)
        array = value if name == "string" else np.asarray(value, name)
        sizes = None if shapes is None else shapes.sizes
        found = np.shape(array)
        if sizes is not None and (len(found) != len(sizes) or any(s is not None and s != f for s, f in zip(sizes, found))):
            raise ShapeError(f"from_generator: expected shape {sizes}{where}. Received shape {found}.")
        return array
