"""device/pool.py: sizes, reuse, trimming and the counts."""

from hypothesis import given
from hypothesis import strategies as st

from pyml.device.pool import SPARE, BufferPool, size_class


def make_pool():
    made, freed = [], []

    def create(nbytes):
        made.append(nbytes)
        return len(made)

    return BufferPool(create, freed.append), made, freed


@given(st.integers(1, 1 << 34))
def test_a_size_class_holds_the_request_wastes_an_eighth_at_most_and_is_its_own_class(nbytes):
    size = size_class(nbytes)
    assert size >= nbytes and size % 16 == 0
    assert size <= max(nbytes * 1.125 + 16, 16)
    assert size_class(size) == size


def test_a_freed_buffer_is_handed_out_again_without_a_device_call():
    pool, made, _ = make_pool()
    first = pool.take(1000)
    handle = first.handle
    del first
    assert pool.usage.live == 0 and pool.usage.buffers == 1
    assert pool.take(1000).handle == handle
    assert len(made) == 1


def test_buffers_in_use_are_never_shared():
    pool, _, _ = make_pool()
    kept = [pool.take(256) for _ in range(10)]
    assert len({buffer.handle for buffer in kept}) == 10
    assert pool.usage.live == 10 and pool.usage.live_bytes == 2560


def test_spare_buffers_are_freed_when_too_many_bytes_idle():
    pool, _, freed = make_pool()
    for size in (SPARE, SPARE + (1 << 21), SPARE + (2 << 21)):
        pool.take(size)  # dropped at once
    pool.take(64)
    assert freed and pool.usage.nbytes <= 2 * SPARE


def test_rounding_up_stops_at_the_largest_buffer_the_adapter_has():
    pool, made, _ = make_pool()
    pool.take(1000, most=1008)
    assert made == [1008]
