"""What a demo's programs.py compiles is what its page needs: with it kept, the page's own Python compiles nothing."""

import asyncio
import sys

import numpy as np
import pytest

from pyml import kept


@pytest.fixture
def shipped(demo_module, wasm, monkeypatch):
    """`shipped("spectrogram")` runs the demo's programs.py; what it compiled is kept, and nothing counted yet."""
    before = kept.use(kept.MemoryStore())

    def run(demo):
        sys.modules.pop("programs", None)
        asyncio.run(demo_module(demo, "programs").main())
        assert len(kept.store()) > 3
        kept.counts.clear()

    yield run
    kept.use(before)
    kept.counts.clear()
    sys.modules.pop("programs", None)


def test_the_spectrogram_compiles_nothing_for_its_first_visitor(shipped, demo_module):
    shipped("spectrogram")
    sound = demo_module("spectrogram", "spectrogram")
    for window in (1024, 2048):
        asyncio.run(sound.Spectrogram(44_100, window).columns(np.ones(5 * window, np.float32)))
    assert not kept.counts.keys() & {"plans made", "kernels compiled"}
    asyncio.run(sound.Spectrogram(44_100, 512, hop=64).columns(np.ones(2048, np.float32)))
    assert not kept.counts.keys() & {"plans made", "kernels compiled"}
    asyncio.run(sound.Spectrogram(44_100, 64).columns(np.ones(640, np.float32)))  # a window that the page does not offer
    assert kept.counts["plans made"] == 1


@pytest.mark.slow
def test_the_controller_compiles_nothing_when_its_examples_are_looked_at(shipped, demo_module, monkeypatch):
    module = demo_module("controller", "controller")
    monkeypatch.setattr(module, "WAYS", {"small": module.SmallNetwork})
    shipped("controller")
    controller, pick = module.Controller(), np.random.default_rng(1)

    async def page():
        for command in module.COMMANDS:
            for _ in range(20):
                await controller.add(command, module.drawn_pose(command, pick))
        await controller.train(epochs=1)
        await controller.predict(module.drawn_pose("up", pick))

    asyncio.run(page())
    assert not kept.counts.keys() & {"plans made", "kernels compiled"}
