"""Prometheus' view of one Snapshot: a collector for a registry, and bytes for a scrape.

No global registry: whoever wants one registers the collector there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric as ClientMetric
from prometheus_client.registry import Collector

from exporters.exposition import Format, Writer, label_value, negotiate
from exporters.series import Selection, select
from monitor.snapshot import Snapshot

DEFAULT_SERIES_LIMIT = 10_000


class SnapshotCollector(Collector):
    """Collects the Snapshot of the moment, for any prometheus_client registry."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], *, series_limit: int = DEFAULT_SERIES_LIMIT
    ) -> None:
        self._snapshot = snapshot
        self._series_limit = series_limit
        self._dropped = 0

    def collect(self) -> Iterator[ClientMetric]:
        """Every family of the Snapshot."""
        selection = self.select(self._snapshot())
        for family in selection.families:
            metric = family.metric
            client = ClientMetric(metric.family, metric.help, metric.kind.value, metric.unit)
            for one in family.series:
                labels = {k: label_value(v) for k, v in selection.common + one.labels}
                client.add_sample(metric.family + one.suffix, labels, one.value)
            yield client

    def describe(self) -> list[ClientMetric]:
        """Nothing: a registry then does not collect, and so needs no Snapshot, at registration."""
        return []

    def select(self, snapshot: Snapshot) -> Selection:
        """What is exported of `snapshot`."""
        selection = select(snapshot, self._series_limit, self._dropped)
        self._dropped = max(self._dropped, selection.dropped)
        return selection


@dataclass(slots=True)
class _Rendered:
    """The bytes of one Snapshot in the formats asked for so far."""

    snapshot: Snapshot
    selection: Selection
    bodies: dict[str, bytes]


class PrometheusExporter:
    """Answers scrapes; safe in threads, and twenty scrapers of one Snapshot cost one rendering."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], *, series_limit: int = DEFAULT_SERIES_LIMIT
    ) -> None:
        self._snapshot = snapshot
        self._collector = SnapshotCollector(snapshot, series_limit=series_limit)
        self._writer = Writer()
        self._lock = threading.Lock()
        self._rendered: _Rendered | None = None

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The body and the content type for a scrape with this Accept header."""
        format_ = negotiate(accept)
        with self._lock:
            return self._body(self._snapshot(), format_), format_.content_type

    def _body(self, snapshot: Snapshot, format_: Format) -> bytes:
        rendered = self._rendered
        if rendered is None or rendered.snapshot is not snapshot:
            rendered = _Rendered(snapshot, self._collector.select(snapshot), {})
            self._rendered = rendered
        body = rendered.bodies.get(format_.content_type)
        if body is None:
            body = self._writer.write(rendered.selection, format_)
            rendered.bodies[format_.content_type] = body
        return body
