"""Progress of `fit`, `evaluate` and `predict` below the cell of a notebook, in one place that changes as the work goes on."""

from __future__ import annotations

import html
import time
from collections import deque
from typing import Any

from pyml.utils.notebooks import Place
from pyml.utils.progbar import Progbar, format_duration, format_eta
from pyml.utils.stop_button import stop_button

PAUSE = 0.2                                            # seconds from one drawing to the next
SILENT = 0.5                                           # seconds that `predict` may take without a word
KEPT = 10                                              # epochs whose figures stay: a saved notebook holds them once
_STYLE = "width:20em;max-width:100%;vertical-align:middle;accent-color:#0f6b61"


class NotebookProgress:
    """One call's progress.

    Args:
        what: `"fit"`, `"evaluate"` or `"predict"`.
        epochs: How many there will be.
    """

    def __init__(self, what: str, epochs: int = 1) -> None:
        self.what, self.epochs = what, epochs
        self.place = Place()
        self.epoch = 0
        self.first: int | None = None
        self.rows: deque[dict[str, str]] = deque(maxlen=KEPT)
        self.lines: deque[str] = deque(maxlen=KEPT)
        self.ended = 0                                 # epochs
        self.each = 0.0                                # seconds that an epoch takes: the mean, without the first, which compiles
        self._warm = 0.0                               # when the first was over
        self.began = time.time()
        self._drawn = 0.0
        self._bar: NotebookBar | None = None
        self._stop = stop_button() if what == "fit" else None

    def bar(self, target: int | None, epoch: int = 0) -> NotebookBar:
        """The bar of an epoch."""
        self.epoch = epoch
        self.first = epoch if self.first is None else self.first
        self._bar = NotebookBar(self, target)
        return self._bar

    def moved(self, bar: NotebookBar, now: float, step_time: float, over: bool) -> None:
        """A bar has gone on; draws if the last drawing is long enough ago."""
        row = {"epoch": f"{self.epoch + 1}", "time": format_eta(now - bar.began), **bar.figures()}
        count = f"{bar.reached}/{bar.target}" if bar.target else f"{bar.reached}"
        line = f"{count} - {now - bar.began:.0f}s -{format_duration(step_time, bar.unit_name)}"
        line += "".join(f" - {name}: {value}" for name, value in bar.figures().items())
        if self.what == "fit":
            line = f"Epoch {self.epoch + 1}/{self.epochs}: {line}"
        if over:
            self.rows.append(row)
            self.lines.append(line)
            self.ended += 1
            self._warm = self._warm or now
            self.each = (now - self._warm) / (self.ended - 1) if self.ended > 1 else now - bar.began
            if self.what == "fit" and self.epoch + 1 < self.epochs and now - self._drawn < PAUSE:
                return                                 # the next epoch draws it too
        elif now - self._drawn < PAUSE or (self.what != "fit" and now - self.began < SILENT):
            return
        if self.what == "predict" and over and not self._drawn:
            return                                     # so quick that nobody waited
        now_row, now_line = ([], []) if over else ([row], [line])
        self._draw(self._headline(bar, step_time, over), [*self.rows, *now_row], [*self.lines, *now_line],
                   None if self.what == "fit" and self.epoch + 1 < self.epochs else over)  # fmt: skip
        self._drawn = now
        if self._stop is not None:
            self._stop.check()

    def finished(self, word: str = "") -> None:
        """The call is over: by itself, or as `word` says."""
        if self._stop is not None:
            self._stop.close()
            self._stop = None
        if self.what != "fit" or (self.ended == 0 and not word):
            return
        count = f"{self.ended} epoch{'' if self.ended == 1 else 's'} in {format_eta(time.time() - self.began)}"
        said = f"{word} after {count}" if word else count
        self._draw(f"<b>{html.escape(said)}</b>", [*self.rows], [*self.lines, *([said] if word else [])], not word)

    def _headline(self, bar: NotebookBar, step_time: float, over: bool) -> str:
        parts = [f"<b>Epoch {self.epoch + 1} of {self.epochs}</b>" if self.what == "fit" else f"<b>{self.what.capitalize()}</b>"]
        parts.append(f"step {bar.reached} of {bar.target}" if bar.target else f"step {bar.reached}")
        if bar.reached:
            parts.append(format_duration(step_time, bar.unit_name).strip().replace("/", " a "))
        rest = self.epochs - self.epoch - 1
        if bar.target and not (over and not rest) and bar.reached > (0 if self.ended else 1):  # the first step compiles
            each = self.each or step_time * bar.target
            parts.append(f"about {format_eta((bar.target - bar.reached) * each / bar.target + rest * each)} left")
        return ", ".join(parts)

    def _draw(self, headline: str, rows: list[dict[str, str]], lines: list[str], over: bool | None) -> None:
        """Shows the bar, the table of epochs and the notes; `over` says whether it is done."""
        bar, span = self._bar, max(self.epochs - (self.first or 0), 1)
        share: float | None = 1.0
        if not over:
            share = None if bar is None or not bar.target else min(bar.reached / bar.target, 1.0)
            if self.epochs > 1:
                share = (self.epoch - (self.first or 0) + (share or 0.0)) / span
        value = "" if share is None else f' value="{share:.4f}"'
        drawn = f'<div><progress max="1"{value} style="{_STYLE}" aria-label="Progress of {self.what}"></progress> {headline}'
        drawn += f" {self._stop.html}</div>" if self._stop is not None else "</div>"
        names = list(dict.fromkeys(name for row in rows for name in row))
        names = names if self.what == "fit" else [name for name in names if name not in ("epoch", "time")]
        if names and rows:
            head = "".join(f'<th style="padding: 0 0.5em">{html.escape(name)}</th>' for name in names)  # marimo leaves no room between them
            body = "".join("<tr>" + "".join(f"<td>{html.escape(row.get(name, ''))}</td>" for name in names) + "</tr>" for row in rows)
            drawn += f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        hidden = self.ended - len(self.rows)
        if hidden > 0:
            note = f"{hidden} epoch{'' if hidden == 1 else 's'} before that"
            drawn += f"<div>{note}: all are in <code>history</code></div>"
            lines = [note, *lines]
        self.place.show(f"<div>{drawn}</div>", "\n".join(lines))


class NotebookBar(Progbar):
    """The bar of one epoch, drawn by a `NotebookProgress`."""

    def __init__(self, progress: NotebookProgress, target: int | None) -> None:
        super().__init__(target, verbose=1, stateless_metrics=(), interval=0.0)
        self.progress = progress

    @property
    def began(self) -> float:
        """When it began."""
        return self._start

    @property
    def reached(self) -> int:
        """Steps done."""
        return self._seen

    def figures(self) -> dict[str, str]:
        """Metrics by name, as text."""
        return dict(self._shown())

    def _print_bar(self, current: int, now: float, step_time: float, finalize: bool) -> None:
        self.progress.moved(self, now, step_time, finalize)


def stopped(progress: Any, error: BaseException) -> None:
    """Says in a progress that its call ended before its time."""
    if isinstance(progress, NotebookProgress):
        progress.finished("interrupted" if isinstance(error, KeyboardInterrupt) else "ended by an error")
