"""Every layer, each of its samples, exported and run in Node: to the bit what Python gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_in_node import in_node

HERE = Path(__file__).parent


@pytest.mark.slow
def test_every_layer_gives_in_node_what_it_gives_in_python_to_the_bit(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    subprocess.run([sys.executable, str(HERE / "every_layer.py"), str(tmp_path)], check=True, env=environment)
    wanted, refused = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("wanted", "refused"))
    found = dict(zip(wanted, in_node(json.loads((tmp_path / "jobs.json").read_text())), strict=True))
    assert [name for name, answer in wanted.items() if found[name] != [answer]] == []
    assert len(wanted) > 150
    assert refused.keys() == {"HashedCrossing", "Hashing"}  # whose hashes Python computes
