"""Links compiled kernels into one module with one function that runs them in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .compile import Compiled
from .module import I32, Function, encode, leb, sleb
from .opcodes import ADD, BR_IF, CALL, END, GET, I32_CONST, IF, LOOP, SUB, TEE

_LOAD = b"\x28\x02"
_STORE = b"\x36\x02\x00"
_COPY = b"\xfc\x0a\x00\x00"  # memory.copy


class Again(NamedTuple):
    """Parts that run several times."""

    times: int
    parts: tuple[Part, ...]


class Tick(NamedTuple):
    """A number in memory is set, or where `value` is None raised by one."""

    value: int | None


Part = Compiled | Again | Tick | None  # None stands for a copy of memory


def link(parts: Sequence[Part], shared: bool = False) -> bytes:
    """The module of a recording, which exports `run(table)`; see `link_all`."""
    return link_all({"run": parts}, shared)


def link_all(recordings: Mapping[str, Sequence[Part]], shared: bool = False) -> bytes:
    """The module of several recordings, whose kernels are in it once.

    For each it exports a function of its name of `table`, the address of 32-bit words: for each kernel its buffers' addresses
    in the order of its bindings and then that of scratch memory, for each copy the addresses of target and source and the
    bytes, for each count the address of the number. What is repeated has its words once.
    `shared` says whether the memory it imports is a shared one.
    """
    kernels = list({id(p): p for parts in recordings.values() for p in compiled(parts)}.values())
    number = {id(p): i for i, p in enumerate(kernels)}

    def call(p: Compiled, at: int) -> bytes:
        return GET + b"\x00" + I32_CONST + sleb(at) + ADD + I32_CONST + b"\x00" + I32_CONST + sleb(p.items) + CALL + leb(number[id(p)])

    functions = [p.function for p in kernels]
    exports = {}
    for name, parts in recordings.items():
        code, deep = sequence(parts, call, 1)
        exports[name] = len(functions)
        functions.append(Function((I32,), [I32] * deep, code))
    return encode(functions, exports, shared)


def compiled(parts: Sequence[Part]) -> Iterator[Compiled]:
    """The kernels among parts, those in a repeated section once."""
    for p in parts:
        if isinstance(p, Compiled):
            yield p
        elif isinstance(p, Again):
            yield from compiled(p.parts)


def sequence(parts: Sequence[Part], call: Callable[[Compiled, int], bytes], local: int, at: int = 0) -> tuple[bytes, int]:
    """Instructions that run the parts, and how many locals from `local` on they count with.

    Local 0 is the table; `call(kernel, place)` has the instructions for a kernel whose words lie so many bytes into it.
    """
    code, deep = bytearray(), 0
    for p in parts:
        if p is None:
            code += copy_code(at)
        elif isinstance(p, Tick):
            where = GET + b"\x00" + _LOAD + leb(at)
            code += where
            code += I32_CONST + sleb(p.value) if p.value is not None else where + _LOAD + b"\x00" + I32_CONST + b"\x01" + ADD
            code += _STORE
        elif isinstance(p, Again):
            inner, more = sequence(p.parts, call, local + 1, at)
            deep = max(deep, 1 + more)
            code += I32_CONST + sleb(p.times) + TEE + leb(local) + IF + LOOP + inner
            code += GET + leb(local) + I32_CONST + b"\x01" + SUB + TEE + leb(local) + BR_IF + b"\x00" + END + END
        else:
            code += call(p, at)
        at += 4 * table_words([p])
    return bytes(code), deep


def copy_code(at: int) -> bytes:
    """A copy of memory as the three words `at` bytes into the table say."""
    return b"".join(GET + b"\x00" + _LOAD + leb(at + word) for word in (0, 4, 8)) + _COPY


def table_words(parts: Sequence[Part]) -> int:
    """How many words the table of a recording has."""
    words = 0
    for p in parts:
        words += 3 if p is None else 1 if isinstance(p, Tick) else table_words(p.parts) if isinstance(p, Again) else p.words
    return words
