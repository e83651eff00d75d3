"""Labels on their way to a sidecar that is busy, away, or of another opinion."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from monitor.upload.progress import Progress
from monitor.upload.sender import PATIENCE_SECONDS, Sender, UploadError

ITEMS = [{"prediction_id": f"i{n}", "label": n} for n in range(10)]
REPORT = {"accepted": 10, "joined": 7, "pending": 3, "rejected": [], "rejected_count": 0}

Answer = Callable[[httpx.Request], httpx.Response]


def sender(answers: list[httpx.Response | Exception] | Answer) -> tuple[Sender, list[float]]:
    slept: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if callable(answers):
            return answers(request)
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    client = httpx.Client(base_url="http://sidecar", transport=httpx.MockTransport(answer))
    return Sender(client, source="job", sleep=slept.append), slept


def test_what_is_busy_or_away_is_asked_again_as_long_as_it_says() -> None:
    busy = httpx.Response(429, headers={"retry-after": "7"}, json={"error": "wait"})
    away = httpx.ConnectError("refused")
    broken = httpx.Response(503, json={"error": "store"})
    sending, slept = sender([busy, away, broken, httpx.Response(202, json=REPORT)])
    sending.send(ITEMS)
    assert slept == [7.0, 1.0, 2.0]
    assert (sending.summary.sent, sending.summary.outcomes["joined"]) == (10, 7)


def test_patience_ends() -> None:
    sending, slept = sender(lambda _: httpx.Response(503, json={"error": "disk full"}))
    with pytest.raises(UploadError, match="no progress for 600 s: 503: disk full"):
        sending.send(ITEMS)
    assert PATIENCE_SECONDS <= sum(slept) < PATIENCE_SECONDS + 60


def test_a_body_that_is_too_large_is_halved() -> None:
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        lines = [json.loads(line) for line in request.content.splitlines()]
        assert request.headers["x-sidelight-source"] == "job"
        if len(lines) > 3:
            return httpx.Response(413, json={"error": "too large"})
        sizes.append(len(lines))
        return httpx.Response(202, json={"accepted": len(lines), "joined": len(lines)})

    sending, _ = sender(answer)
    sending.send(ITEMS)
    assert (sum(sizes), sending.summary.outcomes["joined"]) == (10, 10)


def test_rejections_are_counted_and_the_first_are_shown() -> None:
    rejected = [{"index": n, "error": f"no {n}"} for n in range(8)]
    report = {"accepted": 0, "rejected": rejected, "rejected_count": 10, "error": "nothing"}
    sending, _ = sender([httpx.Response(422, json=report)])
    sending.send(ITEMS)
    assert sending.summary.rejected == 10
    assert sending.summary.reasons == [f"no {n}" for n in range(5)]


@pytest.mark.parametrize("status", [401, 404, 415])
def test_a_refusal_for_good_ends_it(status: int) -> None:
    sending, slept = sender([httpx.Response(status, json={"error": "no"})])
    with pytest.raises(UploadError, match=f"{status}: no"):
        sending.send(ITEMS)
    assert slept == []


def test_progress_is_kept_for_the_same_file_and_address_only(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,y\na,1\n")
    first = Progress(path, "http://a", None)
    first.advance(2000)
    first.advance(500)
    assert Progress(path, "http://a", None).rows == 2500
    assert Progress(path, "http://b", None).rows == 0
    assert Progress(path, "http://a", "other").rows == 0
    path.write_text("id,y\na,1\nb,2\n")
    assert Progress(path, "http://a", None).rows == 0
    first.forget()
    assert list(tmp_path.iterdir()) == [path]
