"""Progress on the terminal while the demo prepares and replays; a line a month where there is none.

Shows what it is given; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from monitor.demo.history import History
from monitor.demo.receiver import Delivery

_REFRESHES_A_SECOND = 4


class Display:
    """One bar a step, and while flights are replayed what the sidecar sees of them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(36),
            MofNCompleteColumn(),
            console=console,
        )
        self._said = Text()
        self._month = ""

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Draw while the block runs; without a terminal nothing is drawn, and lines are printed."""
        if not self._console.is_terminal:
            yield
            return
        drawn = Group(self._bars, self._said)
        with Live(drawn, console=self._console, refresh_per_second=_REFRESHES_A_SECOND):
            yield

    def step(self, description: str, total: int) -> TaskID:
        """Begin a step of `total` parts."""
        if not self._console.is_terminal:
            self._console.print(description, highlight=False)
        return self._bars.add_task(description, total=total)

    def advance(self, step: TaskID) -> None:
        """One more part is done."""
        self._bars.advance(step)

    def replayed(
        self, step: TaskID, rows: int, at: pd.Timestamp, seen: tuple[History, list[Delivery]]
    ) -> None:
        """So many rows are answered; the traffic stands at the departure `at`."""
        self._bars.update(step, completed=rows, description=f"flights of {at:%d %B}")
        said = _line(*seen)
        self._said.plain = said
        month = f"{at:%B}"
        if not self._console.is_terminal and month != self._month:
            self._console.print(f"  {month:<10} {said}", highlight=False, soft_wrap=True)
        self._month = month


def _line(history: History, deliveries: list[Delivery]) -> str:
    look = history.latest
    if look is None:
        return "waiting for the first window"
    parts = []
    if "rmse" in look.realised and "rmse" in look.reference:
        parts.append(f"RMSE {look.realised['rmse']:.1f} (reference {look.reference['rmse']:.1f})")
    drifting = history.drifting_now()
    parts.append(f"in drift: {', '.join(drifting) or 'none'}")
    fired = sum(delivery.status == "firing" for delivery in deliveries)
    parts.append(f"alerts: {fired} fired, {len(deliveries) - fired} resolved")
    return " · ".join(parts)
