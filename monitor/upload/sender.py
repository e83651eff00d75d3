"""Items to a sidecar's `POST /feedback`, until each is acknowledged or refused for good.

Knows nothing of files. What is to be tried again is tried with patience: as long as the answer
says, else twice as long each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from monitor.errors import SidelightError

PATIENCE_SECONDS = 600.0  # without any progress
LONGEST_PAUSE_SECONDS = 30.0
ANSWER_SECONDS = 60.0
OUTCOMES = ("joined", "pending", "duplicate", "corrected", "expired")
SHOWN_REJECTIONS = 5
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


class UploadError(SidelightError):
    """The sidecar cannot be reached, or refuses everything."""


@dataclass(slots=True)
class Summary:
    """What became of all items so far."""

    sent: int = 0
    rejected: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    reasons: list[str] = field(default_factory=list)  # of the first rejections

    def add(self, report: dict[str, Any], sent: int) -> None:
        """Count one answer."""
        self.sent += sent
        for outcome in OUTCOMES:
            self.outcomes[outcome] += report.get(outcome, 0)
        rejected = report.get("rejected", [])
        self.rejected += report.get("rejected_count", len(rejected))
        room = SHOWN_REJECTIONS - len(self.reasons)
        self.reasons += [one["error"] for one in rejected[: max(room, 0)]]


class Sender:
    """One conversation with one sidecar."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        source: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
        waiting: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._headers = {"content-type": "application/x-ndjson"}
        if source:
            self._headers["x-sidelight-source"] = source
        self._sleep = sleep
        self._waiting = waiting
        self.summary = Summary()

    def send(self, items: Sequence[dict[str, Any]]) -> None:
        """Have them acknowledged; UploadError where that cannot be had."""
        if not items:
            return
        body = b"\n".join(orjson.dumps(item) for item in items)
        answer = self._asked("POST", "/feedback", content=body, headers=self._headers)
        if answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE and len(items) > 1:
            half = len(items) // 2
            self.send(items[:half])
            self.send(items[half:])
            return
        report = _report(answer)
        if report is None:
            raise UploadError(f"the sidecar answers {answer.status_code}: {_fault(answer)}")
        self.summary.add(report, len(items))

    def revoke(self, source: str) -> int:
        """Take out all that a source said; how many labels that were."""
        answer = self._asked("DELETE", "/api/v1/labels", params={"source": source})
        if answer.status_code != httpx.codes.OK:
            raise UploadError(f"the sidecar answers {answer.status_code}: {_fault(answer)}")
        return int(answer.json()["labels"])

    def _asked(self, method: str, path: str, **sent: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        waited, pause = 0.0, 0.5
        while True:
            try:
                answer = self._client.request(method, path, **sent)
                if answer.status_code not in _LATER:
                    return answer
                why = f"{answer.status_code}: {_fault(answer)}"
                wait = min(_retry_after(answer) or pause, LONGEST_PAUSE_SECONDS)
            except httpx.TransportError as error:
                why, wait = f"{self._client.base_url}: {error}", pause
            if waited >= PATIENCE_SECONDS:
                raise UploadError(f"no progress for {PATIENCE_SECONDS:g} s: {why}")
            self._waiting(why)
            self._sleep(wait)
            waited += wait
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _report(answer: httpx.Response) -> dict[str, Any] | None:
    """What became of each item; None where the answer is none to labels."""
    try:
        report = answer.json()
    except ValueError:
        return None
    return report if isinstance(report, dict) and "accepted" in report else None


def _fault(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase


def _retry_after(answer: httpx.Response) -> float:
    given = answer.headers.get("retry-after", "")
    return float(given) if given.isdigit() else 0.0
