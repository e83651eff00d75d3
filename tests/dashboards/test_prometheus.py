"""A real Prometheus that scrapes real sidecars: every panel has data, and sums over replicas are
those of the raw rows."""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Iterator

import pytest

from dashboards.expressions import JS_DISTANCE, MISSING, PSI
from dashboards.generated import dashboards
from tests.dashboards.fleet import Fleet, fleet

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed"),
]

ROUNDS = 40
COLUMN = '{column="x", role="feature"}'
CHOICE = {
    "$__rate_interval": "1m", "$job": ".+", "$instance": ".+", "$model": ".+", "$version": ".+",
    "$role": "feature",
}  # fmt: skip
QUERIES = {
    f"{uid}: {panel['title']} {target['refId']}": (uid, target["expr"])
    for uid, board in dashboards().items()
    for panel in board["panels"]
    for target in panel.get("targets", ())
}


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("fleet")) as running:
        running.send(ROUNDS)
        # All that was sent is counted and scraped, and the second replica has raised its alert.
        # Bins are published with the next look at the window, so they come after predictions_total.
        features = 'sidelight_column_observations_total{role="feature"}'
        running.wait(lambda: running.numbers(f"sum({features})") == [3 * ROUNDS * 50])
        running.wait(lambda: bool(running.ask("sidelight_alerts_firing > 0")))
        running.wait(lambda: bool(running.ask(PSI)))
        running.wait(lambda: bool(running.ask("sidelight_segment_columns_drifted")))
        # A rate takes two samples, and these counters appear with what they count.
        for name in ("alert_deliveries", "observations", "requests"):
            many = f"min(count_over_time(sidelight_{name}_total[1m])) > 2"
            running.wait(lambda many=many: bool(running.ask(many)))  # type: ignore[misc]  # a lambda with a default
        yield running


@pytest.mark.parametrize("name", QUERIES)
def test_a_panel_has_data(scraped: Fleet, name: str) -> None:
    uid, query = QUERIES[name]
    for variable, value in CHOICE.items():
        query = query.replace(variable, value)
    query = query.replace("$column", "x" if uid == "sidelight-columns" else ".+")
    numbers = scraped.numbers(query)
    assert numbers
    assert any(math.isfinite(number) for number in numbers)


def test_a_choice_that_does_not_exist_has_none(scraped: Fleet) -> None:
    for name, (_, query) in QUERIES.items():
        for variable, value in {**CHOICE, "$job": "nothing", "$column": ".+"}.items():
            query = query.replace(variable, value)  # noqa: PLW2901
        assert scraped.ask(query) == [], name


def _samples(scraped: Fleet) -> list[list[float]]:
    """When each replica's x was scraped."""
    series = 'sidelight_column_observations_total{column="x",bin="missing"}[1h]'
    found = [[float(moment) for moment, _ in one["values"]] for one in scraped.ask(series)]
    assert len(found) == 2
    return found


def _as_many(scraped: Fleet) -> bool:
    return len({len(times) for times in _samples(scraped)}) == 1


def _ended(scraped: Fleet) -> bool:
    """Whether the rules saw both series end: 1.1 mean intervals without a sample, as `increase`."""
    evaluated = max(scraped.numbers(f"timestamp({PSI}{COLUMN})"), default=0.0)
    return all(
        evaluated - times[-1] > 1.2 * (times[-1] - times[0]) / (len(times) - 1)
        for times in _samples(scraped)
    )


def _stop_scraping(scraped: Fleet) -> None:
    """Stop at a moment when both replicas have the same number of samples.

    `increase` extrapolates to the ends of its range, by a factor that depends on the moments of a
    target's scrapes. The factor is the same for both replicas where each series begins at zero, has
    ended, and has as many samples; then the shares of bins are exactly those of the rows.
    """
    for _ in range(6):
        scraped.wait(lambda: _as_many(scraped))  # from here to the kill is less than a scrape
        scraped.end()
        scraped.start(scraping=False)
        scraped.wait(lambda: _ended(scraped))
        if _as_many(scraped):
            return
        scraped.end()
        scraped.start(scraping=True)
    pytest.fail("never the same number of samples")


def _share(counts: Counter[float | None], value: float | None) -> float:
    return counts[value] / counts.total()


def test_fleet_scores_are_those_of_the_pooled_raw_rows(scraped: Fleet) -> None:
    _stop_scraping(scraped)
    psi = js = 0.0
    for value in {*scraped.sent, *scraped.reference}:
        p, q = _share(scraped.sent, value), _share(scraped.reference, value)
        psi += (max(p, 1e-4) - max(q, 1e-4)) * math.log(max(p, 1e-4) / max(q, 1e-4))
        js += sum(one * math.log(2 * one / (p + q)) / 2 for one in (p, q) if one)
    assert psi > 0.1
    assert scraped.numbers(PSI + COLUMN) == [pytest.approx(psi, abs=1e-6)]
    assert scraped.numbers(JS_DISTANCE + COLUMN) == [pytest.approx(math.sqrt(js), abs=1e-6)]
    assert scraped.numbers(MISSING + COLUMN) == [
        pytest.approx(_share(scraped.sent, None), abs=1e-6)
    ]
