"""How receivers of alerts want to be told: one file a format, and the one table that chooses."""

from __future__ import annotations

from collections.abc import Mapping

from exporters.formats import (
    alertmanager,
    alertmanager_api,
    cloudevents,
    pagerduty,
    slack,
    teams,
)
from exporters.formats.format import Format

FORMATS: Mapping[str, Format] = {
    "alertmanager": alertmanager.FORMAT,
    "alertmanager_api": alertmanager_api.FORMAT,
    "slack": slack.FORMAT,
    "teams": teams.FORMAT,
    "pagerduty": pagerduty.FORMAT,
    "cloudevents": cloudevents.FORMAT,
}
