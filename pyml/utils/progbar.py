"""The progress bar of `fit`, `evaluate` and `predict`, in Keras' printed form."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from pyml import settings


def is_dynamic_display() -> bool:
    """True where a printed line can be overwritten: a terminal or a notebook."""
    isatty = getattr(sys.stdout, "isatty", None)
    return bool(isatty and isatty()) or "ipykernel" in sys.modules or "PYCHARM_HOSTED" in os.environ


class Progbar:
    """Prints ` 10/133 ━━━━… 5s 40ms/step - accuracy: 0.1 - loss: 2.3` and overwrites it as steps go by.

    Args:
        target: Number of steps expected, or None when unknown.
        width: Width of the bar in characters.
        verbose: 0 prints nothing, 1 a bar, 2 one line at the end.
        interval: Least time between two updates of the screen, in seconds.
        stateful_metrics: Names whose values are shown as given instead of averaged over steps.
        stateless_metrics: Names that are averaged, all others shown as given; give one of the two.
        unit_name: What a step is called, usually `"step"`.

    Raises:
        ValueError: Both `stateful_metrics` and `stateless_metrics` are given.

    Example:
        >>> bar = pyml.utils.Progbar(3, verbose=2)
        >>> bar.update(3, [("loss", 0.5)])  # doctest: +SKIP
        3/3 - 0s - 5us/step - loss: 0.5000
    """

    def __init__(self, target: int | None, width: int = 20, verbose: int = 1, interval: float = 0.05,
                 stateful_metrics: Iterable[str] | None = None, stateless_metrics: Iterable[str] | None = None,
                 unit_name: str = "step"):  # fmt: skip
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Progbar: give either stateful_metrics or stateless_metrics, not both.")
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._dynamic = is_dynamic_display()
        self._seen = 0
        self._values: dict[str, list[Any]] = {}
        self._start = time.time()
        self._after_first_step: float | None = None
        self._last_update = 0.0
        self._previous_width = 0

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None) -> None:
        """Moves the bar to step `current`.

        Args:
            current: Steps done.
            values: Pairs `(name, value)` to show.
            finalize: True ends the line; by default when `current` reaches the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or []:
            self._record(name, value, current, finalize)
        self._seen = current
        now = time.time()
        step_time = self._step_time(current, now)
        if self.verbose == 1 and settings.is_interactive_logging_enabled():
            if now - self._last_update < self.interval and not finalize:
                return
            self._print_bar(current, now, step_time, finalize)
        elif self.verbose and finalize and self.target:
            digits = len(str(self.target))
            line = f"{current:{digits}d}/{self.target} - {now - self._start:.0f}s -"
            self._write(f"{line}{format_duration(step_time, self.unit_name)}{self._metrics()}\n")
        self._last_update = now

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Moves the bar `n` steps on."""
        self.update(self._seen + n, values)

    def _record(self, name: str, value: Any, current: int, finalize: bool) -> None:
        if self.stateless_metrics is not None:
            averaged = name in self.stateless_metrics
        else:
            averaged = name not in (self.stateful_metrics or ())
        if not averaged or finalize:
            self._values[name] = [value, 1]
            return
        steps = max(current - self._seen, 1)
        total = self._values.setdefault(name, [0.0, 0])
        total[0] += value * steps
        total[1] += steps

    def _print_bar(self, current: int, now: float, step_time: float, finalize: bool) -> None:
        """Writes the bar in place of the one before."""
        codes = 0                                      # characters of colour codes, which take no place
        if self.target:
            digits = len(str(self.target))
            filled = int(self.width * current / self.target)
            bar = f"\x1b[1m{current:{digits}d}/{self.target}\x1b[0m "
            codes += 8
            if filled > 0:
                bar += f"\33[32m{'━' * filled}\x1b[0m"
                codes += 9
            bar += f"\33[37m{'━' * (self.width - filled)}\x1b[0m"
            codes += 9
        else:
            bar = f"{current:7d}/Unknown"
        if self.target and not finalize:
            when = format_eta(step_time * (self.target - current))
        else:
            when = f"{now - self._start:.0f}s"
        info = f" \x1b[1m{when}\x1b[0m{format_duration(step_time, self.unit_name)}{self._metrics()}"
        codes += 8
        width = len(bar) + len(info) - codes
        lead = "\b" * self._previous_width + "\r" if self._dynamic else "\n"
        padding = " " * max(0, self._previous_width - width)
        self._write(lead + bar + info + padding + ("\n" if finalize else ""))
        self._previous_width = width

    def _metrics(self) -> str:
        return "".join(f" - {name}: {value}" for name, value in self._shown())

    def _shown(self) -> Iterator[tuple[str, str]]:
        for name, (total, count) in self._values.items():
            mean = float(np.mean(total)) / max(1, count)
            yield name, f"{mean:.4f}" if abs(mean) > 1e-3 else f"{mean:.4e}"

    def _step_time(self, current: int, now: float) -> float:
        if not current:
            return 0
        if self._after_first_step is not None and current > 1:
            step_time = (now - self._after_first_step) / (current - 1)     # the first step compiles
        else:
            step_time = (now - self._start) / current
        if current == 1:
            self._after_first_step = now
        return step_time

    def _write(self, text: str) -> None:
        settings.print_msg(text, line_break=False)


def format_duration(seconds: float, unit_name: str) -> str:
    """` 40ms/step`: one of s, ms and us by size."""
    if seconds >= 1 or seconds == 0:
        return f" {seconds:.0f}s/{unit_name}"
    if seconds >= 1e-3:
        return f" {seconds * 1e3:.0f}ms/{unit_name}"
    return f" {seconds * 1e6:.0f}us/{unit_name}"


def format_eta(seconds: float) -> str:
    """`5s`, `1:05` or `1:00:05`."""
    seconds = int(seconds)
    if seconds > 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    if seconds > 60:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds}s"
