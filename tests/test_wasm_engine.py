"""pyml/wasm/heap.py and engine.py: blocks of a memory that grows, and modules that work on them."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyml.errors import KernelError
from pyml.wasm.engine import PAGE
from pyml.wasm.heap import ALIGN, Heap
from pyml.wasm.module import I32, Function, encode

GET, F32_LOAD, F32_STORE = b"\x20\x00", b"\x2a\x02\x00", b"\x38\x02\x00"
DOUBLE = GET + GET + F32_LOAD + b"\x43\x00\x00\x00\x40\x94" + F32_STORE  # f32[table] *= 2
NEVER = b"\x00"  # unreachable
MISALIGNED = GET + b"\xfd\x00\x07\x00\x1a"  # an alignment that the standard forbids


def module(code, shared):
    return encode([Function((I32,), [], code)], {"run": 0}, shared)


# ---- the heap
SIZES = st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=60)


@given(SIZES)
def test_blocks_never_overlap_and_everything_freed_joins_again(requests):
    heap = Heap(64, 1000, lambda nbytes: -(-nbytes // 1000) * 1000)
    held = {}
    for nbytes, free_one in requests:
        address = heap.take(nbytes)
        end = address + max(nbytes, 1)
        assert address % ALIGN == 0 and address >= 64
        assert all(end <= a or a + max(n, 1) <= address for a, n in held.items())
        held[address] = nbytes
        if free_one:
            first = next(iter(held))
            heap.give(first, held.pop(first))
    whole = heap.free_bytes + sum(max(ALIGN, -(-n // ALIGN) * ALIGN) for n in held.values())
    for address, nbytes in held.items():
        heap.give(address, nbytes)
    assert heap.free_bytes == whole
    if held:
        grown = heap.free_bytes
        assert heap.take(grown // ALIGN * ALIGN) == 64  # one block again


def test_a_heap_whose_memory_cannot_grow_says_so_and_stays_as_it_was():
    def full(nbytes):
        raise MemoryError("full")

    heap = Heap(64, 1024, full)
    address = heap.take(512)
    with pytest.raises(MemoryError, match="full"):
        heap.take(512)
    assert heap.take(448) == address + 512


def test_a_freed_block_is_the_first_to_be_used_again():
    heap = Heap(64, 1 << 16, lambda nbytes: nbytes)
    first, _ = heap.take(100), heap.take(100)
    heap.give(first, 100)
    assert heap.take(128) == first


# ---- the engine
@pytest.fixture
def engine(wasm):
    return wasm._engine


@pytest.mark.parametrize("nbytes", [0, 1, 3, 5, 7, 127, 4096, PAGE + 1])
def test_a_block_is_aligned_and_as_large_as_asked(engine, nbytes):
    block = engine.allocate(nbytes)
    assert block.address % 64 == 0 and block.view.nbytes == nbytes and block.view.dtype == np.uint8
    engine.free(block)


def test_a_module_works_in_place_on_numpy_memory(engine):
    block = engine.allocate(12)
    floats = block.view.view(np.float32)
    floats[:] = 1, 2, 3
    run = engine.load(module(DOUBLE, engine.shared))
    run(block.address)
    run(block.address + 8)
    assert floats.tolist() == [2, 2, 6]
    engine.free(block)


def test_memory_stays_in_place_when_it_grows(engine):
    block = engine.allocate(64)
    block.view[:] = 7
    large = [engine.allocate(40 << 20) for _ in range(3)]
    large[-1].view[-4:].view(np.float32)[:] = 3
    engine.load(module(DOUBLE, engine.shared))(large[-1].address + (40 << 20) - 4)
    assert large[-1].view[-4:].view(np.float32)[0] == 6 and (block.view == 7).all()
    for each in [block, *large]:
        engine.free(each)


def test_more_memory_than_there_is_is_refused_and_nothing_is_harmed(engine):
    block = engine.allocate(64)
    block.view[:] = 9
    with pytest.raises(MemoryError):
        engine.allocate(1 << 32)
    again = engine.allocate(64)
    again.view[:] = 1
    assert (block.view == 9).all() and again.address != block.address
    engine.free(block)
    engine.free(again)


@pytest.mark.parametrize(
    "bad", [b"", b"\0asm", b"\0asm\x01\0\0\0\xff\xff", module(MISALIGNED, True)], ids=["empty", "cut", "garbage", "misaligned"]
)
def test_a_module_the_engine_refuses_is_a_kernel_error_in_one_line(engine, bad):
    with pytest.raises(KernelError, match=f"the WebAssembly engine refused a module of {len(bad)} bytes: .") as caught:
        engine.load(bad)
    assert "\n" not in str(caught.value)


def test_a_stopped_module_raises_its_trap_and_the_engine_goes_on(engine):
    with pytest.raises(engine.Trap):
        engine.load(module(NEVER, engine.shared))(0)
    with pytest.raises(engine.Trap):
        engine.load(module(DOUBLE, engine.shared))((1 << 32) - 2)
    block = engine.allocate(4)
    block.view.view(np.float32)[:] = 4
    engine.load(module(DOUBLE, engine.shared))(block.address)
    assert block.view.view(np.float32)[0] == 8
    engine.free(block)


def test_a_module_nobody_holds_is_freed(engine, monkeypatch):
    stores = weakref.WeakSet()
    make = engine._wasmtime.Store

    def tracked(*args):
        store = make(*args)
        stores.add(store)
        return store

    monkeypatch.setattr(engine._wasmtime, "Store", tracked)
    held = [engine.load(module(DOUBLE, engine.shared)) for _ in range(5)]
    assert len(stores) == 5
    del held[1:]
    gc.collect()
    assert len(stores) == 1
