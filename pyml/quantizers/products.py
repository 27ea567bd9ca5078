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
from pyml.graph.prims.packed import packed_matmul, unpacked

_FEW = 128  # rows of inputs up to which the products of all blocks are one kernel: more would hold more sums than a float weight is large


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
    a = as_node(x)
    *lead, k = a.shape
    block = min(block, k)
    m, blocks = prod(lead), -(-k // block)
    a = prims.reshape(a, (m, k))
    if m > _FEW:
        out: Any = 0.0
        zeros: Any = ops.cast(zero, "float32")
        for i in range(blocks):  # each adds to the sum of those before it, in its own kernel
            x_i: Any = Tensor(prims.slice_(a, (0, i * block), (m, min(k, (i + 1) * block))))
            part: Any = Tensor(packed_matmul(x_i._node, weight.words_node(), columns, 4, first=i * block))
            out = out + (part - zeros[i] * ops.sum(x_i, axis=1, keepdims=True)) * ops.convert_to_tensor(scale)[i]
    else:
        a = prims.permute(prims.reshape(prims.pad(a, ((0, 0), (0, blocks * block - k))), (m, blocks, block)), (1, 0, 2))
        parts: Any = Tensor(packed_matmul(a, weight.words_node(), columns, 4))
        sums: Any = Tensor(prims.reshape(prims.reduce_sum(a, (2,)), (blocks, m, 1)))
        zeros = ops.expand_dims(ops.cast(zero, "float32"), 1)
        out = ops.sum((parts - zeros * sums) * ops.expand_dims(scale, 1), axis=0)
    return ops.reshape(out, (*lead, columns))


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
