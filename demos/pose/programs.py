"""What the page compiles for a camera and for photos, by each network that the site has; `pyml build` ships it."""

import numpy as np
from pose import NETWORKS, Finder

from pyml import hub

SIZES = ((288, 384), (216, 384), (384, 384))  # rows and columns: pictures of 4:3, of 16:9, and square ones, as the page shrinks them


async def main():
    finder = Finder()
    for name in NETWORKS:
        try:
            await finder.network(name)
        except hub.HubError:  # the site has it not
            continue
        for size in SIZES:
            await finder.find(np.zeros((*size, 3), np.uint8), name)
