"""The graph: immutable nodes, operations declared in one place, views and gradients. Pure Python and numpy."""
