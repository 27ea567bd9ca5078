"""Training that is killed with signal 9 while it writes: what was kept stays whole, and a second start ends where it would have ended."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killed_training.py")
BATCHES, IN_EPOCH = 6, 3


def results(folder, kind, step):
    ended = subprocess.run([sys.executable, PROGRAM, folder, kind, str(step)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout)
    assert found["whole"]["batches"] == BATCHES
    assert found["results"]
    return found["whole"], found["results"]


def kinds(quick, other):
    """Some operations of one kind, and every one of both where there is time."""
    return pytest.mark.parametrize(("kind", "step"), [(quick, 9), *(pytest.param(k, 1, marks=pytest.mark.slow) for k in (quick, other))])


@kinds("backup", "double backup")
def test_training_that_is_killed_while_a_backup_is_written_ends_with_the_weights_of_a_whole_run(tmp_path, kind, step):
    whole, found = results(tmp_path, kind, step)
    resumed = set()
    for result in found:
        assert result["after"]["weights"] == whole["weights"]
        assert result["left"] == []                    # the folder is gone when the training has ended
        done = BATCHES - result["after"]["batches"]    # the metadata are written first: they name this place, or the one before
        epoch, batch = result["place"] or (0, 0)
        assert done in (epoch * IN_EPOCH + batch, epoch * IN_EPOCH + batch - (2 if kind == "backup" else IN_EPOCH), 0 if epoch == 2 else -1)
        resumed.add(done)
    assert {0, IN_EPOCH if kind == "double backup" else 2} <= resumed


@kinds("checkpoint", "weights")
def test_a_checkpoint_that_is_killed_while_it_is_written_leaves_the_old_file_or_the_new_one(tmp_path, kind, step):
    whole, found = results(tmp_path, kind, step)
    kept = []
    for result in found:
        assert len([name for name in result["left"] if not name.startswith(".")]) <= 1
        if result["after"] is not None and result["after"]["weights"] not in kept:
            kept.append(result["after"]["weights"])
    assert len(kept) in ((1, 2) if kind == "checkpoint" else (2, 3))
    if kind == "checkpoint":
        assert all(weights in whole["epochs"] for weights in kept)
    else:
        assert kept[-1] == whole["weights"] or step > 1
