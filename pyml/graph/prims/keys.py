"""Numbers as unsigned keys in the same order, for sorting and searching: a NaN comes last, and -0 is 0, as in numpy."""

from __future__ import annotations

import numpy as np

from ...errors import ShapeError

ELEMENT = {"float32": "f32", "int32": "i32", "uint32": "u32", "bool": "u32"}
_OF_FLOAT = (
    "let b = bitcast<u32>({0});\n"
    "let k = select(b ^ select(0x80000000u, 0xffffffffu, b > 0x7fffffffu), 0x80000000u, b == 0x80000000u);\n"
    "return {1}select(k, 0xffffffffu, (b & 0x7fffffffu) > 0x7f800000u);"
)
_OF_INTEGER = "return {1}(bitcast<u32>({0}) ^ 0x80000000u);"
_OF_UNSIGNED = "return {1}u32({0});"


_OF_FOUR = {
    "float32": "let b = bitcast<vec4<u32>>(x[i]);\n"
    "let top = vec4<u32>(0x80000000u);\n"
    "let full = vec4<u32>(0xffffffffu);\n"
    "let k = select(b ^ select(top, full, b >= top), top, b == top);\n"
    "return select(k, full, (b & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u));",
    "int32": "return bitcast<vec4<u32>>(x[i]) ^ vec4<u32>(0x80000000u);",
}
_EXACT = _OF_FLOAT.replace(", 0x80000000u, b == 0x80000000u)", ", 0u, false)")
_BACK = {
    "float32": "return bitcast<f32>(k ^ select(0xffffffffu, 0x80000000u, k > 0x7fffffffu));",
    "int32": "return bitcast<i32>(k ^ 0x80000000u);",
}


def matrix(name: str, x: tuple[int, ...]) -> None:
    """
    Raises:
        ShapeError: x is not the shape of rows with elements.
    """
    if len(x) != 2 or x[1] == 0:
        raise ShapeError(f"{name}: input is {x}; expected a matrix with at least one column.")


def element_hook(dtype: str) -> dict[str, str]:
    """The hook `element` that makes an element of an exact key."""
    return {"element": _BACK[dtype]} if dtype in _BACK else {}


def four_keys_hook(dtype: str) -> dict[str, str]:
    """The hook `key` of a file that reads vectors."""
    return {"key": _OF_FOUR[dtype]} if dtype in _OF_FOUR else {}


def key_hook(dtype: str, element: str = "x[i]", descending: bool = False, exact: bool = False) -> dict[str, str]:
    """The hook `key` of a kernel file for elements of a dtype: nothing where the file as it stands is right.

    With `exact` -0 comes before 0, so that a key has all of its element.
    """
    of_float = _EXACT if exact else _OF_FLOAT
    text = {"float32": of_float, "int32": _OF_INTEGER}.get(dtype, _OF_UNSIGNED if descending else "")
    return {"key": text.format(element, "~" if descending else "")} if text else {}


def bits_of(dtype: str) -> int:
    """How many bits of a key can differ."""
    return 1 if dtype == "bool" else 32


def host_elements(keys: np.ndarray, dtype: str) -> np.ndarray:
    """The elements of exact keys."""
    top = np.uint32(0x80000000)
    if dtype == "float32":
        return (keys ^ np.where(keys >= top, top, np.uint32(0xFFFFFFFF))).view(np.float32)
    return (keys ^ top).view(np.int32) if dtype == "int32" else keys


def host_keys(x: np.ndarray, descending: bool = False, exact: bool = False) -> np.ndarray:
    """The same in numpy; for float64, as finite differences have it, the ranks of its values."""
    keys: np.ndarray
    if x.dtype == np.float64:
        keys = np.unique(x, return_inverse=True)[1].reshape(x.shape).astype(np.uint32)
        return ~keys if descending else keys
    top = np.uint32(0x80000000)
    bits = np.ascontiguousarray(x).astype(np.uint32) if x.dtype == np.bool_ else np.ascontiguousarray(x).view(np.uint32)
    if x.dtype == np.float32:
        keys = bits ^ np.where(bits >= top, np.uint32(0xFFFFFFFF), top)
        keys = np.where((bits == top) & ~np.bool_(exact), top, np.where(np.isnan(x), np.uint32(0xFFFFFFFF), keys))
    else:
        keys = bits ^ top if x.dtype == np.int32 else bits
    return ~keys if descending else keys
