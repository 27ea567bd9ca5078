"""Links kernels into a module whose workgroups several threads share.

The thread that calls `run` leads. For each kernel worth sharing it opens a phase: a ticket in memory that names the
phase and the next chunk of workgroups. Whoever wants work takes a chunk by raising the ticket, the leader like all
others, so that a thread that is late, asleep or missing costs nothing: the leader goes on alone, and at the end of a
phase waits only for the chunks that others have begun. A chunk computes the same whoever takes it, so results do not
depend on the number of threads. A kernel that is repeated opens a phase each time: a word beside the ticket says which
kernel the phase is of.

Threads never see half a job: a ticket is raised by compare-and-exchange and its phase number is never used twice, so
who raised it knows that nothing had changed since it read which job and which phase there was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .compile import Compiled
from .link import Again, Part, compiled, sequence, table_words
from .module import I32, I64, Function, encode, leb, sleb
from .opcodes import ADD, BLOCK, BR, BR_IF, CALL, ELSE, END, EQZ, GET, I32_CONST, IF, LOOP, SET, TEE

# Where threads meet, in bytes from the beginning of the memory; words that different threads write are 64 bytes apart.
TICKET, PHASE = 64, 68  # the next chunk; the phase it belongs to, one 64-bit number
KIND = 72  # which of the job's shared kernels the phase is of; written only while no chunk can be had
DONE, LEADER_SLEEPS = 128, 132  # chunks finished; whether the leader wants to be woken
FIRST, MODULE, TABLE = 192, 196, 200  # the job: number of its first phase (0 while it changes), its module and table
SLEEPERS, FAILED, MAY_WAIT = 256, 260, 264  # threads asleep; threads stopped by an error; whether the leader may block
STATE = 320  # one a thread, 64 bytes apart: 1 while it may hold a chunk
MOST = 16  # threads beside the leader
RESERVED = STATE + 64 * MOST

STUCK = 1 << 16  # FAILED when the leader gave up waiting
CHUNKS = 64  # most chunks of a kernel
GRAIN = 6000  # least nanoseconds of a chunk
LEAST = 40_000  # nanoseconds from which on a kernel is shared: meeting costs a few thousand, and the estimate is rough
SPIN = 20_000  # rounds, less than a millisecond, a thread without work looks again before it sleeps
LEADER_SPIN = 3000
PATIENCE = 1 << 35  # rounds, most of a minute, until the leader gives up; a wait of a millisecond counts as 2^20 rounds

DROP, UNREACHABLE, SELECT = b"\x1a", b"\x00", b"\x1b"
SUB, MUL, EQ, NE, GE_U, GT_S = b"\x6b", b"\x6c", b"\x46", b"\x47", b"\x4f", b"\x4a"
I64_CONST, I64_ADD, I64_EQ, I64_SHL, I64_SHR, I64_GT = b"\x42", b"\x7c", b"\x51", b"\x86", b"\x88", b"\x55"
WRAP, EXTEND = b"\xa7", b"\xad"


def _atomic(opcode: int, offset: int, wide: bool = False) -> bytes:
    return bytes((0xFE, opcode, 3 if wide else 2)) + leb(offset)


def load(address: int) -> bytes:
    return number(0) + _atomic(0x10, address)


def store(address: int, value: bytes) -> bytes:
    return number(0) + value + _atomic(0x17, address)


def number(value: int) -> bytes:
    return I32_CONST + sleb(value)


def notify(address: int, count: int) -> bytes:
    return number(0) + number(count) + _atomic(0x00, address) + DROP


def get(index: int) -> bytes:
    return GET + leb(index)


def put(index: int, value: bytes) -> bytes:
    return value + SET + leb(index)


def chunk_size(items: int, work: int | None) -> int:
    """How many of its items a thread takes at a time of a kernel of `work` nanoseconds (None: unknown).

    All of them where sharing does not pay.
    """
    if work is not None and work < LEAST:
        return items
    wanted = CHUNKS if work is None else min(CHUNKS, work // GRAIN)
    each = -(-items // wanted)
    return each + (-each % 16 if each > 64 else 0)  # of many small items whole cache lines


def link_shared(parts: Sequence[Part], work: Mapping[int, int | None]) -> bytes:
    """The module of a recording for several threads, which exports `run(table, module)` and `help(table, first, state, number)`."""
    return link_shared_all({"": parts}, work)


def link_shared_all(recordings: Mapping[str, Sequence[Part]], work: Mapping[int, int | None]) -> bytes:
    """The module of several recordings for several threads, whose kernels are in it once.

    For each it exports `runNAME(table, module)` for the leader and `helpNAME(table, first, state, number)` for the others. `table`
    is as `link` wants it, followed by one more for each of the others, that of number 0 first: each has scratch memory of its
    own. `run` publishes `module` and its table in MODULE and TABLE; `help` works on phases from `first` on, says at the
    address `state` when it may hold a chunk, and returns when there is another job or nothing was to do for a while.

    Args:
        work: By the id of a kernel about how many nanoseconds it takes; None where that is not known.
    """
    kernels = list({id(p): p for parts in recordings.values() for p in compiled(parts)}.values())
    place = {id(p): i for i, p in enumerate(kernels)}
    functions = [p.function for p in kernels]
    starts = len(functions)
    functions += [_begin(), _open(), _join()]
    begin, open_, join = (CALL + leb(starts + i) for i in range(3))
    exports = {}

    def add(name: str, parts: Sequence[Part]) -> None:
        """Exports `run...`, which leads, and `help...`, which other threads call, for one sequence of kernels."""
        phases: list[bytes] = []

        def call(p: Compiled, at: int) -> bytes:
            each = chunk_size(p.items, work[id(p)])
            chunks = -(-p.items // each)
            if chunks == 1:
                return get(0) + number(at) + ADD + number(0) + number(p.items) + CALL + leb(place[id(p)])
            kind = len(phases)
            phases.append(CALL + leb(len(functions)))
            functions.append(_phase(p, place[id(p)], at, each))
            code = get(2) + number(1) + ADD + TEE + leb(2) + number(kind) + open_
            return code + get(0) + get(2) + phases[-1] + number(chunks) + join

        run, deep = sequence(parts, call, 3)
        if phases:
            run = get(0) + get(1) + begin + put(2, load(PHASE)) + run
        exports.update({f"help{name}": len(functions), f"run{name}": len(functions) + 1})
        helping = _help(phases, _count(parts, lambda p: pays(p, work)), 4 * table_words(parts))
        functions.extend((helping, Function((I32, I32), [I32] * (1 + deep), run)))

    for name, parts in recordings.items():
        add(name, parts)
    return encode(functions, exports, shared=True)


def pays(p: Compiled, work: Mapping[int, int | None]) -> bool:
    """Whether a kernel is worth more than one thread."""
    return chunk_size(p.items, work[id(p)]) < p.items


def _count(parts: Sequence[Part], shared: Callable[[Compiled], bool]) -> int:
    """How many phases a job has."""
    found = 0
    for p in parts:
        if isinstance(p, Again):
            found += p.times * _count(p.parts, shared)
        elif isinstance(p, Compiled):
            found += shared(p)
    return found


def _begin() -> Function:
    """(table, module): announces a job."""
    code = store(FIRST, number(0)) + store(MODULE, get(1)) + store(TABLE, get(0))
    return Function((I32, I32), [], code + store(FIRST, load(PHASE) + number(1) + ADD))


def _open() -> Function:
    """(phase, kind): its first chunk can be had.

    The ticket is closed while the kind changes: who reads the new kind with the old phase finds no chunk.
    """
    ticket = get(0) + EXTEND + I64_CONST + sleb(32) + I64_SHL
    code = store(DONE, number(0)) + store(TICKET, number(-1)) + store(KIND, get(1))
    code += number(0) + ticket + _atomic(0x18, TICKET, wide=True)
    return Function((I32, I32), [], code + load(SLEEPERS) + IF + notify(PHASE, -1) + END)


def _phase(p: Compiled, function: int, at: int, each: int) -> Function:
    """(table, phase): takes chunks of this phase as long as there are any."""
    ticket, lo, chunks = 2, 3, -(-p.items // each)
    take = number(0) + _atomic(0x11, TICKET, wide=True) + TEE + leb(ticket) + I64_CONST + sleb(32) + I64_SHR + WRAP
    take += get(1) + NE + BR_IF + b"\x01"  # another phase
    take += get(ticket) + WRAP + number(chunks) + GE_U + BR_IF + b"\x01"
    take += number(0) + get(ticket) + get(ticket) + I64_CONST + b"\x01" + I64_ADD + _atomic(0x49, TICKET, wide=True)
    take += get(ticket) + I64_EQ + EQZ + BR_IF + b"\x00"  # somebody else was faster
    work = get(ticket) + WRAP + number(each) + MUL + TEE + leb(lo) + number(each) + ADD + SET + leb(4)
    work += put(4, number(p.items) + get(4) + get(4) + number(p.items) + GE_U + SELECT)  # the smaller
    work += get(0) + number(at) + ADD + get(lo) + get(4) + CALL + leb(function)
    work += number(0) + number(1) + _atomic(0x1E, DONE) + DROP
    work += load(LEADER_SLEEPS) + IF + notify(DONE, 1) + END
    code = BLOCK + LOOP + take + work + BR + b"\x00" + END + END
    return Function((I32, I32), [I64, I32, I32], code)


def _join() -> Function:
    """(chunks): waits until so many are done."""
    seen, rounds = 1, 2
    code = put(seen, load(DONE)) + get(seen) + get(0) + EQ + BR_IF + b"\x01"
    code += load(FAILED) + IF + UNREACHABLE + END
    code += put(rounds, get(rounds) + I64_CONST + b"\x01" + I64_ADD)
    code += load(MAY_WAIT) + get(rounds) + I64_CONST + sleb(LEADER_SPIN) + I64_GT + b"\x71" + IF
    code += store(LEADER_SLEEPS, number(1))
    code += number(0) + get(seen) + I64_CONST + sleb(1_000_000) + _atomic(0x01, DONE) + DROP
    code += store(LEADER_SLEEPS, number(0))
    code += put(rounds, get(rounds) + I64_CONST + sleb(1 << 20) + I64_ADD) + END
    code += get(rounds) + I64_CONST + sleb(PATIENCE) + I64_GT + IF + store(FAILED, number(STUCK)) + UNREACHABLE + END
    return Function((I32,), [I32, I64], BLOCK + LOOP + code + BR + b"\x00" + END + END)


def _help(phases: Sequence[bytes], total: int, size: int) -> Function:
    """(table, first, state, number): helps until there is another job, or nothing to do for a while.

    `phases` call the shared kernels, `total` counts how often one is opened, `size` is that of a table.
    """
    phase, spins, last = 4, 5, 6
    if not phases:
        return Function((I32,) * 4)
    code = put(phase, load(PHASE)) + get(phase) + get(1) + SUB + number(total) + GE_U + BR_IF + b"\x01"
    code += get(phase) + get(last) + EQ + IF
    code += put(spins, get(spins) + number(1) + ADD) + get(spins) + number(SPIN) + GT_S + BR_IF + b"\x02"
    code += ELSE + put(spins, number(0)) + put(last, get(phase)) + END
    code += get(2) + number(1) + _atomic(0x17, 0)
    code += BLOCK * (len(phases) + 1) + load(KIND)
    code += b"\x0e" + leb(len(phases)) + b"".join(leb(i) for i in range(len(phases) + 1))  # the last: another job's kind
    for i, call in enumerate(phases):
        code += END + get(0) + get(phase) + call + BR + leb(len(phases) - 1 - i)
    code += END + get(2) + number(0) + _atomic(0x17, 0)
    own = put(0, get(0) + get(3) + number(1) + ADD + number(size) + MUL + ADD)
    return Function((I32,) * 4, [I32, I32, I32], own + BLOCK + LOOP + code + BR + b"\x00" + END + END)


def doze() -> bytes:
    """A module whose `run(phase)` sleeps until there is another phase, for half a second at most."""
    code = number(0) + number(1) + _atomic(0x1E, SLEEPERS) + DROP
    code += number(0) + get(0) + I64_CONST + sleb(500_000_000) + _atomic(0x01, PHASE) + DROP
    code += number(0) + number(-1) + _atomic(0x1E, SLEEPERS) + DROP
    return encode([Function((I32,), [], code)], {"run": 0}, shared=True)


__all__ = ["chunk_size", "doze", "link_shared", "link_shared_all", "pays", "table_words"]
