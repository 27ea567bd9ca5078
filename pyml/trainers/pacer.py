"""How many steps to send before looking at their results."""

import time

INTERVAL = 0.15                                        # seconds of work between two looks


class Pacer:
    """Counts steps and says when to look.

    A look waits for the device, so the work sent ahead stays bounded: a stop button, a bad loss or the progress
    bar are noticed after about `INTERVAL` seconds on any device.
    """

    def __init__(self, interval: float = INTERVAL):
        self.interval = interval
        self.quota = 1
        self.left = 1
        self._looks = 0
        self._since = time.perf_counter()

    def due(self) -> bool:
        """One more step was sent; True when it is time to look."""
        self.left -= 1
        return self.left <= 0

    def looked(self) -> None:
        """The results are here: plans the next look by how long the steps took."""
        now = time.perf_counter()
        per_step = max((now - self._since) / self.quota, 1e-7)
        self._looks += 1
        if self._looks > 1:                            # the first steps compile and say nothing
            self.quota = max(1, min(int(self.interval / per_step), 2 * self.quota))
        self.left = self.quota
        self._since = now

    def restart(self) -> None:
        """After other work (validation, callbacks): time counts from now."""
        self.left = self.quota
        self._since = time.perf_counter()
