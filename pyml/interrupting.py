"""Ctrl-C, or a page's Stop button, while Python imports: the import comes to its end first."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Any

_IMPORTING = "<frozen importlib"


def let_imports_end() -> None:
    """Has KeyboardInterrupt raised after the import that it would cut in two.

    Of a package that was imported half some modules stay, whose names the next import looks for in vain ("partially initialized module"):
    in a page, where nobody leaves Python, until the page is loaded again.
    """
    signal.signal(signal.SIGINT, _interrupted)


def _interrupted(number: int, frame: FrameType | None) -> None:
    importer = None
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            importer = frame.f_back
        frame = frame.f_back
    if importer is None:
        raise KeyboardInterrupt
    importer.f_trace = _raise
    sys.settrace(_raise)                               # a frame is traced only where anything is


def _raise(frame: FrameType, event: str, argument: Any) -> None:
    if event == "call":
        return  # another frame: it is not traced
    sys.settrace(None)
    frame.f_trace = None
    raise KeyboardInterrupt
