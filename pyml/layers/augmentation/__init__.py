"""Layers that change images at random while training: turned, cut, recolored, mixed. Each module loads when first touched."""
