"""Whether the calls in progress are training; inner layers inherit it from the outer call."""

from contextlib import contextmanager

_stack: list = []


def depth():
    """Number of layer calls in progress."""
    return len(_stack)


def training():
    """What the enclosing calls decided, or None."""
    return _stack[-1] if _stack else None


@contextmanager
def entered(value):
    """A layer call with the given `training`."""
    _stack.append(value)
    try:
        yield
    finally:
        _stack.pop()
