"""Replays the flights of April to December against a model server, and posts each arrival later.

Speaks HTTP to a model's address and to a `/feedback` address; knows nothing of what stands there.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import orjson
import pandas as pd
from rich.console import Console
from rich.progress import Progress

from examples.flights.data import FEATURES, TARGET, later_flights, load_flights
from examples.flights.journal import Answer, Journal, LabelPost

ROWS_PER_SECOND = 900
REQUEST_ROWS = (1, 1, 1, 1, 40, 80)  # two thirds of the requests are single flights
CONNECTIONS = 4
LABEL_EVERY_SECONDS = 0.25
TOLERATED_LATENESS_SECONDS = 0.25
FEEDBACK_ATTEMPTS = 20

_HEADERS = {"content-type": "application/json"}
_LINES = {"content-type": "application/x-ndjson"}
_TIMEOUT = httpx.Timeout(10.0)


@dataclass(frozen=True, slots=True)
class ReplaySettings:
    """Where the traffic goes, and in how many seconds; a slow machine takes more."""

    model_url: str
    control_url: str
    seconds: float
    label_delay_seconds: float
    token: str = field(default="", repr=False)  # for a control port that asks for one


def thinning(flights: int, seconds: float) -> int:
    """Each how-many-th flight to send, so that the replay keeps to ROWS_PER_SECOND.

    >>> thinning(249_435, 60.0), thinning(100, 60.0)
    (5, 1)
    """
    return max(1, -(-flights // max(1, round(seconds * ROWS_PER_SECOND))))


class Replay:
    """One pass over a table of flights; its attributes can be read while it runs."""

    def __init__(self, flights: pd.DataFrame, settings: ReplaySettings) -> None:
        self.flights = flights
        self.journal = Journal()
        self.answered_rows = 0
        self.failed_requests = 0
        self.refused_labels = 0
        self._settings = settings
        self._departures = flights["departs"].tolist()
        inputs = flights[list(FEATURES)]
        self._inputs = inputs.astype(object).where(inputs.notna(), None)  # JSON has no NaN
        self._truth: list[float] = flights[TARGET].tolist()
        self._cuts = _cuts(len(flights))
        self._waiting: deque[Answer] = deque()
        self._sending = True
        self._began = 0.0

    @property
    def stands_at(self) -> pd.Timestamp:
        """The departure that the traffic has reached."""
        reached: pd.Timestamp = self._departures[min(self.answered_rows, len(self.flights) - 1)]
        return reached

    async def run(self) -> None:
        """Send every flight at its time, then return once every arrival is posted."""
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            labels = group.create_task(self._post_labels())
            await asyncio.gather(*(self._connection() for _ in range(CONNECTIONS)))
            self._sending = False
            await labels

    async def _connection(self) -> None:
        """A client with one keep-alive connection; all take their requests from the same line."""
        async with httpx.AsyncClient(base_url=self._settings.model_url, timeout=_TIMEOUT) as client:
            for first, last in self._cuts:
                await self._until_due(first)
                await self._ask(client, first, last)

    async def _until_due(self, first: int) -> None:
        """Wait for the flight's time; what a slow machine is late by, the rest is late by too.

        Catching up would squeeze months into a window that is meant for weeks.
        """
        due = self._began + self._settings.seconds * first / len(self.flights)
        late = time.monotonic() - due
        if late > TOLERATED_LATENESS_SECONDS:
            self._began += late
        await asyncio.sleep(max(0.0, -late))

    async def _ask(self, client: httpx.AsyncClient, first: int, last: int) -> None:
        rows = self._inputs.iloc[first:last]
        single = last - first == 1
        path, body = ("/predict", _one(rows)) if single else ("/invocations", _many(rows))
        try:
            answer = await client.post(path, content=body, headers=_HEADERS)
        except httpx.TransportError:
            self.failed_requests += 1
            return
        if answer.status_code != httpx.codes.OK:
            self.failed_requests += 1
            return
        content = orjson.loads(answer.content)
        predictions = (content["prediction"],) if single else tuple(content["predictions"])
        self.answered_rows += len(predictions)
        # Without an id nothing can be labelled: the model was asked directly.
        if prediction_id := answer.headers.get("x-prediction-id"):
            noted = Answer(prediction_id, first, predictions, time.monotonic())
            self.journal.answers.append(noted)
            self._waiting.append(noted)

    async def _post_labels(self) -> None:
        """Post the arrivals whose delay has passed, a few times a second, in flight order."""
        settings = self._settings
        headers = {"authorization": f"Bearer {settings.token}"} if settings.token else {}
        async with httpx.AsyncClient(
            base_url=settings.control_url, headers=headers, timeout=_TIMEOUT
        ) as client:
            while self._sending or self._waiting:
                await asyncio.sleep(LABEL_EVERY_SECONDS)
                ripe = time.monotonic() - self._settings.label_delay_seconds
                due: list[Answer] = []
                while self._waiting and self._waiting[0].answered_at <= ripe:
                    due.append(self._waiting.popleft())
                if due:
                    await self._feedback(client, sorted(due, key=lambda answer: answer.first))

    async def _feedback(self, client: httpx.AsyncClient, answers: list[Answer]) -> None:
        body = b"\n".join(self._label_line(answer) for answer in answers)
        began_at = time.time()
        for _ in range(FEEDBACK_ATTEMPTS):
            try:
                reply = await client.post("/feedback", content=body, headers=_LINES)
            except httpx.TransportError:
                await asyncio.sleep(LABEL_EVERY_SECONDS)
                continue
            if reply.status_code == httpx.codes.ACCEPTED:
                self.refused_labels += len(reply.json().get("rejected", ()))
                self.journal.posts.append(LabelPost(began_at, time.time(), tuple(answers)))
                return
            if reply.status_code not in {429, 503}:
                break
            await asyncio.sleep(LABEL_EVERY_SECONDS)
        self.refused_labels += sum(len(answer.predictions) for answer in answers)

    def _label_line(self, answer: Answer) -> bytes:
        truth = self._truth[answer.first : answer.first + len(answer.predictions)]
        known = {"label": truth[0]} if len(truth) == 1 else {"labels": truth}
        return orjson.dumps({"prediction_id": answer.prediction_id, **known})


def _cuts(rows: int) -> Iterator[tuple[int, int]]:
    """The requests: which rows go into each.

    >>> list(_cuts(10)), list(_cuts(0))
    ([(0, 1), (1, 2), (2, 3), (3, 4), (4, 10)], [])
    """
    first = 0
    for size in itertools.cycle(REQUEST_ROWS):
        if first >= rows:
            return
        yield first, min(first + size, rows)
        first += size


def _one(rows: pd.DataFrame) -> bytes:
    return orjson.dumps(dict(zip(rows.columns, rows.iloc[0].tolist(), strict=True)))


def _many(rows: pd.DataFrame) -> bytes:
    split = {"columns": rows.columns.tolist(), "data": rows.to_numpy().tolist()}
    return orjson.dumps({"dataframe_split": split})


async def _show(replay: Replay, console: Console) -> None:
    with Progress(console=console) as progress:
        bar = progress.add_task("flights", total=len(replay.flights))
        running = asyncio.ensure_future(replay.run())
        while not running.done():
            await asyncio.wait([running], timeout=0.25)
            stands = f"{replay.stands_at:%d %B}"
            progress.update(bar, completed=replay.answered_rows, description=stands)
        await running


def main() -> None:
    """Replay once, with a progress bar."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--model-url", default="http://127.0.0.1:8000")
    parser.add_argument("--control-url", default="http://127.0.0.1:8001")
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    console = Console()
    flights = load_flights()
    later = later_flights(flights, thinning(len(later_flights(flights)), arguments.seconds))
    settings = ReplaySettings(
        arguments.model_url,
        arguments.control_url,
        arguments.seconds,
        arguments.seconds / 60,
        os.environ.get("FLIGHTS_CONTROL_TOKEN", ""),
    )
    replay = Replay(later, settings)
    asyncio.run(_show(replay, console))
    console.print(
        f"{replay.answered_rows:,} flights answered, {replay.failed_requests:,} requests failed, "
        f"{replay.journal.labelled_rows:,} arrivals posted, {replay.refused_labels:,} refused"
    )


if __name__ == "__main__":
    main()
