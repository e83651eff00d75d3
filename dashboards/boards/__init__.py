"""The Grafana dashboards as facts, and how they become JSON: `python -m dashboards.boards`.

Only this room needs the Foundation SDK; what it makes is committed in dashboards/generated/, so
that a running Sidelight does not.
"""
