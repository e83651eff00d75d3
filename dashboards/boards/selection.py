"""PromQL under a board's variables: every selector keeps to the chosen job, instance and model.

A metric that the catalog does not promise cannot be named here. Knows nothing of Grafana's JSON.
"""

from __future__ import annotations

from dashboards.boards.facts import Reach, Variable
from dashboards.expressions import MODEL, series
from exporters.catalog import PREFIX

OVER = (
    "1h"  # as the recording rules, whose sums over replicas the boards repeat for a choice of them
)
RATE = "$__rate_interval"
PLACE = 'job=~"$job", instance=~"$instance"'
CHOSEN = f'{PLACE}, model=~"$model", version=~"$version"'
REPLICA = f"{MODEL}, job, instance"
COLUMN = "column"

_KNOWN = "build_info"  # there from the first scrape on, whatever the traffic
_MODELS = f'{PLACE}, model=~"$model"'

VARIABLES = (
    Variable("job", "Job", series(_KNOWN)),
    Variable("instance", "Instance", series(_KNOWN, 'job=~"$job"')),
    Variable("model", "Model", series(_KNOWN, PLACE)),
    Variable("version", "Version", series(_KNOWN, _MODELS)),
)
ANNOTATION = (
    'ALERTS{alertname=~"Sidelight.*", alertstate="firing", model=~"$model|", '
    'instance=~"$instance|", job=~"$job|"}'
)


def columns(reach: Reach) -> Variable:
    """The choice of columns."""
    return Variable(COLUMN, "Column", series("column_reference_ratio", CHOSEN), reach)


def matchers(*more: str) -> str:
    """The board's choice, and more.

    >>> matchers('code="200"')[-32:]
    ' version=~"$version", code="200"'
    """
    return ", ".join((CHOSEN, *more))


def chosen(name: str, *more: str) -> str:
    """The series of a metric, of the chosen sidecars and models."""
    return series(name, matchers(*more))


def rate(name: str, *more: str, by: str = "") -> str:
    """A counter's rate per second, added up over what was chosen."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({chosen(name, *more)}[{RATE}]))"


def grown(name: str, *more: str, by: str = "") -> str:
    """How much a counter grew over the rules' window, added up over what was chosen."""
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (increase({chosen(name, *more)}[{OVER}]))"


def share(part: str, whole: str) -> str:
    """One over the other; absent where there is nothing to divide by.

    >>> share("a", "b")
    'a / (b > 0)'
    """
    return f"{part} / ({whole} > 0)"


def or_none(expression: str, while_there_is: str) -> str:
    """Zero where a sidecar is scraped that has no such series yet; absent where none is scraped."""
    return f"({expression} or 0 * {while_there_is})"


def quantile(at: float, name: str) -> str:
    """A quantile of a histogram, the buckets of all replicas added up first."""
    selector = chosen(name).replace("{", "_bucket{", 1)
    return f"histogram_quantile({at}, sum by (le) (rate({selector}[{RATE}])))"


def scores(names: tuple[str, ...], *more: str) -> str:
    """Several performance metrics at once, each by its own name, replica by replica."""
    named = "|".join(series(name).removeprefix(PREFIX) for name in names)
    every = f'{{__name__=~"{PREFIX}({named})", {matchers(*more)}}}'
    return f"max by (__name__, {REPLICA}) ({every})"
