"""The guides to the functional API, to training loops and to transfer learning run in a tab as they stand."""

import re
import textwrap
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
LEAVES = {  # guide -> an expression that holds at its end
    "functional_api.md": "list(model.output_shape) == [None, 3]",
    "training_loops.md": "float(last) < float(first)",
    "transfer_learning.md": "base.trainable",
}


@pytest.fixture(scope="module", params=["webgpu", "wasm"])
def python(request, pythons):
    return pythons(f"backend={request.param}")


@pytest.mark.slow
@pytest.mark.parametrize("guide", LEAVES)
def test_a_guide_runs_in_a_tab(python, guide):
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / guide).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    assert python.run(f"{''.join(textwrap.dedent(block) for block in blocks)}\nbool({LEAVES[guide]})") is True
