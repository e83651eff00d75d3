"""From samples to figures: medians over rounds, ratios within a round, and Sidelight's bars.

Pure; knows nothing of processes or of how a figure is shown. A ratio is taken within a round,
then its median over the rounds: a machine that slows down moves both samples, not the ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.proxies.sidelight import OBSERVED
from benchmarks.suite import DIRECT, SIDELIGHT, Sample, mode

_PATH_PARTS = ("proxy", "relay")  # what a request waits for
BUSY = mode(16)
ALONE = mode(1)
_NOISY_RATIO = 0.05


@dataclass(frozen=True, slots=True)
class Figure:
    """One subject under one load: medians over the rounds, highest memory, sum of errors."""

    subject: str
    mode: str
    rounds: int
    requests_per_second: float
    p50_seconds: float
    p99_seconds: float
    cpu_microseconds: Mapping[str, float]  # by part, per request
    total_cpu_microseconds: float | None
    core_ratio: float | None  # of one core, used by what is on the path
    rss_bytes: Mapping[str, int]
    errors: int
    outcomes: Mapping[str, float]  # exchanges by outcome or outcome/reason, all rounds


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise, what was measured, and whether it holds; `measured` is None where it was not."""

    promise: str
    limit: float
    measured: float | None
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        """None where nothing was measured."""
        if self.measured is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass(frozen=True, slots=True)
class Summary:
    """All that is reported."""

    figures: tuple[Figure, ...]
    ratios: Mapping[
        str, Mapping[str, Mapping[tuple[str, str], float]]
    ]  # mode, subject, (measure, to)
    bars: tuple[Bar, ...]
    foreign_ratio: float

    @property
    def noisy(self) -> bool:
        """Whether others used so much of the machine that only the ratios mean anything."""
        return self.foreign_ratio > _NOISY_RATIO


def summarise(samples: Sequence[Sample]) -> Summary:
    """Figures, ratios and bars of a run."""
    whole = [sample for sample in samples if not sample.broken]
    modes = list(dict.fromkeys(sample.mode for sample in samples))
    subjects = [DIRECT, *dict.fromkeys(s.subject for s in samples if s.subject != DIRECT)]
    groups = {
        (load, name): [s for s in whole if (s.mode, s.subject) == (load, name)]
        for load in modes
        for name in subjects
    }
    figures = tuple(_figure(group) for group in groups.values() if group)
    ratios = {
        load: {
            name: _ratios(whole, load, name)
            for name in subjects
            if name != DIRECT and groups[load, name]
        }
        for load in modes
    }
    broken = frozenset(s.mode for s in samples if s.broken and s.subject == SIDELIGHT)
    foreign = median(sample.foreign_ratio for sample in samples) if samples else 0.0
    return Summary(figures, ratios, _bars(whole, figures, broken), foreign)


def path_cpu(sample: Sample) -> float:
    """CPU seconds per request of what is on the path: the proxy, or Sidelight's relay."""
    return sum(sample.cpu_seconds.get(part, 0.0) for part in _PATH_PARTS) / sample.load.requests


def whole_cpu(sample: Sample) -> float:
    """CPU seconds per request of all its processes."""
    return sum(sample.cpu_seconds.values()) / sample.load.requests


def _figure(group: Sequence[Sample]) -> Figure:
    first = group[0]
    cpu = {
        part: median(s.cpu_seconds[part] / s.load.requests * 1e6 for s in group)
        for part in first.cpu_seconds
    }
    outcomes: dict[str, float] = {}
    for sample in group:
        for key, value in sample.outcomes.items():
            outcomes[key] = outcomes.get(key, 0.0) + value
    return Figure(
        subject=first.subject,
        mode=first.mode,
        rounds=len(group),
        requests_per_second=median(s.load.requests_per_second for s in group),
        p50_seconds=median(s.load.p50_seconds for s in group),
        p99_seconds=median(s.load.p99_seconds for s in group),
        cpu_microseconds=cpu,
        total_cpu_microseconds=median(whole_cpu(s) * 1e6 for s in group) if cpu else None,
        core_ratio=median(path_cpu(s) * s.load.requests_per_second for s in group) if cpu else None,
        rss_bytes={part: max(s.rss_bytes[part] for s in group) for part in first.rss_bytes},
        errors=sum(s.load.errors for s in group),
        outcomes=outcomes,
    )


Measure = Callable[[Sample], float]
CPU, WHOLE_CPU, RATE, P50, P99 = "CPU", "all CPU", "requests/s", "p50", "p99"
MEASURES: Mapping[str, Measure] = {
    CPU: path_cpu,
    WHOLE_CPU: whole_cpu,
    RATE: lambda sample: sample.load.requests_per_second,
    P50: lambda sample: sample.load.p50_seconds,
    P99: lambda sample: sample.load.p99_seconds,
}
BASELINES = ("nginx", "envoy")


def _ratios(samples: Sequence[Sample], load: str, subject: str) -> dict[tuple[str, str], float]:
    found = {
        (name, baseline): ratio(samples, load, (subject, baseline), measured)
        for baseline in BASELINES
        for name, measured in MEASURES.items()
    }
    return {key: value for key, value in found.items() if value is not None}


def ratio(
    samples: Iterable[Sample], load: str, pair: tuple[str, str], measured: Measure
) -> float | None:
    """The median over rounds of `measured`, first of `pair` by second; None without both."""
    by_round: dict[int, dict[str, float]] = {}
    for sample in samples:
        if sample.mode == load and sample.subject in pair:
            by_round.setdefault(sample.round, {})[sample.subject] = measured(sample)
    upper, lower = pair
    found = [
        values[upper] / values[lower]
        for values in by_round.values()
        if upper in values and values.get(lower)
    ]
    return median(found) if found else None


def _added_ratio(samples: Sequence[Sample]) -> float | None:
    """p50 less that of talking to the origin directly in the same round, by nginx's."""
    direct = {
        s.round: s.load.p50_seconds for s in samples if (s.subject, s.mode) == (DIRECT, ALONE)
    }
    known = [s for s in samples if s.round in direct]
    pair = (SIDELIGHT, "nginx")
    return ratio(known, ALONE, pair, lambda s: s.load.p50_seconds - direct[s.round])


def _bars(
    samples: Sequence[Sample], figures: Sequence[Figure], broken: frozenset[str]
) -> tuple[Bar, ...]:
    """The bars; `broken` are the modes of which not every sample of Sidelight counts."""
    rated = next((f.mode for f in figures if f.mode.endswith("/s")), "")
    own = {f.mode: f for f in figures if f.subject == SIDELIGHT}

    def to(baseline: str, load: str, measured: Measure) -> float | None:
        return ratio(samples, load, (SIDELIGHT, baseline), measured)

    return (
        Bar(f"relay CPU / nginx, {BUSY}", 1.8, to("nginx", BUSY, path_cpu)),
        Bar(f"relay CPU / Envoy, {BUSY}", 0.75, to("envoy", BUSY, path_cpu)),
        Bar(f"requests/s / Envoy, {BUSY}", 1.2, to("envoy", BUSY, MEASURES[RATE]), at_least=True),
        Bar(f"CPU of all processes / Envoy, {rated}", 1.5, to("envoy", rated, whole_cpu)),
        Bar(f"exchanges lost, {rated}", 0.0, None if rated in broken else _lost(own.get(rated))),
        Bar(f"added p50 / nginx, {ALONE}", 1.3, _added_ratio(samples)),
        Bar(f"p99 / nginx, {ALONE}", 1.5, to("nginx", ALONE, MEASURES[P99])),
        Bar(f"p99 / nginx, {BUSY}", 1.5, to("nginx", BUSY, MEASURES[P99])),
        Bar("RSS of the relay, MB", 35.0, _megabytes(own.values(), ("relay",))),
        Bar("RSS of all processes, MB", 170.0, _megabytes(own.values(), None)),
    )


def _lost(figure: Figure | None) -> float | None:
    """Exchanges that were offered and not observed; None where nothing was counted."""
    if figure is None or not figure.outcomes:
        return None
    return sum(value for key, value in figure.outcomes.items() if not key.startswith(OBSERVED))


def _megabytes(figures: Iterable[Figure], parts: Sequence[str] | None) -> float | None:
    """The most that `parts` (None: all) had resident in any mode; None without a figure."""
    found = [
        sum(rss for part, rss in figure.rss_bytes.items() if parts is None or part in parts)
        for figure in figures
    ]
    return max(found) / 1e6 if found else None
