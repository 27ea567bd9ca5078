"""`python -m pyml` is the `pyml` command."""

import sys

from pyml.cli import main

if __name__ == "__main__":
    sys.exit(main())
