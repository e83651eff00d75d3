"""docs/metrics.md, made from the catalog: `python -m exporters.catalog_page > docs/metrics.md`."""

from __future__ import annotations

import sys

from exporters.catalog import COMMON_LABELS, METRICS, PREFIX, Metric

_HEAD = f"""# Metrics

<!-- Made from exporters/catalog.py by `python -m exporters.catalog_page`; edit the catalog. -->

`GET /metrics` on the control port answers in Prometheus' text format, or in OpenMetrics where the
Accept header asks for it. Every name begins with `{PREFIX}`, and every series carries
{" and ".join(f"`{label}`" for label in COMMON_LABELS)}.

What is not known yet is absent, never zero: a column without enough rows has no score, a model
without labels has no accuracy. Counters start at zero when the process does.

`limits.series` (10,000) bounds the series of one scrape. Over it, the bins of the last columns are
left out first, whole columns at a time, then the last columns' scores;
`{PREFIX}series_dropped_total` says how many series that were.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return _HEAD + "".join(_row(metric) for metric in METRICS)


def _row(metric: Metric) -> str:
    values = dict(metric.values)
    labels = ", ".join(
        f"`{label}`" + (f" ({values[label]})" if label in values else "") for label in metric.labels
    )
    meaning = metric.help.replace("|", "\\|")
    return f"| `{metric.full_name}` | {metric.kind} | {labels or '–'} | {meaning} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
