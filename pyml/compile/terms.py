"""How long the text of an elementwise op is when a compiler of shaders has written out all that it calls."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from ..graph.op import Elementwise

_HELPER = re.compile(r"^fn ([\w$]+)\(.*?\{(.*?)(?:^\}| \}$)", re.M | re.S)
_COMMENT = re.compile(r" *//.*")
_OPERATOR = re.compile(r"(?<=\s)(?:<<|>>|[=!<>]=|&&|\|\||[-+*/%&|^]=?|<|>)(?=\s)")
_CALL = re.compile(r"([A-Za-z_][\w$]*)\(")
_FREE = {"T", "F", "I", "U", "B", "f32", "i32", "u32", "ANY", "if", "while", "for", "return"}  # followed by a parenthesis, and no work
_LOOP = re.compile(r"\b(?:while|for) ")

# What a compiler spends on a loop, in terms: on Mesa's for processors `mod` of 72 and a loop takes as long as `pow` of 195.
_OF_LOOP = 120


@functools.cache
def terms(op: Elementwise, dtype: str) -> int:
    """Operators and built-in functions of the expression for operands of a dtype, with those of its helpers at each call; at least 1."""
    bodies = {name: body for text in op.helpers(dtype) for name, body in _HELPER.findall(_COMMENT.sub("", text))}
    return max(1, _written_out(op.expression(dtype), bodies))


def _written_out(text: str, bodies: Mapping[str, str]) -> int:
    own = len(_OPERATOR.findall(text)) + _OF_LOOP * len(_LOOP.findall(text))
    return own + sum(_written_out(bodies[f], bodies) if f in bodies else f not in _FREE for f in _CALL.findall(text))
