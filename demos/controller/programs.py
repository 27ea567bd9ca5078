"""What the page compiles by its small network, and by MobileNet if the site has it; `pyml build` ships it."""

import numpy as np
from controller import COMMANDS, SIZE, WAYS, Controller, drawn_pose

from pyml import hub

EXAMPLES = 20  # of a command; what of its whole batches is compiled serves any number


async def main():
    controller, pick = Controller(), np.random.default_rng(0)
    for command in COMMANDS:
        for _ in range(EXAMPLES):
            await controller.add(command, drawn_pose(command, pick))
    for way in WAYS:
        try:
            await controller.choose(way)
        except hub.HubError:  # the site has no network for it
            continue
        await controller.train(epochs=1)
        await controller.predict(np.zeros((SIZE, SIZE, 3), np.uint8))
