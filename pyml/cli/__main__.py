"""`python -m pyml.cli` is the `pyml` command."""

import sys

from pyml.cli import main

sys.exit(main())
