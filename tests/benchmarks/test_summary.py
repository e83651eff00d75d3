"""Ratios within rounds, medians, bars and losses of the benchmark's arithmetic."""

from __future__ import annotations

import pytest

from benchmarks.load import Load
from benchmarks.suite import DIRECT, SIDELIGHT, Sample
from benchmarks.summary import ALONE, BUSY, CPU, Summary, summarise

MICROSECONDS = 1e-6


def sample(
    subject: str,
    mode: str = BUSY,
    number: int = 0,
    *,
    cpu: dict[str, float] | None = None,
    p50: float = 100.0,
    outcomes: dict[str, float] | None = None,
    broken: str = "",
) -> Sample:
    """1,000 requests in a second; `cpu` in µs a request by part, `p50` in µs."""
    used = {"proxy": 10.0} if cpu is None else cpu
    return Sample(
        subject=subject,
        mode=mode,
        round=number,
        load=Load(1000, 1.0, p50 * MICROSECONDS, 2 * p50 * MICROSECONDS, 0),
        cpu_seconds={part: value * 1000 * MICROSECONDS for part, value in used.items()},
        rss_bytes=dict.fromkeys(used, 10_000_000),
        foreign_ratio=0.0,
        broken=broken,
        outcomes=outcomes or {},
    )


def bar(summary: Summary, promise: str) -> tuple[float | None, bool | None]:
    found = next(one for one in summary.bars if one.promise.startswith(promise))
    return None if found.measured is None else round(found.measured, 9), found.holds


def test_ratio_is_the_median_of_ratios_within_rounds() -> None:
    # The machine is three times slower from round 1 on: the ratio of medians is 1.33, the truth 2.
    samples = [
        sample("nginx", number=0, cpu={"proxy": 10.0}),
        sample("envoy", number=0, cpu={"proxy": 20.0}),
        sample("nginx", number=1, cpu={"proxy": 30.0}),
        sample("envoy", number=1, cpu={"proxy": 60.0}),
        sample("nginx", number=2, cpu={"proxy": 30.0}),
    ]
    assert summarise(samples).ratios[BUSY]["envoy"][CPU, "nginx"] == pytest.approx(2.0)


def test_the_path_is_the_relay_and_the_whole_is_every_part() -> None:
    mine = {"relay": 20.0, "monitor": 30.0, "supervisor": 1.0}
    samples = [
        sample("nginx", cpu={"proxy": 10.0}),
        sample("envoy", cpu={"proxy": 40.0}),
        sample("envoy", "5000/s", cpu={"proxy": 40.0}),
        sample(SIDELIGHT, cpu=mine),
        sample(SIDELIGHT, "5000/s", cpu=mine),
    ]
    summary = summarise(samples)
    assert bar(summary, "relay CPU / nginx") == (2.0, False)
    assert bar(summary, "relay CPU / Envoy") == (0.5, True)
    assert bar(summary, "CPU of all processes / Envoy") == (51 / 40, True)
    assert bar(summary, "RSS of the relay") == (10.0, True)
    assert bar(summary, "RSS of all processes") == (30.0, True)


def test_added_latency_counts_from_direct() -> None:
    samples = [
        sample(DIRECT, ALONE, p50=40.0, cpu={}),
        sample("nginx", ALONE, p50=140.0),
        sample(SIDELIGHT, ALONE, p50=160.0, cpu={"relay": 1.0}),
    ]
    assert bar(summarise(samples), "added p50")[0] == pytest.approx(120 / 100)


def test_added_latency_without_direct_is_not_measured() -> None:
    samples = [
        sample("nginx", ALONE, p50=140.0),
        sample(SIDELIGHT, ALONE, p50=160.0, cpu={"relay": 1.0}),
    ]
    assert bar(summarise(samples), "added p50") == (None, None)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({"observed": 1000.0}, (0.0, True)),
        ({"observed": 990.0, "dropped/queue_full": 7.0, "failed/not_json": 3.0}, (10.0, False)),
        ({}, (None, None)),  # nothing was counted: that is not "nothing was lost"
    ],
)
def test_lost_is_everything_not_observed(
    outcomes: dict[str, float], expected: tuple[float | None, bool | None]
) -> None:
    mine = sample(SIDELIGHT, "5000/s", cpu={"relay": 1.0}, outcomes=outcomes)
    assert bar(summarise([mine]), "exchanges lost") == expected


def test_without_sidelight_no_bar_is_claimed() -> None:
    summary = summarise([sample("nginx"), sample("envoy")])
    assert {one.holds for one in summary.bars} == {None}


def test_medians_and_errors_of_a_figure() -> None:
    samples = [sample("nginx", number=n, p50=p50) for n, p50 in enumerate((100.0, 900.0, 120.0))]
    (figure,) = summarise(samples).figures
    assert figure.p50_seconds == pytest.approx(120 * MICROSECONDS)
    assert figure.core_ratio == pytest.approx(0.01)  # 10 µs × 1,000/s
    assert figure.total_cpu_microseconds == pytest.approx(10.0)


def test_a_sample_whose_process_was_replaced_counts_for_nothing() -> None:
    rate = "5000/s"
    samples = [
        sample("envoy", rate, 0, cpu={"proxy": 40.0}),
        sample(SIDELIGHT, rate, 0, cpu={"relay": 20.0}, outcomes={"observed": 1000.0}),
        sample("envoy", rate, 1, cpu={"proxy": 40.0}),
        sample(SIDELIGHT, rate, 1, cpu={"relay": 20.0, "monitor": -999.0}, broken="replaced"),
    ]
    summary = summarise(samples)
    assert bar(summary, "CPU of all processes / Envoy") == (0.5, True)
    assert [f.rounds for f in summary.figures if f.subject == SIDELIGHT] == [1]
    assert bar(summary, "exchanges lost") == (None, None)  # one round's losses are unknown
