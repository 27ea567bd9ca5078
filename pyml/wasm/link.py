"""Links compiled kernels into one module with one function that runs them in order."""

from __future__ import annotations

from collections.abc import Sequence

from .compile import Compiled
from .module import I32, Function, encode, leb, sleb
from .opcodes import ADD, CALL, GET, I32_CONST

_LOAD = b"\x28\x02"
_COPY = b"\xfc\x0a\x00\x00"  # memory.copy


def link(parts: Sequence[Compiled | None], shared: bool = False) -> bytes:
    """The module of a recording; None stands for a copy of memory.

    It exports `run(table)`, where `table` is the address of 32-bit words: for each kernel its buffers' addresses in the
    order of its bindings and then that of scratch memory, for each copy the addresses of target and source and the bytes.
    `shared` says whether the memory it imports is a shared one.
    """
    kernels = list({id(p): p for p in parts if p is not None}.values())
    number = {id(p): i for i, p in enumerate(kernels)}
    code = bytearray()
    at = 0
    for p in parts:
        if p is None:
            code += copy_code(at)
            at += 12
        else:
            code += GET + b"\x00" + I32_CONST + sleb(at) + ADD + I32_CONST + b"\x00" + I32_CONST + sleb(p.items)
            code += CALL + leb(number[id(p)])
            at += 4 * p.words
    run = Function((I32,), [], bytes(code))
    return encode([*(p.function for p in kernels), run], {"run": len(kernels)}, shared)


def copy_code(at: int) -> bytes:
    """A copy of memory as the three words `at` bytes into the table say."""
    return b"".join(GET + b"\x00" + _LOAD + leb(at + word) for word in (0, 4, 8)) + _COPY


def table_words(parts: Sequence[Compiled | None]) -> int:
    """How many words the table of a recording has."""
    return sum(3 if p is None else p.words for p in parts)
