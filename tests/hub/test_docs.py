"""The examples of docs/hub.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

from networks import need

DOCUMENT = Path(__file__).parents[2] / "docs" / "hub.md"


def test_the_examples_of_the_document_run(capsys):
    need("mobilenet_v1", "photos", "movenet", "selfie_segmentation", "speech_embedding")
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(DOCUMENT), "exec"), names)
    printed = capsys.readouterr().out
    assert "Egyptian cat" in printed and "(3, 96)" in printed and "3,228,864" in printed
    assert names["history"].history["accuracy"][-1] == 1.0
    assert [type(t) for t in (names["drawn"].size, names["shapes"]["lines"])] == [tuple, list]
