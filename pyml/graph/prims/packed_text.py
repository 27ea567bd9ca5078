"""WGSL that takes numbers out of words of 32 bits, for the hooks of kernels that multiply with them."""

from __future__ import annotations

from dataclasses import dataclass

from ..node import Node
from .choose import Operand


def _row(node: Node, row: str) -> str:
    """The row of words."""
    first = 0 if node.attrs["tb"] else node.attrs["first"]
    return f"({row} + {first}u)" if first else row


def one(node: Node, row: str, column: str) -> str:
    """A number as f32, brought to its scale where there is one."""
    bits, stride, block = node.attrs["bits"], node.src[1].shape[1], node.attrs.get("block", 0)
    per, high = 32 // bits, 32 - node.attrs["bits"]
    if node.attrs["tb"] and node.attrs["first"]:
        column = f"({column} + {node.attrs['first']}u)"
    number = f"f32((b[{_row(node, row)} * {stride}u + {column} / {per}u] << ({high}u - {bits}u * ({column} % {per}u))) >> {high}u)"
    at = f"{_row(node, row)} / {block}u * {node.attrs['n']}u + {column}"
    return f"({number} - zero[{at}]) * scale[{at}]" if block else number


def four(node: Node, row: str, q: str) -> str:
    """Statements that return the numbers 4 q … 4 q + 3 of a row: products bring each to the highest bits, in every lane at once."""
    bits, stride, block = node.attrs["bits"], node.src[1].shape[1], node.attrs.get("block", 0)
    if node.attrs["tb"] and node.attrs["first"]:
        q = f"({q} + {node.attrs['first'] // 4}u)"
    numbers = f"vec4f({_numbers(f'b[{_row(node, row)} * {stride}u + {q} / {8 // bits}u]', bits, q)})"
    if not block:
        return f"return {numbers};"
    start = f"let p = {_row(node, row)} / {block}u * {node.attrs['n']}u + {q} * 4u;"
    return f"{start} return ({numbers} - {vector('zero')}) * {vector('scale')};"


def vector(name: str) -> str:
    """Four numbers of an array, from p on."""
    return f"vec4f({name}[p], {name}[p + 1u], {name}[p + 2u], {name}[p + 3u])"


def _numbers(word: str, bits: int, q: str) -> str:
    """The numbers 4 q … 4 q + 3 of a row, which are in this word of it."""
    if bits == 4:
        word = f"{word} << (16u - 16u * ({q} % 2u))"
    factors = ", ".join(str(1 << (bits * (3 - i))) for i in range(4))
    return f"(vec4<i32>({word}) * vec4<i32>({factors})) >> vec4<u32>({32 - bits}u)"


def pair(node: Node) -> str:
    """Statements that return numbers 8 o + j and 8 o + j + 4 of columns n … n + 3, in the halves of words."""
    bits, k, stride = node.attrs["bits"], node.src[0].shape[-1], node.src[1].shape[1]
    first, low, high = node.attrs["first"], "vec4<i32>(65535)", "vec4<u32>(16u)"
    if not node.attrs["tb"]:
        rows = [f"min(8u * o + j{more}, {k - 1}u) + {first}u" for more in ("", " + 4u")]
        l, h = (_numbers(f"b[({row}) * {stride}u + n / {32 // bits}u]", bits, "n / 4u") for row in rows)
        return f"return (({l}) & {low}) | (({h}) << {high});"
    at = [f"min({8 // (32 // bits)}u * o + {first // (32 // bits) + i}u, {stride - 1}u)" for i in range(2)]
    words = [f"vec4<i32>({', '.join(f'b[(n + {c}u) * {stride}u + {one}]' for c in range(4))})" for one in at]
    up = f"vec4<u32>({32 - bits}u)"
    l = f"({words[0]} << vec4<u32>({32 - bits}u - {bits}u * j)) >> {up}"
    h = f"({words[1]} << vec4<u32>(24u - 8u * j)) >> {up}" if bits == 8 else f"({words[0]} << vec4<u32>(12u - 4u * j)) >> {up}"
    return f"return (({l}) & {low}) | (({h}) << {high});"


@dataclass(frozen=True)
class Packed(Operand):
    """An operand whose numbers are taken out of words: one as an expression, four as statements."""

    number: str = ""
    numbers: str = ""

    def one(self) -> str:
        return f"{self.before.replace('ZERO', '0.0')}return {self.number};"

    def vector(self) -> str:
        return f"{self.before.replace('ZERO', 'vec4f()')}{self.numbers}"
