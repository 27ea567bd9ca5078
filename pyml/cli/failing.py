"""How the command says that something went wrong."""

import sys


def fail(message: object) -> int:
    """Prints an error the way the command does and returns status 1."""
    print(f"pyml: {message}", file=sys.stderr)
    return 1


class BuildError(Exception):
    """A site cannot be built; the message says why and what to do."""
