"""The one place that names Grafana's Foundation SDK, so that its ways end here."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # It would rather be asked for the new model, which only Grafana 12 and later read.
    warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
    from grafana_foundation_sdk.builders import (
        barchart,
        common,
        dashboard,
        prometheus,
        stat,
        table,
        timeseries,
    )
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as common_models
    from grafana_foundation_sdk.models import dashboard as dashboard_models

__all__ = [
    "JSONEncoder",
    "barchart",
    "common",
    "common_models",
    "dashboard",
    "dashboard_models",
    "prometheus",
    "stat",
    "table",
    "timeseries",
]
