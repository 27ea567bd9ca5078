"""How tests are shared out among the workers of `pytest -n`."""

from __future__ import annotations

import os
from collections import Counter

import pytest

# Workers share the cores: threads of numpy's products only wait for them, busily. Children and workers inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

CHUNK = 12  # tests of a file that one worker runs in a row
SLOW = 1800  # seconds that a slow test may take: no limit that a busy machine misses, only an end for what hangs


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Slow tests have a limit of their own, unless the command line or the test says one."""
    if config.getoption("timeout", None) is not None:
        return
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """All pages go to one worker, first of all; the other tests in pieces of a file.

    One test at a time, as xdist gives them out, costs twice: what a file's tests share is made in every worker, and xdist
    counts after each test all that it has given out before.
    """
    if config.option.dist not in ("load", "loadgroup"):
        return None
    from xdist.scheduler import LoadScopeScheduling

    class InPieces(LoadScopeScheduling):
        def schedule(self):
            if self.collection is None:
                count: Counter[str] = Counter()
                self.pieces = {}
                for name in next(iter(self.registered_collections.values())):
                    file = name.partition("::")[0]
                    self.pieces[name] = "pages" if file.startswith("e2e/") else f"{file} {count[file] // CHUNK}"
                    count[file] += 1
            super().schedule()

        def _split_scope(self, nodeid):
            return self.pieces[nodeid]

        def mark_test_complete(self, node, item_index, duration=0):
            super().mark_test_complete(node, item_index, duration)
            given = self.assigned_work[node]
            scope = self.pieces[self.registered_collections[node][item_index]]
            if all(given[scope].values()):
                del given[scope]

    return InPieces(config, log)
