"""Numbers as unsigned keys in the same order, for sorting and searching: a NaN comes last, and -0 is 0, as in numpy."""

from __future__ import annotations

import numpy as np

ELEMENT = {"float32": "f32", "int32": "i32", "uint32": "u32", "bool": "u32"}
_OF_FLOAT = (
    "let b = bitcast<u32>({0});\n"
    "let k = select(b ^ select(0x80000000u, 0xffffffffu, b > 0x7fffffffu), 0x80000000u, b == 0x80000000u);\n"
    "return {1}select(k, 0xffffffffu, (b & 0x7fffffffu) > 0x7f800000u);"
)
_OF_INTEGER = "return {1}(bitcast<u32>({0}) ^ 0x80000000u);"
_OF_UNSIGNED = "return {1}u32({0});"


def key_hook(dtype: str, element: str = "x[i]", descending: bool = False) -> dict[str, str]:
    """The hook `key` of a kernel file for elements of a dtype: nothing where the file as it stands is right."""
    text = {"float32": _OF_FLOAT, "int32": _OF_INTEGER}.get(dtype, _OF_UNSIGNED if descending else "")
    return {"key": text.format(element, "~" if descending else "")} if text else {}


def bits_of(dtype: str) -> int:
    """How many bits of a key can differ."""
    return 1 if dtype == "bool" else 32


def host_keys(x: np.ndarray, descending: bool = False) -> np.ndarray:
    """The same in numpy; for float64, as finite differences have it, the ranks of its values."""
    keys: np.ndarray
    if x.dtype == np.float64:
        keys = np.unique(x, return_inverse=True)[1].reshape(x.shape).astype(np.uint32)
        return ~keys if descending else keys
    top = np.uint32(0x80000000)
    bits = np.ascontiguousarray(x).astype(np.uint32) if x.dtype == np.bool_ else np.ascontiguousarray(x).view(np.uint32)
    if x.dtype == np.float32:
        keys = bits ^ np.where(bits >= top, np.uint32(0xFFFFFFFF), top)
        keys = np.where(bits == top, top, np.where(np.isnan(x), np.uint32(0xFFFFFFFF), keys))
    else:
        keys = bits ^ top if x.dtype == np.int32 else bits
    return ~keys if descending else keys
