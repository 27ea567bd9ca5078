"""What the page compiles for its sample photos, by each network that the site has; `pyml build` ships it."""

import numpy as np
from classify import NETWORKS, Namer

from pyml import hub

SAMPLES = ((300, 451), (400, 600), (427, 640), (512, 512))  # rows and columns


async def main():
    namer = Namer()
    for name in NETWORKS:
        try:
            await namer.network(name)
        except hub.HubError:  # the site has it not
            continue
        for size in SAMPLES:
            await namer.name(np.zeros((*size, 3), np.uint8), name)
