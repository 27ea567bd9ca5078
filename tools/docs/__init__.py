"""The documentation site: `make docs` gathers its pages in `build/docs-source` and builds them into `build/docs`."""
