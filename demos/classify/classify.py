"""Names for what a photo shows, by a network trained on ImageNet. The page and the terminal run this file.

In a terminal: `python demos/classify/classify.py [PHOTO ...]` (needs Pillow).
"""

import time

from pyml import hub

NETWORKS = ("mobilenet_v1", "efficientnet_lite0")


class Namer:
    """One of the networks, loaded when it is first chosen and kept."""

    def __init__(self):
        self.loaded = {}

    async def network(self, name, progress=None):
        """The network of that name; `progress(received, total)` hears of its download."""
        if name not in NETWORKS:
            raise ValueError(f"There is no network {name!r}; there are {', '.join(NETWORKS)}.")
        if name not in self.loaded:
            self.loaded[name] = await getattr(hub, f"{name}_async")(progress)
        return self.loaded[name]

    async def name(self, photo, network="mobilenet_v1", top=5):
        """The likeliest names of a photo with their probabilities, and the milliseconds that took."""
        model = await self.network(network)
        began = time.perf_counter()
        found = await model.classify_async(photo, top=top)
        return found, 1000 * (time.perf_counter() - began)


async def main(arguments=None):
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="*", help="picture files (default: a photo of a cat)")
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    options = parser.parse_args(arguments)
    namer = Namer()
    for photo in options.photos or [str(hub.photo("chelsea"))]:
        found, _ = await namer.name(photo, options.network)
        print(photo, *(f"  {share:6.1%}  {name}" for name, share in found), sep="\n")


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
