"""Products with packed weights. Kernels take words apart where they load them, so no weight is ever held in floats.

The integers of an activation are rounded as they come in, with a scale for each row; where gradients pass, rounding counts as
the identity, as in Keras.
"""

from __future__ import annotations

from math import prod
from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.core.custom import custom_gradient
from pyml.core.packed import PackedVariable
from pyml.core.tensor import as_node
from pyml.graph import prims
from pyml.graph.prims import packed
from pyml.graph.prims.packed import packed_matmul, unpacked


def rounded(inputs: Any, quantizer: Any, axis: Any) -> tuple[Any, Any, bool]:
    """What a quantizer makes of inputs, as floats, the scale, and whether the numbers are of int8."""
    kinds: list[str] = []

    @custom_gradient
    def numbers_and_scale(x: Any) -> Any:
        numbers, scale = quantizer(x, axis=axis)
        kinds.append(numbers.dtype)
        return (ops.cast(numbers, "float32"), scale), lambda upstream, of_scale: upstream * scale

    numbers, scale = numbers_and_scale(inputs)
    return numbers, scale, kinds == ["int8"]


def product(x: Any, weight: PackedVariable, columns: int, bits: int = 8, transposed: bool = False, exact: bool = False) -> Any:
    """`x`, `(..., k)`, times the numbers of a weight `(k, columns)`; or of one `(columns, k)`, transposed.

    Args:
        bits: 8, or 4 where the bytes of the weight hold two numbers each.
        exact: The values of `x` are integers in the range of int8.
    """
    a, words = as_node(x), weight.words_node()
    *lead, k = a.shape
    rows = columns if transposed else k
    words = prims.reshape(words, (rows, words.size // rows))
    out = packed_matmul(prims.reshape(a, (prod(lead), k)), words, columns, bits, transposed, exact)
    return Tensor(prims.reshape(out, (*lead, columns)))


def product_of_blocks(x: Any, weight: PackedVariable, columns: int, scale: Any, zero: Any, block: int) -> Any:
    """`x` times a weight of 4 bits, of which each block of rows has scales and zero points `(blocks, columns)`."""
    a, parts = as_node(x), (as_node(ops.convert_to_tensor(scale)), as_node(ops.cast(zero, "float32")))
    *lead, k = a.shape
    out = packed.product_of_blocks(prims.reshape(a, (prod(lead), k)), weight.words_node(), *parts, columns, min(block, k))
    return Tensor(prims.reshape(out, (*lead, columns)))


def weight_of_blocks(weight: PackedVariable, rows: int, columns: int, scale: Any, zero: Any, block: int) -> Tensor:
    """The floats of a weight of 4 bits in blocks, `(rows, columns)`."""
    blocks = -(-rows // block)
    values: Any = ops.pad(numbers(weight, columns, 4), ((0, blocks * block - rows), (0, 0)))
    values = ops.reshape(values, (blocks, block, columns)) - ops.expand_dims(ops.cast(zero, "float32"), 1)
    values = ops.reshape(values * ops.expand_dims(scale, 1), (blocks * block, columns))
    return values[:rows]


def numbers(weight: PackedVariable, columns: int, bits: int = 8) -> Tensor:
    """The numbers of a weight as floats; `columns` to a row."""
    words = weight.words_node()
    return Tensor(prims.cast(unpacked(words, columns, bits), dtype="float32"))


def rows(weight: PackedVariable, indices: Any, columns: int, bits: int = 8) -> Any:
    """Rows of the numbers of a weight, as floats: words are gathered, and taken apart behind that."""
    words = ops.take(Tensor(weight.words_node()), ops.cast(indices, "int32"), axis=0)
    return Tensor(prims.cast(unpacked(words._node, columns, bits), dtype="float32"))
